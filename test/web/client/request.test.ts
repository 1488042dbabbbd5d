// `http3.request` and `http3.get`, beside node's own of the same names.

import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect, test } from 'vitest'
import { Http3Agent } from '../../../src/web/client/agent.ts'
import { get, request } from '../../../src/web/compat/client-request.ts'
import { createServer } from '../../../src/web/server/http-server.ts'
import { closing } from '../../endpoint/helpers.ts'
import { caPem } from '../../support/certificates.ts'
import { identity } from '../helpers.ts'

async function site(listener: Parameters<typeof createServer>[1]): Promise<{ url: string; agent: Http3Agent }> {
  const server = createServer(identity, listener)
  const agent = new Http3Agent({ discovery: 'only', connect: { ca: caPem } })
  closing({
    close() {
      server.closeAllConnections()
      return server.close()
    },
  })
  closing({ close: () => agent.destroy() })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { url: `https://127.0.0.1:${server.address()?.port}`, agent }
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response) text += chunk
  return text
}

test('get: status, headers, content', async () => {
  const { url, agent } = await site((req, res) => {
    res.setHeader('set-cookie', ['a=1', 'b=2'])
    res.end(`${req.method} ${req.url} ${req.headers['x-a']} ${req.headers.authorization}`)
  })
  const [response] = (await once(
    get(url.replace('//', '//me:secret@').concat('/path?q'), { agent, headers: { 'X-A': 'one' } }),
    'response',
  )) as [IncomingMessage]
  expect([response.statusCode, response.httpVersion]).toEqual([200, '3.0'])
  expect(response.headers['set-cookie']).toEqual(['a=1', 'b=2'])
  expect(await textOf(response)).toBe(`GET /path?q one Basic ${Buffer.from('me:secret').toString('base64')}`)
  expect(response.complete).toBe(true)
})

test('content in pieces, trailers, interim responses', async () => {
  const { url, agent } = await site(async (req, res) => {
    res.writeEarlyHints({ link: '</a.css>; rel=preload' })
    const text = await textOf(req)
    res.writeHead(200, { trailer: 'x-length' })
    res.write(text)
    res.addTrailers({ 'x-length': String(text.length) })
    res.end()
  })
  const asked = request(url, { agent, method: 'POST' })
  const hints = once(asked, 'information')
  asked.write('one ')
  asked.write('two ')
  asked.end('three')
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  expect((await hints)[0]).toMatchObject({ statusCode: 103, headers: { link: '</a.css>; rel=preload' } })
  expect(await textOf(response)).toBe('one two three')
  expect(response.trailers).toEqual({ 'x-length': '13' })
})

test('4 MiB through pipelines both ways', async () => {
  const { url, agent } = await site((req, res) => void req.pipe(res))
  const asked = request(url, { agent, method: 'PUT' })
  const sent = pipeline(Readable.from(Array.from({ length: 64 }, (_, i) => Buffer.alloc(65_536, i))), asked)
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  const sink = new PassThrough()
  const received = pipeline(response, sink)
  let length = 0
  for await (const chunk of sink) length += chunk.length
  await Promise.all([sent, received])
  expect(length).toBe(4 * 1024 * 1024)
})

test('timeout, destroy, abort signals, failures', async () => {
  const { url, agent } = await site((req, res) => void (req.url === '/begun' && res.write('begun')))
  const slow = get(url, { agent, timeout: 50 })
  await once(slow, 'timeout')
  slow.destroy()
  expect((await once(slow, 'error'))[0]).toMatchObject({ code: 'ECONNRESET' })
  const controller = new AbortController()
  const aborted = get(url, { agent, signal: controller.signal })
  controller.abort(new Error('never mind'))
  expect((await once(aborted, 'error'))[0]).toMatchObject({ message: 'never mind' })
  const [response] = (await once(get(`${url}/begun`, { agent }), 'response')) as [IncomingMessage]
  response.once('data', () => response.destroy(new Error('enough')))
  expect((await once(response, 'error'))[0]).toMatchObject({ message: 'enough' })
  expect(response.aborted).toBe(true)
  await agent.close()
  expect((await once(get(url, { agent }), 'error'))[0]).toMatchObject({ code: 'ERR_ZEROTRIP_AGENT_CLOSED' })
  expect(() => get('http://127.0.0.1')).toThrow(/https/)
})

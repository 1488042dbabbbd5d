// `session.request`: the fast door of a client.

import { expect, test } from 'vitest'
import type { Http3ClientStream } from '../../../src/web/client/client-stream.ts'
import { createServer } from '../../../src/web/server/http-server.ts'
import type { Http3ServerStream } from '../../../src/web/server/server-stream.ts'
import { closing, failure, pattern } from '../../endpoint/helpers.ts'
import { digest, identity, session, site, source } from '../helpers.ts'

/** The head of the answer and all of its content. */
function answer(stream: Http3ClientStream): Promise<{ headers: Record<string, unknown>; content: Buffer }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let headers: Record<string, unknown> = {}
    stream.on('response', (head: Record<string, unknown>) => {
      headers = head
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => resolve({ headers, content: Buffer.concat(chunks) }))
    stream.on('error', reject)
  })
}

test('headers and content, both ways', async () => {
  const { url } = await site(
    async request =>
      new Response(`${request.method} ${request.headers.get('x-a')} ${await request.text()}`, { status: 203 }),
  )
  const near = session(url)
  const got = await answer(near.request({ ':path': '/', 'X-A': 'one' }))
  expect(got.headers).toMatchObject({ ':status': 203, 'content-type': 'text/plain;charset=UTF-8' })
  expect(got.content.toString()).toBe('GET one ')
  // Before the handshake and after it, in pieces and at once.
  const post = near.request({ ':method': 'POST', 'x-a': 'two' })
  post.write('some ')
  post.end('words')
  expect((await answer(post)).content.toString()).toBe('POST two some words')
})

test('a request that is written before there is a connection', async () => {
  const { url } = await site(async request => new Response(await request.text()))
  const stream = session(url).request({ ':method': 'PUT' })
  expect(stream.write('first ')).toBe(false)
  stream.once('drain', () => stream.end('second'))
  expect((await answer(stream)).content.toString()).toBe('first second')
})

test('HEAD and 204 end by themselves', async () => {
  const { url } = await site(request => new Response(null, { status: request.method === 'HEAD' ? 200 : 204 }))
  const near = session(url)
  for (const method of ['HEAD', 'DELETE']) {
    const { headers, content } = await answer(near.request({ ':method': method }))
    expect([headers[':status'], content.length]).toEqual([method === 'HEAD' ? 200 : 204, 0])
  }
})

test('interim responses and trailers, both ways', async () => {
  const server = createServer(identity)
  closing({ close: () => server.close() })
  server.on('stream', (stream: Http3ServerStream) => {
    stream.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' })
    stream.on('trailers', (trailers: Record<string, string>) => {
      stream.respond({ 'content-type': 'text/plain' })
      stream.write(`got ${trailers['x-sum']}`)
      stream.sendTrailers({ 'x-sum': '7' })
    })
    stream.resume()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const asked = session(`https://127.0.0.1:${server.address()?.port}`).request({ ':method': 'POST' })
  const seen: unknown[] = []
  asked.on('headers', (headers: Record<string, unknown>) => seen.push([headers[':status'], headers['link']]))
  asked.on('trailers', (trailers: Record<string, unknown>) => seen.push(trailers['x-sum']))
  asked.write('some')
  asked.once('headers', () => asked.sendTrailers({ 'x-sum': '4' }))
  expect((await answer(asked)).content.toString()).toBe('got 4')
  expect(seen).toEqual([[103, '</a.css>; rel=preload'], '7'])
})

test('4 MiB by a duplex, and paused', async () => {
  const { url } = await site(request => new Response(request.body))
  const duplex = session(url).request({ ':method': 'POST' }).toDuplex()
  ;(async () => {
    for (let i = 0; i < 64; i++) if (!duplex.write(pattern(65_536, i))) await new Promise(r => duplex.once('drain', r))
    duplex.end()
  })()
  let length = 0
  for await (const chunk of duplex) length += chunk.length
  expect(length).toBe((await digest(source(64))).length)
})

test('cancelled, before and after; a connection that ends', async () => {
  const { url } = await site(() => new Promise<Response>(() => {}))
  const near = session(url)
  await expect(answer(near.request({}, { signal: AbortSignal.abort(new Error('at once')) }))).rejects.toThrow('at once')
  const controller = new AbortController()
  const later = answer(near.request({}, { signal: controller.signal }))
  controller.abort(new Error('later'))
  await expect(later).rejects.toThrow('later')
  const waiting = answer(near.request())
  near.session.close()
  expect((await failure(waiting)).message).toMatch(/closed/)
  await expect(answer(near.request())).rejects.toThrow(/closed/)
})

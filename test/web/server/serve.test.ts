// What a server of `serve` does besides answering.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect, test } from 'vitest'
import { connect } from '../../../src/endpoint/endpoint.ts'
import { createServer } from '../../../src/web/server/http-server.ts'
import type { ObservedServerRequest } from '../../../src/web/server-channels.ts'
import { closing } from '../../endpoint/helpers.ts'
import { caPem } from '../../support/certificates.ts'
import { identity, session, site } from '../helpers.ts'

const endless = (): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>({ start: controller => controller.enqueue(new Uint8Array(10)) })

test('timeouts of serve: a header section, a body, a client without requests', async () => {
  const times = { headersTimeout: 60, requestTimeout: 60, keepAliveTimeout: 60 }
  const { url, port } = await site(async request => new Response(await request.text()), times)
  const raw = closing(connect({ host: '127.0.0.1', port }, { alpn: ['h3'], ca: caPem }))
  const stream = await raw.openStream()
  // HEADERS of 100 bytes, of which there are three.
  await stream.write(new Uint8Array([0x01, 0x40, 0x64, 0, 0, 0]))
  const near = session(url)
  const answer = near.fetch('/', { method: 'POST', body: endless() })
  await expect(stream.read()).rejects.toMatchObject({ errorCode: 0x10d })
  expect((await answer).status).toBe(408)
  expect((await near.closed).errorCode).toBe(0x100)
})

test('a time that is none: RangeError', async () => {
  await expect(site(() => new Response(), { headersTimeout: -1 })).rejects.toThrow(/headersTimeout/)
})

/** What is published while `act` runs: of each message the channel's last words, the path and what came of it. */
async function published(act: () => Promise<unknown>): Promise<unknown[][]> {
  const seen: unknown[][] = []
  const requests = new Set<unknown>()
  const names = ['zerotrip:server:request:start', 'zerotrip:server:response:finish', 'zerotrip:server:request:error']
  const listener = (message: unknown, name: string | symbol): void => {
    const { request, response, error } = message as {
      request: ObservedServerRequest
      response?: { statusCode: number; headers: Record<string, string> }
      error?: Error
    }
    requests.add(request)
    const outcome = response === undefined ? error?.name : [response.statusCode, response.headers['x-answer']]
    seen.push([String(name).slice(16), request.method, request.path, request.headers['x-of'], outcome])
  }
  for (const name of names) subscribe(name, listener)
  try {
    await act()
  } finally {
    for (const name of names) unsubscribe(name, listener)
  }
  expect(requests.size * 2).toBe(seen.length)
  // Of each request in order; one that is given up may end after the next has begun.
  return seen.sort(([, , a], [, , b]) => String(a).localeCompare(String(b)))
}

test('requests at a server are published, whichever its door', async () => {
  const { url } = await site(
    request => {
      if (request.url.endsWith('/broken')) throw new Error('of a handler')
      if (request.url.endsWith('/slow')) return new Response(endless())
      return new Response('', { status: 201, headers: { 'x-answer': 'yes' } })
    },
    { onError: () => {} },
  )
  const near = session(url)
  const seen = await published(async () => {
    await near.fetch('/one?two', { headers: { 'x-of': 'a test' } })
    await near.fetch('/broken', { method: 'PUT' })
    const { body } = await near.fetch('/slow')
    await body?.cancel()
    await near.fetch('/')
  })
  expect(seen).toEqual([
    ['request:start', 'GET', '/', undefined, undefined],
    ['response:finish', 'GET', '/', undefined, [201, 'yes']],
    ['request:start', 'PUT', '/broken', undefined, undefined],
    ['response:finish', 'PUT', '/broken', undefined, [500, undefined]],
    ['request:start', 'GET', '/one?two', 'a test', undefined],
    ['response:finish', 'GET', '/one?two', 'a test', [201, 'yes']],
    ['request:start', 'GET', '/slow', undefined, undefined],
    ['request:error', 'GET', '/slow', undefined, expect.any(String)],
  ])
})

test('the (req, res) door is published on node’s own channels as well', async () => {
  const server = createServer({ ...identity }, (_req, res) => res.end('here'))
  closing({
    close() {
      server.closeAllConnections()
      return server.close()
    },
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const seen: unknown[] = []
  const listener = (message: unknown, name: string | symbol): void => {
    const { request, server: whose } = message as { request: { url: string }; server: unknown }
    if (whose === server) seen.push([name, request.url])
  }
  const names = ['http.server.request.start', 'http.server.response.finish']
  for (const name of names) subscribe(name, listener)
  const near = session(`https://127.0.0.1:${server.address()?.port}`)
  expect(await (await near.fetch('/path')).text()).toBe('here')
  await near.fetch('/path')
  for (const name of names) unsubscribe(name, listener)
  expect(seen.slice(0, 2)).toEqual(names.map(name => [name, '/path']))
})

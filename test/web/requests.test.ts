import { describe, expect, test, vi } from 'vitest'
import { QuicEndpoint } from '../../src/endpoint/endpoint.ts'
import { QuicStreams } from '../../src/endpoint/quic-streams.ts'
import { atRest, client, closing, echo, eventually, failure, pattern } from '../endpoint/helpers.ts'
import { digest, session, site, source } from './helpers.ts'

describe('requests and answers', () => {
  test('status, headers and body', async () => {
    const { url } = await site(
      async request =>
        new Response(`${request.method} ${new URL(request.url).pathname} ${request.headers.get('x-a')}`, {
          status: 203,
          headers: { 'x-b': 'two', 'content-type': 'text/plain' },
        }),
    )
    const near = session(url)
    const response = await near.fetch('/path?query', { headers: { 'X-A': 'one' } })
    expect(response.status).toBe(203)
    expect(response.headers.get('x-b')).toBe('two')
    expect(response.headers.get('date')).toMatch(/GMT$/)
    expect(await response.text()).toBe('GET /path one')
    expect((await near.opened).alpn).toBe('h3')
    expect(near.earlyData).toBe('none')
  })

  test('a path, a URL, a Request; methods of all kinds', async () => {
    const { url } = await site(async request => new Response(`${request.method} ${await request.text()}`))
    const near = session(url)
    const answers = await Promise.all(
      [
        near.fetch('/a'),
        near.fetch(new URL('/b', url)),
        near.fetch(`${url}/c`, { method: 'post', body: 'words' }),
        near.fetch(new Request(`${url}/d`, { method: 'PUT', body: 'more', headers: { a: 'b' } })),
        near.fetch('/e', { method: 'DELETE' }),
        near.fetch('/f', { method: 'HEAD' }),
      ].map(async response => (await response).text()),
    )
    expect(answers).toEqual(['GET ', 'GET ', 'POST words', 'PUT more', 'DELETE ', ''])
  })

  test('4 MiB each way, streaming', async () => {
    const { url } = await site(async request => {
      if (request.method === 'GET') return new Response(source(64))
      return Response.json(await digest(request.body))
    })
    const near = session(url)
    const expected = await digest(source(64))
    expect(expected.length).toBe(4 * 1024 * 1024)
    expect(await digest((await near.fetch('/down')).body)).toEqual(expected)
    const up = await near.fetch('/up', { method: 'POST', body: source(64) })
    expect(await up.json()).toEqual(expected)
  })

  test('bodies in both directions at once', async () => {
    const { url } = await site(request => new Response(request.body))
    const response = await session(url).fetch('/', { method: 'POST', body: source(32) })
    expect(await digest(response.body)).toEqual(await digest(source(32)))
  })

  test('a slow reader holds the server back', async () => {
    let pulled = 0
    const { url } = await site(
      () =>
        new Response(
          new ReadableStream<Uint8Array>(
            { pull: controller => controller.enqueue(pattern(65_536, pulled++)) },
            { highWaterMark: 0 },
          ),
        ),
    )
    const near = session(url)
    const response = await near.fetch('/')
    // 256 KiB of stream credit, and a send buffer of 256 KiB or three congestion windows, which the credit keeps small.
    expect(await eventually(() => pulled >= 7)).toBe(true)
    expect(await atRest(() => pulled)).toBeLessThan(30)
    await response.body?.cancel()
  })

  test('a handler that throws: 500, and onError is told; without it the process is warned', async () => {
    const onError = vi.fn()
    const fail = (): never => {
      throw new Error('broken')
    }
    const { url } = await site(fail, { onError })
    expect((await session(url).fetch('/')).status).toBe(500)
    expect(onError.mock.calls[0]?.[0]).toMatchObject({ message: 'broken' })
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const { url: other } = await site(fail)
    expect((await session(other).fetch('/')).status).toBe(500)
    expect(warned).toHaveBeenCalledWith(expect.anything(), { code: 'ERR_ZEROTRIP_HANDLER' })
    warned.mockRestore()
  })

  test('many requests at once', async () => {
    const { url } = await site(request => new Response(new URL(request.url).pathname))
    const near = session(url)
    const paths = Array.from({ length: 300 }, (_, i) => `/${i}`)
    const answers = await Promise.all(paths.map(async path => (await near.fetch(path)).text()))
    expect(answers).toEqual(paths)
  })
})

describe('abort', () => {
  test('of a request: it rejects, the handler learns of it, the session goes on', async () => {
    let begun = false
    let aborted = false
    const { url } = await site(async request => {
      if (new URL(request.url).pathname === '/fast') return new Response('fast')
      begun = true
      await new Promise(resolve => request.signal.addEventListener('abort', resolve))
      aborted = true
      return new Response('slow')
    })
    const near = session(url)
    const abort = new AbortController()
    const slow = failure(near.fetch('/slow', { signal: abort.signal }))
    expect(await eventually(() => begun)).toBe(true)
    const reason = new Error('too slow')
    abort.abort(reason)
    expect(await slow).toBe(reason)
    expect(await eventually(() => aborted)).toBe(true)
    expect(await (await near.fetch('/fast')).text()).toBe('fast')
    expect(await failure(near.fetch('/', { signal: AbortSignal.abort(reason) }))).toBe(reason)
  })

  test('of a response body', async () => {
    const cancelled = vi.fn()
    const { url } = await site(() => {
      const endless = new ReadableStream<Uint8Array>({
        pull: controller => controller.enqueue(pattern(10_000)),
        cancel: cancelled,
      })
      return new Response(endless)
    })
    const near = session(url)
    const response = await near.fetch('/')
    const reader = response.body?.getReader()
    await reader?.read()
    await reader?.cancel()
    expect(await eventually(() => cancelled.mock.calls.length === 1)).toBe(true)
  })

  test('of the session: all requests reject with the reason', async () => {
    const { url } = await site(() => new Promise<Response>(() => {}))
    const abort = new AbortController()
    const near = session(url, { signal: abort.signal })
    const waiting = failure(near.fetch('/'))
    await near.opened
    const reason = new Error('going home')
    abort.abort(reason)
    expect(await waiting).toBe(reason)
    expect(await failure(near.closed)).toBe(reason)
    expect(near.isOpen).toBe(false)
  })
})

describe('other protocols on the same port', () => {
  test('by ALPN', async () => {
    const { url, port } = await site(() => new Response('x'), {
      protocols: {
        echo: quic => {
          const streams = new QuicStreams(quic.transport)
          queueMicrotask(() => echo(quic))
          return streams
        },
      },
    })
    const raw = client({ host: '127.0.0.1', port })
    const stream = await raw.openStream()
    await stream.end('hello')
    expect(new TextDecoder().decode(await stream.bytes())).toBe('hello')
    expect(await (await session(url).fetch('/')).text()).toBe('x')
  })
})

test('[::1] and names in URLs', async () => {
  const { port } = await site(() => new Response('x'))
  expect(
    await (
      await session(`https://localhost:${port}/`, {
        endpoint: closing(new QuicEndpoint({ host: '127.0.0.1' })),
      }).fetch('/')
    ).text(),
  ).toBe('x')
})

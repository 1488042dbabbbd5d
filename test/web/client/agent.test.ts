// An agent under node's own fetch and under undici: what WHATWG fetch does, by HTTP/3; how it finds out who speaks it.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createServer as createHttps, type Server } from 'node:https'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import {
  Agent,
  getGlobalDispatcher,
  interceptors,
  setGlobalDispatcher,
  FormData as UndiciFormData,
  request as undiciRequest,
} from 'undici'
import { describe, expect, test } from 'vitest'
import { H3Agent } from '../../../src/undici/h3-agent.ts'
import { Http3Agent, type Http3AgentOptions } from '../../../src/web/client/agent.ts'
import { fetch } from '../../../src/web/client/fetch.ts'
import { createServer, type HttpServer } from '../../../src/web/server/http-server.ts'
import { closing, eventually, failure, Stranger, sockets } from '../../endpoint/helpers.ts'
import { caPem } from '../../support/certificates.ts'
import { digest, identity, site, source } from '../helpers.ts'

function agent(options: Http3AgentOptions = {}): Http3Agent {
  const made = new Http3Agent({ discovery: 'only', connect: { ca: caPem }, ...options })
  closing({ close: () => made.destroy() })
  return made
}

async function listening(server: HttpServer): Promise<void> {
  closing({
    close() {
      server.closeAllConnections()
      return server.close()
    },
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
}

describe('fetch, as WHATWG has it', () => {
  test('redirects are followed, and the answer says so', async () => {
    const { url } = await site(request => {
      if (request.url.endsWith('/from')) return new Response(null, { status: 302, headers: { location: '/to' } })
      return new Response(`${request.method} ${request.url}`)
    })
    const near = agent()
    const response = await near.fetch(`${url}/from`, { method: 'POST', body: 'x' })
    expect([response.redirected, response.url, await response.text()]).toEqual([true, `${url}/to`, `GET ${url}/to`])
    expect((await near.fetch(`${url}/from`, { redirect: 'manual' })).status).toBe(302)
    await expect(near.fetch(`${url}/from`, { redirect: 'error' })).rejects.toThrow(TypeError)
  })

  test('a redirect keeps method and body with 307, and drops both with 303', async () => {
    const { url } = await site(async request => {
      const { pathname } = new URL(request.url)
      if (pathname === '/here') return new Response(`${request.method} ${await request.text()}`)
      return new Response(null, { status: Number(pathname.slice(1)), headers: { location: '/here' } })
    })
    const near = agent()
    const send = async (path: string): Promise<string> =>
      (await near.fetch(url + path, { method: 'POST', body: 'words' })).text()
    expect([await send('/307'), await send('/303')]).toEqual(['POST words', 'GET '])
  })

  test('what is compressed is unpacked', async () => {
    const { url } = await site(request => {
      expect(request.headers.get('accept-encoding')).toContain('gzip')
      return new Response(gzipSync('words'), { headers: { 'content-encoding': 'gzip' } })
    })
    expect(await (await agent().fetch(url)).text()).toBe('words')
  })

  test('bodies of all kinds', async () => {
    const { url } = await site(async request => {
      const type = request.headers.get('content-type')?.replace(/boundary=.*/, '') ?? ''
      const form = type.startsWith('multipart') ? await request.formData() : undefined
      return Response.json([type, form === undefined ? await request.text() : Object.fromEntries(form)])
    })
    const near = agent()
    const form = new FormData()
    form.set('a', '1')
    const bodies: [NonNullable<RequestInit['body']>, unknown][] = [
      ['text', ['text/plain;charset=UTF-8', 'text']],
      [new Uint8Array([104, 105]), ['', 'hi']],
      [new URLSearchParams({ b: '2' }), ['application/x-www-form-urlencoded;charset=UTF-8', 'b=2']],
      [new Blob(['blob'], { type: 'text/css' }), ['text/css', 'blob']],
      [form, ['multipart/form-data; ', { a: '1' }]],
    ]
    for (const [body, expected] of bodies) {
      expect(await (await near.fetch(url, { method: 'POST', body })).json()).toEqual(expected)
    }
  })

  test('4 MiB each way, streaming', async () => {
    const { url } = await site(request => new Response(request.body))
    const init = { method: 'POST', body: source(64), duplex: 'half' } as RequestInit
    expect(await digest((await agent().fetch(url, init)).body)).toEqual(await digest(source(64)))
  })

  test('a Request, and aborts before, during and after', async () => {
    let gone = 0
    let seen = 0
    const { url } = await site(request => {
      seen++
      request.signal.addEventListener('abort', () => gone++)
      if (request.url.endsWith('/never')) return new Promise<Response>(() => {})
      return new Response(new ReadableStream({ start: c => c.enqueue(new Uint8Array(5)) }))
    })
    const near = agent()
    await expect(near.fetch(new Request(url), { signal: AbortSignal.abort() })).rejects.toThrow('abort')
    const during = new AbortController()
    const request = new Request(`${url}/never`, { signal: during.signal })
    const waiting = near.fetch(request)
    void eventually(() => seen === 1).then(() => during.abort())
    await expect(waiting).rejects.toThrow('abort')
    // Node follows a signal by way of the request, and weakly: it must not be collected before.
    expect(request.signal.aborted).toBe(true)
    expect(await eventually(() => gone === 1)).toBe(true)
    const after = new AbortController()
    const response = await near.fetch(url, { signal: after.signal })
    after.abort()
    await expect(response.text()).rejects.toThrow('abort')
    expect(await eventually(() => gone === 2)).toBe(true)
  })

  test('by the module: one connection for all that need none of their own', async () => {
    const { url } = await site(request => new Response(request.headers.get('x-a')))
    const init = {
      ca: caPem,
      method: 'post',
      headers: { 'x-a': '1' },
      body: new ReadableStream({ start: c => c.close() }),
    }
    expect(await (await fetch(url, init as never)).text()).toBe('1')
    const { port } = (await Stranger.at()).address
    const failed = await failure(fetch(`https://127.0.0.1:${port}/`, { handshakeTimeout: 100 }))
    expect(failed.cause).toMatchObject({ code: 'ERR_ZEROTRIP_HANDSHAKE_TIMEOUT' })
  })

  test('connections that nobody uses are closed', async () => {
    const { url } = await site(() => new Response('x'))
    const near = agent({ keepAliveTimeout: 50 })
    expect(await (await near.fetch(url)).text()).toBe('x')
    const before = sockets()
    expect(await (await near.fetch(url)).text()).toBe('x')
    expect(before).toBeLessThanOrEqual(2)
    await near.close()
    await expect(near.fetch(url)).rejects.toMatchObject({ cause: { code: 'ERR_ZEROTRIP_AGENT_CLOSED' } })
  })
})

describe('under undici', () => {
  function h3(options = {}): H3Agent {
    const made = new H3Agent({ discovery: 'only', connect: { ca: caPem }, ...options })
    closing({ close: () => made.destroy() })
    return made
  }

  test('request, stream, pause; headers of all kinds; interceptors', async () => {
    let asked = 0
    const { url } = await site(request => {
      asked++
      if (request.url.endsWith('/moved')) return new Response(null, { status: 301, headers: { location: '/here' } })
      return new Response(`${request.method} ${request.headers.get('x-a')} ${new URL(request.url).search}`, {
        headers: [
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
        ],
      })
    })
    const dispatcher = h3()
    for (const headers of [{ 'X-A': 'one' }, ['x-a', 'one'], new Headers({ 'x-a': 'one' })]) {
      const {
        statusCode,
        headers: got,
        body,
      } = await undiciRequest(`${url}/p`, { dispatcher, headers, query: { q: 1 } } as never)
      expect([statusCode, got['set-cookie'], await body.text()]).toEqual([200, ['a=1', 'b=2'], 'GET one ?q=1'])
    }
    const following = dispatcher.compose(interceptors.redirect({ maxRedirections: 2 }))
    const { body } = await undiciRequest(`${url}/moved`, { dispatcher: following })
    expect(await body.text()).toBe('GET null ')
    expect(asked).toBe(5)
    await dispatcher.close()
  })

  test('bodies: a stream, a generator, a FormData of its own; a slow reader', async () => {
    const { url } = await site(request => new Response(request.body))
    const dispatcher = h3()
    const send = async (body: unknown): Promise<Buffer> => {
      const answer = await undiciRequest(url, { dispatcher, method: 'POST', body } as never)
      const chunks: Buffer[] = []
      for await (const chunk of answer.body) chunks.push(chunk)
      return Buffer.concat(chunks)
    }
    expect((await send(Readable.from([Buffer.from('a'), Buffer.from('b')]))).toString()).toBe('ab')
    const form = new UndiciFormData()
    form.set('field', 'value')
    expect((await send(form)).toString()).toContain('name="field"')
    const large = Buffer.alloc(3_000_000, 7)
    expect((await send(large)).equals(large)).toBe(true)
  })

  test('setGlobalDispatcher moves node’s own fetch', async () => {
    const { url } = await site(async request => new Response(`h3 ${await request.text()}`))
    const before = getGlobalDispatcher()
    setGlobalDispatcher(h3())
    try {
      const init = { method: 'POST', body: source(1), duplex: 'half' } as RequestInit
      const text = await (await globalThis.fetch(url, init)).text()
      expect([text.slice(0, 3), text.length > 65_536]).toEqual(['h3 ', true])
    } finally {
      setGlobalDispatcher(before)
    }
  })

  test('timeouts: no head, no more of a body', async () => {
    const { url } = await site(request => {
      if (request.url.endsWith('/head')) return new Promise<Response>(() => {})
      return new Response(new ReadableStream({ start: c => c.enqueue(new Uint8Array(5)) }))
    })
    const dispatcher = h3()
    await expect(undiciRequest(`${url}/head`, { dispatcher, headersTimeout: 100 })).rejects.toMatchObject({
      code: 'ERR_ZEROTRIP_HEADERS_TIMEOUT',
    })
    const { body } = await undiciRequest(url, { dispatcher, bodyTimeout: 100 })
    await expect(body.text()).rejects.toMatchObject({ code: 'ERR_ZEROTRIP_BODY_TIMEOUT' })
  })

  test('what is no request, and an agent that is closed: errors by the handler', async () => {
    const dispatcher = h3()
    const wrong: [object, RegExp][] = [
      [{ path: 'x' }, /begins with/],
      [{ method: 'A B' }, /method/],
      [{ upgrade: 'websocket' }, /Upgrade/],
      [{ origin: 'http://127.0.0.1' }, /https/],
      [{ body: 5 }, /body/],
    ]
    for (const [options, message] of wrong) {
      const error = await new Promise<Error>(resolve => {
        const handler = { onRequestStart() {}, onResponseError: (_: unknown, error: Error) => resolve(error) }
        const base = { origin: 'https://127.0.0.1', path: '/', method: 'GET' }
        expect(dispatcher.dispatch({ ...base, ...options } as never, handler)).toBe(false)
      })
      expect(error.message).toMatch(message)
    }
    expect(() => dispatcher.dispatch({ path: '/', method: 'GET' }, undefined as never)).toThrow(TypeError)
  })
})

describe('who speaks HTTP/3', () => {
  const tcpOnly = async (altSvc?: string): Promise<{ url: string; server: Server; asked: () => number }> => {
    let asked = 0
    const server = createHttps(identity, (_request, response) => {
      asked++
      if (altSvc) response.setHeader('alt-svc', altSvc)
      response.end('tcp')
    })
    closing({ close: () => server.close() && server.closeAllConnections() })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return { url: `https://127.0.0.1:${(server.address() as { port: number }).port}`, server, asked: () => asked }
  }
  const byTcp = (): Agent => {
    const made = new Agent({ connect: { ca: caPem } })
    closing({ close: () => made.destroy() })
    return made
  }

  test('race: a server without it is asked by TCP after a short while, and at once from then on', async () => {
    const { url } = await tcpOnly()
    const near = agent({
      discovery: 'race',
      fallback: byTcp(),
      fallbackDelay: 50,
      connect: { ca: caPem, handshakeTimeout: 200 },
    })
    expect(await (await near.fetch(url)).text()).toBe('tcp')
    expect(await eventually(() => false, 300)).toBe(false)
    const start = performance.now()
    expect(await (await near.fetch(url)).text()).toBe('tcp')
    expect(performance.now() - start).toBeLessThan(5000)
  })

  test('race: a server with it is asked by HTTP/3', async () => {
    const { url } = await site(() => new Response('h3'))
    const near = agent({ discovery: 'race', fallback: byTcp(), fallbackDelay: 10_000 })
    expect(await (await near.fetch(url)).text()).toBe('h3')
  })

  test('race: where TCP cannot connect, HTTP/3 has all the time it needs', async () => {
    const { url } = await site(async request => new Response(await request.text()))
    const near = agent({ discovery: 'race', fallback: byTcp(), fallbackDelay: 0 })
    expect(await (await near.fetch(url, { method: 'POST', body: 'words' })).text()).toBe('words')
  })

  test('alt-svc: by TCP until the server says so, then by HTTP/3, also at another port', async () => {
    const { port } = await site(() => new Response('h3'))
    const { url, asked } = await tcpOnly(`h3=":${port}"; ma=60`)
    const near = agent({ discovery: 'alt-svc', fallback: byTcp(), fallbackDelay: 10_000 })
    expect(await (await near.fetch(url)).text()).toBe('tcp')
    expect(await (await near.fetch(url)).text()).toBe('h3')
    expect(asked()).toBe(1)
  })

  test('an all-in-one server moves its clients by itself', async () => {
    const server = createServer({ ...identity, tcp: true }, (request, response) => response.end(request.httpVersion))
    await listening(server)
    const near = agent({ discovery: 'alt-svc', fallback: byTcp(), fallbackDelay: 10_000 })
    const url = `https://127.0.0.1:${server.address()?.port}/`
    expect(await (await near.fetch(url)).text()).toBe('1.1')
    expect(await (await near.fetch(url)).text()).toBe('3.0')
  })

  test('http: URLs go by TCP', async () => {
    const near = agent({ discovery: 'race', fallback: byTcp() })
    const { port } = (await Stranger.at()).address
    expect((await failure(near.fetch(`http://127.0.0.1:${port}/`))).cause).toMatchObject({ code: 'ECONNREFUSED' })
  })
})

describe('connections', () => {
  test('one for many requests; a new one when the server goes away, without the caller noticing', async () => {
    const first = await site(() => new Response('first'))
    const near = agent()
    const all = await Promise.all(Array.from({ length: 20 }, () => near.fetch(first.url)))
    expect(await Promise.all(all.map(response => response.text()))).toEqual(Array(20).fill('first'))
    expect(first.server.endpoint.statistics().connections).toBe(1)
    await first.server.close({ deadline: 0 })
    const second = await site(() => new Response('second'), { port: first.port })
    expect(second.port).toBe(first.port)
    expect(await (await near.fetch(first.url)).text()).toBe('second')
  })

  test('one for several origins that a certificate covers (RFC 9114 §3.3); 421: one of their own', async () => {
    const connections = new Set<unknown>()
    const server = createServer(identity)
    server.on('session', session => connections.add(session))
    server.on('stream', (stream, headers) => {
      const isMisdirected =
        headers[':authority'].startsWith('127') && connections.size === 1 && headers[':path'] === '/421'
      stream.respond({ ':status': isMisdirected ? 421 : 200 })
      stream.end(headers[':authority'])
    })
    await listening(server)
    const port = server.address()?.port
    const near = agent()
    expect(await (await near.fetch(`https://localhost:${port}/`)).text()).toBe(`localhost:${port}`)
    expect(await (await near.fetch(`https://127.0.0.1:${port}/`)).text()).toBe(`127.0.0.1:${port}`)
    expect(connections.size).toBe(1)
    expect(await (await near.fetch(`https://127.0.0.1:${port}/421`)).text()).toBe(`127.0.0.1:${port}`)
    expect(connections.size).toBe(2)
  })

  test('what failed on the way is sent again only where that is safe', async () => {
    let asked = 0
    const { server, port } = await site(() => {
      asked++
      return asked % 2 === 1 ? new Promise<Response>(() => {}) : new Response('again')
    })
    const near = agent()
    for (const [method, isRepeated] of [
      ['GET', true],
      ['POST', false],
    ] as const) {
      const answer = near.fetch(`https://127.0.0.1:${port}/`, { method }).then(
        response => response.text(),
        error => error,
      )
      const before = asked
      expect(await eventually(() => asked > before)).toBe(true)
      for (const session of server.endpoint.sessions) session.close(0x102)
      const got = await answer
      if (isRepeated) expect(got).toBe('again')
      else expect(got).toBeInstanceOf(TypeError)
    }
  })
})

test('what happens can be listened to', async () => {
  const seen: string[] = []
  const names = ['create', 'bodySent', 'headers', 'trailers', 'error'].map(name => `zerotrip:request:${name}`)
  const listeners = names.map(name => (message: unknown) => {
    const { request } = message as { request: { method: string; path: string } }
    seen.push(`${name.split(':')[2]} ${request.method} ${request.path}`)
  })
  names.forEach((name, i) => void subscribe(name, listeners[i] as never))
  const { url } = await site(() => new Response('x'))
  const near = agent()
  await (await near.fetch(`${url}/a`, { method: 'POST', body: 'b' })).text()
  const stranger = await Stranger.at()
  const { port } = stranger.address
  await near.destroy()
  await failure(agent({ connect: { ca: caPem, handshakeTimeout: 50 } }).fetch(`https://127.0.0.1:${port}/b`))
  names.forEach((name, i) => void unsubscribe(name, listeners[i] as never))
  expect(seen).toEqual([
    'create POST /a',
    'bodySent POST /a',
    'headers POST /a',
    'trailers POST /a',
    'create GET /b',
    'error GET /b',
  ])
})

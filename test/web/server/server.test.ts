// `createServer`: the fast door, the (req, res) door, and what node's servers do besides.

import { request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { connect } from '../../../src/endpoint/endpoint.ts'
import type { CompatRequest } from '../../../src/web/compat/request.ts'
import { provisionHttp3 } from '../../../src/web/provision.ts'
import { createServer, type HttpServer, type HttpServerOptions } from '../../../src/web/server/http-server.ts'
import type { Http3ServerStream } from '../../../src/web/server/server-stream.ts'
import { closing, eventually, freePort } from '../../endpoint/helpers.ts'
import { caPem } from '../../support/certificates.ts'
import { digest, identity, session, source } from '../helpers.ts'

type Listener = ConstructorParameters<typeof HttpServer>[1]

async function listen(
  listener?: Listener,
  options: HttpServerOptions = {},
): Promise<{ server: HttpServer; url: string }> {
  const server = createServer({ ...identity, ...options }, listener)
  closing({
    close() {
      server.closeAllConnections()
      return server.close()
    },
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return { server, url: `https://127.0.0.1:${server.address()?.port}` }
}

async function streams(
  answer: (stream: Http3ServerStream, headers: Record<string, string>) => void,
  options: HttpServerOptions = {},
): Promise<string> {
  const { server, url } = await listen(undefined, options)
  server.on('stream', answer)
  return url
}

describe('the fast door', () => {
  test('headers in, headers and content out', async () => {
    const url = await streams((stream, headers) => {
      stream.respond({
        ':status': 201,
        'x-method': headers[':method'],
        'set-cookie': ['a=1', 'b=2'],
        connection: 'close',
      })
      stream.end(`${headers[':path']} ${headers['x-a']}`)
    })
    const response = await session(url).fetch('/path?q', { headers: { 'x-a': 'one' } })
    expect(response.status).toBe(201)
    expect(response.headers.get('x-method')).toBe('GET')
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(response.headers.get('date')).toMatch(/GMT$/)
    expect(response.headers.has('connection')).toBe(false)
    expect(await response.text()).toBe('/path?q one')
  })

  test('an answer of headers alone leaves without waiting for its end', async () => {
    let end = () => {}
    const url = await streams(stream => {
      stream.respond()
      end = () => stream.end('later')
    })
    const response = await session(url).fetch('/')
    end()
    expect(await response.text()).toBe('later')
  })

  test('content both ways, with back-pressure', async () => {
    const url = await streams(stream => {
      stream.respond()
      const duplex = stream.toDuplex()
      duplex.pipe(duplex)
    })
    const response = await session(url).fetch('/', { method: 'POST', body: source(32) })
    expect(await digest(response.body)).toEqual(await digest(source(32)))
  })

  test('data and end events; iteration', async () => {
    const url = await streams(async (stream, headers) => {
      if (headers[':path'] === '/iterate') {
        let size = 0
        for await (const chunk of stream) size += chunk.length
        stream.end(String(size))
        return
      }
      const chunks: Buffer[] = []
      stream.on('data', chunk => chunks.push(chunk))
      stream.on('end', () => stream.end(Buffer.concat(chunks)))
    })
    const near = session(url)
    expect(await (await near.fetch('/', { method: 'POST', body: 'words' })).text()).toBe('words')
    expect(await (await near.fetch('/iterate', { method: 'POST', body: source(2) })).text()).toBe('131072')
  })

  test('a client that goes away: aborted, close', async () => {
    const events: string[] = []
    const url = await streams(stream => {
      stream.on('aborted', () => events.push('aborted'))
      stream.on('close', () => events.push('close'))
      stream.respond()
      stream.write('begun')
    })
    const response = await session(url).fetch('/')
    await response.body?.cancel()
    expect(await eventually(() => events.length === 2)).toBe(true)
    expect(events).toEqual(['aborted', 'close'])
  })

  test('what is no answer throws', async () => {
    const seen: unknown[] = []
    const url = await streams(stream => {
      for (const wrong of [
        () => stream.respond({ ':status': 99 }),
        () => stream.additionalHeaders({ ':status': 200 }),
      ]) {
        try {
          wrong()
        } catch (error) {
          seen.push(error)
        }
      }
      stream.end()
    })
    await session(url).fetch('/')
    expect(seen.map(error => (error as Error).name)).toEqual(['RangeError', 'RangeError'])
  })
})

describe('(req, res)', () => {
  test('what a request says of itself', async () => {
    let seen: CompatRequest | undefined
    const { url } = await listen((req, res) => {
      seen = req as CompatRequest
      res.end()
    })
    await session(url).fetch('/path', { headers: { 'x-a': '1' } })
    expect(seen?.httpVersion).toBe('3.0')
    expect(seen?.headers).toMatchObject({ 'x-a': '1', host: new URL(url).host })
    expect(seen?.early).toBe(false)
    await seen?.confirmed
    expect(seen?.socket).toMatchObject({
      remoteAddress: '127.0.0.1',
      remoteFamily: 'IPv4',
      encrypted: true,
      alpnProtocol: 'h3',
    })
    expect(seen?.socket.localPort).toBe(Number(new URL(url).port))
  })

  test('a request is a WHATWG stream as well', async () => {
    const { url } = await listen(async (request, response) => {
      const { body } = new Response(Readable.toWeb(request) as never)
      response.end(`${request.readableHighWaterMark} ${await new Response(body).text()}`)
    })
    const response = await session(url).fetch('/', { method: 'PUT', body: 'content' })
    expect(await response.text()).toBe(`65536 content`)
  })

  test('trailers both ways, early hints, Expect: 100-continue', async () => {
    const { url } = await listen((req, res) => {
      res.writeEarlyHints({ link: '</a.css>; rel=preload' })
      req.resume().on('end', () => {
        res.writeHead(200, { trailer: 'x-sum' })
        res.write('content')
        res.addTrailers({ 'x-sum': '7' })
        res.end()
      })
    })
    const response = await session(url).fetch('/', { method: 'POST', body: 'x', headers: { expect: '100-continue' } })
    expect([response.status, await response.text()]).toEqual([200, 'content'])
  })

  test('10 MiB down and up, with back-pressure', async () => {
    const { url } = await listen(async (req, res) => {
      if (req.method === 'GET') {
        for await (const chunk of source(160)) if (!res.write(chunk)) await new Promise(r => res.once('drain', r))
        res.end()
      } else res.end(JSON.stringify(await digest(ReadableStreamOf(req))))
    })
    const near = session(url)
    const expected = await digest(source(160))
    expect(await digest((await near.fetch('/')).body)).toEqual(expected)
    expect(await (await near.fetch('/', { method: 'POST', body: source(160) })).json()).toEqual(expected)
  })

  test('a request given up half way: aborted, error, close', async () => {
    const events: string[] = []
    let isSeen = false
    const { url } = await listen((req, res) => {
      isSeen = true
      req.on('aborted', () => events.push('aborted'))
      req.on('error', error => events.push((error as { code?: string }).code ?? ''))
      res.on('close', () => events.push(`close ${res.writableFinished}`))
      req.resume()
    })
    const controller = new AbortController()
    const body = new ReadableStream<Uint8Array>({ start: c => c.enqueue(new Uint8Array(10)) })
    const response = session(url).fetch('/', { method: 'POST', body, signal: controller.signal })
    void eventually(() => isSeen).then(() => controller.abort())
    await expect(response).rejects.toThrow()
    expect(await eventually(() => events.length === 3)).toBe(true)
    expect(events.sort()).toEqual(['ECONNRESET', 'aborted', 'close false'])
  })

  test('socket.destroy gives up this request and no other', async () => {
    const { url } = await listen((req, res) => {
      if (req.url === '/gone') req.socket.destroy()
      else setTimeout(() => res.end('here'), 50)
    })
    const near = session(url)
    const other = near.fetch('/')
    await expect(near.fetch('/gone')).rejects.toThrow()
    expect(await (await other).text()).toBe('here')
  })

  test('timeouts: a slow body, a client without requests', async () => {
    const { url } = await listen((req, res) => void req.on('error', () => res.end()).resume(), {
      requestTimeout: 100,
      keepAliveTimeout: 100,
    })
    const near = session(url)
    const body = new ReadableStream<Uint8Array>({ start: c => c.enqueue(new Uint8Array(10)) })
    expect((await near.fetch('/', { method: 'POST', body })).status).toBe(408)
    expect((await near.closed).errorCode).toBe(0x100)
  })

  test('a header section that does not come is not waited for', async () => {
    const { url } = await listen((_req, res) => res.end(), { headersTimeout: 100 })
    const raw = connect({ host: '127.0.0.1', port: Number(new URL(url).port) }, { alpn: ['h3'], ca: caPem })
    closing({ close: () => raw.close() })
    // HEADERS of 100 bytes, of which there are three (RFC 9114 §7.2.2).
    const stream = await raw.openStream()
    await stream.write(new Uint8Array([0x01, 0x40, 0x64, 0, 0, 0]))
    // H3_REQUEST_INCOMPLETE
    await expect(stream.read()).rejects.toMatchObject({ errorCode: 0x10d })
  })

  test('a request in the first packet says so, and when it is no replay', async () => {
    const port = await freePort()
    const halves = provisionHttp3({ clientId: 'a', addresses: [`127.0.0.1:${port}`] })
    const seen: boolean[] = []
    const server = createServer({ bundle: halves.worker }, async (req, res) => {
      const { early, confirmed } = req as CompatRequest
      seen.push(early)
      res.end()
      await confirmed
      seen.push((req as CompatRequest).early)
    })
    closing({
      close() {
        server.closeAllConnections()
        return server.close()
      },
    })
    await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
    const response = await session(`https://127.0.0.1:${port}`, { bundle: halves.client }).fetch('/')
    expect(response.status).toBe(200)
    expect(await eventually(() => seen.length === 2)).toBe(true)
    expect(seen).toEqual([true, true])
  })

  test('res.setTimeout and the server’s own', async () => {
    const { url, server } = await listen((_req, res) => void res.write('begun'))
    server.setTimeout(100)
    const response = await session(url).fetch('/')
    await expect(response.text()).rejects.toThrow()
  })
})

describe('a server as node has them', () => {
  test('listen, address, close; errors by events', async () => {
    const { server, url } = await listen((_req, res) => res.end())
    expect(server.listening).toBe(true)
    expect(server.address()).toMatchObject({ address: '127.0.0.1', family: 'IPv4' })
    expect(() => server.listen(0)).toThrow(expect.objectContaining({ code: 'ERR_SERVER_ALREADY_LISTEN' }))
    const second = createServer({ ...identity })
    const failed = new Promise(resolve => second.once('error', resolve))
    second.listen({ port: Number(new URL(url).port), host: '127.0.0.1' })
    expect(await failed).toMatchObject({ code: 'EADDRINUSE' })
    await new Promise<void>(resolve => server.close(() => resolve()))
    expect(server.listening).toBe(false)
    expect(await new Promise(resolve => createServer({}).close(resolve))).toMatchObject({
      code: 'ERR_SERVER_NOT_RUNNING',
    })
  })

  test('wrong options: errors that say so', () => {
    expect(() => createServer({ ...identity, requestTimeout: -1 })).toThrow(/requestTimeout/)
    expect(() => createServer({ ...identity }).listen(70_000)).toThrow(RangeError)
  })

  test('one port for three versions, and Alt-Svc', async () => {
    const { server, url } = await listen((req, res) => res.end(req.httpVersion), { tcp: true })
    expect(await (await session(url).fetch('/')).text()).toBe('3.0')
    const { headers, body } = await new Promise<{ headers: Record<string, unknown>; body: string }>(
      (resolve, reject) => {
        httpsRequest(url, { ca: caPem, agent: false }, async response => {
          let body = ''
          for await (const chunk of response) body += chunk
          resolve({ headers: response.headers, body })
        })
          .on('error', reject)
          .end()
      },
    )
    expect(body).toBe('1.1')
    expect(headers['alt-svc']).toBe(`h3=":${server.address()?.port}"; ma=86400`)
  })
})

function ReadableStreamOf(request: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = request[Symbol.asyncIterator]()
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await iterator.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
  })
}

import { afterEach, describe, expect, test } from 'vitest'
import { WebTransportError } from '../../src/http3/webtransport/error.ts'
import type { WebTransportServerSession } from '../../src/http3/webtransport/server.ts'
import type { WebTransportStream } from '../../src/http3/webtransport/stream.ts'
import { selfSigned } from '../../src/web/self-signed.ts'
import { type Http3Endpoint, type ServeOptions, serve } from '../../src/web/serve.ts'
import { connect } from '../../src/web/session.ts'
import { WebTransport, type WebTransportOptions } from '../../src/web/webtransport.ts'

const identity = selfSigned({ hosts: ['localhost'] })
const running: Http3Endpoint[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map(server => server.close({ deadline: 200 })))
})

async function start(webtransport: ServeOptions['webtransport']): Promise<string> {
  const server = serve({ host: '127.0.0.1', ...identity, webtransport, fetch: () => new Response('a page') })
  running.push(server)
  const { port } = await server.ready
  return `https://localhost:${port}`
}

function open(url: string, options: WebTransportOptions = {}): WebTransport {
  return new WebTransport(url, { ca: identity.cert, ...options })
}

async function text(readable: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(readable as never).text()
}

async function send(writable: WritableStream<Uint8Array>, message: string): Promise<void> {
  const writer = writable.getWriter()
  await writer.write(new TextEncoder().encode(message))
  await writer.close()
}

async function first<T>(readable: ReadableStream<T>): Promise<T> {
  const reader = readable.getReader()
  const { value } = await reader.read()
  reader.releaseLock()
  return value as T
}

/** Sends back what comes, on streams of both kinds and in datagrams. */
async function echo(session: WebTransportServerSession): Promise<void> {
  session.datagrams.readable.pipeTo(session.datagrams.writable).catch(() => {})
  const bidi = async (): Promise<void> => {
    for await (const stream of session.incomingBidirectionalStreams)
      stream.readable.pipeTo(stream.writable).catch(() => {})
  }
  const uni = async (): Promise<void> => {
    for await (const stream of session.incomingUnidirectionalStreams) {
      const answer = await session.createUnidirectionalStream()
      stream.pipeTo(answer).catch(() => {})
    }
  }
  await Promise.all([bidi(), uni()]).catch(() => {})
}

describe('WebTransport over HTTP/3, both ends', () => {
  test('RFC 9297 §2.1: datagrams that overtake the answer of the server wait for it', async () => {
    // In one packet, where datagrams come before streams.
    const url = await start(session => session.datagrams.writable.getWriter().write(Uint8Array.of(1, 2, 3)))
    const transport = open(url)
    expect(await first(transport.datagrams.readable)).toEqual(Uint8Array.of(1, 2, 3))
    transport.close()
    await transport.closed
  })

  test('streams of both kinds, from both sides, and datagrams', async () => {
    let server: WebTransportServerSession | undefined
    const url = await start(session => {
      server = session
      return echo(session)
    })
    const transport = open(`${url}/room?x=1`)
    await transport.ready
    expect(server?.request.url).toBe(`${url}/room?x=1`)

    const stream = await transport.createBidirectionalStream()
    await send(stream.writable, 'hello')
    expect(await text(stream.readable)).toBe('hello')

    await send(await transport.createUnidirectionalStream(), 'one way')
    expect(await text(await first(transport.incomingUnidirectionalStreams))).toBe('one way')

    const theirs = await (server as WebTransportServerSession).createBidirectionalStream()
    const written = send(theirs.writable, 'from the server')
    const ours = await first(transport.incomingBidirectionalStreams)
    expect(await text(ours.readable)).toBe('from the server')
    await send(ours.writable, 'and back')
    expect(await text(theirs.readable)).toBe('and back')
    await written

    expect(transport.datagrams.maxDatagramSize).toBeGreaterThan(1000)
    const writer = transport.datagrams.writable.getWriter()
    await writer.write(Uint8Array.of(1, 2, 3))
    expect(await first(transport.datagrams.readable)).toEqual(Uint8Array.of(1, 2, 3))
    const stats = await transport.getStats()
    expect(stats.bytesSent).toBeGreaterThan(100)

    transport.close({ closeCode: 7, reason: 'enough äöü' })
    expect(await transport.closed).toEqual({ closeCode: 7, reason: 'enough äöü' })
    expect(await server?.closed).toEqual({ closeCode: 7, reason: 'enough äöü' })
    await transport.session.closed
  })

  test('a megabyte on one stream, back and forth', async () => {
    const url = await start(echo)
    await using transport = open(url)
    const stream = await transport.createBidirectionalStream()
    const data = new Uint8Array(1 << 20).map((_, i) => i * 31)
    const sent = new Response(data).body?.pipeTo(stream.writable as never)
    const back = new Uint8Array(await new Response(stream.readable as never).arrayBuffer())
    await sent
    expect(Buffer.compare(back, data)).toBe(0)
  })

  test('section 5: sessions of small limits carry as much, in many streams', async () => {
    const limits = { data: 1000, bidirectionalStreams: 2, unidirectionalStreams: 1 }
    const url = await start({ limits, session: echo })
    await using transport = open(url, { limits })
    const message = 'x'.repeat(3000)
    for (let i = 0; i < 5; i++) {
      const { readable, writable } = await transport.createBidirectionalStream()
      const written = send(writable, message)
      expect(await text(readable)).toBe(message)
      await written
      const sent = send(await transport.createUnidirectionalStream(), message)
      expect(await text(await first(transport.incomingUnidirectionalStreams))).toBe(message)
      await sent
    }
  })

  test('section 5: streams that are cancelled give back what they took', async () => {
    const limits = { data: 1000, bidirectionalStreams: 2, unidirectionalStreams: 1 }
    const url = await start({
      limits,
      session: async session => {
        for await (const stream of session.incomingBidirectionalStreams) {
          await stream.readable.cancel()
          await stream.writable.close()
        }
      },
    })
    await using transport = open(url, { limits })
    for (let i = 0; i < 10; i++) {
      const { readable, writable } = await transport.createBidirectionalStream()
      await expect(send(writable, 'x'.repeat(3000))).rejects.toThrow()
      expect(await text(readable)).toBe('')
    }
  })

  test('the server closes, with a code', async () => {
    const url = await start(session => session.close({ closeCode: 0xffffffff, reason: 'no' }))
    const transport = open(url)
    expect(await transport.closed).toEqual({ closeCode: 0xffffffff, reason: 'no' })
    await expect(transport.createBidirectionalStream()).rejects.toBeInstanceOf(WebTransportError)
  })

  test('a stream that is aborted, and one that is cancelled, tell their code', async () => {
    const codes: unknown[] = []
    const seen = async (action: Promise<unknown>): Promise<void> => {
      const error = await action.catch((reason: unknown) => reason)
      codes.push((error as WebTransportError).streamErrorCode)
    }
    let onDone = (): void => {}
    const done = new Promise<void>(resolve => {
      onDone = resolve
    })
    const url = await start(async session => {
      const incoming = session.incomingBidirectionalStreams.getReader()
      const { value: aborted } = await incoming.read()
      await seen(text((aborted as WebTransportStream).readable))
      const { value: cancelled } = await incoming.read()
      await (cancelled as WebTransportStream).readable.cancel(new WebTransportError('', { streamErrorCode: 99 }))
      onDone()
    })
    await using transport = open(url)
    const one = await transport.createBidirectionalStream()
    await one.writable.abort(new WebTransportError('', { streamErrorCode: 0xffffffff }))
    const two = await transport.createBidirectionalStream()
    const writer = two.writable.getWriter()
    await writer.write(new Uint8Array(1))
    await done
    await seen(writer.closed)
    expect(codes).toEqual([0xffffffff, 99])
  })

  test('all its streams end with a session, on both sides', async () => {
    let stopped: unknown
    const url = await start(async session => {
      const stream = await first(session.incomingBidirectionalStreams)
      stopped = await text(stream.readable).catch((error: unknown) => error)
    })
    const transport = open(url)
    const stream = await transport.createBidirectionalStream()
    const writer = stream.writable.getWriter()
    await writer.write(new Uint8Array(10))
    const read = stream.readable.getReader().read()
    await new Promise(resolve => setTimeout(resolve, 20))
    transport.close()
    await expect(read).rejects.toMatchObject({ source: 'session' })
    await expect(writer.closed).rejects.toMatchObject({ source: 'session' })
    await transport.session.closed
    expect(stopped).toBeInstanceOf(WebTransportError)
  })

  test('draining', async () => {
    let session: WebTransportServerSession | undefined
    const url = await start(opened => {
      session = opened
    })
    await using transport = open(url)
    await transport.ready
    session?.drain()
    await transport.draining
  })

  test('a server that goes away says so first', async () => {
    const url = await start(() => {})
    const transport = open(url)
    await transport.ready
    const closed = running[0]?.close({ deadline: 1000 })
    await transport.draining
    transport.close()
    await closed
  })
})

describe('who may have a session', () => {
  test('a page of somebody else: 403', async () => {
    const url = await start(() => {})
    await expect(open(url, { headers: { origin: 'https://elsewhere.example' } }).ready).rejects.toThrow(/403/)
    await using transport = open(url, { headers: { origin: url } })
    await transport.ready
  })
  test('a policy, which may take its time, and a protocol', async () => {
    const url = await start({
      accept: async request => {
        await new Promise(resolve => setTimeout(resolve, 5))
        return request.headers.get('authorization') === 'yes' ? { protocol: request.protocols[1] as string } : 401
      },
      session: () => {},
    })
    await expect(open(url).ready).rejects.toThrow(/401/)
    await using transport = open(url, { headers: { authorization: 'yes' }, protocols: ['a', 'b"c'] })
    await transport.ready
    expect(transport.protocol).toBe('b"c')
  })
  test('a server that takes none, and nobody at all', async () => {
    const url = await start(undefined)
    const transport = open(url)
    await expect(transport.ready).rejects.toThrow(/takes no sessions/)
    await expect(transport.closed).rejects.toBeInstanceOf(WebTransportError)
    await expect(open('https://localhost:9', { handshakeTimeout: 200 }).ready).rejects.toBeInstanceOf(WebTransportError)
  })
  test.each(['http://localhost/', 'nonsense', 'https://localhost/#x'])('%s: SyntaxError', url => {
    expect(() => new WebTransport(url)).toThrow(expect.objectContaining({ name: 'SyntaxError' }))
  })
  test('pages are answered beside sessions', async () => {
    const url = await start(echo)
    await using transport = open(url)
    await transport.ready
    const http = connect(url, { ca: identity.cert })
    expect(await (await http.fetch('/')).text()).toBe('a page')
    await http.close()
  })
  test('serverCertificateHashes, as browsers have it', async () => {
    const short = selfSigned({ hosts: ['localhost'] })
    const server = serve({ host: '127.0.0.1', ...short, webtransport: echo, fetch: () => new Response() })
    running.push(server)
    const { port } = await server.ready
    await using transport = new WebTransport(`https://localhost:${port}`, {
      serverCertificateHashes: [{ algorithm: 'sha-256', value: short.certificateHash }],
    })
    await transport.ready
  })
})

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { connect, QuicEndpoint } from '../../src/endpoint/endpoint.ts'
import { QuicError } from '../../src/endpoint/errors.ts'
import type { QuicSession } from '../../src/endpoint/quic-session.ts'
import { newReno } from '../../src/recovery/congestion/new-reno.ts'
import { gateFrom, SingleUse } from '../../src/zero-rtt/anti-replay.ts'
import { MemoryTickets } from '../../src/zero-rtt/ticket-store.ts'
import { caPem, p256 } from '../support/certificates.ts'
import {
  client,
  closing,
  echo,
  eventually,
  failure,
  freePort,
  packetTypes,
  pattern,
  Stranger,
  server,
  sleep,
  Tap,
  text,
} from './helpers.ts'

/** Where nobody answers. */
async function nowhere(): Promise<{ host: string; port: number }> {
  return (await Stranger.at()).address
}

async function roundTrip(session: QuicSession, words = 'hello'): Promise<string> {
  const stream = await session.openStream()
  await stream.end(words)
  return text(await stream.bytes())
}

describe('opened and closed', () => {
  test('tell what was negotiated and how it ended', async () => {
    let far: QuicSession | undefined
    const { address } = await server(session => {
      far = session
      echo(session)
    })
    const near = client(address)
    expect(near.peer).toBe(undefined)
    const peer = await near.opened
    expect(peer).toMatchObject({ alpn: 'echo', isResumed: false, earlyData: 'none' })
    expect(peer.certificates.length).toBe(1)
    expect(near.peer).toBe(peer)
    await near.confirmed
    expect(near.isHandshakeConfirmed).toBe(true)
    expect(near.remoteAddress).toEqual(address)
    expect(near.statistics().packetsSent).toBeGreaterThan(1)
    expect(near.statistics().rtt.smoothed).toBeGreaterThan(0)
    await near.close(42, 'done')
    expect(await near.closed).toEqual({ errorCode: 42, reason: 'done', by: 'local' })
    expect(await far?.closed).toEqual({ errorCode: 42, reason: 'done', by: 'peer' })
    // Again, and late: no effect.
    await near.close(1)
    expect((await near.closed).errorCode).toBe(42)
  })

  test('the server ends it', async () => {
    const { address } = await server(session => session.close(7, 'not today'))
    const near = client(address)
    expect(await near.closed).toEqual({ errorCode: 7, reason: 'not today', by: 'peer' })
  })

  test('reject with ERR_ZEROTRIP_HANDSHAKE for a certificate nobody vouches for', async () => {
    const { address } = await server(() => {})
    const near = client(address, { serverName: 'other.example' })
    expect(await failure(near.opened)).toMatchObject({ code: 'ERR_ZEROTRIP_HANDSHAKE', type: 'transport' })
    expect(await failure(near.closed)).toBe(await failure(near.opened))
    expect(await failure(near.confirmed)).toBe(await failure(near.opened))
    expect((await failure(near.openStream())).code).toBe('ERR_ZEROTRIP_HANDSHAKE')
  })

  test('reject with ERR_ZEROTRIP_HANDSHAKE where no protocol is shared, and the server shows no session', async () => {
    const shown = vi.fn()
    const { address } = await server(shown)
    const near = client(address, { alpn: ['other'] })
    expect(await failure(near.opened)).toMatchObject({ code: 'ERR_ZEROTRIP_HANDSHAKE', errorCode: 0x100 + 120 })
    expect(shown).not.toHaveBeenCalled()
  })

  test('reject with ERR_ZEROTRIP_IDLE_TIMEOUT when the peer falls silent', async () => {
    const { address } = await server(echo)
    const tap = await Tap.before(address)
    const near = client(tap.address, { transport: { maxIdleTimeout: 2000, initialRtt: 10 } })
    const stream = await near.openStream()
    tap.passes = () => false
    const reading = failure(stream.read())
    expect(await failure(near.closed)).toMatchObject({ code: 'ERR_ZEROTRIP_IDLE_TIMEOUT' })
    expect((await reading).code).toBe('ERR_ZEROTRIP_IDLE_TIMEOUT')
  })

  test('RFC 9000 §10.2.3: closed during the handshake, the code of the application stays unsaid', async () => {
    const { endpoint, address } = await server(echo)
    const tap = await Tap.before(address)
    // The client's Finished does not arrive.
    tap.passes = (_, direction) => direction === 'toClient' || tap.toServer.length === 1
    const near = client(tap.address)
    await near.opened
    await endpoint.close({ errorCode: 77, reason: 'secret' })
    expect(await failure(near.closed)).toMatchObject({ code: 'ERR_ZEROTRIP_CONNECTION_CLOSED', type: 'transport' })
  })

  test('several protocols: the server chooses, streams work on all', async () => {
    const { address } = await server(echo, { alpn: ['b', 'a'] })
    const near = client(address, { alpn: ['a', 'b'] })
    expect(await roundTrip(near)).toBe('hello')
    expect(near.peer?.alpn).toBe('b')
  })

  test('TLS options reach TLS', async () => {
    const { address } = await server(echo)
    const near = client(address, {
      cipherSuites: ['TLS_AES_256_GCM_SHA384'],
      transport: { congestion: newReno },
      pins: [],
    })
    expect(await roundTrip(near)).toBe('hello')
    expect(near.peer?.cipherSuite).toBe('TLS_AES_256_GCM_SHA384')
    const lax = client(address, { serverName: 'whatever.example', insecureNoCertificateCheck: true })
    await lax.opened
    expect(() => client(address, { cipherSuites: ['TLS_NULL' as never] })).toThrow(RangeError)
  })
})

describe('handshake timeout', () => {
  test('a peer that never answers', async () => {
    const near = client(await nowhere(), { handshakeTimeout: 40 })
    const error = await failure(near.opened)
    expect(error).toMatchObject({ code: 'ERR_ZEROTRIP_HANDSHAKE_TIMEOUT' })
    expect(error.message).toMatch(/127\.0\.0\.1 port \d+ .* 40 ms/)
    expect(await failure(near.closed)).toBe(error)
  })

  test('a client that never finishes', async () => {
    const { endpoint, address } = await server(() => {}, { handshakeTimeout: 1000 })
    const tap = await Tap.before(address)
    tap.passes = (_, direction) => direction === 'toServer' && tap.toServer.length === 1
    client(tap.address)
    expect(await eventually(() => endpoint.sessions.size === 1)).toBe(true)
    const [session] = endpoint.sessions
    expect(await failure((session as QuicSession).closed)).toMatchObject({ code: 'ERR_ZEROTRIP_HANDSHAKE_TIMEOUT' })
  })

  test('does not touch a connection that made it; 0 is none', async () => {
    const { address } = await server(echo)
    // As long as this machine needs, which may be busy.
    let handshakeTimeout = 200
    let near = client(address, { handshakeTimeout })
    while (!(await near.opened.then(Boolean, () => false))) {
      handshakeTimeout *= 2
      near = client(address, { handshakeTimeout })
    }
    const other = client(address, { handshakeTimeout: 0 })
    await sleep(handshakeTimeout + 30)
    expect(await roundTrip(near)).toBe('hello')
    expect(await roundTrip(other)).toBe('hello')
    expect(() => client(address, { handshakeTimeout: -1 })).toThrow(RangeError)
  })
})

describe('AbortSignal', () => {
  test('before the handshake: opened, closed and what waits reject with its reason, whatever the time', async () => {
    const abort = new AbortController()
    // Nothing else would end it.
    const options = { handshakeTimeout: 0, transport: { maxIdleTimeout: 0 } }
    const near = client(await nowhere(), { signal: abort.signal, ...options })
    const opening = failure(near.openStream())
    await sleep(5)
    const reason = new Error('changed my mind')
    abort.abort(reason)
    expect(await failure(near.opened)).toBe(reason)
    expect(await failure(near.closed)).toBe(reason)
    expect(await failure(near.confirmed)).toBe(reason)
    expect(await opening).toBe(reason)
  })

  test('in the tick of connect: nothing is ever sent', async () => {
    const stranger = await Stranger.at()
    const abort = new AbortController()
    const near = client(stranger.address, { signal: abort.signal })
    abort.abort()
    expect((await failure(near.opened)).name).toBe('AbortError')
    expect(await stranger.answer(30)).toBe(undefined)
  })

  test('while the name is looked up', async () => {
    const abort = new AbortController()
    const near = client({ host: 'localhost', port: 4433 }, { signal: abort.signal })
    abort.abort('why not a string')
    expect(await failure(near.closed)).toBe('why not a string')
  })

  test('aborted already: connect throws its reason', async () => {
    const to = await nowhere()
    const reason = new Error('too late')
    expect(() => client(to, { signal: AbortSignal.abort(reason) })).toThrow(reason)
  })

  test('later: the connection ends, the peer is told; after that the signal means nothing', async () => {
    let far: QuicSession | undefined
    const { address } = await server(session => {
      far = session
    })
    const abort = new AbortController()
    const near = client(address, { signal: abort.signal })
    await near.opened
    const stream = await near.openStream()
    const reading = failure(stream.read())
    await stream.write('x')
    await eventually(() => far !== undefined)
    const reason = new Error('enough')
    abort.abort(reason)
    expect(await failure(near.closed)).toBe(reason)
    expect(await reading).toBe(reason)
    expect((await far?.closed)?.by).toBe('peer')
    const abort2 = new AbortController()
    const next = client(address, { signal: abort2.signal })
    await next.opened
    await next.close()
    abort2.abort()
    expect((await next.closed).by).toBe('local')
  })
})

describe('close', () => {
  test('Symbol.asyncDispose closes sessions and endpoints', async () => {
    let far: QuicSession | undefined
    const port = await freePort()
    {
      await using endpoint = new QuicEndpoint({ host: '127.0.0.1', port })
      endpoint.listen({ alpn: ['echo'], cert: p256.chainPem, key: p256.keyPem }, session => {
        far = session
      })
      await using near = client({ host: '127.0.0.1', port })
      await near.opened
      await eventually(() => far !== undefined)
    }
    expect((await far?.closed)?.by).toBe('peer')
    // The port is free again.
    const again = closing(new QuicEndpoint({ host: '127.0.0.1', port }))
    expect((await again.ready).port).toBe(port)
  })

  test('of an endpoint: peers are told, everything is forgotten, and twice is once', async () => {
    const { endpoint, address } = await server(echo)
    const clients = Array.from({ length: 100 }, () => client(address))
    await Promise.all(clients.map(near => near.confirmed))
    expect(endpoint.sessions.size).toBe(100)
    const first = endpoint.close({ errorCode: 5, reason: 'maintenance' })
    expect(endpoint.close()).toBe(first)
    await first
    expect(endpoint.sessions.size).toBe(0)
    expect(endpoint.routes).toBe(0)
    for (const near of clients) {
      expect(await near.closed).toEqual({ errorCode: 5, reason: 'maintenance', by: 'peer' })
    }
    expect(() => endpoint.listen({ alpn: ['x'] })).toThrow(/closed/)
    expect(() => endpoint.connect(address, { alpn: ['x'] })).toThrow(/closed/)
  })

  test('right away, before anything was bound or sent', async () => {
    const near = client(await nowhere())
    await near.close()
    expect((await near.closed).by).toBe('local')
    const endpoint = new QuicEndpoint()
    await endpoint.close()
  })

  test('gives up what is under way; after `delivered` nothing is lost', async () => {
    let got = 0
    const { address } = await server(async session => {
      for await (const stream of session.streams) got = (await stream.bytes()).length
    })
    const near = client(address)
    const stream = await near.openStream()
    stream.end(pattern(300_000))
    await stream.delivered
    await near.close()
    await eventually(() => got > 0)
    expect(got).toBe(300_000)
  })

  test('error codes are checked', async () => {
    const near = client(await nowhere())
    await expect(near.close(-1)).rejects.toThrow(RangeError)
    await expect(near.close(1.5)).rejects.toThrow(RangeError)
    await expect(near.close(Number.NaN)).rejects.toThrow(RangeError)
  })
})

describe('two roles on one endpoint', () => {
  test('a client and a server at once, and two connections to each other', async () => {
    const common = { alpn: ['echo'], cert: p256.chainPem, key: p256.keyPem }
    const a = closing(new QuicEndpoint({ host: '127.0.0.1' }))
    const b = closing(new QuicEndpoint({ host: '127.0.0.1' }))
    a.listen(common, echo)
    b.listen(common, echo)
    const [atA, atB] = await Promise.all([a.ready, b.ready])
    const ab = a.connect(atB, { alpn: ['echo'], ca: caPem })
    const ba = b.connect(atA, { alpn: ['echo'], ca: caPem })
    const toSelf = a.connect(atA, { alpn: ['echo'], ca: caPem })
    expect(await Promise.all([roundTrip(ab, '1'), roundTrip(ba, '2'), roundTrip(toSelf, '3')])).toEqual(['1', '2', '3'])
    expect(a.sessions.size).toBe(4)
    expect(a.listener?.handshakes).toBe(0)
    expect(() => a.listen(common)).toThrow(/listens already/)
  })
})

describe('early data', () => {
  const early = () => ({ earlyData: gateFrom(new SingleUse()) })

  test('connect, openStreamNow and end in one tick leave in one datagram: Initial and 0-RTT', async () => {
    const isEarly: boolean[] = []
    const { address } = await server(async session => {
      for await (const stream of session.streams) {
        isEarly.push(stream.isEarly)
        await stream.end(await stream.bytes())
      }
    }, early())
    const tap = await Tap.before(address)
    const tickets = new MemoryTickets(Date.now)
    const first = client(tap.address, { tickets })
    expect(await roundTrip(first)).toBe('hello')
    await first.close()
    const before = tap.toServer.length
    const near = client(tap.address, { tickets, earlyData: true })
    const stream = near.openStreamNow()
    stream?.end('early bird')
    expect(text(await stream?.bytes())).toBe('early bird')
    expect((await near.opened).earlyData).toBe('accepted')
    expect(isEarly).toEqual([false, true])
    // The first session may have had last words.
    const begun = tap.toServer
      .slice(before)
      .map(packetTypes)
      .find(types => types[0] !== '1-RTT')
    expect(begun).toEqual(['Initial', '0-RTT'])
  })

  test('a ticket goes out once; refused early data is sent again', async () => {
    const { address } = await server(echo)
    const tickets = new MemoryTickets(Date.now)
    expect(await roundTrip(client(address, { tickets }))).toBe('hello')
    const near = client(address, { tickets, earlyData: true })
    expect(await roundTrip(near, 'again')).toBe('again')
    expect(near.peer).toMatchObject({ isResumed: true })
    expect(near.peer?.earlyData).not.toBe('accepted')
  })

  test('a ticket for another protocol resumes, but sends nothing early', async () => {
    const { address } = await server(echo, { ...early(), alpn: ['echo', 'other'] })
    const tickets = new MemoryTickets(Date.now)
    expect(await roundTrip(client(address, { tickets }))).toBe('hello')
    const near = client(address, { tickets, earlyData: true, alpn: ['other'] })
    expect(await roundTrip(near)).toBe('hello')
    expect(near.peer).toMatchObject({ alpn: 'other', isResumed: true, earlyData: 'none' })
  })

  test('options that do not fit cost no ticket', async () => {
    const { address } = await server(echo, early())
    const tickets = new MemoryTickets(Date.now)
    expect(await roundTrip(client(address, { tickets }))).toBe('hello')
    for (let i = 0; i < 8; i++) {
      expect(() => client(address, { tickets, transport: { initialRtt: -1 } })).toThrow(RangeError)
    }
    const near = client(address, { tickets })
    await near.opened
    expect(near.peer?.isResumed).toBe(true)
  })
})

describe('logs', () => {
  test('keyLog gets NSS lines; SSLKEYLOGFILE names a file', async () => {
    const { address } = await server(echo)
    const lines: string[] = []
    const near = client(address, { keyLog: label => lines.push(label) })
    await near.opened
    expect(lines).toContain('CLIENT_TRAFFIC_SECRET_0')
    const directory = mkdtempSync(join(tmpdir(), 'zerotrip-'))
    try {
      vi.stubEnv('SSLKEYLOGFILE', join(directory, 'keys.log'))
      await client(address).opened
      expect(readFileSync(join(directory, 'keys.log'), 'utf8')).toMatch(
        /^SERVER_TRAFFIC_SECRET_0 [0-9a-f]{64} [0-9a-f]+$/m,
      )
      // One that cannot be written is no fault of the connection.
      const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
      vi.stubEnv('SSLKEYLOGFILE', directory)
      await client(address).opened
      expect(warned).toHaveBeenCalledTimes(1)
      warned.mockRestore()
    } finally {
      vi.unstubAllEnvs()
      rmSync(directory, { recursive: true })
    }
  })

  test('qlog: one file for each side, closed with the connection', async () => {
    const parent = mkdtempSync(join(tmpdir(), 'zerotrip-'))
    const qlog = join(parent, 'made', 'here')
    const before = readdirSync('/proc/self/fd').length
    try {
      const { endpoint, address } = await server(echo, { qlog })
      const near = client(address, { qlog })
      expect(await roundTrip(near)).toBe('hello')
      await near.close()
      await endpoint.close()
      const files = readdirSync(qlog)
      expect(
        files
          .map(file => file.replace(/^(endpoint_)?[0-9a-f]+/, (_, endpoint) => (endpoint ? 'endpoint_*' : '*')))
          .sort(),
      ).toEqual(['*_client.sqlog', '*_server.sqlog', 'endpoint_*_server.sqlog'])
      const nearFile = files.find(file => file.endsWith('_client.sqlog')) as string
      expect(readFileSync(join(qlog, nearFile), 'utf8')).toMatch(/packet_sent/)
      expect(await eventually(() => readdirSync('/proc/self/fd').length <= before)).toBe(true)
      // A directory that cannot be made is said to whoever asked for it.
      writeFileSync(join(parent, 'file'), '')
      expect(() => client(address, { qlog: join(parent, 'file', 'below') })).toThrow(/ENOTDIR/)
    } finally {
      rmSync(parent, { recursive: true })
    }
  })
})

describe('an application that throws', () => {
  test('ends its own connection, is shown, and no other connection notices', async () => {
    const shown: unknown[] = []
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', error => shown.push(error))
    try {
      let count = 0
      const { address } = await server(session => {
        if (++count === 2) throw new Error('handler is broken')
        echo(session)
      })
      const good = client(address)
      expect(await roundTrip(good)).toBe('hello')
      const bad = client(address)
      expect((await bad.closed).by).toBe('peer')
      expect(await roundTrip(good)).toBe('hello')
      expect(shown.map(String)).toEqual(['Error: handler is broken'])
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const listener of listeners) process.on('uncaughtException', listener)
    }
  })

  test('in connect, the factory throws at the caller and leaves nothing', async () => {
    const endpoint = closing(new QuicEndpoint({ host: '127.0.0.1' }))
    const options = {
      alpn: ['echo'],
      application: () => {
        throw new Error('no seat')
      },
    }
    expect(() => endpoint.connect({ host: '127.0.0.1', port: 9 }, options)).toThrow('no seat')
    expect(endpoint.sessions.size).toBe(0)
    expect(endpoint.routes).toBe(0)
    expect(() => connect({ host: '127.0.0.1', port: 9 }, options)).toThrow('no seat')
  })

  test('streams belong to whoever sits above', async () => {
    const near = client(await nowhere(), { application: () => ({ onEvent() {} }) })
    await expect(near.openStream()).rejects.toMatchObject({ code: 'ERR_ZEROTRIP_INVALID_STATE' })
    expect(() => near.openStreamNow()).toThrow(QuicError)
    expect(() => near.streams).toThrow(QuicError)
  })
})

test('a ticket store that throws costs the ticket, not the connection', async () => {
  const { address } = await server(echo)
  const warnings: string[] = []
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(warning => {
    warnings.push(String(warning))
  })
  const tickets = {
    take: () => undefined,
    put: () => {
      throw new Error('disk full')
    },
  }
  const session = client(address, { tickets })
  const stream = await session.openStream()
  expect(await eventually(() => warnings.length > 0)).toBe(true)
  await stream.end('hello')
  expect(text(await stream.bytes())).toBe('hello')
  expect(warnings[0]).toBe('a ticket store failed: Error: disk full')
  warn.mockRestore()
})

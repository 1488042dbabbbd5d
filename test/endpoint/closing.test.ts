// How an endpoint ends (RFC 9000 §10.2): what was begun finishes, the deadline cuts, nothing is left.

import { describe, expect, test } from 'vitest'
import type { Application } from '../../src/endpoint/application.ts'
import { QuicEndpoint } from '../../src/endpoint/endpoint.ts'
import type { QuicSession } from '../../src/endpoint/quic-session.ts'
import { QuicStreams } from '../../src/endpoint/quic-streams.ts'
import { caPem } from '../support/certificates.ts'
import { client, closing, echo, eventually, failure, isSame, pattern, server, sockets, text } from './helpers.ts'

/** A server whose streams are answered when `release` is called. */
async function waiting() {
  let release: () => void = () => {}
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  let begun = 0
  const far = await server(async session => {
    for await (const stream of session.streams) {
      const bytes = await stream.bytes()
      begun++
      released.then(() => stream.end(bytes)).catch(() => {})
    }
  })
  return { ...far, release: () => release(), begun: () => begun }
}

describe('endpoint.close({ deadline })', () => {
  test('streams under way finish, new ones and new clients are refused, the peer is told the code', async () => {
    const { endpoint, address, release, begun } = await waiting()
    const near = client(address)
    const stream = await near.openStream()
    await stream.end(pattern(100_000))
    expect(await eventually(() => begun() === 1)).toBe(true)
    const closed = endpoint.close({ deadline: 5000, errorCode: 9, reason: 'maintenance' })
    expect((await failure(client(address).opened)).code).toBe('ERR_ZEROTRIP_CONNECTION_REFUSED')
    const late = await near.openStream()
    await late.write('late')
    expect((await failure(late.bytes())).code).toBe('ERR_ZEROTRIP_STREAM_ABORTED')
    expect((await failure(late.delivered)).code).toBe('ERR_ZEROTRIP_STREAM_ABORTED')
    release()
    expect(isSame(await stream.bytes(), pattern(100_000))).toBe(true)
    await closed
    expect(await near.closed).toEqual({ errorCode: 9, reason: 'maintenance', by: 'peer' })
    expect(endpoint.sessions.size).toBe(0)
  })

  test('a session without streams is closed at once, whatever the others do', async () => {
    const { endpoint, address, begun, release } = await waiting()
    const [idle, busy] = [client(address), client(address)]
    await idle.confirmed
    const stream = await busy.openStream()
    await stream.end('x')
    expect(await eventually(() => begun() === 1)).toBe(true)
    const closed = endpoint.close({ deadline: 10_000 })
    expect((await idle.closed).by).toBe('peer')
    expect(endpoint.sessions.size).toBeGreaterThan(0)
    release()
    expect(text(await stream.bytes())).toBe('x')
    await closed
  })

  test('the deadline cuts off what has not finished', async () => {
    const { endpoint, address, begun } = await waiting()
    const near = client(address)
    const stream = await near.openStream()
    await stream.end('x')
    expect(await eventually(() => begun() === 1)).toBe(true)
    const stuck = failure(stream.bytes())
    // Without a deadline this would never come back.
    await endpoint.close({ deadline: 30, errorCode: 3 })
    expect((await stuck).errorCode).toBe(3)
  })

  test('a signal cuts it short, before or meanwhile', async () => {
    for (const isEarly of [true, false]) {
      const { endpoint, address, begun } = await waiting()
      const stream = await client(address).openStream()
      await stream.end('x')
      expect(await eventually(() => begun() === 1)).toBe(true)
      const stuck = failure(stream.bytes())
      const controller = new AbortController()
      if (isEarly) controller.abort()
      const closed = endpoint.close({ deadline: Number.POSITIVE_INFINITY, signal: controller.signal })
      controller.abort()
      await closed
      expect((await stuck).code).toBe('ERR_ZEROTRIP_CONNECTION_CLOSED')
    }
  })

  test('a second call joins the first, and nothing is taken meanwhile', async () => {
    const { endpoint, address, begun, release } = await waiting()
    const stream = await client(address).openStream()
    await stream.end('x')
    expect(await eventually(() => begun() === 1)).toBe(true)
    const first = endpoint.close({ deadline: 10_000 })
    expect(endpoint.close()).toBe(first)
    expect(endpoint[Symbol.asyncDispose]()).toBeInstanceOf(Promise)
    expect(() => endpoint.connect(address, { alpn: ['echo'], ca: caPem })).toThrow(/closed/)
    release()
    expect(text(await stream.bytes())).toBe('x')
    await first
  })

  test('a client’s endpoint finishes its own streams as well', async () => {
    const { address } = await server(echo)
    const near = closing(new QuicEndpoint({ host: '127.0.0.1' }))
    const session = near.connect(address, { alpn: ['echo'], ca: caPem })
    // Asked for before the handshake has told how many there may be.
    const opening = session.openStream()
    const closed = near.close({ deadline: 5000 })
    const stream = await opening
    await stream.end(pattern(50_000))
    expect(isSame(await stream.bytes(), pattern(50_000))).toBe(true)
    await closed
    expect((await session.closed).by).toBe('local')
  })

  test('no socket stays, at either end', async () => {
    expect(await eventually(() => sockets() === 0)).toBe(true)
    const { endpoint, address } = await server(echo)
    const near = client(address)
    const stream = await near.openStream()
    await stream.end('x')
    expect(text(await stream.bytes())).toBe('x')
    await endpoint.close({ deadline: 5000 })
    await near.closed
    expect(await eventually(() => sockets() === 0)).toBe(true)
  })

  test('an application that fails to close is shown, and closed', async () => {
    const uncaught: unknown[] = []
    const note = (error: unknown): void => void uncaught.push(error)
    process.on('uncaughtException', note)
    const failing = (session: QuicSession): Application => {
      const streams = new QuicStreams(session.transport)
      const close = (): Promise<void> => Promise.reject(new Error('will not'))
      return { onEvent: event => streams.onEvent(event), close }
    }
    const { endpoint, address } = await server(() => {}, { alpn: { echo: failing } })
    const near = client(address)
    await near.confirmed
    await endpoint.close({ deadline: 5000 })
    expect((await near.closed).by).toBe('peer')
    expect(await eventually(() => uncaught.length === 1)).toBe(true)
    process.off('uncaughtException', note)
  })

  test('an application that never has done is not waited for once its connection is over', async () => {
    const stubborn = (session: QuicSession): Application => {
      const streams = new QuicStreams(session.transport)
      return { onEvent: event => streams.onEvent(event), close: () => new Promise(() => {}) }
    }
    const { endpoint, address } = await server(() => {}, { alpn: { echo: stubborn } })
    const [gone, leaves] = [client(address), client(address)]
    await Promise.all([gone.confirmed, leaves.confirmed])
    await gone.close()
    const closed = endpoint.close({ deadline: Number.POSITIVE_INFINITY })
    await leaves.close()
    await closed
    expect(endpoint.sessions.size).toBe(0)
  })

  test('what makes no sense is said at once, and closes nothing', async () => {
    const endpoint = closing(new QuicEndpoint({ host: '127.0.0.1' }))
    for (const deadline of [-1, Number.NaN, 2 ** 31]) expect(() => endpoint.close({ deadline })).toThrow(RangeError)
    expect(() => endpoint.close({ errorCode: -1 })).toThrow(RangeError)
    expect((await endpoint.ready).port).toBeGreaterThan(0)
    expect(endpoint.addresses.length).toBe(1)
  })
})

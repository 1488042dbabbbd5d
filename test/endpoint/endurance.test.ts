// What must stay small however long it goes on, and fair however busy it gets.

import { afterEach, expect, test, vi } from 'vitest'
import { QuicEndpoint } from '../../src/endpoint/endpoint.ts'
import type { QuicSession } from '../../src/endpoint/quic-session.ts'
import type { QuicStream } from '../../src/endpoint/quic-stream.ts'
import { caPem } from '../support/certificates.ts'
import { client, closing, echo, eventually, patient, pattern, server, text } from './helpers.ts'

afterEach(() => {
  vi.unstubAllGlobals()
})

test('300 connections one after the other leave nothing: sessions, routes, timers', async () => {
  const { endpoint, address } = await server(echo, { tickets: false })
  const clients = closing(new QuicEndpoint({ host: '127.0.0.1' }))
  // An RTT that is known to be small makes closing states short.
  const transport = { initialRtt: 1 }
  const timers = armedTimers()
  for (let i = 0; i < 300; i++) {
    const near = clients.connect(address, { alpn: ['echo'], insecureNoCertificateCheck: true, transport, ...patient })
    const stream = near.openStreamNow() ?? (await near.openStream())
    await stream.end('x')
    expect(text(await stream.bytes())).toBe('x')
    await near.close()
  }
  const isEmpty = (): boolean =>
    clients.sessions.size + clients.routes + endpoint.sessions.size + endpoint.routes + endpoint.listener.handshakes ===
    0
  expect(await eventually(isEmpty)).toBe(true)
  // `eventually` has none left when it returns.
  expect(timers.size).toBe(0)
})

test('200 connections at a time, and all that is theirs goes with the endpoint', async () => {
  const { endpoint, address } = await server(echo)
  const clients = new QuicEndpoint({ host: '127.0.0.1' })
  const answers = await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const near = clients.connect(address, { alpn: ['echo'], ca: caPem, ...patient })
      const stream = await near.openStream()
      await stream.end(`${i}`)
      return text(await stream.bytes())
    }),
  )
  expect(answers).toEqual(Array.from({ length: 200 }, (_, i) => `${i}`))
  await clients.close()
  expect(clients.sessions.size).toBe(0)
  expect(clients.routes).toBe(0)
  await endpoint.close()
  expect(endpoint.sessions.size).toBe(0)
  expect(endpoint.routes).toBe(0)
})

test('bulk on one connection does not starve ping-pong on another', async () => {
  const size = 24 * 1024 * 1024
  const piece = pattern(256 * 1024)
  const { address } = await server(async (session: QuicSession) => {
    for await (const stream of session.streams) answer(stream)
  })
  async function answer(stream: QuicStream): Promise<void> {
    if (text(await stream.read()) === 'ping') return stream.end('pong')
    for (let sent = 0; sent < size; sent += piece.length) await stream.write(piece)
    await stream.end()
  }
  const bulk = await client(address).openStream()
  await bulk.write('much')
  let received = 0
  const receiving = (async () => {
    for await (const chunk of bulk) received += chunk.length
  })()
  const pinger = client(address)
  await pinger.opened
  // How much of the bulk went by during each.
  const waits: number[] = []
  while (received < size) {
    const begin = received
    const stream = await pinger.openStream()
    await stream.end('ping')
    expect(text(await stream.bytes())).toBe('pong')
    waits.push(received - begin)
  }
  await receiving
  waits.sort((a, b) => a - b)
  // Client and server share one thread here: a ping waits for some turns of the loop, never for the bulk.
  expect(waits.length).toBeGreaterThan(20)
  expect(waits[waits.length >> 1]).toBeLessThan(size / 20)
})

test('six connections in bulk get even shares, and none is forgotten', async () => {
  const size = 6 * 1024 * 1024
  const piece = pattern(256 * 1024)
  const { address } = await server(async (session: QuicSession) => {
    const stream = await session.openStream({ direction: 'uni' })
    for (let sent = 0; sent < size; sent += piece.length) await stream.write(piece)
    await stream.end()
  })
  const received = new Array<number>(6).fill(0)
  let least = 0
  await Promise.all(
    received.map(async (_, i) => {
      for await (const stream of client(address).streams) {
        for await (const chunk of stream) received[i] = (received[i] as number) + chunk.length
        break
      }
      // When the first has everything.
      if (least === 0) least = Math.min(...received)
    }),
  )
  expect(received).toEqual(new Array(6).fill(size))
  expect(least).toBeGreaterThan(size / 10)
})

/** Timers set from now on that have neither fired nor been cleared. */
function armedTimers(): ReadonlySet<unknown> {
  const armed = new Set<unknown>()
  const { setTimeout, clearTimeout } = globalThis
  vi.stubGlobal('setTimeout', (run: (...args: unknown[]) => void, ms: number, ...args: unknown[]) => {
    const timer = setTimeout(() => {
      armed.delete(timer)
      run(...args)
    }, ms)
    armed.add(timer)
    return timer
  })
  vi.stubGlobal('clearTimeout', (timer: NodeJS.Timeout | undefined) => {
    armed.delete(timer)
    clearTimeout(timer)
  })
  return armed
}

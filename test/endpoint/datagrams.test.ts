// Unreliable datagrams of a session (RFC 9221): what the sender learns, and WHATWG streams over both queues.

import { describe, expect, test } from 'vitest'
import type { ConnectionEvent } from '../../src/connection/events.ts'
import { MAX_RECEIVED_DATAGRAMS, QuicDatagrams } from '../../src/endpoint/quic-datagrams.ts'
import type { QuicSession } from '../../src/endpoint/quic-session.ts'
import { client, eventually, failure, pattern, server } from './helpers.ts'

const transport = { maxDatagramFrameSize: 1200 }

async function pair(): Promise<{ near: QuicSession; far: QuicSession }> {
  const sessions: QuicSession[] = []
  const { address } = await server(session => sessions.push(session), { transport })
  const near = client(address, { transport })
  await near.opened
  await eventually(() => sessions.length > 0)
  return { near, far: sessions[0] as QuicSession }
}

async function take(datagrams: AsyncIterable<Uint8Array>, count: number): Promise<Uint8Array[]> {
  const got: Uint8Array[] = []
  for await (const datagram of datagrams) if (got.push(datagram) === count) break
  return got
}

describe('datagrams of a session', () => {
  test('RFC 9221 §5.2: send() resolves when the peer has it', async () => {
    const { near, far } = await pair()
    expect(near.datagrams.maxSize).toBeGreaterThan(1000)
    expect(await near.datagrams.send(pattern(700))).toBe('acked')
    expect(await take(far.datagrams, 1)).toEqual([pattern(700)])
    expect(near.statistics().datagramFrames).toMatchObject({ sent: 1, acked: 1, lost: 0 })
    expect(far.statistics().datagramFrames).toMatchObject({ received: 1 })
  })

  test('RFC 9221 §3: what is too large is refused, with the size that would do', async () => {
    const { near } = await pair()
    const { maxSize } = near.datagrams
    const error = await failure(near.datagrams.send(pattern(maxSize + 1)))
    expect(error).toBeInstanceOf(RangeError)
    expect(error.message).toContain(`${maxSize} at most`)
  })

  test('a burst of more than the queue holds: the oldest are told that they were dropped', async () => {
    const { near } = await pair()
    const sent = Array.from({ length: 200 }, (_, i) => near.datagrams.send(Uint8Array.of(i)))
    const fates = await Promise.all(sent)
    expect(fates.slice(0, 136).every(fate => fate === 'overflowed')).toBe(true)
    expect(fates.slice(136).every(fate => fate === 'acked' || fate === 'lost')).toBe(true)
  })

  test('RFC 9221 §5.1: the more urgent stay in the queue, and leave it first', async () => {
    const { near } = await pair()
    const last = near.datagrams.send(Uint8Array.of(0), { urgency: 7 })
    const first = Array.from({ length: 64 }, (_, i) => near.datagrams.send(Uint8Array.of(i), { urgency: 2 }))
    expect(await last).toBe('overflowed')
    expect((await Promise.all(first)).includes('overflowed')).toBe(false)
    expect(await failure(near.datagrams.send(Uint8Array.of(1), { urgency: 8 }))).toBeInstanceOf(RangeError)
    expect(() => near.sendDatagram(Uint8Array.of(1), { urgency: -1 })).toThrow(RangeError)
  })

  test('those under way when the session ends are told', async () => {
    const { near } = await pair()
    const sent = near.datagrams.send(Uint8Array.of(1))
    await near.close()
    expect(['unsent', 'unknown', 'acked']).toContain(await sent)
    expect(await near.datagrams.send(Uint8Array.of(2))).toBe('unsent')
  })
})

describe('as WHATWG streams', () => {
  test('writable waits while the queue is full: a thousand are sent, none overflows', async () => {
    const { near, far } = await pair()
    const reading = (async () => {
      let count = 0
      for await (const _ of far.datagrams.readable) count++
      return count
    })()
    const writer = near.datagrams.writable.getWriter()
    for (let i = 0; i < 1000; i++) await writer.write(pattern(100, i))
    expect(await eventually(() => near.statistics().datagramFrames.sent === 1000)).toBe(true)
    expect(near.statistics().datagramFrames.overflowed).toBe(0)
    await eventually(() => near.statistics().datagramFrames.acked === 1000, 500)
    await near.close()
    expect(await reading).toBeGreaterThan(500)
  })

  test('what is too large vanishes, what is no Uint8Array is an error', async () => {
    const { near } = await pair()
    const writer = near.datagrams.writable.getWriter()
    await writer.write(pattern(5000))
    expect(near.statistics().datagramFrames.sent).toBe(0)
    await expect(writer.write('text' as never)).rejects.toThrow(TypeError)
  })

  test('both end with the session', async () => {
    const { near, far } = await pair()
    const writer = near.datagrams.writable.getWriter()
    const reader = near.datagrams.readable.getReader()
    await far.close()
    expect(await reader.read()).toEqual({ done: true, value: undefined })
    await near.closed
    expect(await failure(writer.write(Uint8Array.of(1)))).toMatchObject({ code: 'ERR_ZEROTRIP_INVALID_STATE' })
  })
})

describe('what waits', () => {
  function unread(): {
    datagrams: QuicDatagrams
    limits: { size: number; room: number }
    sent: Uint8Array[]
    held: { bytes: number }
  } {
    const sent: Uint8Array[] = []
    const limits = { size: 100, room: 0 }
    const held = { bytes: 0 }
    const datagrams = new QuicDatagrams({
      datagramLimits: limits,
      sendDatagram: data => sent.push(data) > 0,
      holdDatagrams: bytes => {
        held.bytes += bytes
      },
    })
    return { datagrams, limits, sent, held }
  }

  test('the newest 256 received are kept until they are read', async () => {
    const { datagrams, held } = unread()
    for (let i = 0; i < 1000; i++) datagrams.onEvent({ type: 'datagram', data: pattern(2, i) })
    expect(MAX_RECEIVED_DATAGRAMS).toBe(256)
    expect(datagrams.dropped).toBe(744)
    expect(held.bytes).toBe(2 * 256)
    expect((await take(datagrams, 1))[0]).toEqual(pattern(2, 744))
    expect(held.bytes).toBe(2 * 255)
    datagrams.onEvent({ type: 'closed', by: 'local', error: new Error('out of memory') } as never)
    expect(held.bytes).toBe(0)
  })

  test('what is received and not read counts as memory of its connection', async () => {
    const { near, far } = await pair()
    const unread = far.datagrams
    for (let i = 0; i < 20; i++) await near.datagrams.send(pattern(1000, i))
    const { received } = far.statistics().datagramFrames
    const used = far.connection.memoryUsed
    expect(used).toBeGreaterThanOrEqual(1000 * received)
    await take(unread, received)
    expect(far.connection.memoryUsed).toBeLessThanOrEqual(used - 1000 * received)
  })

  test('writers wait for room, and give up when the connection ends', async () => {
    const { datagrams, limits, sent } = unread()
    const writer = datagrams.writable.getWriter()
    const first = writer.write(Uint8Array.of(1))
    await new Promise(setImmediate)
    expect(sent).toEqual([])
    limits.room = 1
    datagrams.onEvent({ type: 'datagramsWritable' })
    await first
    expect(sent).toEqual([Uint8Array.of(1)])
    limits.room = 0
    const second = failure(writer.write(Uint8Array.of(2)))
    await new Promise(setImmediate)
    datagrams.onEvent({ type: 'closed' } as ConnectionEvent)
    expect(await second).toMatchObject({ code: 'ERR_ZEROTRIP_INVALID_STATE' })
    expect(sent.length).toBe(1)
  })
})

import { describe, expect, test } from 'vitest'
import { Level } from '../../src/packet/level.ts'
import { PacketWriter } from '../../src/packet/packet-writer.ts'
import type { SentFrame } from '../../src/packet/sent-frame.ts'
import { DEFAULT_SEND_BUFFER } from '../../src/streams/high-water-mark.ts'
import { StreamSet } from '../../src/streams/stream-set.ts'
import { flush, limits, packetOf, pair } from './link.ts'

const huge = limits({ maxData: 2 ** 40, maxStreamDataUni: 2 ** 40, maxStreamsUni: 20_000, maxStreamsBidi: 20_000 })

describe('back-pressure', () => {
  test('send returns the room left, writable comes below half after having been full', () => {
    const { client, server } = pair({}, {}, { sendBufferSize: 1000 })
    const id = client.set.open('uni') as number
    expect(client.set.send(id, new Uint8Array(400), false)).toBe(600)
    expect(client.set.send(id, new Uint8Array(600), false)).toBe(0)
    expect(client.set.send(id, new Uint8Array(100), false)).toBe(-100)
    const first = packetOf(client.set, 500)
    const second = packetOf(client.set, 500)
    for (const frame of first.frames) client.set.onAcked(frame)
    expect(client.take('writable')).toEqual([])
    for (const frame of second.frames) client.set.onAcked(frame)
    expect(client.take('writable')).toEqual([{ type: 'writable', id }])
    flush(client.set, server.set)
    expect(client.take('writable')).toEqual([])
  })

  test('nobody is called to write who was never full, has ended, or was stopped', () => {
    const { client, server } = pair({}, {}, { sendBufferSize: 1000 })
    const [calm, ended, stopped] = [0, 1, 2].map(() => client.set.open('uni') as number) as [number, number, number]
    client.set.send(calm, new Uint8Array(999), false)
    client.set.send(ended, new Uint8Array(2000), true)
    client.set.send(stopped, new Uint8Array(2000), false)
    client.set.reset(stopped, 1)
    flush(client.set, server.set)
    expect(client.take('writable')).toEqual([])
  })

  test('a body of 64 MiB passes through a small buffer', () => {
    const facts: { type: string; id?: number }[] = []
    const set = new StreamSet('client', limits(), facts)
    set.applyPeerLimits(huge)
    const id = set.open('uni') as number
    const chunk = new Uint8Array(64 * 1024)
    const total = 64 * 1024 * 1024
    const buffer = new Uint8Array(1200)
    const flying: SentFrame[] = []
    let written = 0
    let most = 0
    let canWrite = true
    let acked = 0
    while (acked < total) {
      while (canWrite && written < total) {
        written += chunk.length
        canWrite = set.send(id, chunk, written === total) > 0
        most = Math.max(most, written - acked)
      }
      const packet = new PacketWriter(Level.OneRtt, buffer, 0, buffer.length)
      set.write(packet, 0)
      flying.push(...packet.frames)
      if (flying.length > 100 || !set.hasDataToSend) {
        for (const frame of flying.splice(0, 50)) {
          set.onAcked(frame)
          acked += frame.length
        }
      }
      for (const fact of facts.splice(0)) if (fact.type === 'writable') canWrite = true
    }
    expect(most).toBeLessThanOrEqual(DEFAULT_SEND_BUFFER + chunk.length)
    expect(set.openCount).toBe(0)
  })
})

/** ms of processor that this process has used: on a machine that is busy otherwise, the clock says nothing. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

describe('cost per packet', () => {
  /** How long it takes to send `count` packets of one busy stream, in ms; the best of some runs. */
  function timeOf(prepare: (set: StreamSet) => void, count = 3000): number {
    let best = Number.POSITIVE_INFINITY
    for (let run = 0; run < 5; run++) {
      const set = new StreamSet('client', limits(), [])
      set.applyPeerLimits(huge)
      prepare(set)
      const id = set.open('uni') as number
      set.send(id, new Uint8Array(count * 1200), false)
      const buffer = new Uint8Array(1200)
      const start = cpuTime()
      for (let i = 0; i < count; i++) {
        const packet = new PacketWriter(Level.OneRtt, buffer, 0, buffer.length)
        set.write(packet, 0)
        if (!set.hasDataToSend) break
        for (const frame of packet.frames) set.onAcked(frame)
      }
      best = Math.min(best, cpuTime() - start)
    }
    return best
  }

  test('does not grow with ten thousand idle streams', () => {
    const alone = timeOf(() => {})
    const crowded = timeOf(set => {
      for (let i = 0; i < 10_000; i++) set.open('bidi')
    })
    // Far below the factor of thousands that a walk over all streams would cost.
    expect(crowded).toBeLessThan(10 * alone + 5)
  })

  test('does not grow with ten thousand streams blocked by the connection', () => {
    const set = new StreamSet('client', limits(), [])
    set.applyPeerLimits({ ...huge, maxData: 0 })
    for (let i = 0; i < 10_000; i++) set.send(set.open('uni') as number, new Uint8Array(100), false)
    packetOf(set)
    const start = cpuTime()
    for (let i = 1; i < 10_000; i++) {
      set.onMaxData({ type: 0x10, maximum: i })
      if (packetOf(set, 100).frames.length === 0) throw new Error('one byte was to be sent')
    }
    expect(cpuTime() - start).toBeLessThan(3000)
    expect(set.stats.bytesSent).toBe(9999)
  })

  test('does not grow with the number of chunks waiting', () => {
    const set = new StreamSet('client', limits(), [])
    set.applyPeerLimits(huge)
    const id = set.open('uni') as number
    const chunk = new Uint8Array(100)
    for (let i = 0; i < 200_000; i++) set.send(id, chunk, i === 199_999)
    const start = cpuTime()
    // Every tenth packet is lost, so that copying jumps back and forth.
    for (let i = 0; set.hasDataToSend; i++) {
      const packet = packetOf(set)
      for (const frame of packet.frames) i % 10 === 0 ? set.onLost(frame) : set.onAcked(frame)
    }
    expect(cpuTime() - start).toBeLessThan(10_000)
    expect(set.openCount).toBe(0)
  })
})

import { describe, expect, test } from 'vitest'
import { type Frame, FrameType } from '../../src/packet/frames/frame.ts'
import { Level } from '../../src/packet/level.ts'
import { PacketWriter } from '../../src/packet/packet-writer.ts'
import { ReceiveWindow } from '../../src/streams/flow-control.ts'
import { StreamSet } from '../../src/streams/stream-set.ts'
import { framesOf, limits } from './link.ts'

const RTT = 100

describe('a receive window', () => {
  test('doubles while half of it is consumed in less than two round trips, up to its maximum', () => {
    const window = new ReceiveWindow(1000, 3000)
    window.begin(0)
    for (const [now, size] of [
      [199, 2000],
      [300, 3000],
      [301, 3000],
    ] as const) {
      window.consume(window.size / 2)
      window.resize(window.tune(RTT, now))
      window.announce()
      expect(window.size).toBe(size)
    }
  })

  test('stays as it is for a reader that takes longer', () => {
    const window = new ReceiveWindow(1000, 3000)
    window.begin(0)
    window.consume(500)
    expect(window.tune(RTT, 200)).toBe(1000)
    window.consume(1000)
    expect(window.tune(RTT, 600)).toBe(1000)
  })

  test('measures from the first bytes, however long it was idle before', () => {
    const window = new ReceiveWindow(1000, 3000)
    expect(window.tune(RTT, 50)).toBe(1000)
    window.consume(500)
    window.begin(0)
    expect(window.tune(RTT, 100)).toBe(2000)
  })
})

describe('RFC 9000 §4.2: windows of streams and connection', () => {
  const local = limits({ maxData: 4000, maxStreamDataUni: 2000 })
  const options = { maxStreamWindow: 16_000, maxConnectionWindow: 40_000 }

  function receiver(rtt: number): StreamSet {
    const set = new StreamSet('server', local, { push: () => {} }, options)
    if (rtt > 0) set.adapt(rtt, 12_000)
    return set
  }

  function put(set: StreamSet, id: number, offset: number, length: number, now: number): void {
    const data = new Uint8Array(length)
    set.onStream({ type: FrameType.Stream, id, offset, data, fin: false }, false, now)
  }

  function limitsAfter(set: StreamSet, now: number): Frame[] {
    const writer = new PacketWriter(Level.OneRtt, new Uint8Array(1200), 0, 1200)
    set.write(writer, now)
    return framesOf({ bytes: writer.finish(), frames: writer.frames })
  }

  function maximum(frames: readonly Frame[], wanted: number): number | undefined {
    for (const frame of frames) if (frame.type === wanted && 'maximum' in frame) return frame.maximum as number
    return undefined
  }

  test('grow with the pace of consumption, the connection at least half as much again as a stream', () => {
    const set = receiver(RTT)
    let at = 0
    let largest = 0
    for (let now = 0; now < 2000; now += 20) {
      put(set, 2, at, 1000, now)
      set.receive(2)
      at += 1000
      const frames = limitsAfter(set, now)
      const stream = maximum(frames, FrameType.MaxStreamData)
      if (stream === undefined) continue
      largest = Math.max(largest, stream - at)
      expect(stream - at).toBeLessThanOrEqual(options.maxStreamWindow)
    }
    // 50 bytes per ms and 100 ms: four times that is 20,000.
    expect(largest).toBe(options.maxStreamWindow)
    const { maxData, consumed } = limitOf(set)
    expect(maxData - consumed).toBeGreaterThanOrEqual(1.5 * options.maxStreamWindow - 1000)
    expect(maxData - consumed).toBeLessThanOrEqual(options.maxConnectionWindow)
  })

  /** MAX_DATA, found out by the next one that is due. */
  function limitOf(set: StreamSet): { maxData: number; consumed: number } {
    let maxData = -1
    let at = set.stats.bytesRead
    while (maxData < 0) {
      put(set, 2, at, 1000, 3000)
      set.receive(2)
      at += 1000
      maxData = maximum(limitsAfter(set, 3000), FrameType.MaxData) ?? -1
    }
    return { maxData, consumed: at }
  }

  test('do not grow for what nobody reads, or for a peer that says it is blocked', () => {
    const set = receiver(RTT)
    put(set, 2, 0, 2000, 0)
    set.onDataBlocked({ type: FrameType.DataBlocked, limit: 4000 })
    set.onStreamDataBlocked({ type: FrameType.StreamDataBlocked, id: 2, limit: 2000 })
    expect(limitsAfter(set, 10)).toEqual([])
  })

  test('do not grow before a round trip was measured', () => {
    const set = receiver(0)
    put(set, 2, 0, 2000, 0)
    set.receive(2)
    expect(maximum(limitsAfter(set, 1), FrameType.MaxStreamData)).toBe(4000)
  })
})

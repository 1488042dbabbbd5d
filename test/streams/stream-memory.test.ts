import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { MemoryAccount, MemoryBudget } from '../../src/bytes/memory-budget.ts'
import { limits as bounds } from '../../src/limits.ts'
import { type Frame, FrameType } from '../../src/packet/frames/frame.ts'
import { ReceiveBuffer } from '../../src/streams/receive-buffer.ts'
import { StreamSet, type StreamSetOptions } from '../../src/streams/stream-set.ts'
import { STREAM_COST } from '../../src/streams/stream-table.ts'
import { flush, framesOf, limits, packetOf, seeded } from './link.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/**
 * Bytes; memory of arrays that are gone is given back by a thread of its own, some turns later: if it is more than
 * `expected`, they may still be to come.
 */
async function memoryInUse(expected = Number.POSITIVE_INFINITY): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let turn = 0; turn < 20 || (least >= expected && turn < 500); turn++) {
    collect()
    await new Promise(setImmediate)
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    least = Math.min(least, heapUsed + arrayBuffers)
  }
  return least
}

function put(set: StreamSet, id: number, offset: number, data: Uint8Array, now = 0): void {
  set.onStream({ type: FrameType.Stream, id, offset, data, fin: false }, false, now)
}

describe('memory of what was received', () => {
  test('one byte of each datagram, with gaps between: no datagram is kept, and no less is counted than is held', async () => {
    const before = await memoryInUse()
    const buffers = Array.from({ length: 20 }, () => new ReceiveBuffer())
    for (const buffer of buffers) {
      for (let i = 0; i < 500; i++) buffer.insert(3 * i + 1, new Uint8Array(65_536).subarray(i, i + 1))
    }
    const counted = buffers.reduce((sum, buffer) => sum + buffer.held, 0)
    const grown = (await memoryInUse(before + counted / 0.8)) - before
    // 10,000 bytes: the datagrams would be 655 MB.
    expect(grown).toBeLessThan(6_000_000)
    expect(counted).toBeGreaterThan(0.8 * grown)
    expect(counted).toBeLessThan(6_000_000)
  })

  test('what is counted is what was inserted and not read, in any order and size', () => {
    const random = seeded(5)
    const buffer = new ReceiveBuffer()
    for (let i = 0; i < 3000; i++) {
      const length = 1 + Math.floor(random() * (i % 3 === 0 ? 1200 : 20))
      buffer.insert(buffer.readOffset + Math.floor(random() * 20_000), new Uint8Array(1200).subarray(0, length))
      if (i % 7 === 0) buffer.read()
    }
    expect(buffer.held).toBeGreaterThan(5000)
    buffer.insert(buffer.readOffset, new Uint8Array(40_000))
    while (buffer.read() !== undefined);
    expect(buffer.held).toBe(0)
  })
})

describe('memory of all streams', () => {
  const wide = limits({
    maxData: 1e6,
    maxStreamDataUni: 1e6,
    maxStreamDataBidiRemote: 1e6,
    maxStreamDataBidiLocal: 1e6,
  })

  function counted(local = wide, options: StreamSetOptions = {}, budget = new MemoryBudget()) {
    const memory = new MemoryAccount(budget)
    const set = new StreamSet('server', local, { push: () => {} }, { ...options, memory })
    set.applyPeerLimits(wide)
    return { set, memory, budget }
  }

  test('bytes received, bytes written and streams are counted, and all is given back', () => {
    const { set, memory } = counted()
    const client = counted()
    const near = new StreamSet('client', wide, { push: () => {} }, { memory: client.memory })
    near.applyPeerLimits(wide)
    const id = near.open('bidi') as number
    near.send(id, new Uint8Array(50_000), true)
    expect(client.memory.used).toBe(STREAM_COST + 50_000)
    flush(near, set)
    expect(memory.used).toBeGreaterThan(STREAM_COST + 50_000)
    expect(client.memory.used).toBe(STREAM_COST)
    while (set.receive(id) !== undefined);
    expect(memory.used).toBe(STREAM_COST)
    set.send(id, new Uint8Array(0), true)
    flush(set, near)
    while (near.receive(id) !== undefined);
    expect([memory.used, client.memory.used]).toEqual([0, 0])
  })

  test('streams are counted that exist only because one with a higher id does, or before anything is sent', () => {
    const { set, memory } = counted()
    set.onStreamDataBlocked({ type: FrameType.StreamDataBlocked, id: 36, limit: 0 })
    expect(memory.used).toBe(10 * STREAM_COST)
    set.open('uni')
    expect(memory.used).toBe(11 * STREAM_COST)
  })

  test('a chunk is counted until all of it is acknowledged; a reset and a stop give everything back', () => {
    const { set, memory } = counted()
    const uni = set.open('uni') as number
    set.send(uni, new Uint8Array(5000), false)
    for (const frame of packetOf(set).frames) set.onAcked(frame)
    expect(memory.used).toBe(STREAM_COST + 5000)
    set.reset(uni, 0)
    put(set, 0, 10, new Uint8Array(5000))
    set.stop(0, 0)
    expect(memory.used).toBe(2 * STREAM_COST)
  })

  test('RFC 9000 §21.6: small pieces that weigh many times what they hold close the connection', () => {
    const { set, memory } = counted(limits({ maxData: 200_000, maxStreamDataUni: 200_000, maxStreamsUni: 10 }))
    const limit = bounds.receivedOverhead + bounds.receivedPerByte * 200_000
    const flood = () => {
      for (let id = 2; id < 40; id += 4) {
        for (let i = 0; i < 1000; i++) put(set, id, 2 * i + 1, new Uint8Array(1))
      }
    }
    expect(flood).toThrow(expect.objectContaining({ code: 1, message: expect.stringContaining('small pieces') }))
    expect(memory.used).toBeLessThan(limit + 10 * STREAM_COST + 1000)
  })

  test('after the connection is over nothing is counted', () => {
    const { set, memory, budget } = counted()
    put(set, 2, 0, new Uint8Array(5000))
    memory.close()
    expect(budget.used).toBe(0)
    put(set, 2, 5000, new Uint8Array(5000))
    while (set.receive(2) !== undefined);
    expect([budget.used, memory.used]).toEqual([0, 0])
  })
})

describe('windows and marks where memory is short', () => {
  const local = limits({ maxData: 4000, maxStreamDataUni: 4000 })
  const options = { maxStreamWindow: 64_000, maxConnectionWindow: 64_000 }

  function reader(limit: number) {
    const budget = new MemoryBudget(limit)
    const memory = new MemoryAccount(budget)
    const set = new StreamSet('server', local, { push: () => {} }, { ...options, memory })
    set.applyPeerLimits(limits({ maxData: 1e6, maxStreamDataUni: 1e6 }))
    set.adapt(100, 1e6)
    let at = 0
    /** Takes what comes at once, 1,000 bytes a ms; returns the last MAX_DATA, less what was read. */
    const read = (bytes: number): number => {
      let ahead = -1
      for (const end = at + bytes; at < end; ) {
        put(set, 2, at, new Uint8Array(1000), at / 1000)
        set.receive(2)
        at += 1000
        for (const frame of framesOf(packetOf(set)) as Frame[]) {
          if (frame.type === FrameType.MaxData) ahead = frame.maximum - at
        }
      }
      return ahead
    }
    return { set, budget, memory, read }
  }

  test('credit beyond the first is counted when it is promised, and leaves half of the budget', () => {
    const { budget, memory, read } = reader(100_000)
    const ahead = read(200_000)
    expect(ahead).toBeGreaterThan(8000)
    expect(memory.used).toBeGreaterThanOrEqual(ahead - local.maxData)
    expect(budget.used).toBeLessThanOrEqual(50_000)
  })

  test('with enough memory the window is as large as it may be', () => {
    const { read } = reader(1_000_000)
    expect(read(400_000)).toBeGreaterThan(60_000)
  })

  test('they shrink to where they began, no limit falls, and bytes still flow', () => {
    const { budget, read } = reader(1_000_000)
    read(400_000)
    // Others have taken it.
    budget.used += 500_000
    expect(read(30_000)).toBe(-1)
    expect(read(100_000)).toBeLessThanOrEqual(4000)
    budget.used -= 500_000
    expect(read(400_000)).toBeGreaterThan(60_000)
  })

  test('writers are asked to wait earlier', () => {
    const { set, budget } = reader(1_000_000)
    const id = set.open('uni') as number
    expect(set.send(id, new Uint8Array(0), false)).toBe(3e6)
    budget.used += 500_000
    expect(set.send(id, new Uint8Array(0), false)).toBe(65_536)
  })
})

import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../src/bytes/hex.ts'
import { RangeSet } from '../../../src/bytes/range-set.ts'
import { Writer } from '../../../src/bytes/writer.ts'
import { ackSize, writeAck } from '../../../src/packet/frames/ack.ts'
import type { AckFrame } from '../../../src/packet/frames/frame.ts'
import { ErrorCode } from '../../../src/packet/transport-error.ts'
import { integer, seededRandom } from '../../reference/random.ts'
import { fault, read, written } from './support.ts'

function setOf(...inclusive: [number, number][]): RangeSet {
  const set = new RangeSet()
  for (const [first, last] of inclusive) set.add(first, last + 1)
  return set
}

function ack(set: RangeSet, delay = 0, maxRanges = 32): AckFrame {
  return read(written(w => writeAck(w, set, delay, maxRanges))) as AckFrame
}

test('RFC 9000 §19.3.1: ranges go down, gaps count from one below', () => {
  // 5 is missing between 6 and 4, and 2 to 3 between 4 and 0-1.
  const set = setOf([0, 1], [4, 4], [6, 9])
  expect(toHex(written(w => writeAck(w, set, 5, 32)))).toBe('02 09 05 02 03  00 00  01 01'.replaceAll(' ', ''))
  expect(ack(set, 5)).toEqual({
    type: 0x02,
    largestAcknowledged: 9,
    ackDelay: 5,
    ranges: [9, 6, 4, 4, 1, 0],
    ecn: undefined,
  })
})

test('packet 0 alone', () => {
  expect(ack(setOf([0, 0])).ranges).toEqual([0, 0])
})

test('RFC 9000 §19.3.2: ECN counts', () => {
  expect(read('03 05 00 00 05 01 02 4003')).toEqual({
    type: 0x02,
    largestAcknowledged: 5,
    ackDelay: 0,
    ranges: [5, 0],
    ecn: { ect0: 1, ect1: 2, ce: 3 },
  })
})

describe('writing', () => {
  const many = new RangeSet()
  for (let i = 0; i < 100; i++) many.add(1000 * i, 1000 * i + 200)

  test('nothing to acknowledge writes nothing', () => {
    const w = Writer.allocate(100)
    expect(writeAck(w, new RangeSet(), 0, 32)).toBe(false)
    expect(writeAck(w, many, 0, 0)).toBe(false)
    expect(w.pos).toBe(0)
    expect(ackSize(new RangeSet(), 0, 32)).toBe(0)
  })

  test('the number of ranges is bounded, the highest are kept', () => {
    const frame = ack(many, 0, 3)
    expect(frame.ranges).toEqual([99_199, 99_000, 98_199, 98_000, 97_199, 97_000])
  })

  test('a packet that is nearly full gets the ranges that fit', () => {
    const least = ackSize(many, 7, 1)
    const most = ackSize(many, 7, 1000)
    for (let room = 0; room <= most + 5; room++) {
      const w = Writer.allocate(room)
      const isWritten = writeAck(w, many, 7, 1000)
      // One byte may stay free: the count is reserved for all ranges.
      expect(isWritten).toBe(room >= least + (room < least + 1 ? 1 : 0))
      if (!isWritten) {
        expect(w.pos).toBe(0)
        continue
      }
      const frame = read(w.finish()) as AckFrame
      expect(frame.largestAcknowledged).toBe(99_199)
      expect(frame.ranges.length / 2).toBeGreaterThanOrEqual(Math.min(100, Math.floor((room - least - 1) / 4)))
    }
  })

  test('its size is known before', () => {
    for (const maxRanges of [1, 2, 64, 65, 66, 100, 200]) {
      expect(written(w => writeAck(w, many, 2 ** 20, maxRanges)).length).toBe(ackSize(many, 2 ** 20, maxRanges))
    }
  })
})

describe('RFC 9000 §19.3.1: ranges below packet 0', () => {
  test.each([
    ['the first range', '02 05 00 00 06'],
    ['a gap', '02 05 00 01 05 00 00'],
    ['a further range', '02 05 00 01 01 00 03'],
    ['a gap near 2^62', '02 05 00 01 01 ffffffffffffffff 00'],
  ])('%s', (_, hex) => {
    expect(fault(hex)).toMatchObject({ code: ErrorCode.FrameEncodingError, frameType: 0x02 })
  })
  test('the lowest that is legal', () => {
    expect((read('02 05 00 01 01 00 02') as AckFrame).ranges).toEqual([5, 4, 2, 0])
  })
})

test('RFC 9000 §13.1: a number above 2^53-1 was never sent', () => {
  expect(fault('02 c020000000000000 00 00 00').code).toBe(ErrorCode.ProtocolViolation)
  expect((read('02 c01fffffffffffff 00 00 00') as AckFrame).largestAcknowledged).toBe(2 ** 53 - 1)
})

test('a range count that cannot be true is refused before anything is read', () => {
  expect(fault('02 bfffffff 00 ffffffffffffffff 00 00 00').code).toBe(ErrorCode.FrameEncodingError)
  expect(fault('02 3f 00 02 00 00 00').code).toBe(ErrorCode.FrameEncodingError)
})

test('an ACK cut off at any byte', () => {
  const bytes = fromHex('03 4400 4001 02 03 00 00 01 01 01 02 4003')
  read(bytes)
  for (let length = 1; length < bytes.length; length++) {
    expect(fault(bytes.subarray(0, length))).toMatchObject({ code: ErrorCode.FrameEncodingError, frameType: 0x03 })
  }
})

test('what is written is read', () => {
  const random = seededRandom(10)
  for (let i = 0; i < 500; i++) {
    const set = new RangeSet()
    let at = integer(random, 2 ** integer(random, 45))
    for (let n = integer(random, 20); n >= 0; n--) {
      const end = at + 1 + integer(random, 2 ** integer(random, 20))
      set.add(at, end)
      at = end + 1 + integer(random, 2 ** integer(random, 20))
    }
    const delay = integer(random, 2 ** 20)
    const frame = ack(set, delay)
    const back = new RangeSet()
    for (let r = 0; r < frame.ranges.length; r += 2) {
      back.add(frame.ranges[r + 1] as number, (frame.ranges[r] as number) + 1)
    }
    expect(back.count).toBe(set.count)
    for (let r = 0; r < set.count; r++) expect([back.start(r), back.end(r)]).toEqual([set.start(r), set.end(r)])
    expect([frame.ackDelay, frame.largestAcknowledged]).toEqual([delay, set.max])
  }
})

import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../src/bytes/hex.ts'
import { Writer } from '../../../src/bytes/writer.ts'
import type { StreamFrame } from '../../../src/packet/frames/frame.ts'
import {
  streamDataRoom,
  streamFrameOverhead,
  writeStream,
  writeStreamHeader,
} from '../../../src/packet/frames/stream.ts'
import { ErrorCode } from '../../../src/packet/transport-error.ts'
import { fault, read, written } from './support.ts'

const data = fromHex('aa bb cc')

describe('RFC 9000 §19.8: the three bits of the type', () => {
  test.each<[string, Partial<StreamFrame>]>([
    ['08 04 aabbcc', { offset: 0, fin: false }],
    ['09 04 aabbcc', { offset: 0, fin: true }],
    ['0a 04 03 aabbcc', { offset: 0, fin: false }],
    ['0b 04 03 aabbcc', { offset: 0, fin: true }],
    ['0c 04 4100 aabbcc', { offset: 256, fin: false }],
    ['0d 04 4100 aabbcc', { offset: 256, fin: true }],
    ['0e 04 4100 03 aabbcc', { offset: 256, fin: false }],
    ['0f 04 4100 03 aabbcc', { offset: 256, fin: true }],
  ])('%s', (hex, expected) => {
    expect(read(hex)).toEqual({ type: 0x08, id: 4, data, ...expected })
  })
})

test('what is written is read, with length', () => {
  expect(toHex(written(w => writeStream(w, 4, 0, data, false)))).toBe('0a0403aabbcc')
  for (const id of [0, 63, 64, 2 ** 40]) {
    for (const offset of [0, 1, 2 ** 14, 2 ** 53 - 4]) {
      for (const fin of [false, true]) {
        const bytes = written(w => writeStream(w, id, offset, data, fin))
        expect(read(bytes)).toEqual({ type: 0x08, id, offset, data, fin })
        expect(bytes.length).toBe(streamFrameOverhead(id, offset, 3) + 3)
      }
    }
  }
})

test('the data may come in pieces, and may be empty', () => {
  const bytes = written(w => {
    writeStreamHeader(w, 8, 5, 3, true)
    w.put(data.subarray(0, 1))
    w.put(data.subarray(1))
  })
  expect(read(bytes)).toEqual({ type: 0x08, id: 8, offset: 5, data, fin: true })
  expect(read(written(w => writeStream(w, 8, 5, new Uint8Array(0), true)))).toMatchObject({ offset: 5, fin: true })
})

test('the data is a view', () => {
  const bytes = written(w => writeStream(w, 4, 0, data, false))
  expect((read(bytes) as StreamFrame).data.buffer).toBe(bytes.buffer)
})

test('the room for data is the most that fits', () => {
  for (const [id, offset] of [
    [0, 0],
    [64, 1],
    [2 ** 20, 2 ** 31],
  ] as const) {
    for (const room of [
      0,
      1,
      2,
      3,
      4,
      15,
      16,
      60,
      ...Array.from({ length: 40 }, (_, i) => 50 + i),
      1200,
      16_380,
      16_390,
      16_395,
      16_400,
      16_410,
      65_000,
    ]) {
      const most = streamDataRoom(id, offset, room)
      if (most >= 0) {
        const w = Writer.allocate(room)
        writeStreamHeader(w, id, offset, most, false)
        w.zeros(most)
      }
      const more = Math.max(most, -1) + 1
      expect(streamFrameOverhead(id, offset, more) + more).toBeGreaterThan(room)
    }
  }
})

test('RFC 9000 §19.8: an offset no window reaches', () => {
  expect(fault('0e 04 c01ffffffffffffe 02 aabb')).toMatchObject({ code: ErrorCode.FlowControlError, frameType: 0x0e })
  expect(fault('0e 04 ffffffffffffffff 01 aa').code).toBe(ErrorCode.FlowControlError)
  expect(fault('0c 04 c020000000000000').code).toBe(ErrorCode.FlowControlError)
  expect(read('0e 04 c01ffffffffffffe 01 aa')).toMatchObject({ offset: 2 ** 53 - 2 })
  expect(read('0e 04 c01fffffffffffff 00')).toMatchObject({ offset: 2 ** 53 - 1 })
})

test('a STREAM cut off at any byte', () => {
  const bytes = fromHex('0f 4004 4100 03 aabbcc')
  for (let length = 1; length < bytes.length; length++) {
    expect(fault(bytes.subarray(0, length))).toMatchObject({ code: ErrorCode.FrameEncodingError, frameType: 0x0f })
  }
  expect(fault('0a 04 ffffffffffffffff aa').code).toBe(ErrorCode.FrameEncodingError)
})

import { describe, expect, test } from 'vitest'
import { Reader } from '../../src/bytes/reader.ts'
import { Writer } from '../../src/bytes/writer.ts'
import {
  FrameReader,
  FrameType,
  frameHeaderSize,
  idFrame,
  isForbiddenFrameType,
  readOnlyId,
  writeFrameHeader,
} from '../../src/http3/frames.ts'
import { bytes, hex } from './helpers.ts'

/** Reads frames from `data` cut into pieces of `size`; payloads collected. */
function frames(data: Uint8Array, size: number): [type: number, payload: string][] {
  const reader = new FrameReader()
  const found: [number, string][] = []
  for (let at = 0; at < data.length; at += size) {
    reader.push(data.subarray(at, at + size))
    for (;;) {
      if (!reader.isInFrame && !reader.readHeader()) break
      const type = reader.type
      const payload = reader.collect()
      if (payload === undefined) break
      found.push([type, hex(payload)])
    }
  }
  expect(reader.isAtBoundary).toBe(true)
  return found
}

describe('RFC 9114 §7.1', () => {
  const data = bytes('00 03 010203  01 00  4021 4003 aabbcc  c000000000000021 80000001 ff  07 01 04')
  const expected = [
    [0, '010203'],
    [1, ''],
    [0x21, 'aabbcc'],
    [0x21, 'ff'],
    [7, '04'],
  ]
  test.each([1, 2, 3, 5, 7, 100])('frames in pieces of %d', size => {
    expect(frames(data, size)).toEqual(expected)
  })

  test('a large payload is collected as it comes', () => {
    const payload = new Uint8Array(1000).map((_, i) => i)
    const writer = Writer.allocate(1003)
    writeFrameHeader(writer, 1, 1000)
    writer.put(payload)
    expect(writer.pos).toBe(frameHeaderSize(1, 1000) + 1000)
    for (const size of [1, 7, 256, 999]) expect(frames(writer.finish(), size)).toEqual([[1, hex(payload)]])
  })

  test('pieces and skipping', () => {
    const reader = new FrameReader()
    reader.push(bytes('00 04 0102'))
    expect(reader.readHeader()).toBe(true)
    expect(hex(reader.piece())).toBe('0102')
    expect(reader.hasBytes).toBe(false)
    expect(reader.isAtBoundary).toBe(false)
    reader.push(bytes('0304 21 03 ff'))
    expect(hex(reader.piece())).toBe('0304')
    expect(reader.isInFrame).toBe(false)
    expect(reader.readHeader()).toBe(true)
    expect(reader.skip()).toBe(false)
    reader.push(bytes('ffff 40'))
    expect(reader.skip()).toBe(true)
    expect(reader.readHeader()).toBe(false)
    expect(reader.isAtBoundary).toBe(false)
  })
})

test('RFC 9114 §7.2.8: reserved types of HTTP/2', () => {
  expect([0x02, 0x06, 0x08, 0x09].every(isForbiddenFrameType)).toBe(true)
  expect(Object.values(FrameType).some(isForbiddenFrameType)).toBe(false)
})

test('frames that are one id', () => {
  expect(hex(idFrame(FrameType.Goaway, 4))).toBe('070104')
  expect(hex(idFrame(FrameType.Goaway, 16_384))).toBe('070480004000')
  expect(readOnlyId(new Reader(bytes('4001')))).toBe(1)
  expect(() => readOnlyId(new Reader(bytes('0100')))).toThrow('too long')
  expect(() => readOnlyId(new Reader(bytes('40')))).toThrow('too short')
  expect(() => readOnlyId(new Reader(bytes('')))).toThrow('too short')
})

import { expect, test } from 'vitest'
import { fromHex } from '../../src/bytes/hex.ts'
import { Reader } from '../../src/bytes/reader.ts'
import { Writer } from '../../src/bytes/writer.ts'

test('integers are written in network order', () => {
  const w = Writer.allocate(32)
  w.u8(1)
  w.u16(0x0203)
  w.u24(0x040506)
  w.u32(0xf708090a)
  w.put(fromHex('aa bb'))
  w.zeros(2)
  expect(w.finish()).toEqual(fromHex('01 0203 040506 f708090a aabb 0000'))
  expect(w.remaining).toBe(32 - 14)
})

test('zeros overwrite what was there', () => {
  const w = new Writer(new Uint8Array(4).fill(0xff))
  w.zeros(3)
  expect(w.bytes).toEqual(fromHex('00 00 00 ff'))
})

test('a length can be filled in later', () => {
  const w = Writer.allocate(8)
  w.u16(0)
  w.u16(0)
  w.patchU16(0, 0x1234)
  w.patchVarint2(2, 16_383)
  expect(w.finish()).toEqual(fromHex('1234 7fff'))
  expect(new Reader(w.bytes, 2).varint()).toBe(16_383)
})

test('a varint may be written longer than needed', () => {
  const w = Writer.allocate(15)
  for (const size of [1, 2, 4, 8]) w.varintSized(37, size)
  expect(w.finish()).toEqual(fromHex('25 4025 80000025 c000000000000025'))
  expect(() => Writer.allocate(8).varintSized(64, 1)).toThrow(RangeError)
})

test('vectors get their length when they end', () => {
  const w = Writer.allocate(32)
  const outer = w.beginVector(2)
  const inner = w.beginVector(1)
  w.put(fromHex('aa bb cc'))
  w.endVector(inner, 1)
  w.endVector(outer, 2)
  const last = w.beginVector(3)
  w.endVector(last, 3)
  expect(w.finish()).toEqual(fromHex('0004 03 aabbcc 000000'))
})

test('a vector too long for its length is refused', () => {
  const w = Writer.allocate(300)
  const start = w.beginVector(1)
  w.zeros(256)
  expect(() => w.endVector(start, 1)).toThrow(RangeError)
})

const writes: [string, (w: Writer) => void][] = [
  ['u8', w => w.u8(1)],
  ['u16', w => w.u16(1)],
  ['u24', w => w.u24(1)],
  ['u32', w => w.u32(1)],
  ['varint', w => w.varint(1)],
  ['put', w => w.put(Uint8Array.of(1))],
  ['zeros', w => w.zeros(1)],
  ['beginVector', w => w.beginVector(1)],
]
test.each(writes)('%s does not write behind the end', (_, write) => {
  const w = new Writer(new Uint8Array(8), 4, 4)
  expect(() => write(w)).toThrow(RangeError)
  expect(w.pos).toBe(4)
  expect(w.bytes).toEqual(new Uint8Array(8))
})

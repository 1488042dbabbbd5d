import { expect, test } from 'vitest'
import { fromHex } from '../../src/bytes/hex.ts'
import { OutOfBytes, Reader } from '../../src/bytes/reader.ts'

test('integers are read in network order', () => {
  const reader = new Reader(fromHex('01 0203 040506 0708090a ffffffff'))
  expect(reader.peek()).toBe(1)
  expect(reader.u8()).toBe(1)
  expect(reader.u16()).toBe(0x0203)
  expect(reader.u24()).toBe(0x040506)
  expect(reader.u32()).toBe(0x0708090a)
  expect(reader.remaining).toBe(4)
  expect(reader.u32()).toBe(0xffffffff)
  expect(reader.isDone).toBe(true)
})

test('a view shares memory, a copy does not', () => {
  const bytes = fromHex('01 02 03 04 05')
  const reader = new Reader(bytes, 1)
  const view = reader.view(2)
  const copy = reader.copy(1)
  bytes.fill(9)
  expect(view).toEqual(fromHex('09 09'))
  expect(copy).toEqual(fromHex('04'))
  expect(reader.rest()).toEqual(fromHex('09'))
  expect(reader.isDone).toBe(true)
})

test('a sub-reader cannot see what is behind it', () => {
  const reader = new Reader(fromHex('01 02 03 04'))
  const sub = reader.sub(2)
  expect(sub.u16()).toBe(0x0102)
  expect(() => sub.u8()).toThrow(OutOfBytes)
  expect(reader.u16()).toBe(0x0304)
})

test('an end before the end of the bytes is kept', () => {
  const reader = new Reader(fromHex('01 02 03 04'), 1, 3)
  reader.skip(1)
  expect(reader.remaining).toBe(1)
  expect(() => reader.u16()).toThrow(OutOfBytes)
  expect(reader.pos).toBe(2)
  expect(reader.u8()).toBe(3)
})

const reads: [string, (reader: Reader) => unknown][] = [
  ['peek', r => r.peek()],
  ['u8', r => r.u8()],
  ['u16', r => r.u16()],
  ['u24', r => r.u24()],
  ['u32', r => r.u32()],
  ['varint', r => r.varint()],
  ['view', r => r.view(1)],
  ['copy', r => r.copy(1)],
  ['sub', r => r.sub(1)],
  ['skip', r => r.skip(1)],
  ['view of 2^62', r => r.view(2 ** 62)],
]
test.each(reads)('%s of nothing throws OutOfBytes and moves nothing', (_, read) => {
  const reader = new Reader(new Uint8Array(8), 4, 4)
  expect(() => read(reader)).toThrow(OutOfBytes)
  expect(reader.pos).toBe(4)
})

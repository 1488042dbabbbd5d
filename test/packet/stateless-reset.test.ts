import { expect, test } from 'vitest'
import { Writer } from '../../src/bytes/writer.ts'
import { PacketKind, readHeader } from '../../src/packet/header.ts'
import {
  hasStatelessResetToken,
  MIN_STATELESS_RESET_LENGTH,
  writeStatelessReset,
} from '../../src/packet/stateless-reset.ts'

const token = Uint8Array.from({ length: 16 }, (_, i) => i)
const random = new Uint8Array(100).fill(0xff)

test('RFC 9000 §10.3: a reset looks like a short packet and ends in the token', () => {
  for (const length of [21, 42, 100]) {
    const w = Writer.allocate(200)
    writeStatelessReset(w, token, random, length)
    expect(w.pos).toBe(length)
    expect(w.bytes[0]).toBe(0x7f)
    expect(w.finish().subarray(1, length - 16)).toEqual(random.subarray(1, length - 16))
    expect(hasStatelessResetToken(w.finish(), token)).toBe(true)
    if (length === 100) expect(readHeader(w.finish(), 0, 8)?.kind).toBe(PacketKind.OneRtt)
  }
})

test('RFC 9000 §10.3: nothing below 21 bytes is a reset', () => {
  expect(hasStatelessResetToken(token, token)).toBe(false)
  const short = new Uint8Array(MIN_STATELESS_RESET_LENGTH - 1)
  short.set(token, short.length - 16)
  expect(hasStatelessResetToken(short, token)).toBe(false)
})

test('another token does not match, in any byte', () => {
  const w = Writer.allocate(50)
  writeStatelessReset(w, token, random, 50)
  for (let i = 34; i < 50; i++) {
    const changed = w.finish().slice()
    changed[i] = (changed[i] as number) ^ 1
    expect(hasStatelessResetToken(changed, token)).toBe(false)
  }
  const withLongHeader = w.finish().slice()
  withLongHeader[0] = 0xff
  expect(hasStatelessResetToken(withLongHeader, token)).toBe(true)
})

test('what cannot be a reset is not written', () => {
  const w = Writer.allocate(200)
  expect(() => writeStatelessReset(w, token, random, 20)).toThrow(RangeError)
  expect(() => writeStatelessReset(w, token, random, 117)).toThrow(RangeError)
  expect(() => writeStatelessReset(w, token.subarray(1), random, 40)).toThrow(RangeError)
  expect(w.pos).toBe(0)
})

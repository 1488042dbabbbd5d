import { describe, expect, test } from 'vitest'
import { fromHex } from '../../src/bytes/hex.ts'
import { Writer } from '../../src/bytes/writer.ts'
import {
  decodePacketNumber,
  packetNumberLength,
  readTruncated,
  writePacketNumber,
} from '../../src/packet/packet-number.ts'
import { integer, seededRandom } from '../reference/random.ts'

describe('RFC 9000 §A.2: encoding', () => {
  test('samples', () => {
    expect(packetNumberLength(0xac5c02, 0xabe8b3)).toBe(2)
    expect(packetNumberLength(0xace8fe, 0xabe8b3)).toBe(3)
  })

  test.each([
    [0, -1, 1],
    [126, -1, 1],
    [127, -1, 2],
    [1000 + 127, 1000, 1],
    [1000 + 128, 1000, 2],
    [1000 + 0x7fff, 1000, 2],
    [1000 + 0x8000, 1000, 3],
    [1000 + 0x7fffff, 1000, 3],
    [1000 + 0x800000, 1000, 4],
    [2 ** 40 + 0x7fffffff, 2 ** 40, 4],
  ])('%d after %d takes %d', (number, acknowledged, length) => {
    expect(packetNumberLength(number, acknowledged)).toBe(length)
  })

  test('a distance no encoding can bridge is refused', () => {
    expect(() => packetNumberLength(2 ** 31, 0)).toThrow(RangeError)
  })
})

describe('RFC 9000 §A.3: decoding', () => {
  test('sample', () => {
    expect(decodePacketNumber(0x9b32, 2, 0xa82f30ea)).toBe(0xa82f9b32)
  })

  test.each([
    [0, 1, -1, 0],
    [255, 1, -1, 255],
    [0x00, 1, 0xff, 0x100],
    [0xff, 1, 0x100, 0xff],
    [0x80, 1, 0xff, 0x180],
    [0x81, 1, 0xff, 0x81],
    [5, 4, 2 ** 32 + 3, 2 ** 32 + 5],
    [0xffffffff, 4, 2 ** 40, 2 ** 40 - 1],
    [1, 1, 2 ** 53 - 2, 2 ** 53 - 255],
  ])('%d in %d bytes after %d is %d', (truncated, length, largest, expected) => {
    expect(decodePacketNumber(truncated, length, largest)).toBe(expected)
  })
})

test('only the low bytes are written, of any number', () => {
  for (const [length, hex] of [
    [1, '04'],
    [2, '0304'],
    [3, '020304'],
    [4, 'f1020304'],
  ] as const) {
    const w = Writer.allocate(4)
    writePacketNumber(w, 2 ** 50 + 0xf1020304, length)
    expect(w.finish()).toEqual(fromHex(hex))
    expect(readTruncated(w.bytes, 0, length)).toBe(Number.parseInt(hex, 16))
  }
})

test('what one side writes, the other restores', () => {
  const random = seededRandom(8)
  for (let i = 0; i < 20_000; i++) {
    const acknowledged = integer(random, 2 ** integer(random, 50)) - 1
    const number = acknowledged + 1 + integer(random, 2 ** integer(random, 31))
    const length = packetNumberLength(number, acknowledged)
    const w = Writer.allocate(4)
    writePacketNumber(w, number, length)
    // The receiver has seen anything from what it acknowledged to a little beyond this packet.
    const largestReceived = acknowledged + integer(random, number - acknowledged + 30)
    expect(decodePacketNumber(readTruncated(w.bytes, 0, length), length, largestReceived)).toBe(number)
  }
})

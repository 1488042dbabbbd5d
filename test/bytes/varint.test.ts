import { describe, expect, test } from 'vitest'
import { fromHex } from '../../src/bytes/hex.ts'
import { OutOfBytes, Reader } from '../../src/bytes/reader.ts'
import { joinHalves, MAX_EXACT, varintSize } from '../../src/bytes/varint.ts'
import { Writer } from '../../src/bytes/writer.ts'
import { integer, seededRandom } from '../reference/random.ts'
import { decodeVarint, encodeVarint, roundedUp, shortestSize } from '../reference/varint.ts'

function read(bytes: Uint8Array): number {
  const reader = new Reader(bytes)
  const value = reader.varint()
  expect(reader.remaining).toBe(0)
  return value
}

function write(value: number): Uint8Array {
  const w = Writer.allocate(8)
  w.varint(value)
  return w.finish()
}

describe('RFC 9000 §A.1: sample varints', () => {
  test.each([
    ['c2 19 7c 5e ff 14 e8 8c', 151_288_809_941_952_652n],
    ['9d 7f 3e 7d', 494_878_333n],
    ['7b bd', 15_293n],
    ['25', 37n],
    ['40 25', 37n],
  ])('%s', (hex, value) => {
    // The first sample lies where doubles go in steps of 32.
    expect(decodeVarint(fromHex(hex)).value).toBe(value)
    expect(read(fromHex(hex))).toBe(roundedUp(value))
  })

  test('are written in the fewest bytes', () => {
    expect(write(494_878_333)).toEqual(fromHex('9d7f3e7d'))
    expect(write(15_293)).toEqual(fromHex('7bbd'))
    expect(write(37)).toEqual(fromHex('25'))
  })
})

describe('RFC 9000 §16: sizes change at the powers of two', () => {
  test.each([
    [0, 1],
    [63, 1],
    [64, 2],
    [16_383, 2],
    [16_384, 4],
    [2 ** 30 - 1, 4],
    [2 ** 30, 8],
    [MAX_EXACT, 8],
  ])('%d takes %d', (value, size) => {
    expect(varintSize(value)).toBe(size)
    const bytes = write(value)
    expect(bytes.length).toBe(size)
    expect(bytes).toEqual(encodeVarint(BigInt(value), size))
    expect(read(bytes)).toBe(value)
  })
})

describe('values beyond exact numbers', () => {
  const pinned: [string, bigint, number][] = [
    ['2^53-1 is exact', 2n ** 53n - 1n, 2 ** 53 - 1],
    ['2^53 is exact', 2n ** 53n, 2 ** 53],
    ['2^53+1 rounds up', 2n ** 53n + 1n, 2 ** 53 + 2],
    ['2^60 is exact', 2n ** 60n, 2 ** 60],
    ['2^60+1 stays above 2^60', 2n ** 60n + 1n, 2 ** 60 + 256],
    ['2^62-1 becomes 2^62', 2n ** 62n - 1n, 2 ** 62],
  ]
  test.each(pinned)('%s', (_, value, expected) => {
    expect(read(encodeVarint(value, 8))).toBe(expected)
  })

  test('31*N+27 near 2^62 reads as a number that is not below and known to nobody', () => {
    const n = (2n ** 62n - 1n - 27n) / 31n
    for (let i = 0n; i < 20n; i++) {
      const value = 31n * (n - i) + 27n
      const number = read(encodeVarint(value, 8))
      expect(BigInt(number)).toBeGreaterThanOrEqual(value)
      expect(BigInt(number) - value).toBeLessThan(512n)
    }
  })

  test('order is kept: a limit exceeded on the wire is exceeded here', () => {
    for (const limit of [2n ** 53n, 2n ** 57n, 2n ** 60n, 2n ** 61n]) {
      for (let above = 1n; above < 5n; above++)
        expect(read(encodeVarint(limit + above, 8))).toBeGreaterThan(Number(limit))
    }
  })

  test('halves join at every exponent', () => {
    for (let bits = 21; bits < 30; bits++) {
      for (const high of [2 ** bits, 2 ** bits + 1, 2 ** (bits + 1) - 1]) {
        for (const low of [0, 1, 2 ** 32 - 1]) {
          expect(joinHalves(high, low)).toBe(roundedUp((BigInt(high) << 32n) | BigInt(low)))
        }
      }
    }
  })

  test.each([-1, 0.5, Number.NaN, 2 ** 53, 2 ** 62, Number.POSITIVE_INFINITY])('%d is not written', value => {
    expect(() => write(value)).toThrow(RangeError)
  })
})

test('the fast and the plain codec agree', () => {
  const random = seededRandom(1)
  for (let i = 0; i < 20_000; i++) {
    const bits = BigInt(integer(random, 63))
    const value = ((BigInt(integer(random, 2 ** 32)) << 32n) | BigInt(integer(random, 2 ** 32))) % (1n << bits)
    const shortest = shortestSize(value)
    const size = [1, 2, 4, 8].filter(s => s >= shortest)[integer(random, 4)] ?? shortest
    const bytes = encodeVarint(value, size)
    expect(read(bytes)).toBe(roundedUp(value))
    if (value > BigInt(MAX_EXACT)) continue
    const w = Writer.allocate(8)
    w.varintSized(Number(value), size)
    expect(w.finish()).toEqual(bytes)
    expect(write(Number(value))).toEqual(encodeVarint(value, shortest))
  }
})

test('a varint cut off at any byte reads nothing and moves nothing', () => {
  for (const size of [1, 2, 4, 8]) {
    const bytes = encodeVarint(5n, size)
    for (let length = 0; length < size; length++) {
      const reader = new Reader(bytes, 0, length)
      expect(() => reader.varint()).toThrow(OutOfBytes)
      expect(reader.pos).toBe(0)
    }
  }
})

import { expect, test } from 'vitest'
import { MAX_RING_SPAN, Ring } from '../../src/bytes/ring.ts'
import { integer, seededRandom } from '../reference/random.ts'

function keys(ring: Ring<string>): number[] {
  const found: number[] = []
  for (let key = ring.first; key !== -1; key = ring.next(key)) found.push(key)
  return found
}

function ringOf(...all: number[]): Ring<string> {
  const ring = new Ring<string>()
  for (const key of all) ring.push(key, `v${key}`)
  return ring
}

test('an empty ring has nothing', () => {
  const ring = new Ring<string>()
  expect([ring.size, ring.span, ring.first, ring.last, ring.next(-1), ring.next(5)]).toEqual([0, 0, -1, -1, -1, -1])
  expect([ring.get(0), ring.get(-1), ring.at(0), ring.at(-1), ring.delete(0)]).toEqual(new Array(5).fill(undefined))
})

test('entries are found by key, gaps are empty', () => {
  const ring = ringOf(3, 4, 7)
  expect([ring.size, ring.span, ring.first, ring.last]).toEqual([3, 5, 3, 7])
  expect([2, 3, 4, 5, 6, 7, 8].map(key => ring.get(key))).toEqual([
    undefined,
    'v3',
    'v4',
    undefined,
    undefined,
    'v7',
    undefined,
  ])
  expect([0, 1, 2, 3, 4, 5].map(i => ring.at(i))).toEqual(['v3', 'v4', undefined, undefined, 'v7', undefined])
  expect(keys(ring)).toEqual([3, 4, 7])
  expect(ring.next(0)).toBe(3)
})

test('first and last follow what is deleted', () => {
  const ring = ringOf(1, 2, 5, 9)
  expect(ring.delete(1)).toBe('v1')
  expect(ring.first).toBe(2)
  expect(ring.delete(5)).toBe('v5')
  expect(ring.delete(5)).toBe(undefined)
  expect(ring.delete(9)).toBe('v9')
  expect(ring.last).toBe(2)
  expect(ring.delete(2)).toBe('v2')
  expect([ring.size, ring.first, ring.last]).toEqual([0, -1, -1])
})

test('deleting while walking does not skip anything', () => {
  const ring = ringOf(1, 2, 3, 10)
  const seen: number[] = []
  for (let key = ring.first; key !== -1; key = ring.next(key)) {
    seen.push(key)
    ring.delete(key)
  }
  expect(seen).toEqual([1, 2, 3, 10])
})

test('keys must grow and be whole numbers', () => {
  const ring = ringOf(5)
  for (const key of [5, 4, -1, 6.5, 2 ** 53]) expect(() => ring.push(key, 'x')).toThrow(RangeError)
  expect(keys(ring)).toEqual([5])
})

test('a span beyond the bound is refused, and nothing changes', () => {
  const ring = ringOf(5)
  expect(() => ring.push(5 + MAX_RING_SPAN, 'x')).toThrow(RangeError)
  expect(keys(ring)).toEqual([5])
  ring.delete(5)
  ring.push(5 + MAX_RING_SPAN, 'far')
  expect(ring.get(5 + MAX_RING_SPAN)).toBe('far')
})

test('keys above 2^32 and 2^52 work like others', () => {
  const base = 2 ** 52 + 2 ** 33
  const ring = new Ring<string>()
  for (let i = 0; i < 100; i++) ring.push(base + i, `${i}`)
  for (let i = 0; i < 100; i++) expect(ring.get(base + i)).toBe(`${i}`)
})

test('clear empties it', () => {
  const ring = ringOf(1, 2)
  ring.clear()
  expect(keys(ring)).toEqual([])
  ring.push(0, 'again')
  expect(ring.get(0)).toBe('again')
})

test('a ring and a Map agree', () => {
  const random = seededRandom(2)
  const ring = new Ring<string>()
  const map = new Map<number, string>()
  let next = 0
  for (let i = 0; i < 20_000; i++) {
    if (random() < 0.52) {
      next += 1 + (random() < 0.1 ? integer(random, 40) : 0)
      ring.push(next, `v${next}`)
      map.set(next, `v${next}`)
    } else {
      const key = random() < 0.5 ? ring.first : ring.first + integer(random, ring.span + 2)
      expect(ring.delete(key)).toBe(map.get(key))
      map.delete(key)
    }
    expect(ring.size).toBe(map.size)
    if (i % 500 === 0) {
      expect(keys(ring)).toEqual([...map.keys()])
      expect(ring.last).toBe([...map.keys()].at(-1) ?? -1)
    }
  }
})

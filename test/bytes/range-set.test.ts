import { describe, expect, test } from 'vitest'
import { RangeSet } from '../../src/bytes/range-set.ts'
import { integer, seededRandom } from '../reference/random.ts'
import { PlainRangeSet } from '../reference/range-set.ts'

function rangesOf(set: RangeSet): [number, number][] {
  return Array.from({ length: set.count }, (_, i) => [set.start(i), set.end(i)])
}

function setOf(...ranges: [number, number][]): RangeSet {
  const set = new RangeSet()
  for (const [start, end] of ranges) set.add(start, end)
  return set
}

test('an empty set', () => {
  const set = new RangeSet()
  expect([set.isEmpty, set.count, set.total, set.min, set.max]).toEqual([true, 0, 0, Number.POSITIVE_INFINITY, -1])
  expect(set.contains(0)).toBe(false)
  expect(() => set.start(0)).toThrow(RangeError)
  expect(() => set.end(-1)).toThrow(RangeError)
  set.shift()
  set.removeBelow(5)
  set.remove(0, 10)
  expect(set.isEmpty).toBe(true)
})

describe('add', () => {
  test.each<[string, [number, number][], [number, number][]]>([
    [
      'extends the last range',
      [
        [0, 5],
        [5, 6],
      ],
      [[0, 6]],
    ],
    [
      'starts a new last range',
      [
        [0, 5],
        [6, 7],
      ],
      [
        [0, 5],
        [6, 7],
      ],
    ],
    [
      'puts one in front',
      [
        [10, 20],
        [0, 5],
      ],
      [
        [0, 5],
        [10, 20],
      ],
    ],
    [
      'joins from the left',
      [
        [10, 20],
        [5, 10],
      ],
      [[5, 20]],
    ],
    [
      'fills a gap',
      [
        [0, 5],
        [6, 10],
        [5, 6],
      ],
      [[0, 10]],
    ],
    [
      'swallows several',
      [
        [0, 1],
        [2, 3],
        [4, 5],
        [6, 7],
        [2, 6],
      ],
      [
        [0, 1],
        [2, 7],
      ],
    ],
    [
      'changes nothing inside',
      [
        [0, 10],
        [3, 4],
      ],
      [[0, 10]],
    ],
    [
      'swallows all',
      [
        [3, 4],
        [6, 8],
        [0, 20],
      ],
      [[0, 20]],
    ],
    [
      'ignores an empty range',
      [
        [0, 1],
        [5, 5],
        [7, 3],
      ],
      [[0, 1]],
    ],
    [
      'goes between two',
      [
        [0, 1],
        [10, 11],
        [4, 5],
      ],
      [
        [0, 1],
        [4, 5],
        [10, 11],
      ],
    ],
  ])('%s', (_, added, expected) => {
    expect(rangesOf(setOf(...added))).toEqual(expected)
  })
})

describe('remove', () => {
  const full: [number, number][] = [
    [0, 10],
    [20, 30],
    [40, 50],
  ]
  test.each<[string, [number, number], [number, number][]]>([
    [
      'cuts one in two',
      [3, 5],
      [
        [0, 3],
        [5, 10],
        [20, 30],
        [40, 50],
      ],
    ],
    [
      'takes a head',
      [20, 25],
      [
        [0, 10],
        [25, 30],
        [40, 50],
      ],
    ],
    [
      'takes a tail',
      [25, 30],
      [
        [0, 10],
        [20, 25],
        [40, 50],
      ],
    ],
    [
      'takes one exactly',
      [20, 30],
      [
        [0, 10],
        [40, 50],
      ],
    ],
    ['takes a gap', [10, 20], full],
    [
      'takes across ranges',
      [5, 45],
      [
        [0, 5],
        [45, 50],
      ],
    ],
    ['takes all', [0, 50], []],
    [
      'takes beyond the end',
      [45, 100],
      [
        [0, 10],
        [20, 30],
        [40, 45],
      ],
    ],
    ['takes nothing behind the end', [50, 60], full],
    ['takes nothing for an empty range', [5, 5], full],
  ])('%s', (_, [start, end], expected) => {
    const set = setOf(...full)
    set.remove(start, end)
    expect(rangesOf(set)).toEqual(expected)
  })
})

test('contains, min, max and total', () => {
  const set = setOf([2, 4], [8, 9])
  expect([1, 2, 3, 4, 7, 8, 9].map(v => set.contains(v))).toEqual([false, true, true, false, false, true, false])
  expect([set.min, set.max, set.total, set.count]).toEqual([2, 8, 3, 2])
})

test('shift, removeBelow and clear', () => {
  const set = setOf([0, 2], [4, 6], [8, 10])
  set.shift()
  expect(rangesOf(set)).toEqual([
    [4, 6],
    [8, 10],
  ])
  set.removeBelow(4)
  expect(set.min).toBe(4)
  set.removeBelow(5)
  expect(set.min).toBe(5)
  set.removeBelow(7)
  expect(rangesOf(set)).toEqual([[8, 10]])
  set.removeBelow(10)
  expect(set.isEmpty).toBe(true)
  set.add(1, 2)
  set.clear()
  expect(set.isEmpty).toBe(true)
})

test('values up to 2^53-1 are exact', () => {
  const top = Number.MAX_SAFE_INTEGER
  const set = setOf([top - 2, top - 1], [0, 1])
  set.add(top - 1, top)
  expect(rangesOf(set)).toEqual([
    [0, 1],
    [top - 2, top],
  ])
  expect(set.max).toBe(top - 1)
})

test.each([3, 4, 5, 6])('the set and its plain twin agree (seed %d)', seed => {
  const random = seededRandom(seed)
  const fast = new RangeSet()
  const plain = new PlainRangeSet()
  for (let i = 0; i < 4000; i++) {
    const start = integer(random, 200)
    const end = start + integer(random, seed * 3)
    const choice = random()
    const floor = integer(random, 40)
    for (const set of [fast, plain]) {
      if (choice < 0.55) set.add(start, end)
      else if (choice < 0.97) set.remove(start, end)
      else if (choice < 0.985) set.removeBelow(floor)
      else set.shift()
    }
    const ranges = plain.ranges()
    expect(rangesOf(fast)).toEqual(ranges)
    expect(fast.total).toBe(plain.total)
    expect(fast.contains(start)).toBe(plain.contains(start))
    expect(fast.max).toBe((ranges.at(-1)?.[1] ?? 0) - 1)
  }
})

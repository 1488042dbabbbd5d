import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ReplayWindow } from '../../src/zero-rtt/replay-window.ts'

test('each counter is accepted once, in any order', () => {
  const window = new ReplayWindow(64)
  for (const counter of [0, 3, 1, 2, 63]) expect(window.accept(counter)).toBe(true)
  for (const counter of [0, 1, 2, 3, 63]) expect(window.accept(counter)).toBe(false)
  expect(window.check(3)).toBe('seen')
  expect(window.check(4)).toBe('fresh')
  expect(window.highest).toBe(63)
})

test('what fell out of the window counts as used', () => {
  const window = new ReplayWindow(64)
  window.accept(0)
  window.accept(64)
  expect(window.check(0)).toBe('old')
  expect(window.accept(0)).toBe(false)
  // Never used, but it cannot be known any more.
  window.accept(200)
  expect(window.accept(136)).toBe(false)
  expect(window.accept(137)).toBe(true)
})

test('sliding frees the bits of one window ago, and no others', () => {
  const window = new ReplayWindow(32)
  for (let counter = 0; counter < 32; counter++) window.accept(counter)
  expect(window.accept(40)).toBe(true)
  for (let counter = 9; counter < 32; counter++) expect(window.check(counter)).toBe('seen')
  for (let counter = 32; counter < 40; counter++) expect(window.accept(counter)).toBe(true)
  for (let counter = 9; counter <= 40; counter++) expect(window.accept(counter)).toBe(false)
})

test('a jump far ahead empties the window', () => {
  const window = new ReplayWindow(64)
  for (let counter = 0; counter < 64; counter++) window.accept(counter)
  expect(window.accept(0xffffffff)).toBe(true)
  expect(window.accept(63)).toBe(false)
  for (let back = 1; back < 64; back++) expect(window.accept(0xffffffff - back)).toBe(true)
  expect(window.accept(0xffffffff - 64)).toBe(false)
})

test('agrees with a set that forgets nothing, over a random walk', () => {
  const window = new ReplayWindow(96)
  const used = new Set<number>()
  let highest = -1
  let state = 12345
  for (let step = 0; step < 20_000; step++) {
    state = (state * 1103515245 + 12345) % 2 ** 31
    const counter = Math.max(0, highest + 60 - (state % 200))
    const expected = counter > highest - 96 && !used.has(counter)
    expect(window.accept(counter)).toBe(expected)
    if (expected) used.add(counter)
    highest = expected ? Math.max(highest, counter) : highest
  }
})

test('whatever the counters: none twice, and every fresh one that is not too far behind', () => {
  const counters = fc.array(fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 0xffffffff })), { maxLength: 200 })
  const property = fc.property(fc.constantFrom(32, 64, 128), counters, counters, (size, own, others) => {
    // Two windows in one piece of memory: what one does is nothing to the other.
    const words = new Int32Array((2 * size) / 32)
    const window = new ReplayWindow(size, words, 0)
    const neighbour = new ReplayWindow(size, words, size / 32)
    const used = new Set<number>()
    let highest = -1
    own.forEach((counter, i) => {
      neighbour.accept(others[i] ?? counter)
      const isFresh = !used.has(counter) && counter > highest - size
      expect(window.accept(counter)).toBe(isFresh)
      if (isFresh) used.add(counter)
      if (isFresh) highest = Math.max(highest, counter)
    })
  })
  fc.assert(property, { numRuns: 100 })
})

test('what is no counter is not accepted', () => {
  const window = new ReplayWindow()
  for (const counter of [-1, 0.5, Number.NaN, 2 ** 53]) expect(window.accept(counter)).toBe(false)
  expect(window.highest).toBe(-1)
})

test('a size that is no multiple of 32 is the caller fault', () => {
  for (const size of [0, 31, 33, 1.5]) expect(() => new ReplayWindow(size)).toThrow(RangeError)
})

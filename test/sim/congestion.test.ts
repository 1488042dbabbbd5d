// Flows at a bottleneck, shorter than in `npm run sim`: how much of it they use, and how they share.

import { describe, expect, test } from 'vitest'
import { type CongestionResult, runCongestion } from './congestion.ts'
import { cubicWindow, expectedUse, jain, renoWindow } from './congestion-model.ts'
import { type CongestionScenario, congestionScenarios } from './congestion-scenarios.ts'
import { pictureOf, pictureOfSeed } from './gallery.ts'
import { plot } from './plot.ts'
import { seedsFor } from './scenarios.ts'
import { LOOPBACK_DATAGRAM } from './transfer.ts'

function scenario(name: string): CongestionScenario {
  return congestionScenarios.find(one => one.name === name) as CongestionScenario
}

test('RFC 9438: one flow fills 100 Mbit/s x 50 ms with a queue of one bandwidth-delay product', () => {
  const { error, use, series } = runCongestion({ ...scenario('oneFlow'), duration: 6000 })
  expect(error).toBe(undefined)
  expect(use).toBeGreaterThanOrEqual(0.9)
  expect(series[0]?.samples.length).toBeGreaterThan(100)
})

test('RFC 9000 §4.2: one stream fills 100 Mbit/s x 50 ms with default windows and buffers', () => {
  const { error, use } = runCongestion({ ...scenario('defaults'), duration: 6000 })
  expect(error).toBe(undefined)
  expect(use).toBeGreaterThanOrEqual(0.9)
})

test('RFC 9000 §4.2: one stream fills 1 Gbit/s x 10 ms with default windows and buffers', () => {
  const { error, use } = runCongestion({ ...scenario('gigabit'), duration: 1000 })
  expect(error).toBe(undefined)
  expect(use).toBeGreaterThanOrEqual(0.9)
})

test.each([1452, 9000, LOOPBACK_DATAGRAM])('the same in datagrams of %i bytes', datagramSize => {
  const { error, use } = runCongestion({ ...scenario('oneFlow'), datagramSize, duration: 6000 })
  expect(error).toBe(undefined)
  expect(use).toBeGreaterThanOrEqual(0.9)
})

test("RFC 9438 §4: two flows share a bottleneck for 60 s, Jain's index at least 0.95", () => {
  // A tenth of the rate of `npm run sim`, and of its cost.
  const result = runCongestion({ ...scenario('twoFlows'), rate: 625 })
  expect(result.error).toBe(undefined)
  expect(result.fairness).toBeGreaterThanOrEqual(0.95)
  expectDrawn(plot(pictureOf(result)), result.series.length)
})

/** Window, bytes in flight and two round-trip times of each, and whatever else there is. */
function expectDrawn(svg: string, connections: number): void {
  expect(svg.match(/<polyline/g)?.length).toBeGreaterThanOrEqual(4 * connections)
  for (const word of ['congestion window', 'ssthresh', 'time, s', 'RTT, ms']) expect(svg).toContain(word)
  expect(svg).not.toMatch(/NaN|Infinity|undefined/)
}

test('a seed as a picture of both sides', () => {
  const [seed] = seedsFor(1, 'blackout')
  const picture = pictureOfSeed(seed as number, 'fast')
  expect(picture.series.map(({ name }) => name)).toEqual(['client', 'server'])
  const svg = plot(picture)
  expectDrawn(svg, 2)
  // The probe timer fires in the dark.
  expect(svg.match(/l4 8h-8z/g)?.length).toBeGreaterThan(0)
})

describe('RFC 9406: a queue of one bandwidth-delay product', () => {
  const begin = (name: string): CongestionResult => runCongestion({ ...scenario(name), duration: 2000, leastUse: 0 })

  test('slow start is left before anything is lost', () => {
    expect(begin('slowStart')).toMatchObject({ error: undefined, lostInSlowStart: 0 })
  })

  test('with the windows and buffers everybody has', () => {
    expect(begin('defaults')).toMatchObject({ error: undefined, lostInSlowStart: 0 })
  })

  test('without HyStart++ it overflows', () => {
    expect(begin('slowStartPlain').lostInSlowStart).toBeGreaterThan(0)
  })
})

test('RFC 9438 §4.3, §5.1: average windows', () => {
  // Table 1 of RFC 9438: at an RTT of 0.1 s.
  expect(renoWindow(1e-4)).toBeCloseTo(122.5, 0)
  expect(cubicWindow(1e-4, 100)).toBeCloseTo(187, 0)
  expect(cubicWindow(1e-3, 10)).toBeCloseTo(6, 0)
  expect(expectedUse({ rate: 1, rtt: 100, loss: 1e-4, datagramSize: 1200 })).toBe(1)
})

test('RFC 9438 §5.1: with a loss of 0.1 % no more than a tenth below theory', () => {
  const { error, use } = runCongestion({ ...scenario('oneFlowWithLoss'), duration: 30_000 })
  expect(error).toBe(undefined)
  expect(use).toBeGreaterThan(0.9 * expectedUse({ rate: 12_500, rtt: 50, loss: 0.001, datagramSize: 1200 }))
})

test('BBR fills the pipe in spite of 1 % loss', () => {
  const { error, use } = runCongestion({ ...scenario('bbrWithLoss'), duration: 4000 })
  expect(error).toBe(undefined)
  expect(use).toBeGreaterThanOrEqual(0.9)
})

test.each(['coarseTimers', 'coarseTimersBbr'])(
  'RFC 9002 §7.7: timers of whole milliseconds fill 1 Gbit/s x 10 ms, no burst is worth 1.25 ms (%s)',
  name => {
    const { error, use, largestBurst } = runCongestion({ ...scenario(name), duration: 600 })
    expect(error).toBe(undefined)
    expect(use).toBeGreaterThanOrEqual(0.9)
    expect(largestBurst).toBeLessThan(1.25 * 125_000)
  },
)

test("Jain's index", () => {
  expect(jain([3, 3, 3])).toBe(1)
  expect(jain([1, 0, 0, 0])).toBe(0.25)
  expect(jain([])).toBe(0)
})

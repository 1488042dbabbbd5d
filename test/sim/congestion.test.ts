// Flows at a bottleneck, shorter than in `npm run sim`: how much of it they use, and how they share.

import { expect, test } from 'vitest'
import { type CongestionScenario, congestionScenarios, jain, runCongestion } from './congestion.ts'
import { plot } from './plot.ts'
import { LOOPBACK_DATAGRAM } from './transfer.ts'

function scenario(name: string): CongestionScenario {
  return congestionScenarios.find(one => one.name === name) as CongestionScenario
}

test('RFC 9438: one flow fills 100 Mbit/s x 50 ms with a queue of one bandwidth-delay product', {
  timeout: 60_000,
}, () => {
  const { error, use, samples } = runCongestion({ ...scenario('oneFlow'), duration: 6000 })
  expect(error).toBe(undefined)
  expect(use).toBeGreaterThanOrEqual(0.9)
  expect(samples[0]?.length).toBeGreaterThan(100)
})

test('RFC 9000 §4.2: one stream fills 100 Mbit/s x 50 ms with default windows and buffers', { timeout: 60_000 }, () => {
  const { error, use } = runCongestion({ ...scenario('defaults'), duration: 6000 })
  expect(error).toBe(undefined)
  expect(use).toBeGreaterThanOrEqual(0.9)
})

test('RFC 9000 §4.2: one stream fills 1 Gbit/s x 10 ms with default windows and buffers', { timeout: 60_000 }, () => {
  const { error, use } = runCongestion({ ...scenario('gigabit'), duration: 1000 })
  expect(error).toBe(undefined)
  expect(use).toBeGreaterThanOrEqual(0.9)
})

test.each([1452, 9000, LOOPBACK_DATAGRAM])('the same in datagrams of %i bytes', datagramSize => {
  const { error, use } = runCongestion({ ...scenario('oneFlow'), datagramSize, duration: 6000 })
  expect(error).toBe(undefined)
  expect(use).toBeGreaterThanOrEqual(0.9)
})

test("RFC 9438 §4: two flows share a bottleneck for 60 s, Jain's index at least 0.95", { timeout: 60_000 }, () => {
  // A tenth of the rate of `npm run sim`, and of its cost.
  const result = runCongestion({ ...scenario('twoFlows'), rate: 625 })
  expect(result.error).toBe(undefined)
  expect(result.fairness).toBeGreaterThanOrEqual(0.95)
  const svg = plot(result)
  expect(svg.match(/<polyline/g)?.length).toBe(7)
  expect(svg).not.toContain('NaN')
})

test("Jain's index", () => {
  expect(jain([3, 3, 3])).toBe(1)
  expect(jain([1, 0, 0, 0])).toBe(0.25)
  expect(jain([])).toBe(0)
})

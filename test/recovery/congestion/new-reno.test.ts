import { expect, test } from 'vitest'
import { NewReno } from '../../../src/recovery/congestion/new-reno.ts'

/** Acknowledges a window's worth of packets, sent and acknowledged at the same times. */
function round(c: NewReno, sentAt: number): void {
  for (let left = Math.round(c.window / 1200); left > 0; left--) c.onPacketAcked(1200, sentAt)
}

test('RFC 9002 §7.3.3: at most one datagram per window in congestion avoidance', () => {
  const c = new NewReno(1200)
  for (let i = 0; i < 10; i++) c.onPacketAcked(1200, 1000)
  c.onCongestionEvent(1000, 1100)
  expect(c.window).toBe(12_000)
  for (let i = 1; i <= 5; i++) {
    const before = c.window
    round(c, 1100 + i)
    expect(c.window - before).toBeGreaterThan(1100)
    expect(c.window - before).toBeLessThanOrEqual(1200)
  }
})

test('RFC 9002 §B.5: max_datagram_size * acked / congestion_window', () => {
  const c = new NewReno(1200)
  c.onCongestionEvent(1000, 1100)
  c.onPacketAcked(600, 1101)
  expect(c.window).toBe(6000 + (1200 * 600) / 6000)
})

test('RFC 9002 §7.3.1: slow start after persistent congestion ends at the threshold', () => {
  const c = new NewReno(1200)
  c.onCongestionEvent(1000, 1100)
  c.onPersistentCongestion()
  for (let i = 0; i < 3; i++) c.onPacketAcked(1200, 1200)
  expect(c.window).toBe(6000)
  c.onPacketAcked(1200, 1200)
  expect(c.window).toBe(6240)
})

import { describe, expect, test } from 'vitest'
import { Cubic } from '../../../src/recovery/congestion/cubic.ts'

const MSS = 1200
const BETA = 0.7

/** A window of `segments`, reached in slow start by packets sent at 0. */
function grown(segments: number): Cubic {
  const c = new Cubic(MSS)
  while (c.window < segments * MSS) c.onPacketAcked(MSS, 0, 100, 50)
  return c
}

/** One round trip of a sender who fills the window: everything is acknowledged at `now`. */
function round(c: Cubic, rtt: number, now: number): void {
  for (let left = Math.round(c.window / MSS); left > 0; left--) c.onPacketAcked(MSS, now - rtt, rtt, now)
}

/** Round trips until `until`; the window in segments at the end. */
function run(c: Cubic, rtt: number, from: number, until: number): number {
  for (let now = from; now <= until; now += rtt) round(c, rtt, now)
  return c.window / MSS
}

const cubicWindow = (t: number, max: number, k: number) => 0.4 * (t - k) ** 3 + max

describe('RFC 9438 §4.2: the cubic', () => {
  test('W_cubic(t) = C * (t - K)^3 + W_max is followed one round trip ahead', () => {
    const c = grown(1000)
    c.onCongestionEvent(50, 1000)
    const k = Math.cbrt((1000 - 700) / 0.4)
    const first = 1200
    for (const seconds of [2, 5, 8, 10, 12]) {
      const d = grown(1000)
      d.onCongestionEvent(50, 1000)
      const segments = run(d, 100, first, first + seconds * 1000)
      expect(segments / cubicWindow(seconds + 0.1, 1000, k)).toBeCloseTo(1, 2)
    }
    expect(c.window).toBeCloseTo(700 * MSS)
  })

  test('RFC 9438 §4.4, §4.5: concave up to W_max, convex beyond', () => {
    const c = grown(1000)
    c.onCongestionEvent(50, 1000)
    const windows: number[] = []
    for (let second = 0; second < 18; second++) windows.push(run(c, 100, 1200 + second * 1000, 2100 + second * 1000))
    const growth = windows.slice(1).map((window, i) => window - (windows[i] as number))
    const plateau = growth.indexOf(Math.min(...growth))
    // K is 9.09 s.
    expect(plateau).toBeGreaterThanOrEqual(7)
    expect(plateau).toBeLessThanOrEqual(9)
    for (let i = 1; i < growth.length; i++) {
      if (i <= plateau) expect(growth[i] as number).toBeLessThan(growth[i - 1] as number)
      else expect(growth[i] as number).toBeGreaterThan(growth[i - 1] as number)
    }
  })

  test('the target is at most one and a half windows', () => {
    const c = grown(100)
    c.onCongestionEvent(50, 1000)
    c.onPacketAcked(MSS, 1100, 100, 1200)
    const before = c.window
    // An hour later the cubic is far away.
    c.onPacketAcked(MSS, 3_600_000, 100, 3_600_100)
    expect(c.window - before).toBeLessThanOrEqual(0.5 * MSS + 0.001)
  })

  test('the window never shrinks by an acknowledgment', () => {
    const c = grown(500)
    c.onCongestionEvent(50, 1000)
    let last = c.window
    for (let now = 1200; now < 20_000; now += 7) {
      c.onPacketAcked(MSS, now - 100, 100, now)
      expect(c.window).toBeGreaterThanOrEqual(last)
      last = c.window
    }
  })
})

describe('RFC 9438 §4.3: the Reno-friendly region', () => {
  test('on short paths it grows as Reno does, with alpha = 3 * (1 - beta) / (1 + beta)', () => {
    const c = grown(20)
    c.onCongestionEvent(50, 1000)
    // 14 segments; 5 ms. 0.529 segments per round trip.
    run(c, 5, 1010, 1010 + 5 * 9)
    expect(c.window / MSS).toBeGreaterThan(14 + 0.5 * 9)
    expect(c.window / MSS).toBeLessThan(14 + 0.53 * 10 + 0.1)
  })

  test('and by a whole segment once it is back at cwnd_prior', () => {
    const c = grown(20)
    c.onCongestionEvent(50, 1000)
    let now = 1010
    for (; c.window < 20.5 * MSS; now += 5) round(c, 5, now)
    const before = c.window
    for (let i = 0; i < 10; i++, now += 5) round(c, 5, now)
    expect((c.window - before) / MSS).toBeGreaterThan(9)
    expect((c.window - before) / MSS).toBeLessThan(10.5)
  })
})

test('RFC 9438 §4.6: multiplicative decrease', () => {
  const c = grown(100)
  c.onCongestionEvent(50, 1000)
  expect(c.window).toBeCloseTo(100 * MSS * BETA)
})

describe('RFC 9438 §4.7: fast convergence', () => {
  /** Two losses with little growth between them, then ten seconds. */
  function afterTwoLosses(growth: number): number {
    const c = grown(1000)
    c.onCongestionEvent(50, 1000)
    const end = 1200 + growth
    run(c, 100, 1200, end)
    c.onCongestionEvent(end, end + 50)
    return run(c, 100, end + 200, end + 200 + 10_000)
  }

  test('a loss below W_max lowers W_max to cwnd * (1 + beta) / 2', () => {
    // One round trip: about 710 segments, so W_max is about 604 and K about 5 s.
    const segments = afterTwoLosses(0)
    const window = 700 + (cubicWindow(0.1, 1000, Math.cbrt(750)) - 700)
    const max = (window * (1 + BETA)) / 2
    const k = Math.cbrt((max - window * BETA) / 0.4)
    expect(segments / cubicWindow(10.1, max, k)).toBeCloseTo(1, 1)
  })

  test('a loss above W_max takes the window as the new one', () => {
    const c = grown(100)
    c.onCongestionEvent(50, 1000)
    const segments = run(c, 100, 1200, 1200 + 12_000)
    expect(segments).toBeGreaterThan(100)
    c.onCongestionEvent(13_200, 13_250)
    const k = Math.cbrt((segments * (1 - BETA)) / 0.4)
    const after = run(c, 100, 13_400, 13_400 + k * 1000)
    expect(after / segments).toBeCloseTo(1, 1)
  })
})

test('RFC 9438 §4.8: after persistent congestion slow start up to ssthresh, then K = 0', () => {
  const c = grown(1000)
  c.onCongestionEvent(50, 1000)
  c.onPersistentCongestion()
  expect(c.slowStartThreshold).toBeCloseTo(700 * MSS)
  while (c.isInSlowStart) c.onPacketAcked(MSS, 2000, 100, 2100)
  const start = c.window / MSS
  const after = run(c, 100, 2200, 2200 + 5000)
  expect(after / cubicWindow(5.1, start, 0)).toBeCloseTo(1, 1)
})

describe('RFC 9438 §5.8: time in which the window is not used does not count', () => {
  const start = () => {
    const c = grown(1000)
    c.onCongestionEvent(50, 1000)
    run(c, 100, 1200, 3200)
    return c
  }

  test('silence', () => {
    const [a, b] = [start(), start()]
    a.onPacketSent(MSS, 0, 3300)
    a.onPacketAcked(MSS, 3300, 100, 3400)
    b.onPacketSent(MSS, 0, 63_300)
    b.onPacketSent(MSS, 0, 63_300)
    b.onPacketAcked(MSS, 63_300, 100, 63_400)
    expect(b.window).toBeCloseTo(a.window)
  })

  test('a trickle', () => {
    const [a, b] = [start(), start()]
    a.onPacketAcked(MSS, 3200, 100, 3300)
    b.onApplicationLimited(3300)
    for (let now = 4000; now < 60_000; now += 1000) b.onApplicationLimited(now)
    b.onPacketAcked(MSS, 62_200, 100, 63_300)
    expect(Math.abs(a.window - b.window)).toBeLessThan(MSS)
  })

  test('sending at an empty window before any epoch is harmless', () => {
    const c = new Cubic(MSS)
    c.onPacketSent(MSS, 0, 1000)
    c.onApplicationLimited(1100)
    c.onPacketAcked(MSS, 1000, 100, 1100)
    expect(c.window).toBe(13_200)
  })
})

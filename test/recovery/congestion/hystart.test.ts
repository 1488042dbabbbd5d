import { describe, expect, test } from 'vitest'
import { Cubic } from '../../../src/recovery/congestion/cubic.ts'
import { CONSERVATIVE_ROUNDS, HyStart, RTT_SAMPLES } from '../../../src/recovery/congestion/hystart.ts'
import { NewReno } from '../../../src/recovery/congestion/new-reno.ts'

/** Rounds of ten packets, one ACK each; the next round begins with the packet after the last. */
class Path {
  readonly hystart = new HyStart()
  isOver = false
  #number = 0
  #now = 0

  /** One round; the samples are given in order, and repeated to the end. */
  round(...samples: number[]): this {
    const last = this.#number + 10
    for (let i = 0; i < 10; i++) {
      const rtt = samples[Math.min(i, samples.length - 1)] as number
      this.#now += 5
      if (this.hystart.onAck(this.#number++, last, rtt, this.#now)) this.isOver = true
    }
    return this
  }
}

describe('RFC 9406 §4.2: slow start', () => {
  test('goes on while the delay does not grow', () => {
    const path = new Path()
    for (let i = 0; i < 20; i++) path.round(50)
    expect(path.hystart.isConservative).toBe(false)
    expect(path.hystart.growth(1200)).toBe(1200)
  })

  test.each([
    // RttThresh: an eighth of the delay, but no less than 4 ms and no more than 16.
    [10, 13.9, 14],
    [80, 89.9, 90],
    [400, 415.9, 416],
  ])('after a delay of %d ms, %d is no growth and %d is', (before, little, much) => {
    expect(new Path().round(before).round(little).hystart.isConservative).toBe(false)
    expect(new Path().round(before).round(much).hystart.isConservative).toBe(true)
  })

  test('a single sample says nothing', () => {
    expect(new Path().round(50).round(90, 50).hystart.isConservative).toBe(false)
  })

  test('growth in the middle of a round is seen at once', () => {
    expect(new Path().round(50).round(50, 50, 50, 50, 60).hystart.isConservative).toBe(true)
  })

  test('ACKs without a sample count for rounds, not for delay', () => {
    const path = new Path().round(50)
    path.round(-1)
    expect(path.round(60).hystart.isConservative).toBe(false)
  })

  test('the first round has nothing to be compared with', () => {
    const hystart = new HyStart()
    for (let i = 0; i < 2 * RTT_SAMPLES; i++) hystart.onAck(i, 100, 10 * i, i)
    expect(hystart.isConservative).toBe(false)
  })
})

describe('RFC 9406 §4.2: conservative slow start', () => {
  test('grows by a quarter', () => {
    expect(new Path().round(50).round(57).hystart.growth(1200)).toBe(300)
  })

  test('ends when the delay falls again: it was jitter', () => {
    const path = new Path().round(50).round(57).round(50)
    expect(path.hystart.isConservative).toBe(false)
    expect(path.isOver).toBe(false)
  })

  test(`lasts ${CONSERVATIVE_ROUNDS} rounds, the one in which it began included`, () => {
    const path = new Path().round(50).round(57)
    for (let i = 1; i < CONSERVATIVE_ROUNDS; i++) {
      path.round(57)
      expect(path.isOver).toBe(false)
    }
    expect(path.round(57).isOver).toBe(true)
  })

  test('is cut short when the delay grows on', () => {
    const path = new Path().round(50).round(57)
    expect(path.round(62).isOver).toBe(false)
    expect(path.round(63).isOver).toBe(true)
  })

  test('but not by one burst of late packets', () => {
    const hystart = new HyStart()
    for (let i = 0; i < 10; i++) hystart.onAck(i, 10, 50, i)
    // All within 2 ms.
    for (let i = 0; i < 10; i++) expect(hystart.onAck(10 + i, 30, 80, 20 + i / 5)).toBe(false)
    expect(hystart.isConservative).toBe(true)
  })
})

describe.each([
  ['CUBIC', (size: number) => new Cubic(size)],
  ['NewReno', (size: number) => new NewReno(size)],
])('RFC 9406 §4.2: %s', (_name, create) => {
  const acknowledge = (c: Cubic | NewReno, from: number, rtt: number, isOne = true) => {
    for (let i = from; i < from + 10; i++) {
      c.onAck(i, from + 10, rtt, i * 5)
      if (isOne) c.onPacketAcked(1200, i, 50, i * 5)
    }
  }

  test('ssthresh is the window when conservative slow start is over', () => {
    const c = create(1200)
    acknowledge(c, 0, 50)
    acknowledge(c, 10, 57)
    const before = c.window
    acknowledge(c, 20, 57)
    expect(c.window).toBe(before + 10 * 300)
    acknowledge(c, 30, 80)
    expect(c.isInSlowStart).toBe(false)
    expect(c.slowStartThreshold).toBeLessThan(Number.POSITIVE_INFINITY)
    expect(c.slowStartThreshold).toBeGreaterThanOrEqual(before + 10 * 300)
  })

  test('§4.3: only the first slow start is watched', () => {
    const c = create(1200)
    acknowledge(c, 0, 50)
    acknowledge(c, 10, 57)
    c.onCongestionEvent(100, 150)
    c.onPersistentCongestion()
    const before = c.window
    c.onPacketAcked(1200, 200, 50, 250)
    expect(c.window).toBe(before + 1200)
    acknowledge(c, 20, 500, false)
    expect(c.isInSlowStart).toBe(true)
  })
})

// What every congestion controller must do: one suite, each implementation.

import { describe, expect, test } from 'vitest'
import { Space } from '../../../src/packet/level.ts'
import { initialWindow, minimumWindow } from '../../../src/recovery/congestion/controller.ts'
import { Cubic } from '../../../src/recovery/congestion/cubic.ts'
import { NewReno } from '../../../src/recovery/congestion/new-reno.ts'
import { ack, confirmed, send } from '../support.ts'

const App = Space.Application

test('RFC 9002 §7.2: initial window', () => {
  expect(initialWindow(1200)).toBe(12_000)
  expect(initialWindow(1452)).toBe(14_520)
  expect(initialWindow(1500)).toBe(14_720)
  expect(initialWindow(9000)).toBe(18_000)
})

test('RFC 9002 §7.2: minimum window', () => {
  expect(minimumWindow(1200)).toBe(2400)
})

describe.each([
  { name: 'NewReno', create: (size: number) => new NewReno(size), beta: 0.5 },
  { name: 'CUBIC', create: (size: number) => new Cubic(size), beta: 0.7 },
])('$name', ({ create, beta }) => {
  test('RFC 9002 §B.3: begins in slow start, with an infinite threshold', () => {
    const c = create(1200)
    expect(c).toMatchObject({ window: 12_000, slowStartThreshold: Number.POSITIVE_INFINITY, isInSlowStart: true })
  })

  test('RFC 9002 §7.3.1: in slow start the window grows by what is acknowledged', () => {
    const c = create(1200)
    c.onPacketAcked(1200, 1000, 100, 1100)
    c.onPacketAcked(500, 1000, 100, 1100)
    expect(c.window).toBe(13_700)
  })

  test('RFC 9002 §7.3.2, §B.6: a loss reduces the window and ends slow start', () => {
    const c = create(1200)
    expect(c.onCongestionEvent(1000, 1100)).toBe(true)
    expect(c.window).toBeCloseTo(12_000 * beta)
    expect(c.slowStartThreshold).toBeCloseTo(12_000 * beta)
    expect(c.isInSlowStart).toBe(false)
  })

  test('RFC 9002 §7.3.2: once for all that was sent before the recovery period', () => {
    const c = create(1200)
    c.onCongestionEvent(1000, 1100)
    expect(c.onCongestionEvent(1050, 1150)).toBe(false)
    expect(c.onCongestionEvent(1100, 1160)).toBe(false)
    expect(c.window).toBeCloseTo(12_000 * beta)
    expect(c.onCongestionEvent(1101, 1200)).toBe(true)
    expect(c.window).toBeCloseTo(12_000 * beta * beta)
  })

  test('RFC 9002 §B.5: no growth in the recovery period', () => {
    const c = create(1200)
    c.onCongestionEvent(1000, 1100)
    const window = c.window
    c.onPacketAcked(1200, 1050, 100, 1150)
    c.onPacketAcked(1200, 1100, 100, 1190)
    expect(c.window).toBe(window)
    c.onPacketAcked(1200, 1101, 100, 1201)
    expect(c.window).toBeGreaterThan(window)
  })

  test('RFC 9002 §7.2: losses do not reduce the window below the minimum', () => {
    const c = create(1200)
    for (let i = 0; i < 20; i++) c.onCongestionEvent(1000 + i * 100, 1050 + i * 100)
    expect(c.window).toBe(2400)
  })

  test('RFC 9002 §7.6.2, §B.8: persistent congestion means the minimum, and slow start again', () => {
    const c = create(1200)
    for (let i = 0; i < 40; i++) c.onPacketAcked(1200, 1000, 100, 1100)
    c.onCongestionEvent(1000, 1200)
    c.onPersistentCongestion()
    expect(c).toMatchObject({ window: 2400, isInSlowStart: true })
    // congestion_recovery_start_time = 0: packets sent before may grow it again.
    c.onPacketAcked(1200, 1150, 100, 1250)
    expect(c.window).toBe(3600)
  })

  test('RFC 9002 §7.2: the initial window follows the datagram size, a used one only by its minimum', () => {
    const c = create(1200)
    c.setMaxDatagramSize(1452)
    expect(c.window).toBe(14_520)
    c.onPacketAcked(1000, 1000, 100, 1100)
    c.setMaxDatagramSize(1200)
    expect(c.window).toBe(15_520)
    for (let i = 0; i < 20; i++) c.onCongestionEvent(2000 + i * 100, 2050 + i * 100)
    c.setMaxDatagramSize(1452)
    expect(c.window).toBe(2904)
  })

  describe('with recovery', () => {
    const start = () => {
      const recovery = confirmed({ congestion: create })
      // A sample of 50 ms; far too little to fill the window.
      send(recovery, App, 900)
      recovery.onAck(App, ack([0, 0]), 0, 950)
      return recovery
    }

    test('RFC 9002 §7.8: a window that is not used does not grow', () => {
      const recovery = start()
      for (let i = 0; i < 50; i++) {
        const number = send(recovery, App, 1000 + i * 100)
        recovery.onAck(App, ack([number, number]), 0, 1050 + i * 100)
      }
      expect(recovery.congestion.window).toBe(12_000)
    })

    test('RFC 9002 §7.8: a window that was full grows, whatever is sent afterwards', () => {
      const recovery = start()
      for (let i = 1; i <= 10; i++) send(recovery, App, 1000)
      recovery.onAck(App, ack([1, 10]), 0, 1050)
      expect(recovery.congestion.window).toBe(24_000)
      send(recovery, App, 1060)
      recovery.onAck(App, ack([11, 11]), 0, 1110)
      expect(recovery.congestion.window).toBe(24_000)
    })

    test('RFC 9002 §7.8: so does one that would have been, but for pacing', () => {
      const recovery = start()
      for (let i = 1; i <= 3; i++) send(recovery, App, 1000)
      recovery.setApplicationLimited(false)
      send(recovery, App, 1010)
      recovery.setApplicationLimited(true)
      recovery.onAck(App, ack([1, 3]), 0, 1050)
      expect(recovery.congestion.window).toBe(15_600)
      recovery.onAck(App, ack([4, 4]), 0, 1060)
      expect(recovery.congestion.window).toBe(15_600)
    })

    test('RFC 9002 §B.8: losses of one round trip are one event', () => {
      const recovery = start()
      for (let i = 1; i <= 10; i++) send(recovery, App, 1000)
      recovery.onAck(App, ack([5, 5]), 0, 1050)
      const window = recovery.congestion.window
      recovery.onAck(App, ack([8, 8]), 0, 1051)
      expect(recovery.stats).toMatchObject({ congestionEvents: 1, packetsLost: 4 })
      expect(recovery.congestion.window).toBe(window)
    })

    test('RFC 9000 §9.4: losses of the path before do not touch this one', () => {
      const recovery = start()
      for (let i = 1; i <= 4; i++) send(recovery, App, 1000)
      recovery.onNewPath(undefined, 1010)
      expect(recovery.onAck(App, ack([4, 4]), 0, 1050).lost).toHaveLength(1)
      expect(recovery.congestion.window).toBe(12_000)
      expect(recovery.stats).toMatchObject({ congestionEvents: 0, packetsLost: 1 })
    })
  })
})

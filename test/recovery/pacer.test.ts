import { describe, expect, test } from 'vitest'
import { Space } from '../../src/packet/level.ts'
import { NewReno } from '../../src/recovery/congestion/new-reno.ts'
import { BURST_PACKETS, Pacer } from '../../src/recovery/pacer.ts'
import { ack, confirmed, create, send } from './support.ts'

const App = Space.Application

describe('RFC 9002 §7.7: a leaky bucket', () => {
  const drained = (rate: number, now: number) => {
    const pacer = new Pacer(1200)
    for (let i = 0; i < BURST_PACKETS; i++) {
      expect(pacer.nextSendTime(rate, now)).toBe(now)
      pacer.onPacketSent(1200, rate, now)
    }
    return pacer
  }

  test('holds a burst of ten datagrams', () => {
    expect(drained(120, 1000).nextSendTime(120, 1000)).toBe(1010)
  })

  test('fills at the rate', () => {
    const pacer = drained(120, 1000)
    expect(pacer.nextSendTime(120, 1004)).toBe(1010)
    expect(pacer.nextSendTime(120, 1010)).toBe(1010)
    pacer.onPacketSent(1200, 120, 1010)
    expect(pacer.nextSendTime(120, 1010)).toBe(1020)
  })

  test('fills no further than the burst', () => {
    const pacer = drained(120, 1000)
    for (let i = 0; i < BURST_PACKETS; i++) pacer.onPacketSent(1200, 120, 99_000)
    expect(pacer.nextSendTime(120, 99_000)).toBe(99_010)
  })

  test('never waits less than a millisecond, which timers cannot', () => {
    const pacer = drained(2400, 1000)
    expect(pacer.nextSendTime(2400, 1000)).toBe(1001)
  })

  test('a timer that is late costs nothing: fast paths have a deeper bucket', () => {
    const rate = 60_000
    const pacer = new Pacer(1200)
    let sent = 0
    for (let now = 1000; now < 2000; now += 1.8) {
      while (pacer.nextSendTime(rate, now) <= now) {
        pacer.onPacketSent(1200, rate, now)
        sent += 1200
      }
    }
    expect(sent / 1000).toBeGreaterThan(rate * 0.97)
  })

  test('probes are not held back and leave no debt', () => {
    const pacer = drained(120, 1000)
    for (let i = 0; i < 5; i++) pacer.onPacketSent(1200, 120, 1000)
    expect(pacer.nextSendTime(120, 1000)).toBe(1010)
  })

  test('a promise is kept, whatever the fractions are', () => {
    for (let i = 1; i < 500; i++) {
      const rate = 7.77 * i
      const pacer = drained(rate, 1000.1)
      const at = pacer.nextSendTime(rate, 1000.1)
      expect(pacer.nextSendTime(rate, at)).toBe(at)
    }
  })

  test('follows the datagram size, and starts anew on a new path', () => {
    const pacer = drained(120, 1000)
    pacer.setMaxDatagramSize(1440)
    expect(pacer.nextSendTime(120, 1000)).toBe(1012)
    pacer.reset()
    expect(pacer.nextSendTime(120, 1000)).toBe(1000)
  })
})

describe('RFC 9002 §7.7: rate = N * congestion_window / smoothed_rtt', () => {
  /** A window of 24,000 bytes and 100 ms, nothing in flight, and a burst sent at 2000. */
  function burst() {
    const recovery = confirmed({ congestion: size => new NewReno(size) })
    for (let i = 0; i < 10; i++) send(recovery, App, 1000)
    recovery.onAck(App, ack([0, 9]), 0, 1100)
    for (let i = 0; i < 10; i++) send(recovery, App, 2000)
    return recovery
  }

  test('N is 2 in slow start', () => {
    const recovery = burst()
    expect(recovery.canSend(2000)).toBe(false)
    expect(recovery.nextSendTime(2000)).toBeCloseTo(2000 + 1200 / ((2 * 24_000) / 100))
  })

  test('N is 1.25 in congestion avoidance', () => {
    const recovery = burst()
    for (let i = 0; i < 10; i++) send(recovery, App, 2000)
    recovery.onAck(App, ack([10, 29]), 0, 2100)
    for (let i = 0; i < 4; i++) send(recovery, App, 2200)
    // Packet 30 is lost, and half of 48,000 bytes with it.
    recovery.onAck(App, ack([31, 33]), 0, 2300)
    expect(recovery.congestion).toMatchObject({ window: 24_000, isInSlowStart: false })
    for (let i = 0; i < 10; i++) {
      expect(recovery.nextSendTime(3000)).toBe(3000)
      send(recovery, App, 3000)
    }
    expect(recovery.nextSendTime(3000)).toBeCloseTo(3000 + 1200 / ((1.25 * 24_000) / 100))
  })

  test('what the handshake took to compute does not hold up a slow start on a short path', () => {
    const recovery = confirmed({ congestion: size => new NewReno(size) })
    send(recovery, App, 1000)
    recovery.onAck(App, ack([0, 0]), 0, 1008)
    let next = 1
    for (let round = 0, now = 1010; round < 5; round++, now += 0.5) {
      const first = next
      while (recovery.canSend(now)) next = send(recovery, App, now) + 1
      // The window, and not the pacer, once there is a sample of the path alone.
      if (round > 1) expect(recovery.nextSendTime(now)).toBe(Number.POSITIVE_INFINITY)
      recovery.onAck(App, ack([first, next - 1]), 0, now + 0.5)
    }
    expect(next).toBeGreaterThan(250)
    expect(recovery.rtt.smoothed).toBeGreaterThan(3)
  })

  test('no delay at all is no reason for an infinite rate', () => {
    const recovery = confirmed()
    send(recovery, App, 1000)
    recovery.onAck(App, ack([0, 0]), 0, 1000)
    expect(recovery.rtt.smoothed).toBe(0)
    send(recovery, App, 1000)
    expect(recovery.nextSendTime(1000)).toBe(1000)
  })
})

describe('RFC 9002 §7: the window', () => {
  test('blocks where a full datagram would go beyond', () => {
    const recovery = create()
    for (let i = 0; i < 9; i++) send(recovery, Space.Initial, 1000)
    expect(recovery.canSend(1000)).toBe(true)
    send(recovery, Space.Initial, 1000, { size: 1 })
    expect(recovery.canSend(1000)).toBe(false)
    expect(recovery.nextSendTime(1000)).toBe(Number.POSITIVE_INFINITY)
  })

  test('RFC 9002 §7.5: probes may go beyond, and count', () => {
    const recovery = create()
    for (let i = 0; i < 10; i++) send(recovery, Space.Initial, 1000)
    recovery.onTimeout(1999)
    expect(recovery.canSend(1999)).toBe(false)
    expect(recovery.pendingProbes(Space.Initial)).toBe(2)
    send(recovery, Space.Initial, 1999)
    expect(recovery.bytesInFlight).toBe(13_200)
  })

  test('RFC 9002 §7.3.2: one packet may leave on entering recovery', () => {
    const recovery = confirmed({ congestion: size => new NewReno(size) })
    for (let i = 0; i < 10; i++) send(recovery, App, 1000)
    recovery.onAck(App, ack([3, 3]), 0, 1100)
    expect(recovery.bytesInFlight).toBeGreaterThan(recovery.congestion.window)
    expect(recovery.canSend(1100)).toBe(true)
    send(recovery, App, 1100)
    expect(recovery.canSend(1100)).toBe(false)
  })

  test('follows the datagram size', () => {
    const recovery = confirmed()
    recovery.setMaxDatagramSize(1452)
    expect(recovery.congestion.window).toBe(14_520)
    for (let i = 0; i < 9; i++) send(recovery, App, 1000, { size: 1452 })
    expect(recovery.canSend(1000)).toBe(true)
    send(recovery, App, 1000, { size: 100 })
    expect(recovery.canSend(1000)).toBe(false)
  })
})

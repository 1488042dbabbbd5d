import { describe, expect, test } from 'vitest'
import { Space } from '../../src/packet/level.ts'
import { ack, confirmed, create, numbers, send } from './support.ts'

const App = Space.Application

/** Confirmed, with one sample of 100 ms: packet 0, sent at 900, acknowledged at 1000. The loss delay is 112.5 ms. */
function sampled(random?: () => number) {
  const recovery = random === undefined ? confirmed() : confirmed({ random })
  send(recovery, App, 900)
  recovery.onAck(App, ack([0, 0]), 0, 1000)
  return recovery
}

describe('RFC 9002 §6.1.1: packet threshold', () => {
  test('a packet is lost when one sent three later is acknowledged', () => {
    const recovery = sampled()
    for (let i = 1; i <= 4; i++) send(recovery, App, 1000)
    expect(numbers(recovery.onAck(App, ack([3, 3]), 0, 1050).lost)).toEqual([])
    expect(numbers(recovery.onAck(App, ack([3, 4]), 0, 1051).lost)).toEqual([1])
  })

  test('all that are far enough behind are lost at once, oldest first', () => {
    const recovery = sampled()
    for (let i = 1; i <= 10; i++) send(recovery, App, 1000)
    const outcome = recovery.onAck(App, ack([9, 10], [4, 4]), 0, 1050)
    expect(numbers(outcome.acked)).toEqual([4, 9, 10])
    expect(numbers(outcome.lost)).toEqual([1, 2, 3, 5, 6, 7])
    expect(recovery.stats).toMatchObject({ packetsLost: 6, bytesLost: 7200, packetsAcked: 4 })
  })

  test('packets behind the largest acknowledged are never lost', () => {
    const recovery = sampled()
    for (let i = 1; i <= 9; i++) send(recovery, App, 1000)
    recovery.onAck(App, ack([2, 2]), 0, 1050)
    expect(numbers(recovery.onTimeout(recovery.nextTimeout()).lost)).toEqual([1])
    expect(recovery.bytesInFlight).toBe(7 * 1200)
  })

  test('RFC 9002 §A.10: a gap of our own making is no reordering', () => {
    // The first draw makes number 4 the first one to be skipped.
    const recovery = sampled(() => 3 / 512)
    for (let i = 1; i <= 3; i++) send(recovery, App, 1000)
    expect(send(recovery, App, 1000)).toBe(5)
    expect(numbers(recovery.onAck(App, ack([5, 5]), 0, 1050).lost)).toEqual([1])
    expect(recovery.bytesInFlight).toBe(2400)
  })
})

describe('RFC 9002 §6.1.2: time threshold', () => {
  test('9/8 of the RTT after it was sent, once a later one is acknowledged', () => {
    const recovery = sampled()
    send(recovery, App, 1000)
    send(recovery, App, 1010)
    recovery.onAck(App, ack([2, 2]), 0, 1110)
    expect(recovery.nextTimeout()).toBe(1112.5)
    expect(numbers(recovery.onTimeout(1112).lost)).toEqual([])
    expect(numbers(recovery.onTimeout(1112.5).lost)).toEqual([1])
    expect(recovery.nextTimeout()).toBe(Number.POSITIVE_INFINITY)
  })

  test('an acknowledgment finds it as well as the timer does', () => {
    const recovery = sampled()
    send(recovery, App, 1000)
    send(recovery, App, 1010)
    send(recovery, App, 1090)
    recovery.onAck(App, ack([2, 2]), 0, 1100)
    expect(numbers(recovery.onAck(App, ack([2, 3]), 0, 1150).lost)).toEqual([1])
  })

  test('the larger of smoothed_rtt and latest_rtt counts', () => {
    const recovery = sampled()
    send(recovery, App, 1000)
    send(recovery, App, 1000)
    recovery.onAck(App, ack([2, 2]), 0, 1180)
    expect(recovery.nextTimeout()).toBe(1000 + (9 / 8) * 180)
  })

  test('never less than kGranularity', () => {
    const recovery = confirmed()
    send(recovery, App, 1000)
    recovery.onAck(App, ack([0, 0]), 0, 1000.25)
    send(recovery, App, 1001)
    send(recovery, App, 1001)
    recovery.onAck(App, ack([2, 2]), 0, 1001.25)
    expect(recovery.nextTimeout()).toBe(1002)
  })

  test('the timer ends in a loss whatever the fractions are', () => {
    for (let i = 0; i < 200; i++) {
      const start = 1000 + i * 0.1
      const recovery = confirmed()
      send(recovery, App, start)
      recovery.onAck(App, ack([0, 0]), 0, start + 33.3 + i / 7)
      send(recovery, App, start + 100.1)
      send(recovery, App, start + 100.2)
      recovery.onAck(App, ack([2, 2]), 0, start + 110 + i / 9)
      expect(numbers(recovery.onTimeout(recovery.nextTimeout()).lost)).toEqual([1])
    }
  })

  test('RFC 9002 §A.8: the earliest of all spaces', () => {
    const recovery = create()
    for (const space of [Space.Initial, Space.Handshake])
      for (let i = 0; i < 2; i++) send(recovery, space, 1000 + space)
    recovery.onAck(Space.Handshake, ack([1, 1]), 0, 1101)
    expect(recovery.nextTimeout()).toBe(1001 + 112.5)
    recovery.onAck(Space.Initial, ack([1, 1]), 0, 1100)
    expect(recovery.nextTimeout()).toBe(1000 + 112.5)
    expect(recovery.onTimeout(1112.5).lost[0]?.space).toBe(Space.Initial)
    expect(recovery.onTimeout(1113.5).lost[0]?.space).toBe(Space.Handshake)
  })

  test('RFC 9002 §A.9: a packet whose delay grew meanwhile is waited for again', () => {
    const recovery = create()
    for (let i = 0; i < 2; i++) send(recovery, Space.Initial, 1000)
    recovery.onAck(Space.Initial, ack([1, 1]), 0, 1100)
    expect(recovery.nextTimeout()).toBe(1112.5)
    send(recovery, Space.Handshake, 1000)
    recovery.onAck(Space.Handshake, ack([0, 0]), 0, 1111)
    expect(recovery.onTimeout(1112.5).lost).toHaveLength(0)
    expect(recovery.nextTimeout()).toBe(1000 + (9 / 8) * 111)
  })
})

describe('RFC 9002 §6.1: only what is in flight', () => {
  test('ACK-only packets set no timer, and are dropped without a signal', () => {
    const recovery = sampled()
    const window = recovery.congestion.window
    send(recovery, App, 1000, { isAckEliciting: false })
    send(recovery, App, 1000)
    recovery.onAck(App, ack([2, 2]), 0, 1100)
    expect(recovery.nextTimeout()).toBe(Number.POSITIVE_INFINITY)
    for (let i = 0; i < 3; i++) send(recovery, App, 1200)
    expect(numbers(recovery.onAck(App, ack([5, 5]), 0, 1300).lost)).toEqual([1])
    expect(recovery.stats).toMatchObject({ packetsLost: 0, congestionEvents: 0 })
    expect(recovery.congestion.window).toBe(window)
  })

  test('an ACK of what is lost already changes nothing', () => {
    const recovery = sampled()
    for (let i = 1; i <= 4; i++) send(recovery, App, 1000)
    recovery.onAck(App, ack([4, 4]), 0, 1100)
    const before = recovery.bytesInFlight
    const outcome = recovery.onAck(App, ack([4, 4], [1, 1]), 0, 1101)
    expect(outcome.acked).toHaveLength(0)
    expect(outcome.lost).toHaveLength(0)
    expect(recovery.bytesInFlight).toBe(before)
  })
})

test('RFC 9002 §A.1: ACK processing applies to one space only', () => {
  const recovery = create()
  send(recovery, Space.Initial, 1000)
  send(recovery, Space.Handshake, 1000)
  const outcome = recovery.onAck(Space.Handshake, ack([0, 0]), 0, 1050)
  expect(outcome.acked.map(packet => packet.space)).toEqual([Space.Handshake])
  expect(recovery.bytesInFlight).toBe(1200)
  expect(recovery.largestAcknowledged(Space.Initial)).toBe(-1)
  expect(recovery.largestAcknowledged(Space.Handshake)).toBe(0)
})

test('RFC 9000 §13.4.2.1: ECN counts for packets never marked are not looked at', () => {
  const recovery = sampled()
  const window = recovery.congestion.window
  send(recovery, App, 1000)
  const frame = { ...ack([1, 1]), ecn: { ect0: 0, ect1: 0, ce: 1000 } }
  expect(numbers(recovery.onAck(App, frame, 0, 1100).acked)).toEqual([1])
  expect(recovery.congestion.window).toBe(window)
  expect(recovery.stats.congestionEvents).toBe(0)
})

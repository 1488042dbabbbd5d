import { describe, expect, test } from 'vitest'
import { Space } from '../../src/packet/level.ts'
import { NewReno } from '../../src/recovery/congestion/new-reno.ts'
import { isPersistentCongestion, persistentCongestionDuration } from '../../src/recovery/persistent-congestion.ts'
import type { Recovery } from '../../src/recovery/recovery.ts'
import { Rtt } from '../../src/recovery/rtt.ts'
import { SentPacket } from '../../src/recovery/sent-packets.ts'
import { ack, confirmed, create, numbers, send } from './support.ts'

const App = Space.Application

/** Lost packets from `[number, sentAt]`; a third element says that the packet was not ack-eliciting. */
function lost(...packets: [number: number, sentAt: number, isPadding?: boolean][]): SentPacket[] {
  return packets.map(([number, at, isPadding]) => new SentPacket(number, App, at, 1200, !isPadding, true, []))
}

test('RFC 9002 §7.6.1: (smoothed_rtt + max(4*rttvar, kGranularity) + max_ack_delay) * 3, in every space', () => {
  const rtt = new Rtt()
  rtt.update(100, 0, 0)
  expect(persistentCongestionDuration(rtt, 25)).toBe((100 + 200 + 25) * 3)
})

describe('RFC 9002 §7.6.2: establishing persistent congestion', () => {
  test('two lost packets further apart than the duration', () => {
    expect(isPersistentCongestion(lost([1, 1000], [2, 2001]), 0, 1000, -1)).toBe(true)
    expect(isPersistentCongestion(lost([1, 1000], [2, 2000]), 0, 1000, -1)).toBe(false)
  })

  test('not when one between them was acknowledged', () => {
    expect(isPersistentCongestion(lost([1, 1000], [3, 2001]), 0, 1000, -1)).toBe(false)
    expect(isPersistentCongestion(lost([1, 1000], [3, 2001], [4, 3002]), 0, 1000, -1)).toBe(true)
  })

  test('a number that was skipped was not acknowledged', () => {
    expect(isPersistentCongestion(lost([1, 1000], [3, 2001]), 0, 1000, 2)).toBe(true)
  })

  test('both must be ack-eliciting; others in between do no harm', () => {
    expect(isPersistentCongestion(lost([1, 1000, true], [2, 2001]), 0, 1000, -1)).toBe(false)
    expect(isPersistentCongestion(lost([1, 1000], [2, 2001, true]), 0, 1000, -1)).toBe(false)
    expect(isPersistentCongestion(lost([1, 1000], [2, 1500, true], [3, 2001]), 0, 1000, -1)).toBe(true)
  })

  test('only packets sent after the first RTT sample count', () => {
    expect(isPersistentCongestion(lost([1, 1000], [2, 2001]), 1000, 1000, -1)).toBe(false)
    expect(isPersistentCongestion(lost([1, 1000], [2, 2001]), Number.POSITIVE_INFINITY, 1000, -1)).toBe(false)
  })

  test('nothing lost, one lost', () => {
    expect(isPersistentCongestion([], 0, 1000, -1)).toBe(false)
    expect(isPersistentCongestion(lost([1, 1000]), 0, 1000, -1)).toBe(false)
  })
})

describe('RFC 9002 §7.6.2: packets of other spaces', () => {
  const { Handshake, Initial } = Space
  /** Its acknowledgment is no RTT sample, which would change the duration. */
  const silent = { isAckEliciting: false }

  /** A client whose Initial was acknowledged at 100: three PTO are 3 * (100 + 200) from then on. */
  function client() {
    const recovery = create()
    recovery.onHandshakeKeys()
    send(recovery, Initial, 0)
    recovery.onAck(Initial, ack([0, 0]), 0, 100)
    return recovery
  }

  /** The Handshake packets sent so far are lost by the acknowledgment of one more. */
  function lose(recovery: Recovery, now: number) {
    const last = send(recovery, Handshake, now)
    const { lost } = recovery.onAck(Handshake, ack([last, last]), 0, now + 100)
    return { lost: numbers(lost), periods: recovery.stats.persistentCongestions }
  }

  test('one acknowledged between those that are lost ends the period', () => {
    const recovery = client()
    send(recovery, Handshake, 1000)
    send(recovery, App, 1500, silent)
    send(recovery, Handshake, 2000)
    recovery.onAck(App, ack([0, 0]), 0, 2100)
    expect(lose(recovery, 3000)).toEqual({ lost: [0, 1], periods: 0 })
  })

  test('also when it is acknowledged before the second of them is sent', () => {
    const recovery = client()
    send(recovery, Handshake, 1000)
    send(recovery, App, 1500, silent)
    recovery.onAck(App, ack([0, 0]), 0, 1600)
    send(recovery, Handshake, 2000)
    expect(lose(recovery, 3000)).toEqual({ lost: [0, 1], periods: 0 })
  })

  test('another period begins after it', () => {
    const recovery = client()
    send(recovery, Handshake, 1000)
    send(recovery, App, 1500, silent)
    for (const at of [2000, 2500, 3500]) send(recovery, Handshake, at)
    recovery.onAck(App, ack([0, 0]), 0, 3600)
    expect(lose(recovery, 4500)).toEqual({ lost: [0, 1, 2, 3], periods: 1 })
  })

  test('one that was not acknowledged, or not sent between them, does no harm', () => {
    const recovery = client()
    send(recovery, App, 900, silent)
    send(recovery, Handshake, 1000)
    send(recovery, App, 1500, silent)
    send(recovery, Handshake, 2000)
    send(recovery, App, 2200, silent)
    recovery.onAck(App, ack([2, 2], [0, 0]), 0, 2300)
    expect(lose(recovery, 3000)).toEqual({ lost: [0, 1], periods: 1 })
  })
})

describe('RFC 9002 §7.6.3: the example, with a PTO of 1.3 s', () => {
  /** smoothed_rtt 600, rttvar 168.75, max_ack_delay 25. Packets 2 to 8 are sent from 1000 to `last`. */
  function run(last: number) {
    const recovery = confirmed({ congestion: size => new NewReno(size) })
    recovery.setMaxAckDelay(25)
    send(recovery, App, 0)
    recovery.onAck(App, ack([0, 0]), 0, 600)
    send(recovery, App, 700)
    send(recovery, App, 1000)
    recovery.onAck(App, ack([1, 1]), 0, 1300)
    for (const at of [2000, 3000, 3500, 4000, 4500, last]) send(recovery, App, at)
    send(recovery, App, 12_000)
    return { recovery, outcome: recovery.onAck(App, ack([9, 9]), 0, 12_600) }
  }

  test('packets 2 to 8 are lost, over longer than three PTOs', () => {
    const { recovery, outcome } = run(4901)
    expect(numbers(outcome.lost)).toEqual([2, 3, 4, 5, 6, 7, 8])
    // RFC 9002 §A.7: the minimum window, then the acknowledged packet in slow start.
    expect(recovery.congestion.window).toBe(2400 + 1200)
    expect(recovery.stats).toMatchObject({ persistentCongestions: 1, congestionEvents: 1 })
  })

  test('over no longer than that, it is an ordinary loss', () => {
    const { recovery, outcome } = run(4900)
    expect(outcome.lost).toHaveLength(7)
    expect(recovery.congestion.window).toBe(6000)
    expect(recovery.stats).toMatchObject({ persistentCongestions: 0, congestionEvents: 1 })
  })
})

test('RFC 9002 §5.2: min_rtt becomes the newest sample', () => {
  const recovery = confirmed()
  send(recovery, App, 0)
  recovery.onAck(App, ack([0, 0]), 0, 50)
  for (const at of [1000, 2000, 3000, 4000, 5000]) send(recovery, App, at)
  recovery.onAck(App, ack([5, 5]), 0, 5200)
  expect(recovery.stats.persistentCongestions).toBe(1)
  expect(recovery.rtt.min).toBe(200)
})

import { describe, expect, test } from 'vitest'
import { Space } from '../../src/packet/level.ts'
import { Bbr } from '../../src/recovery/congestion/bbr.ts'
import { cubic } from '../../src/recovery/congestion/cubic.ts'
import { newReno } from '../../src/recovery/congestion/new-reno.ts'
import {
  LossThresholds,
  MAX_PACKET_THRESHOLD,
  MAX_TIME_THRESHOLD,
  ORDERLY_EPOCHS,
  PACKET_THRESHOLD,
  TIME_THRESHOLD,
} from '../../src/recovery/loss-thresholds.ts'
import { LostPackets, MAX_LOST_REMEMBERED } from '../../src/recovery/lost-packets.ts'
import type { Recovery, RecoveryOptions } from '../../src/recovery/recovery.ts'
import { SentPacket } from '../../src/recovery/sent-packets.ts'
import { ack, confirmed, numbers, send } from './support.ts'

const App = Space.Application

/** A sample of 100 ms, and then packets 1 to 10, sent at 1000. */
function sending(options: Partial<RecoveryOptions> = {}): Recovery {
  const recovery = confirmed(options)
  send(recovery, App, 900)
  recovery.onAck(App, ack([0, 0]), 0, 1000)
  for (let i = 1; i <= 10; i++) send(recovery, App, 1000)
  return recovery
}

describe('RFC 9002 §6.1: a packet declared lost is acknowledged later', () => {
  test('it is reported, and counted', () => {
    const recovery = sending()
    expect(numbers(recovery.onAck(App, ack([4, 4]), 0, 1100).lost)).toEqual([1])
    const outcome = recovery.onAck(App, ack([4, 5], [1, 1]), 0, 1101)
    expect(numbers(outcome.spurious)).toEqual([1])
    expect(numbers(outcome.acked)).toEqual([5])
    // Number 2, one later, is no loss any more.
    expect(outcome.lost).toEqual([])
    expect(recovery.stats).toMatchObject({ packetsLost: 1, spuriousLosses: 1 })
  })

  test('also by an ACK of nothing else', () => {
    const recovery = sending()
    recovery.onAck(App, ack([4, 4]), 0, 1100)
    const outcome = recovery.onAck(App, ack([4, 4], [1, 1]), 0, 1101)
    expect(numbers(outcome.spurious)).toEqual([1])
    expect(outcome.acked).toEqual([])
  })

  test('once', () => {
    const recovery = sending()
    recovery.onAck(App, ack([4, 4]), 0, 1100)
    recovery.onAck(App, ack([4, 4], [1, 1]), 0, 1101)
    expect(recovery.onAck(App, ack([4, 4], [1, 1]), 0, 1102).spurious).toEqual([])
    expect(recovery.stats.spuriousLosses).toBe(1)
  })

  test('not for ever: nothing is waited for longer than persistent congestion takes', () => {
    const recovery = sending()
    recovery.onAck(App, ack([4, 4]), 0, 1100)
    expect(recovery.onAck(App, ack([4, 4], [1, 1]), 0, 9000).spurious).toEqual([])
  })

  test('ACK-only packets do not count', () => {
    const recovery = sending()
    send(recovery, App, 1000, { isAckEliciting: false })
    for (let i = 0; i < 4; i++) send(recovery, App, 1000)
    recovery.onAck(App, ack([15, 15], [1, 10]), 0, 1100)
    recovery.onAck(App, ack([15, 15], [11, 11]), 0, 1101)
    expect(recovery.stats.spuriousLosses).toBe(0)
  })

  test('RFC 9002 §6.4: nothing is left of a space that was discarded', () => {
    const lost = new LostPackets()
    lost.remember([new SentPacket(1, App, 0, 1200, true, true, [])], 100)
    lost.clear()
    expect(lost.size).toBe(0)
  })
})

describe('RFC 9002 §6.1.1: the packet threshold follows the reordering seen', () => {
  test('so that the same is no loss the next time', () => {
    const recovery = sending()
    recovery.onAck(App, ack([6, 6]), 0, 1100)
    // Overtaken by five.
    recovery.onAck(App, ack([6, 6], [1, 1]), 0, 1101)
    for (let i = 11; i <= 20; i++) send(recovery, App, 1200)
    recovery.onAck(App, ack([4, 10]), 0, 1201)
    expect(recovery.onAck(App, ack([16, 16]), 0, 1300).lost).toEqual([])
    expect(numbers(recovery.onAck(App, ack([16, 17]), 0, 1301).lost)).toEqual([11])
  })

  test('RFC 9000 §9.4: another path starts anew', () => {
    const recovery = sending()
    recovery.onAck(App, ack([6, 6]), 0, 1100)
    recovery.onAck(App, ack([6, 6], [1, 1]), 0, 1101)
    recovery.onNewPath(undefined, 1200)
    for (let i = 11; i <= 14; i++) send(recovery, App, 1200)
    expect(numbers(recovery.onAck(App, ack([14, 14]), 0, 1300).lost)).toContain(11)
  })

  test('never below the initial one, never beyond the bound', () => {
    const thresholds = new LossThresholds()
    thresholds.onSpuriousLoss(1, 0.5)
    expect(thresholds).toMatchObject({ packets: PACKET_THRESHOLD, time: TIME_THRESHOLD })
    thresholds.onSpuriousLoss(MAX_PACKET_THRESHOLD - 1, 0.5)
    expect(thresholds.packets).toBe(MAX_PACKET_THRESHOLD)
    const others = new LossThresholds()
    others.onSpuriousLoss(MAX_PACKET_THRESHOLD, 0.5)
    expect(others.packets).toBe(PACKET_THRESHOLD)
  })
})

describe('RFC 9002 §6.1.2: so does the time threshold', () => {
  test('up to two round trips', () => {
    const thresholds = new LossThresholds()
    thresholds.onSpuriousLoss(1, 1.5)
    expect(thresholds.time).toBeCloseTo(1.515)
    thresholds.onSpuriousLoss(1, 1.4)
    expect(thresholds.time).toBeCloseTo(1.515)
    thresholds.onSpuriousLoss(1, MAX_TIME_THRESHOLD + 0.1)
    expect(thresholds.time).toBeCloseTo(1.515)
  })

  test('a packet later than 9/8 of the RTT is waited for the next time', () => {
    const recovery = sending()
    recovery.onAck(App, ack([2, 3]), 0, 1100)
    expect(numbers(recovery.onTimeout(recovery.nextTimeout()).lost)).toEqual([1])
    recovery.onAck(App, ack([1, 3]), 0, 1140)
    for (let i = 11; i <= 13; i++) send(recovery, App, 2000)
    recovery.onAck(App, ack([4, 10], [2, 3]), 0, 2000)
    recovery.onAck(App, ack([12, 13]), 0, 2100)
    expect(recovery.nextTimeout() - 2000).toBeGreaterThan((9 / 8) * recovery.rtt.smoothed * 1.05)
  })
})

test('RFC 8985 §6.2: a path without spurious losses for long counts as orderly again', () => {
  const thresholds = new LossThresholds()
  thresholds.onSpuriousLoss(20, 1.5)
  for (let i = 1; i < ORDERLY_EPOCHS; i++) thresholds.onCongestionEvent()
  expect(thresholds.packets).toBe(21)
  thresholds.onCongestionEvent()
  expect(thresholds).toMatchObject({ packets: PACKET_THRESHOLD, time: TIME_THRESHOLD })
})

describe.each([
  ['CUBIC', cubic],
  ['NewReno', newReno],
])('RFC 9438 §4.9: %s forgets a congestion event without losses', (_name, congestion) => {
  test('when everything lost has arrived', () => {
    const recovery = sending({ congestion })
    const { window, slowStartThreshold } = recovery.congestion
    recovery.onAck(App, ack([6, 6]), 0, 1100)
    expect(recovery.congestion.window).toBeLessThan(window)
    recovery.onAck(App, ack([6, 6], [1, 2]), 0, 1101)
    expect(recovery.congestion.window).toBeLessThan(window)
    recovery.onAck(App, ack([6, 6], [1, 3]), 0, 1102)
    expect(recovery.congestion).toMatchObject({ window, slowStartThreshold })
    expect(recovery.stats).toMatchObject({ congestionEvents: 1, undoneCongestionEvents: 1, spuriousLosses: 3 })
  })

  test('losses found later in the same recovery period belong to it', () => {
    const recovery = sending({ congestion })
    recovery.onAck(App, ack([4, 4]), 0, 1100)
    const { window } = recovery.congestion
    // 2 and 3 now, and only 1 and 2 come.
    recovery.onAck(App, ack([6, 6], [4, 4]), 0, 1101)
    recovery.onAck(App, ack([6, 6], [4, 4], [1, 2]), 0, 1102)
    expect(recovery.congestion.window).toBe(window)
    expect(recovery.stats.undoneCongestionEvents).toBe(0)
  })

  test('but not when the window has grown beyond already', () => {
    const recovery = sending({ congestion })
    const { window } = recovery.congestion
    recovery.onAck(App, ack([4, 4]), 0, 1100)
    let sent = 10
    for (let now = 1200; recovery.congestion.window <= window; now += 100) {
      while (recovery.bytesInFlight + 1200 <= recovery.congestion.window) sent = send(recovery, App, now)
      recovery.onAck(App, ack([4, sent]), 0, now + 100)
      if (now > 100_000) break
    }
    expect(recovery.congestion.window).toBeGreaterThan(window)
    const grown = recovery.congestion.window
    recovery.congestion.onSpuriousCongestion?.()
    expect(recovery.congestion.window).toBe(grown)
  })

  test('a loss afterwards reduces it again', () => {
    const recovery = sending({ congestion })
    recovery.onAck(App, ack([4, 4]), 0, 1100)
    recovery.onAck(App, ack([4, 4], [1, 1]), 0, 1101)
    const { window } = recovery.congestion
    recovery.onAck(App, ack([9, 9], [4, 4], [1, 1]), 0, 1102)
    expect(recovery.congestion.window).toBeLessThan(window)
    expect(recovery.stats.congestionEvents).toBe(2)
  })

  test('RFC 9002 §7.6: not after persistent congestion', () => {
    const recovery = sending({ congestion })
    for (const now of [1010, 3000, 5000, 5001]) send(recovery, App, now)
    recovery.onAck(App, ack([14, 14]), 0, 5100)
    expect(recovery.stats.persistentCongestions).toBe(1)
    recovery.onAck(App, ack([1, 14]), 0, 5102)
    expect(recovery.stats.spuriousLosses).toBeGreaterThan(0)
    expect(recovery.stats.undoneCongestionEvents).toBe(0)
  })
})

test('BBR §4.6.4.4: bounds lowered by spurious losses are lifted', () => {
  const bbr = new Bbr(1200)
  expect(bbr.onCongestionEvent(1000, 1100)).toBe(true)
  expect(bbr.onCongestionEvent(1050, 1150)).toBe(false)
  bbr.onPersistentCongestion()
  expect(bbr.window).toBe(2400)
  bbr.onSpuriousCongestion()
  expect(bbr.window).toBe(12_000)
})

describe('RFC 9000 §14.4: the loss of an MTU probe', () => {
  const probing = () => {
    const recovery = sending()
    const number = recovery.nextNumber(App)
    const probe = new SentPacket(number, App, 1000, 1452, true, true, [])
    probe.isMtuProbe = true
    recovery.onPacketSent(probe)
    return { recovery, number }
  }

  test('is no congestion, and no packet lost', () => {
    const { recovery, number } = probing()
    for (let i = 0; i < 4; i++) send(recovery, App, 1010)
    const { window } = recovery.congestion
    const outcome = recovery.onAck(App, ack([number + 1, number + 4], [1, 10]), 0, 1110)
    expect(numbers(outcome.lost)).toEqual([number])
    expect(recovery.congestion.window).toBeGreaterThanOrEqual(window)
    expect(recovery.stats).toMatchObject({ packetsLost: 0, mtuProbesLost: 1, congestionEvents: 0 })
    expect(recovery.bytesInFlight).toBe(0)
  })

  test('RFC 9002 §7.6.2: nor a sign of persistent congestion', () => {
    const recovery = sending()
    recovery.onAck(App, ack([1, 10]), 0, 1100)
    for (const now of [1200, 9000]) {
      const probe = new SentPacket(recovery.nextNumber(App), App, now, 1452, true, true, [])
      probe.isMtuProbe = true
      recovery.onPacketSent(probe)
    }
    for (let i = 0; i < 3; i++) send(recovery, App, 9000)
    expect(recovery.onAck(App, ack([15, 15]), 0, 9100).lost).toHaveLength(2)
    expect(recovery.stats.persistentCongestions).toBe(0)
  })

  test('RFC 9002 §6.2.4: it is not repeated by a probe', () => {
    const recovery = confirmed()
    const probe = new SentPacket(recovery.nextNumber(App), App, 1000, 1452, true, true, [])
    probe.isMtuProbe = true
    recovery.onPacketSent(probe)
    recovery.onTimeout(recovery.nextTimeout())
    expect(recovery.pendingProbes(App)).toBe(2)
    expect(recovery.takeProbeContent(App)).toBeUndefined()
  })

  test('one that arrives late after all is reported, and counts for nothing', () => {
    const { recovery, number } = probing()
    for (let i = 0; i < 4; i++) send(recovery, App, 1010)
    recovery.onAck(App, ack([number + 1, number + 4], [1, 10]), 0, 1110)
    expect(numbers(recovery.onAck(App, ack([1, number + 4]), 0, 1111).spurious)).toEqual([number])
    expect(recovery.stats.spuriousLosses).toBe(0)
  })
})

test(`no more than ${MAX_LOST_REMEMBERED} lost packets are remembered`, () => {
  const lost = new LostPackets()
  const packet = (number: number) => new SentPacket(number, App, number, 1200, true, true, [])
  for (let i = 0; i < 1000; i++) lost.remember([packet(3 * i), packet(3 * i + 1)], i)
  expect(lost.size).toBe(MAX_LOST_REMEMBERED)
  for (let i = 0; i < 50; i++)
    lost.remember(
      Array.from({ length: 100 }, (_, k) => packet(10_000 + 100 * i + k)),
      2000 + i,
    )
  expect(lost.size).toBe(MAX_LOST_REMEMBERED)
  const found: SentPacket[] = []
  lost.takeAcknowledged([14_999, 14_990, 14_950, 14_950, 10_010, 0], found)
  expect(numbers(found)).toEqual([...Array.from({ length: 10 }, (_, i) => 14_999 - i), 14_950])
  lost.forgetBefore(2049)
  expect(lost.size).toBe(100 - 11)
  lost.remember(
    Array.from({ length: 5000 }, (_, i) => packet(20_000 + i)),
    3000,
  )
  expect(lost.size).toBe(MAX_LOST_REMEMBERED)
})

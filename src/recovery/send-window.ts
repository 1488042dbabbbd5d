// How much may be sent, and when (RFC 9002 §7): the congestion controller, the pacer, and whether the window is used.

import type { CongestionController, CongestionFactory } from './congestion/controller.ts'
import { Pacer } from './pacer.ts'
import { isPersistentCongestion, persistentCongestionDuration } from './persistent-congestion.ts'
import type { RecoveryStats } from './recovery-stats.ts'
import type { Rtt } from './rtt.ts'
import type { SentPacket } from './sent-packets.ts'

/** RFC 9002 §7.8: a window with no room for this many datagrams counts as used in full. */
const FULL_WINDOW_SLACK = 3

/** RFC 9002 §7.7: "N": variations of the RTT must not leave the window unused, and slow start doubles it meanwhile. */
const PACING_GAIN = 1.25
const SLOW_START_PACING_GAIN = 2

/** A simulated network may have no delay at all; rates stay finite. */
const SHORTEST_RTT = 0.01

export class SendWindow {
  congestion: CongestionController
  maxDatagramSize: number
  readonly #createCongestion: CongestionFactory
  readonly #rtt: Rtt
  readonly #stats: RecoveryStats
  readonly #pacer: Pacer
  /** Packets sent before concern another path (RFC 9000 §9.4): their fate says nothing about this one. */
  #since: number = Number.NEGATIVE_INFINITY
  #lastSentAt: number = Number.NEGATIVE_INFINITY
  /** The window was used in full by what was sent up to then; only the acknowledgment of that lets it grow. */
  #fullUntil: number = Number.NEGATIVE_INFINITY
  /** RFC 9002 §7.3.2: one packet may leave on entering recovery, however full the reduced window is. */
  #hasExtraPacket = false

  constructor(maxDatagramSize: number, createCongestion: CongestionFactory, rtt: Rtt, stats: RecoveryStats) {
    this.maxDatagramSize = maxDatagramSize
    this.#createCongestion = createCongestion
    this.#rtt = rtt
    this.#stats = stats
    this.congestion = createCongestion(maxDatagramSize)
    this.#pacer = new Pacer(maxDatagramSize)
  }

  /** `bytesInFlight` is what was in flight before a packet in flight of `size` bytes. */
  onPacketSent(size: number, bytesInFlight: number, now: number): void {
    this.congestion.onPacketSent(size, bytesInFlight, now)
    this.#pacer.onPacketSent(size, this.#pacingRate(), now)
    this.#hasExtraPacket = false
    this.#lastSentAt = now
    const slack = FULL_WINDOW_SLACK * this.maxDatagramSize
    if (bytesInFlight + size + slack > this.congestion.window) this.#fullUntil = now
  }

  /** RFC 9002 §B.5. */
  onPacketsAcked(acked: readonly SentPacket[], now: number): void {
    this.#stats.packetsAcked += acked.length
    for (let i = 0; i < acked.length; i++) {
      const packet = acked[i] as SentPacket
      if (!packet.isInFlight || !this.isCurrent(packet)) continue
      if (packet.sentAt > this.#fullUntil) this.congestion.onApplicationLimited(now)
      else this.congestion.onPacketAcked(packet.size, packet.sentAt, this.#rtt.smoothed, now)
    }
  }

  /** RFC 9002 §B.8. `lost` is ascending and of one space; `skipped` is the newest number that was left out there. */
  onPacketsLost(lost: readonly SentPacket[], maxAckDelay: number, skipped: number, now: number): void {
    let lastSentAt = Number.NEGATIVE_INFINITY
    for (let i = 0; i < lost.length; i++) {
      const packet = lost[i] as SentPacket
      if (!packet.isInFlight) continue
      this.#stats.packetsLost++
      this.#stats.bytesLost += packet.size
      if (this.isCurrent(packet)) lastSentAt = packet.sentAt
    }
    if (lastSentAt === Number.NEGATIVE_INFINITY) return
    if (this.congestion.onCongestionEvent(lastSentAt, now)) {
      this.#hasExtraPacket = true
      this.#stats.congestionEvents++
    }
    const duration = persistentCongestionDuration(this.#rtt, maxAckDelay)
    if (!isPersistentCongestion(lost, this.#rtt.firstSampleAt, duration, skipped)) return
    this.#stats.persistentCongestions++
    this.congestion.onPersistentCongestion()
    this.#rtt.forgetMin()
  }

  /** When a full datagram may be sent: `now`, later because of the pacer, or Infinity because of the window. */
  nextSendTime(bytesInFlight: number, now: number): number {
    if (this.#hasExtraPacket) return now
    if (bytesInFlight + this.maxDatagramSize > this.congestion.window) return Number.POSITIVE_INFINITY
    return this.#pacer.nextSendTime(this.#pacingRate(), now)
  }

  /** RFC 9002 §7.8: window or pacer stopped the sender, who had more to send. */
  onBlocked(): void {
    this.#fullUntil = this.#lastSentAt
  }

  /** True when the packet was sent on the path of now. */
  isCurrent(packet: SentPacket): boolean {
    return packet.sentAt >= this.#since
  }

  setMaxDatagramSize(size: number): void {
    this.maxDatagramSize = size
    this.congestion.setMaxDatagramSize(size)
    this.#pacer.setMaxDatagramSize(size)
  }

  /** RFC 9000 §9.4: nothing is known of the path. */
  reset(now: number): void {
    this.congestion = this.#createCongestion(this.maxDatagramSize)
    this.#pacer.reset()
    this.#since = now
    this.#lastSentAt = Number.NEGATIVE_INFINITY
    this.#fullUntil = Number.NEGATIVE_INFINITY
    this.#hasExtraPacket = false
  }

  /** RFC 9002 §7.7, in bytes per millisecond. */
  #pacingRate(): number {
    const gain = this.congestion.isInSlowStart ? SLOW_START_PACING_GAIN : PACING_GAIN
    return (gain * this.congestion.window) / Math.max(this.#rtt.smoothed, SHORTEST_RTT)
  }
}

// How much may be sent, and when (RFC 9002 §7): the congestion controller, the pacer, and whether the window is used.

import {
  type CongestionController,
  type CongestionFactory,
  isRateController,
  type RateController,
} from './congestion/controller.ts'
import { LossThresholds } from './loss-thresholds.ts'
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

/** An epoch that can no longer turn out to be spurious. */
const NEVER: number = Number.POSITIVE_INFINITY

export class SendWindow {
  congestion: CongestionController
  maxDatagramSize: number
  readonly thresholds: LossThresholds = new LossThresholds()
  readonly #createCongestion: CongestionFactory
  readonly #rtt: Rtt
  readonly #stats: RecoveryStats
  readonly #pacer: Pacer
  /** The controller, if it is one that measures rates. */
  #rate: RateController | undefined
  /** Packets sent before concern another path (RFC 9000 §9.4): their fate says nothing about this one. */
  #since: number = Number.NEGATIVE_INFINITY
  #lastSentAt: number = Number.NEGATIVE_INFINITY
  /** The window was used in full by what was sent up to then; only the acknowledgment of that lets it grow. */
  #fullUntil: number = Number.NEGATIVE_INFINITY
  /** Window or pacer stopped the sender after the last packet. */
  #isBlocked = false
  /** RFC 9002 §7.3.2: one packet may leave on entering recovery, however full the reduced window is. */
  #hasExtraPacket = false
  /** Recovery periods are numbered, and how many packets each lost and got back is counted. */
  #epoch = 0
  #epochLosses = NEVER
  #epochSpurious = 0

  constructor(maxDatagramSize: number, createCongestion: CongestionFactory, rtt: Rtt, stats: RecoveryStats) {
    this.maxDatagramSize = maxDatagramSize
    this.#createCongestion = createCongestion
    this.#rtt = rtt
    this.#stats = stats
    this.congestion = createCongestion(maxDatagramSize)
    this.#rate = isRateController(this.congestion) ? this.congestion : undefined
    this.#pacer = new Pacer(maxDatagramSize)
  }

  /** The controller wants to hear of `onAckEnd`. */
  get isRateBased(): boolean {
    return this.#rate !== undefined
  }

  /** RFC 9002 §7.7, in bytes per millisecond. */
  get pacingRate(): number {
    if (this.#rate !== undefined) return this.#rate.pacingRate
    const { window, isInSlowStart } = this.congestion
    const gain = isInSlowStart ? SLOW_START_PACING_GAIN : PACING_GAIN
    return (gain * window) / Math.max(isInSlowStart ? this.#shorterRtt : this.#rtt.smoothed, SHORTEST_RTT)
  }

  /**
   * The first samples have in them what the handshake took to compute, and the smoothed one remembers it for longer than
   * a slow start lasts: on a short path each round would wait for the pacer, and not for its ACK.
   */
  get #shorterRtt(): number {
    const { hasSample, latest, smoothed } = this.#rtt
    return hasSample ? Math.min(latest, smoothed) : smoothed
  }

  /** `bytesInFlight` is what was in flight before a packet in flight. */
  onPacketSent(packet: SentPacket, bytesInFlight: number): void {
    const { size, sentAt: now } = packet
    if (this.#rate === undefined) this.congestion.onPacketSent(size, bytesInFlight, now)
    else {
      // Who had nothing in flight, and was not held back, had nothing to say.
      if (bytesInFlight === 0 && !this.#isBlocked) this.#rate.onSendingStopped(0)
      this.#rate.onSent(packet, bytesInFlight)
    }
    this.#pacer.onPacketSent(size, this.pacingRate, now)
    this.#hasExtraPacket = false
    this.#isBlocked = false
    this.#lastSentAt = now
    const slack = FULL_WINDOW_SLACK * this.maxDatagramSize
    if (bytesInFlight + size + slack > this.congestion.window) this.#fullUntil = now
  }

  /** Application packets were newly acknowledged, up to this number. `rtt` is the sample taken, -1 for none. */
  onAck(largestAcknowledged: number, next: number, rtt: number, now: number): void {
    this.congestion.onAck?.(largestAcknowledged, next, rtt, now)
  }

  /** RFC 9002 §B.5. */
  onPacketsAcked(acked: readonly SentPacket[], now: number): void {
    this.#stats.packetsAcked += acked.length
    for (let i = 0; i < acked.length; i++) {
      const packet = acked[i] as SentPacket
      if (!packet.isInFlight || !this.isCurrent(packet)) continue
      if (this.#rate !== undefined) this.#rate.onAcked(packet, now)
      else if (packet.sentAt > this.#fullUntil) this.congestion.onApplicationLimited(now)
      else this.congestion.onPacketAcked(packet.size, packet.sentAt, this.#rtt.smoothed, now)
    }
  }

  /** Everything an ACK says was said. */
  onAckEnd(bytesInFlight: number, now: number): void {
    this.#rate?.onAckEnd(bytesInFlight, now)
  }

  /** RFC 9002 §B.8. `lost` is ascending and of one space; `skipped` is the newest number that was left out there. */
  onPacketsLost(lost: readonly SentPacket[], maxAckDelay: number, skipped: number, now: number): void {
    let count = 0
    let lastSentAt = Number.NEGATIVE_INFINITY
    for (let i = 0; i < lost.length; i++) {
      const packet = lost[i] as SentPacket
      if (!this.#isCongestionSign(packet)) continue
      count++
      lastSentAt = packet.sentAt
      if (this.#rate !== undefined) this.#rate.onLost(packet, now)
    }
    if (count === 0) return
    if (this.congestion.onCongestionEvent(lastSentAt, now)) this.#beginEpoch()
    this.#epochLosses += count
    this.#markEpoch(lost)
    const duration = persistentCongestionDuration(this.#rtt, maxAckDelay)
    if (!isPersistentCongestion(lost, this.#rtt.firstSampleAt, duration, skipped)) return
    this.#stats.persistentCongestions++
    this.#epochLosses = NEVER
    this.congestion.onPersistentCongestion()
    this.#rtt.forgetMin()
  }

  /** RFC 9002 §6.1: a packet declared lost was acknowledged, after it had been overtaken by `reordering` packets. */
  onSpuriousLoss(packet: SentPacket, reordering: number, now: number): void {
    if (!packet.isInFlight || packet.isMtuProbe) return
    this.#stats.spuriousLosses++
    if (!this.isCurrent(packet)) return
    this.thresholds.onSpuriousLoss(reordering, (now - packet.sentAt) / Math.max(this.#rtt.smoothed, this.#rtt.latest))
    if (packet.lossEpoch !== this.#epoch || ++this.#epochSpurious < this.#epochLosses) return
    // Everything that was lost since the window was reduced has arrived: nothing was congested.
    this.#epochLosses = NEVER
    this.#stats.undoneCongestionEvents++
    this.congestion.onSpuriousCongestion?.()
  }

  /** When a full datagram may be sent: `now`, later because of the pacer, or Infinity because of the window. */
  nextSendTime(bytesInFlight: number, now: number): number {
    if (this.#hasExtraPacket) return now
    if (bytesInFlight + this.maxDatagramSize > this.congestion.window) return Number.POSITIVE_INFINITY
    return this.#pacer.nextSendTime(this.pacingRate, now)
  }

  /** RFC 9002 §7.8: window or pacer stopped the sender, who had more to send. */
  onBlocked(): void {
    this.#fullUntil = this.#lastSentAt
    this.#isBlocked = true
  }

  /** The sender had no more to send. */
  onSendingStopped(bytesInFlight: number): void {
    if (this.#rate !== undefined) this.#rate.onSendingStopped(bytesInFlight)
  }

  /** True when the packet was sent on the path of now. */
  isCurrent(packet: SentPacket): boolean {
    return packet.sentAt >= this.#since && !packet.isOffPath
  }

  setMaxDatagramSize(size: number): void {
    this.maxDatagramSize = size
    this.congestion.setMaxDatagramSize(size)
    this.#pacer.setMaxDatagramSize(size)
  }

  /** RFC 9000 §9.4: nothing is known of the path. */
  reset(now: number): void {
    this.congestion = this.#createCongestion(this.maxDatagramSize)
    this.#rate = isRateController(this.congestion) ? this.congestion : undefined
    this.thresholds.reset()
    this.#pacer.reset()
    this.#since = now
    this.#lastSentAt = Number.NEGATIVE_INFINITY
    this.#fullUntil = Number.NEGATIVE_INFINITY
    this.#isBlocked = false
    this.#hasExtraPacket = false
    this.#epochLosses = NEVER
  }

  /** Counts a lost packet. RFC 9000 §14.4: the loss of an MTU probe is no sign of congestion. */
  #isCongestionSign(packet: SentPacket): boolean {
    if (!packet.isInFlight) return false
    if (packet.isMtuProbe) {
      this.#stats.mtuProbesLost++
      return false
    }
    this.#stats.packetsLost++
    this.#stats.bytesLost += packet.size
    return this.isCurrent(packet)
  }

  #beginEpoch(): void {
    this.#hasExtraPacket = true
    this.#stats.congestionEvents++
    this.thresholds.onCongestionEvent()
    this.#epoch++
    this.#epochLosses = 0
    this.#epochSpurious = 0
  }

  #markEpoch(lost: readonly SentPacket[]): void {
    for (let i = 0; i < lost.length; i++) {
      const packet = lost[i] as SentPacket
      if (packet.isInFlight && !packet.isMtuProbe && this.isCurrent(packet)) packet.lossEpoch = this.#epoch
    }
  }
}

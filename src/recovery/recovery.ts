// Loss recovery and congestion control of one connection (RFC 9002): the door of the room.

import { limits } from '../limits.ts'
import type { AckFrame } from '../packet/frames/frame.ts'
import { Space } from '../packet/level.ts'
import type { CongestionController, CongestionFactory } from './congestion/controller.ts'
import { cubic } from './congestion/cubic.ts'
import { detectLost, reordering } from './loss-detection.ts'
import { LossTimer } from './loss-timer.ts'
import { NumberSpace } from './number-space.ts'
import { persistentCongestionDuration } from './persistent-congestion.ts'
import { RecoveryStats } from './recovery-stats.ts'
import { INITIAL_RTT, Rtt } from './rtt.ts'
import { SendWindow } from './send-window.ts'
import type { SentPacket } from './sent-packets.ts'

/**
 * How many numbers may lie between the oldest packet in flight and the newest. A peer that makes us send ACKs and never
 * acknowledges anything would have the table grow; at each probe timeout what is older than this is given up.
 */
export const MAX_SENT_SPAN: number = limits.sentSpan

/** RFC 9000 §14: every path carries this much. */
const DEFAULT_DATAGRAM_SIZE = 1200

export interface RecoveryOptions {
  readonly isServer: boolean
  /** Numbers from 0 to 1, for the packet numbers to be skipped. */
  readonly random: () => number
  /** Bytes of the UDP payload; 1200 unless said otherwise. */
  readonly maxDatagramSize?: number
  /** Milliseconds; 333 unless remembered from an earlier connection. */
  readonly initialRtt?: number
  /** CUBIC unless said otherwise. */
  readonly congestion?: CongestionFactory
}

/** What an acknowledgment or a timeout decided, ascending by number. One object for all connections: read it at once. */
export interface Outcome {
  readonly acked: readonly SentPacket[]
  readonly lost: readonly SentPacket[]
  /** Declared lost earlier, and acknowledged now (RFC 9002 §6.1): what they carried need not be repeated. */
  readonly spurious: readonly SentPacket[]
}

export class Recovery {
  readonly rtt: Rtt
  readonly stats: RecoveryStats = new RecoveryStats()
  readonly #initialRtt: number
  readonly #spaces: readonly NumberSpace[]
  readonly #window: SendWindow
  readonly #timer: LossTimer

  constructor(options: RecoveryOptions) {
    this.#initialRtt = options.initialRtt ?? INITIAL_RTT
    this.rtt = new Rtt(this.#initialRtt)
    const maxDatagramSize = options.maxDatagramSize ?? DEFAULT_DATAGRAM_SIZE
    this.#window = new SendWindow(maxDatagramSize, options.congestion ?? cubic, this.rtt, this.stats)
    this.#spaces = [
      new NumberSpace(Space.Initial, options.random),
      new NumberSpace(Space.Handshake, options.random),
      new NumberSpace(Space.Application, options.random),
    ]
    this.#timer = new LossTimer(this.#spaces, this.rtt, options.isServer)
  }

  get congestion(): CongestionController {
    return this.#window.congestion
  }

  /** At what rate the pacer lets packets leave, in bytes per millisecond. */
  get pacingRate(): number {
    return this.#window.pacingRate
  }

  get bytesInFlight(): number {
    let sum = 0
    for (let i = 0; i < this.#spaces.length; i++) sum += this.#at(i).sent.bytesInFlight
    return sum
  }

  /** So many later packets acknowledged make one lost (RFC 9002 §6.1.1). */
  get packetThreshold(): number {
    return this.#window.thresholds.packets
  }

  /** How often the probe timer fired since the last acknowledgment. */
  get ptoCount(): number {
    return this.#timer.probe.count
  }

  /** RFC 9002 §A.8: clients validate servers implicitly, and learn late that they are validated themselves. */
  get hasPeerCompletedAddressValidation(): boolean {
    return this.#timer.hasPeerCompletedAddressValidation
  }

  /** The number of the next packet. Now and then one is left out, to catch optimistic ACKs (RFC 9000 §21.4). */
  nextNumber(space: Space): number {
    return this.#at(space).next
  }

  /** -1 when none. */
  largestAcknowledged(space: Space): number {
    return this.#at(space).largestAcknowledged
  }

  /** RFC 9002 §A.5. */
  onPacketSent(packet: SentPacket): void {
    const space = this.#at(packet.space)
    const bytesInFlight = this.bytesInFlight
    space.onSent(packet)
    this.stats.packetsSent++
    if (!packet.isInFlight) return
    const now = packet.sentAt
    if (!packet.isOffPath) this.#window.onPacketSent(packet, bytesInFlight)
    if (packet.isAckEliciting) {
      space.lastAckElicitingSentAt = now
      if (space.pendingProbes > 0) space.pendingProbes--
    }
    this.#timer.set(now)
  }

  /**
   * RFC 9002 §A.7. `ackDelay`, and what the ACK `waited` for its keys, are in milliseconds. An ACK of a packet never sent
   * is a PROTOCOL_VIOLATION.
   */
  onAck(spaceId: Space, frame: AckFrame, ackDelay: number, now: number, waited = 0): Outcome {
    clearOutcome()
    const space = this.#at(spaceId)
    space.check(frame, now, waited)
    if (frame.largestAcknowledged > space.largestAcknowledged) space.largestAcknowledged = frame.largestAcknowledged
    if (space.lost.size > 0) this.#findSpuriousLosses(space, frame, now)
    space.sent.takeAcknowledged(frame.ranges, acked)
    if (acked.length === 0) return outcome
    const hasSample = this.#sampleRtt(frame.largestAcknowledged, ackDelay, waited, now)
    for (let i = 0; i < this.#spaces.length; i++) if (i !== spaceId) this.#at(i).onAckedElsewhere(acked)
    // RFC 9000 §13.4.2.1: we never mark packets, so ECN counts in an ACK are somebody's mistake, and not looked at.
    this.#detectLost(space, now)
    if (spaceId === Space.Application) {
      this.#window.onAck(frame.largestAcknowledged, space.next, hasSample ? this.rtt.latest : -1, now)
    }
    this.#window.onPacketsAcked(acked, now)
    if (this.#window.isRateBased) this.#window.onAckEnd(this.bytesInFlight, now)
    this.#timer.onAcknowledged(space)
    this.#timer.set(now)
    return outcome
  }

  /** RFC 9002 §A.9. Does nothing before `nextTimeout()`. Look at `pendingProbes` of each space afterwards. */
  onTimeout(now: number): Outcome {
    clearOutcome()
    if (now < this.#timer.at) return outcome
    const space = this.#timer.earliestLoss()
    if (space !== undefined) this.#detectLost(space, now)
    else this.#onProbeTimeout(now)
    this.#timer.set(now)
    return outcome
  }

  /** RFC 9002 §A.8. Infinity when there is nothing to wait for. Pacing has its own: `nextSendTime`. */
  nextTimeout(): number {
    return this.#timer.at
  }

  /** How many ack-eliciting packets should leave in this space now, whatever the window and the pacer say. */
  pendingProbes(space: Space): number {
    return this.#at(space).pendingProbes
  }

  /**
   * RFC 9002 §6.2.4: the oldest packet in flight that no probe repeated yet; undefined when there is none, or it is larger
   * than `room`, bytes. Its frames may be given to their owners' `onLost`, so that they are due again, while the packet
   * itself stays in flight.
   */
  takeProbeContent(space: Space, room: number = Number.POSITIVE_INFINITY): SentPacket | undefined {
    const sent = this.#at(space).sent
    for (let n = sent.first; n !== -1; n = sent.next(n)) {
      const packet = sent.get(n) as SentPacket
      if (packet.isProbed || packet.isMtuProbe || !packet.isAckEliciting) continue
      if (packet.size > room) return undefined
      packet.isProbed = true
      return packet
    }
    return undefined
  }

  /** The probe timeout of a space without backoff (RFC 9002 §6.2.1): the measure of many other times. */
  probePeriod(space: Space): number {
    return this.#timer.probe.period(space, this.rtt)
  }

  /** Window and pacer leave room for a full datagram. Neither holds for ACK-only packets and probes. */
  canSend(now: number): boolean {
    return this.nextSendTime(now) <= now
  }

  /** When a full datagram may be sent: `now`, later because of the pacer, or Infinity because of the window. */
  nextSendTime(now: number): number {
    return this.#window.nextSendTime(this.bytesInFlight, now)
  }

  /**
   * RFC 9002 §7.8: said when sending stops. False, that window or pacer stopped it: then the window counts as used in
   * full. True, that there was no more to send: then only a window that is nearly full by itself does, and rates
   * measured meanwhile are not those of the path.
   */
  setApplicationLimited(isLimited: boolean): void {
    if (isLimited) this.#window.onSendingStopped(this.bytesInFlight)
    else this.#window.onBlocked()
  }

  /** RFC 9002 §A.11, §6.4: the keys of Initial or Handshake are gone, and no acknowledgment can come any more. */
  discardSpace(space: Space, now: number): void {
    if (space === Space.Application) throw new RangeError('the application space is never discarded')
    this.#at(space).discard()
    this.#timer.probe.count = 0
    this.#timer.set(now)
  }

  /** RFC 9002 §6.4: 0-RTT was rejected. What was in flight is `lost`, but tells nothing about the network. */
  onEarlyRejected(now: number): Outcome {
    clearOutcome()
    const sent = this.#at(Space.Application).sent
    for (let n = sent.first; n !== -1; n = sent.next(n)) {
      if ((sent.get(n) as SentPacket).isEarly) lost.push(sent.remove(n) as SentPacket)
    }
    this.#timer.set(now)
    return outcome
  }

  /**
   * RFC 9002 §6.3: everything starts anew but the packet numbers (RFC 9000 §17.2.5.3). Whatever was in flight, 0-RTT
   * included, is `lost` without a congestion signal.
   */
  onRetry(now: number): Outcome {
    clearOutcome()
    for (let i = 0; i < this.#spaces.length; i++) {
      const space = this.#at(i)
      space.sent.takeAll(lost)
      space.discard()
    }
    // The time to a Retry is a fair guess of the RTT, if it is clear which Initial it answers.
    const first = lost[0]
    const isClear = first !== undefined && this.#timer.probe.count === 0 && now > first.sentAt
    this.#timer.probe.count = 0
    this.onNewPath(isClear ? now - first.sentAt : this.#initialRtt, now)
    return outcome
  }

  /** RFC 9000 §9.4: the peer is reached on another path now, of which nothing is known but perhaps a first RTT. */
  onNewPath(initialRtt: number | undefined, now: number): void {
    for (let i = 0; i < this.#spaces.length; i++) this.#at(i).sent.onNewPath(this.#at(i).next)
    this.#window.reset(now)
    this.rtt.reset(initialRtt ?? INITIAL_RTT)
    this.#timer.set(now)
  }

  onHandshakeKeys(): void {
    this.#timer.probe.hasHandshakeKeys = true
  }

  /** RFC 9001 §4.1.2. From now on application packets have a probe timeout. */
  onHandshakeConfirmed(now: number): void {
    this.#timer.probe.isHandshakeConfirmed = true
    this.#timer.set(now)
  }

  /** The peer's max_ack_delay. */
  setMaxAckDelay(delay: number): void {
    this.#timer.probe.maxAckDelay = delay
  }

  /** RFC 9002 §6.2.2.1: a server that may not send waits for nothing. If `nextTimeout()` is past afterwards, it fired. */
  setAmplificationLimited(isLimited: boolean, now: number): void {
    if (isLimited === this.#timer.isAmplificationLimited) return
    this.#timer.isAmplificationLimited = isLimited
    this.#timer.set(now)
  }

  /** RFC 9000 §14. */
  setMaxDatagramSize(size: number): void {
    this.#window.setMaxDatagramSize(size)
  }

  #detectLost(space: NumberSpace, now: number): void {
    detectLost(space, this.rtt, this.#window.thresholds, now, lost)
    this.#onLost(space, now)
  }

  #onLost(space: NumberSpace, now: number): void {
    if (lost.length === 0) return
    this.#window.onPacketsLost(lost, this.#timer.probe.maxAckDelay, space.lastSkipped, now)
    space.lost.remember(lost, now)
  }

  #findSpuriousLosses(space: NumberSpace, frame: AckFrame, now: number): void {
    space.lost.forgetBefore(now - persistentCongestionDuration(this.rtt, this.#timer.probe.maxAckDelay))
    space.lost.takeAcknowledged(frame.ranges, spurious)
    for (let i = 0; i < spurious.length; i++) {
      const packet = spurious[i] as SentPacket
      this.#window.onSpuriousLoss(packet, reordering(space, packet.number), now)
    }
  }

  /** RFC 9002 §5.1, §5.3: a sample needs the largest acknowledged to be new, and something ack-eliciting among the new. */
  #sampleRtt(largestAcknowledged: number, ackDelay: number, waited: number, now: number): boolean {
    const largest = acked[acked.length - 1] as SentPacket
    if (largest.number !== largestAcknowledged || !this.#window.isCurrent(largest) || !hasAckEliciting(acked))
      return false
    // RFC 9002 §5.3: during the handshake peers may take longer than they promise.
    const isLimited = this.#timer.probe.isHandshakeConfirmed
    const delay = isLimited ? Math.min(ackDelay, this.#timer.probe.maxAckDelay) : ackDelay
    this.rtt.update(now - waited - largest.sentAt, delay, now)
    return true
  }

  #onProbeTimeout(now: number): void {
    this.stats.probeTimeouts++
    const space = this.#at(Space.Application)
    while (space.sent.span > MAX_SENT_SPAN) {
      const oldest = space.sent.remove(space.sent.first) as SentPacket
      oldest.lostBy = 'pto_expired'
      lost.push(oldest)
    }
    this.#onLost(space, now)
    this.#timer.requestProbes(now)
  }

  #at(space: number): NumberSpace {
    return this.#spaces[space] as NumberSpace
  }
}

/** By `pop`, and not by setting the length: the array keeps its memory. */
function empty(packets: SentPacket[]): void {
  while (packets.length > 0) packets.pop()
}

// Filled by every call that returns an outcome; a connection at rest would keep its last one for ever.
const acked: SentPacket[] = []
const lost: SentPacket[] = []
const spurious: SentPacket[] = []
const outcome: Outcome = { acked, lost, spurious }

function clearOutcome(): void {
  empty(acked)
  empty(lost)
  empty(spurious)
}

function hasAckEliciting(packets: readonly SentPacket[]): boolean {
  for (let i = 0; i < packets.length; i++) if ((packets[i] as SentPacket).isAckEliciting) return true
  return false
}

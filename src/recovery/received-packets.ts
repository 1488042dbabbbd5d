// Packets received in one packet number space: duplicates, and when to acknowledge what (RFC 9000 §13.2).

import { RangeSet } from '../bytes/range-set.ts'
import { limits } from '../limits.ts'
import { writeAck } from '../packet/frames/ack.ts'
import { SIGNAL_FRAME_SIZE, writePing } from '../packet/frames/signal.ts'
import { Space } from '../packet/level.ts'
import type { FrameOwner, PacketWriter } from '../packet/packet-writer.ts'
import { SentFrame, SentKind } from '../packet/sent-frame.ts'
import { AckFrequency, FIRST_THRESHOLD } from './ack-frequency.ts'

/**
 * RFC 9000 §13.2.3: how many ranges are remembered and sent. Beyond, the oldest is dropped, and whatever still arrives
 * below it counts as a duplicate.
 */
export const MAX_ACK_RANGES: number = limits.ackRanges

/** RFC 9000 §13.2.2: so many ack-eliciting packets are acknowledged at once, at first. */
export const ACK_THRESHOLD: number = FIRST_THRESHOLD

/** RFC 9000 §13.2.4: after so many ACK frames of which none was acknowledged, a PING asks for an acknowledgment. */
export const ACKS_PER_PING = 32

/** RFC 9000 §18.2. */
const DEFAULT_ACK_DELAY_EXPONENT = 3

export interface ReceivedPacketsOptions {
  /** What we announced as max_ack_delay; 25 ms unless said otherwise. No acknowledgment is due later. */
  readonly maxAckDelay?: number
  /** What we announced as ack_delay_exponent; 3 unless said otherwise. */
  readonly ackDelayExponent?: number
}

export class ReceivedPackets implements FrameOwner {
  /** When an ACK must leave: in the past when at once, Infinity when there is nothing to say. */
  ackDeadline: number = Number.POSITIVE_INFINITY
  /** The largest number received, kept even when its range is dropped (RFC 9000 §13.2.3); -1 before the first. */
  largest = -1
  /** How often to acknowledge. Its `rtt` is to be kept up to date; the rest looks after itself. */
  readonly frequency: AckFrequency
  readonly #space: Space
  readonly #ackDelayUnit: number
  readonly #ranges = new RangeSet()
  /** Every number below counts as received. */
  #floor = 0
  #largestReceivedAt = 0
  #largestAckEliciting = -1
  /** Largest Acknowledged of the last ACK frame; -1 before the first. */
  #largestReported = -1
  /** The ACK is due because of its delay, and not because of what was received. */
  #isTimed = false
  /** Ack-eliciting packets since the last ACK frame. */
  #unacknowledged = 0
  /** The peer may not know of what it was told. */
  #isUncertain = false
  /** ACK frames since one was acknowledged, or since the last PING. */
  #unansweredAcks = 0

  constructor(space: Space, options: ReceivedPacketsOptions = {}) {
    this.#space = space
    this.frequency = new AckFrequency(options.maxAckDelay)
    // Before the handshake is over the peer cannot know another exponent than the default.
    const exponent = space === Space.Application ? options.ackDelayExponent : undefined
    this.#ackDelayUnit = 2 ** (exponent ?? DEFAULT_ACK_DELAY_EXPONENT) / 1000
  }

  /** True when ack-eliciting packets wait for an ACK, due or not: worth adding to a packet that is sent anyway. */
  get hasUnacknowledged(): boolean {
    return this.#unacknowledged > 0 || this.#isUncertain
  }

  /** RFC 9000 §12.3: true when the packet was processed before, or is too old to tell. */
  isDuplicate(number: number): boolean {
    return number < this.#floor || this.#ranges.contains(number)
  }

  /** RFC 9000 §13.1: to be called once all frames of the packet were processed. Not for duplicates. */
  onReceived(number: number, isAckEliciting: boolean, now: number): void {
    this.#ranges.add(number, number + 1)
    if (this.#ranges.count > MAX_ACK_RANGES) this.#dropOldestRange()
    if (number > this.largest) {
      this.largest = number
      this.#largestReceivedAt = now
    }
    if (!isAckEliciting) return
    this.#unacknowledged++
    this.frequency.onAckEliciting()
    const isUrgent = this.#isUrgent(number)
    if (number > this.#largestAckEliciting) this.#largestAckEliciting = number
    if (isUrgent) this.requestAck(now)
    else if (this.ackDeadline === Number.POSITIVE_INFINITY) {
      this.ackDeadline = now + this.frequency.delay
      this.#isTimed = true
    }
  }

  /** AF §5: an IMMEDIATE_ACK frame was received. */
  requestAck(now: number): void {
    if (now < this.ackDeadline) this.ackDeadline = now
    this.#isTimed = false
  }

  isAckDue(now: number): boolean {
    return now >= this.ackDeadline
  }

  /**
   * Writes an ACK frame when one is due, or when ack-eliciting packets wait for one and the packet is sent anyway: it
   * carries something already, or `isSentAnyway` says that it will.
   */
  write(packet: PacketWriter, now: number, isSentAnyway: boolean = packet.frames.length > 0): void {
    if (!this.isAckDue(now) && !(isSentAnyway && this.hasUnacknowledged)) return
    const ranges = this.#ranges
    if (!ranges.isEmpty) {
      const delay = Math.max(now - this.#largestReceivedAt, 0)
      if (!writeAck(packet, ranges, Math.floor(delay / this.#ackDelayUnit), MAX_ACK_RANGES)) return
      packet.record(new SentFrame(SentKind.Ack, 0, ranges.max), false)
      this.#unansweredAcks++
      this.#largestReported = ranges.max
    }
    this.frequency.onAckSent(this.#unacknowledged, this.#isTimed && this.isAckDue(now))
    this.#unacknowledged = 0
    this.#isUncertain = false
    this.ackDeadline = Number.POSITIVE_INFINITY
    this.#maybePing(packet, isSentAnyway)
  }

  /** RFC 9000 §13.2.4: what the peer knows that we received need not be said again. */
  onAcked(frame: SentFrame): void {
    this.#unansweredAcks = 0
    const floor = frame.offset + 1
    if (floor <= this.#floor) return
    this.#floor = floor
    this.#ranges.removeBelow(floor)
  }

  /** A lost ACK has no packet of its own again: the next one that is sent says the same and more. */
  onLost(): void {
    this.repeat()
  }

  /** RFC 9000 §13.2.1: what was told and may not have been heard goes into the next packet that is sent anyway. */
  repeat(): void {
    this.#isUncertain = !this.#ranges.isEmpty
  }

  /** RFC 9000 §13.2.1: whether the peer should hear of this packet at once. */
  #isUrgent(number: number): boolean {
    if (this.#space !== Space.Application || this.#unacknowledged >= this.frequency.threshold) return true
    // AF §6: every range is to be sent once at least before it is dropped.
    if (this.#ranges.count >= MAX_ACK_RANGES) return true
    const threshold = this.frequency.reorderingThreshold
    if (threshold === 0) return false
    if (threshold > 1) return this.#isBeyondReordering(number, threshold)
    return number < this.#largestAckEliciting || this.#hasGapBefore(number)
  }

  /** AF §6.2: a packet the peer gave up, or one that lets it give up another. */
  #isBeyondReordering(number: number, threshold: number): boolean {
    const reported = this.#largestReported - threshold
    if (number <= reported) return true
    const largest = Math.max(number, this.#largestAckEliciting)
    return largest - this.#firstMissing(Math.max(reported + 1, this.#floor)) >= threshold
  }

  /** The smallest number from `from` on that was not received. */
  #firstMissing(from: number): number {
    const ranges = this.#ranges
    let missing = from
    for (let i = 0; i < ranges.count && ranges.start(i) <= missing; i++) missing = Math.max(missing, ranges.end(i))
    return missing
  }

  /** True when packets are missing between the largest ack-eliciting one so far and this one, which is larger. */
  #hasGapBefore(number: number): boolean {
    const ranges = this.#ranges
    let i = ranges.count - 1
    while (i >= 0 && ranges.start(i) > number) i--
    // Everything below the floor counts as received, here as elsewhere.
    return i >= 0 && ranges.start(i) > Math.max(this.#largestAckEliciting + 1, this.#floor)
  }

  #dropOldestRange(): void {
    this.#floor = this.#ranges.end(0)
    this.#ranges.shift()
  }

  /** One who only receives sends nothing but ACKs, which are not acknowledged; now and then he asks for it. */
  #maybePing(packet: PacketWriter, isSentAnyway: boolean): void {
    if (this.#unansweredAcks < ACKS_PER_PING || isSentAnyway || packet.isAckEliciting) return
    if (packet.remaining < SIGNAL_FRAME_SIZE) return
    writePing(packet)
    packet.record(new SentFrame(SentKind.Ping))
    this.#unansweredAcks = 0
  }
}

// Packets received in one packet number space: duplicates, and when to acknowledge what (RFC 9000 §13.2).

import { RangeSet } from '../bytes/range-set.ts'
import { writeAck } from '../packet/frames/ack.ts'
import { SIGNAL_FRAME_SIZE, writePing } from '../packet/frames/signal.ts'
import { Space } from '../packet/level.ts'
import type { FrameOwner, PacketWriter } from '../packet/packet-writer.ts'
import { SentFrame, SentKind } from '../packet/sent-frame.ts'

/**
 * RFC 9000 §13.2.3: how many ranges are remembered and sent. Beyond, the oldest is dropped, and whatever still arrives
 * below it counts as a duplicate.
 */
export const MAX_ACK_RANGES = 32

/** RFC 9000 §13.2.2: so many ack-eliciting packets are acknowledged at once. */
export const ACK_THRESHOLD = 2

/** RFC 9000 §13.2.4: after so many ACK frames of which none was acknowledged, a PING asks for an acknowledgment. */
export const ACKS_PER_PING = 32

/** RFC 9000 §18.2. */
const DEFAULT_MAX_ACK_DELAY = 25
const DEFAULT_ACK_DELAY_EXPONENT = 3

export interface ReceivedPacketsOptions {
  /** What we announced as max_ack_delay; 25 ms unless said otherwise. Acknowledgments are due exactly that late. */
  readonly maxAckDelay?: number
  /** What we announced as ack_delay_exponent; 3 unless said otherwise. */
  readonly ackDelayExponent?: number
}

export class ReceivedPackets implements FrameOwner {
  /** When an ACK must leave: in the past when at once, Infinity when there is nothing to say. */
  ackDeadline: number = Number.POSITIVE_INFINITY
  /** The largest number received, kept even when its range is dropped (RFC 9000 §13.2.3); -1 before the first. */
  largest = -1
  readonly #space: Space
  readonly #maxAckDelay: number
  readonly #ackDelayUnit: number
  readonly #ranges = new RangeSet()
  /** Every number below counts as received. */
  #floor = 0
  #largestReceivedAt = 0
  #largestAckEliciting = -1
  /** Ack-eliciting packets since the last ACK frame. */
  #unacknowledged = 0
  /** ACK frames since one was acknowledged, or since the last PING. */
  #unansweredAcks = 0

  constructor(space: Space, options: ReceivedPacketsOptions = {}) {
    this.#space = space
    this.#maxAckDelay = options.maxAckDelay ?? DEFAULT_MAX_ACK_DELAY
    // Before the handshake is over the peer cannot know another exponent than the default.
    const exponent = space === Space.Application ? options.ackDelayExponent : undefined
    this.#ackDelayUnit = 2 ** (exponent ?? DEFAULT_ACK_DELAY_EXPONENT) / 1000
  }

  /** True when ack-eliciting packets wait for an ACK, due or not: worth adding to a packet that is sent anyway. */
  get hasUnacknowledged(): boolean {
    return this.#unacknowledged > 0
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
    const isUrgent = this.#isUrgent(number)
    if (number > this.#largestAckEliciting) this.#largestAckEliciting = number
    const deadline = isUrgent ? now : now + this.#maxAckDelay
    if (deadline < this.ackDeadline) this.ackDeadline = deadline
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
    }
    this.#unacknowledged = 0
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

  /** A lost ACK is not repeated: the next one says the same and more. */
  onLost(): void {}

  /** RFC 9000 §13.2.1: whether the peer should hear of this packet at once. */
  #isUrgent(number: number): boolean {
    if (this.#space !== Space.Application || this.#unacknowledged >= ACK_THRESHOLD) return true
    if (number < this.#largestAckEliciting) return true
    return this.#hasGapBefore(number)
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

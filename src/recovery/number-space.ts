// The sending side of one packet number space (RFC 9000 §12.3, §21.4): its numbers, and what is known of their fate.

import { limits } from '../limits.ts'
import type { AckFrame } from '../packet/frames/frame.ts'
import { FrameType } from '../packet/frames/frame.ts'
import { Space } from '../packet/level.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import { LostPackets } from './lost-packets.ts'
import { type SentPacket, SentPackets } from './sent-packets.ts'

/** How many skipped numbers are remembered; an ACK of an older one goes unnoticed. */
export const MAX_SKIPPED_NUMBERS: number = limits.skippedNumbers

/** Numbers are skipped about this often at first ... */
export const FIRST_SKIP_PERIOD = 256

/** ... and half as often each time, down to once in this many. */
export const LAST_SKIP_PERIOD = 131072

export class NumberSpace {
  readonly space: Space
  readonly sent: SentPackets = new SentPackets()
  readonly lost: LostPackets = new LostPackets()
  /** The number of the next packet. */
  next = 0
  /** -1: none. */
  largestAcknowledged = -1
  lastAckElicitingSentAt: number = Number.NEGATIVE_INFINITY
  /** When the next packet is lost by the time threshold; Infinity when none waits for that. */
  lossTime: number = Number.POSITIVE_INFINITY
  /** Ack-eliciting packets to be sent whatever the window says. */
  pendingProbes = 0
  /** Of the next packet: see `SentPacket`. */
  #isAfterAcknowledged = false
  /** Skipped numbers, ascending. */
  readonly #skipped: number[] = []
  readonly #random: () => number
  #skipPeriod = FIRST_SKIP_PERIOD
  #skipAt: number

  /** `random` gives numbers from 0 to 1. Handshakes are short: only application numbers are skipped. */
  constructor(space: Space, random: () => number) {
    this.space = space
    this.#random = random
    this.#skipAt = space === Space.Application ? this.#drawSkip() : Number.POSITIVE_INFINITY
  }

  /** The newest number that was skipped; -1 when none was. */
  get lastSkipped(): number {
    return this.#skipped.length === 0 ? -1 : (this.#skipped[this.#skipped.length - 1] as number)
  }

  onSent(packet: SentPacket): void {
    packet.isAfterAcknowledged = this.#isAfterAcknowledged
    this.#isAfterAcknowledged = false
    this.sent.add(packet)
    this.advance(packet.number)
  }

  /**
   * RFC 9002 §7.6.2: these of another space (ascending) were acknowledged. They part what was sent here before them from
   * what was sent after. Only in a handshake is there anything to look through.
   */
  onAckedElsewhere(acked: readonly SentPacket[]): void {
    let number = this.sent.first
    for (let i = 0; i < acked.length; i++) {
      const { sentAt } = acked[i] as SentPacket
      while (number !== -1 && (this.sent.get(number) as SentPacket).sentAt <= sentAt) number = this.sent.next(number)
      if (number === -1) break
      ;(this.sent.get(number) as SentPacket).isAfterAcknowledged = true
    }
    this.#isAfterAcknowledged ||= number === -1
  }

  /** The packet with number `number` was sent. */
  advance(number: number): void {
    this.next = number + 1
    if (this.next < this.#skipAt) return
    this.#skipped.push(this.next)
    if (this.#skipped.length > MAX_SKIPPED_NUMBERS) this.#skipped.shift()
    this.next++
    this.#skipPeriod = Math.min(2 * this.#skipPeriod, LAST_SKIP_PERIOD)
    this.#skipAt = this.#drawSkip()
  }

  /**
   * RFC 9000 §13.1, §21.4: an acknowledgment of what was never sent, or not yet when it came to wait for its keys, is an
   * attack, or a fault as bad as one.
   */
  check(frame: AckFrame, now: number, waited: number): void {
    const sentAt = this.sent.get(frame.largestAcknowledged)?.sentAt ?? Number.NEGATIVE_INFINITY
    if (frame.largestAcknowledged >= this.next || now - sentAt < waited) {
      throw new TransportError(ErrorCode.ProtocolViolation, 'acknowledged a packet that was not sent', FrameType.Ack)
    }
    const ranges = frame.ranges
    let range = 0
    for (let i = this.#skipped.length - 1; i >= 0; i--) {
      const number = this.#skipped[i] as number
      while (range < ranges.length && (ranges[range + 1] as number) > number) range += 2
      if (range >= ranges.length) return
      if ((ranges[range] as number) >= number) {
        throw new TransportError(ErrorCode.ProtocolViolation, 'acknowledged a number that was skipped', FrameType.Ack)
      }
    }
  }

  /** RFC 9002 §A.11. */
  discard(): void {
    this.sent.clear()
    this.lost.clear()
    this.lastAckElicitingSentAt = Number.NEGATIVE_INFINITY
    this.lossTime = Number.POSITIVE_INFINITY
    this.pendingProbes = 0
  }

  #drawSkip(): number {
    return this.next + 1 + Math.floor(this.#random() * 2 * this.#skipPeriod)
  }
}

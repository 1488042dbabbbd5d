// Packets sent and neither acknowledged nor lost yet (RFC 9002 §A.1), of one packet number space.

import { Ring } from '../bytes/ring.ts'
import { limits } from '../limits.ts'
import type { Space } from '../packet/level.ts'
import type { SentFrame } from '../packet/sent-frame.ts'
import type { SendSnapshot } from './send-snapshot.ts'

/**
 * How many packets that carry nothing but ACK frames are remembered. A peer that is only sending may never
 * acknowledge them (RFC 9000 §13.2.1), so the oldest are forgotten; nothing waits for them.
 */
export const MAX_ACK_ONLY_PACKETS: number = limits.ackOnlyPackets

/** RFC 9002 §6.1: overtaken by too many, or for too long; or given up at a probe timeout. */
export type LossCause = 'reordering_threshold' | 'time_threshold' | 'pto_expired'

export class SentPacket {
  readonly number: number
  readonly space: Space
  readonly sentAt: number
  /** Bytes of the packet: header and tag included, UDP and IP not. */
  readonly size: number
  readonly isAckEliciting: boolean
  /** RFC 9002 §2: counts against the window, because it is ack-eliciting or carries PADDING. */
  readonly isInFlight: boolean
  /** What to tell the owners when the packet's fate is known. Recovery does not read it. */
  readonly frames: readonly SentFrame[]
  /** Sent under 0-RTT keys: removed when the server rejects early data. */
  readonly isEarly: boolean
  /** Its frames were handed out already to be repeated in a probe. */
  isProbed = false
  /** RFC 9000 §14.4: larger than what is known to get through. To be set before it is handed to recovery. */
  isMtuProbe = false
  /** RFC 9000 §9.4: it went by another path, and says nothing of this one. The same. */
  isOffPath = false
  /** RFC 9002 §7.6.2: one of another space, sent between the one before in this space and this, was acknowledged. */
  isAfterAcknowledged = false
  /** How it was declared lost; undefined when it was not. */
  lostBy: LossCause | undefined = undefined
  /** The congestion epoch in which it was declared lost; -1 when it was not, or its loss is no sign of congestion. */
  lossEpoch = -1
  /** For controllers that measure the rate of delivery: how far that was when the packet left. */
  snapshot: SendSnapshot | undefined = undefined

  constructor(
    number: number,
    space: Space,
    sentAt: number,
    size: number,
    isAckEliciting: boolean,
    isInFlight: boolean,
    frames: readonly SentFrame[],
    isEarly = false,
  ) {
    this.number = number
    this.space = space
    this.sentAt = sentAt
    this.size = size
    this.isAckEliciting = isAckEliciting
    this.isInFlight = isInFlight
    this.frames = frames
    this.isEarly = isEarly
  }
}

export class SentPackets {
  /** Bytes of the packets in flight on the path of now (RFC 9000 §9.4). */
  bytesInFlight = 0
  /** How many ack-eliciting packets are in flight. */
  ackElicitingInFlight = 0
  readonly #ring = new Ring<SentPacket>()
  #ackOnly = 0
  /** No ACK-only packet has a number below this one: where to look for the oldest. */
  #oldestAckOnly = 0
  /** Packets below this number took the path of before. */
  #onPathFrom = 0

  get size(): number {
    return this.#ring.size
  }

  /** How many numbers lie between the oldest and the newest packet, both included. */
  get span(): number {
    return this.#ring.span
  }

  /** The oldest number; -1 when empty. `next` goes on from there. */
  get first(): number {
    return this.#ring.first
  }

  /** The next number above `number`; -1 when there is none. */
  next(number: number): number {
    return this.#ring.next(number)
  }

  get(number: number): SentPacket | undefined {
    return this.#ring.get(number)
  }

  add(packet: SentPacket): void {
    this.#ring.push(packet.number, packet)
    if (packet.isInFlight) {
      if (this.#counts(packet)) this.bytesInFlight += packet.size
      if (packet.isAckEliciting) this.ackElicitingInFlight++
    } else if (++this.#ackOnly > MAX_ACK_ONLY_PACKETS) this.#forgetAckOnly()
  }

  remove(number: number): SentPacket | undefined {
    const packet = this.#ring.delete(number)
    if (packet === undefined) return undefined
    if (packet.isInFlight) {
      if (this.#counts(packet)) this.bytesInFlight -= packet.size
      if (packet.isAckEliciting) this.ackElicitingInFlight--
    } else this.#ackOnly--
    return packet
  }

  /**
   * Removes what the ranges of an ACK frame cover (flat, descending, inclusive pairs) and appends it to `into` in
   * ascending order. Ranges are cut to the packets there are, so a huge range costs no more than an exact one.
   */
  takeAcknowledged(ranges: readonly number[], into: SentPacket[]): void {
    const ring = this.#ring
    for (let i = ranges.length - 2; i >= 0 && ring.size > 0; i -= 2) {
      const from = Math.max(ranges[i + 1] as number, ring.first)
      const to = Math.min(ranges[i] as number, ring.last)
      for (let number = from; number <= to; number++) {
        const packet = this.remove(number)
        if (packet !== undefined) into.push(packet)
      }
    }
  }

  /** RFC 9000 §9.4: the window is that of another path now, from the packet with the number `next` on. */
  onNewPath(next: number): void {
    this.#onPathFrom = next
    this.bytesInFlight = 0
  }

  /** Removes everything and appends it to `into`. */
  takeAll(into: SentPacket[]): void {
    for (let number = this.first; number !== -1; number = this.next(number)) {
      into.push(this.#ring.get(number) as SentPacket)
    }
    this.clear()
  }

  clear(): void {
    this.#ring.clear()
    this.bytesInFlight = 0
    this.ackElicitingInFlight = 0
    this.#ackOnly = 0
  }

  #counts(packet: SentPacket): boolean {
    return packet.number >= this.#onPathFrom && !packet.isOffPath
  }

  #forgetAckOnly(): void {
    let number = this.#ring.next(this.#oldestAckOnly - 1)
    while (number !== -1 && (this.#ring.get(number) as SentPacket).isInFlight) number = this.#ring.next(number)
    this.#oldestAckOnly = number + 1
    this.remove(number)
  }
}

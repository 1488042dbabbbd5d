// What the tests of this room share.

import type { AckFrame } from '../../src/packet/frames/frame.ts'
import { FrameType } from '../../src/packet/frames/frame.ts'
import type { Space } from '../../src/packet/level.ts'
import type { SentFrame } from '../../src/packet/sent-frame.ts'
import { Recovery, type RecoveryOptions } from '../../src/recovery/recovery.ts'
import { SentPacket } from '../../src/recovery/sent-packets.ts'

/** An ACK of inclusive ranges, the highest first: `ack([7, 9], [1, 3])`. */
export function ack(...ranges: [smallest: number, largest: number][]): AckFrame {
  const flat = ranges.flatMap(([smallest, largest]) => [largest, smallest])
  return { type: FrameType.Ack, largestAcknowledged: flat[0] as number, ackDelay: 0, ranges: flat, ecn: undefined }
}

export interface Sending {
  size?: number
  isAckEliciting?: boolean
  isInFlight?: boolean
  isEarly?: boolean
  frames?: SentFrame[]
}

/** Sends one packet, ack-eliciting and of 1200 bytes unless said otherwise, and returns its number. */
export function send(recovery: Recovery, space: Space, now: number, options: Sending = {}): number {
  const number = recovery.nextNumber(space)
  const isAckEliciting = options.isAckEliciting ?? true
  const isInFlight = options.isInFlight ?? isAckEliciting
  const { size = 1200, frames = [], isEarly = false } = options
  recovery.onPacketSent(new SentPacket(number, space, now, size, isAckEliciting, isInFlight, frames, isEarly))
  return number
}

/** No number is skipped unless the test says so. */
export function create(options: Partial<RecoveryOptions> = {}): Recovery {
  return new Recovery({ isServer: false, random: () => 0.999999, ...options })
}

/** A client whose handshake is confirmed: Initial and Handshake are gone, and no sample was taken. */
export function confirmed(options: Partial<RecoveryOptions> = {}): Recovery {
  const recovery = create(options)
  recovery.onHandshakeKeys()
  recovery.discardSpace(0, 0)
  recovery.discardSpace(1, 0)
  recovery.onHandshakeConfirmed(0)
  return recovery
}

export function numbers(packets: readonly SentPacket[]): number[] {
  return packets.map(packet => packet.number)
}

/** A seeded generator (mulberry32): numbers from 0 to 1. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

// One packet being filled: where the bytes go, how many still fit, and what was put in.

import { Writer } from '../bytes/writer.ts'
import type { Level } from './level.ts'
import type { SentFrame } from './sent-frame.ts'

/** What every part of a connection answers. Nothing sends by itself: parts are asked when a packet is being filled. */
export interface FrameOwner {
  /** Puts what is due into the packet, as far as it fits, and records each frame. */
  write(packet: PacketWriter, now: number): void
  onAcked(frame: SentFrame): void
  /** Marks what was lost as due again. */
  onLost(frame: SentFrame): void
}

export class PacketWriter extends Writer {
  readonly level: Level
  /** Handed to recovery with the packet. */
  readonly frames: SentFrame[] = []
  /** RFC 9002 §2: anything but ACK, PADDING and CONNECTION_CLOSE. */
  isAckEliciting = false

  /** Frames go into `bytes` from `pos`; `end` leaves room for the AEAD tag. */
  constructor(level: Level, bytes: Uint8Array, pos: number, end: number) {
    super(bytes, pos, end)
    this.level = level
  }

  /** To be called once for each frame written. `isAckEliciting` is false for ACK and CONNECTION_CLOSE alone. */
  record(frame: SentFrame, isAckEliciting = true): void {
    this.frames.push(frame)
    if (isAckEliciting) this.isAckEliciting = true
  }
}

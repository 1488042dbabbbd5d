// Frames that are said once and repeated only when lost: HANDSHAKE_DONE and NEW_TOKEN (RFC 9000 §13.3).

import { writeHandshakeDone } from '../packet/frames/signal.ts'
import { writeNewToken } from '../packet/frames/token.ts'
import type { FrameOwner, PacketWriter } from '../packet/packet-writer.ts'
import { SentFrame, SentKind } from '../packet/sent-frame.ts'

/** A longer token would not fit a packet beside anything else: it is not sent. */
export const MAX_NEW_TOKEN_LENGTH = 900

const handshakeDone = new SentFrame(SentKind.HandshakeDone)
const newToken = new SentFrame(SentKind.NewToken)

export class HandshakeDone implements FrameOwner {
  #isDue = false

  get hasDue(): boolean {
    return this.#isDue
  }

  send(): void {
    this.#isDue = true
  }

  write(packet: PacketWriter): void {
    if (!this.#isDue || packet.remaining < 1) return
    writeHandshakeDone(packet)
    packet.record(handshakeDone)
    this.#isDue = false
  }

  onAcked(): void {}

  onLost(): void {
    this.#isDue = true
  }
}

export class NewToken implements FrameOwner {
  #token: Uint8Array | undefined
  #isDue = false

  get hasDue(): boolean {
    return this.#isDue
  }

  send(token: Uint8Array): void {
    if (token.length > MAX_NEW_TOKEN_LENGTH) return
    this.#token = token
    this.#isDue = true
  }

  write(packet: PacketWriter): void {
    const token = this.#token
    // Type, and a length of at most 2 bytes.
    if (!this.#isDue || token === undefined || packet.remaining < token.length + 3) return
    writeNewToken(packet, token)
    packet.record(newToken)
    this.#isDue = false
  }

  onAcked(): void {
    this.#token = undefined
  }

  onLost(): void {
    this.#isDue = this.#token !== undefined
  }
}

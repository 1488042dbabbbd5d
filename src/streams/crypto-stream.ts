// The stream of handshake bytes of one encryption level (RFC 9000 §7.5, §19.6): no id, no FIN, no credit.

import { limits } from '../limits.ts'
import { cryptoDataRoom, writeCryptoHeader } from '../packet/frames/crypto.ts'
import { type CryptoFrame, FrameType } from '../packet/frames/frame.ts'
import type { Level } from '../packet/level.ts'
import type { FrameOwner, PacketWriter } from '../packet/packet-writer.ts'
import { SentFrame, SentKind } from '../packet/sent-frame.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import { ReceiveBuffer } from './receive-buffer.ts'
import { SendBuffer } from './send-buffer.ts'

/** How far ahead of what TLS has read a peer's CRYPTO bytes may reach. RFC 9000 §7.5 asks for 4,096 at least. */
export const SERVER_CRYPTO_BUFFER: number = limits.serverCryptoBuffer
/** More for a client: chains of certificates arrive there. */
export const CLIENT_CRYPTO_BUFFER: number = limits.clientCryptoBuffer

export class CryptoStream implements FrameOwner {
  readonly level: Level
  readonly #bufferLimit: number
  readonly #out: SendBuffer = new SendBuffer()
  readonly #in: ReceiveBuffer = new ReceiveBuffer()

  constructor(level: Level, bufferLimit: number) {
    this.level = level
    this.#bufferLimit = bufferLimit
  }

  /** Queues what TLS has to say; the bytes must not change afterwards. */
  send(bytes: Uint8Array): void {
    this.#out.push(bytes)
  }

  get hasDataToSend(): boolean {
    return this.#out.hasLost || this.#out.unsent > 0
  }

  /** Something was sent or waits to be, and is not acknowledged: there is something to put into a probe. */
  get hasUnacked(): boolean {
    return this.#out.length > 0
  }

  /** How much memory takes what TLS has not read. */
  get held(): number {
    return this.#in.held
  }

  onCrypto(frame: CryptoFrame): void {
    // RFC 9000 §7.5, and at all times: after the handshake as well.
    if (frame.offset + frame.data.length > this.#in.readOffset + this.#bufferLimit) {
      throw new TransportError(ErrorCode.CryptoBufferExceeded, 'too many CRYPTO bytes ahead', FrameType.Crypto)
    }
    this.#in.insert(frame.offset, frame.data)
    if (this.#in.hasTooManyGaps) {
      throw new TransportError(ErrorCode.CryptoBufferExceeded, 'too many gaps in CRYPTO', FrameType.Crypto)
    }
  }

  /** The next bytes in order; undefined when there are none. To be called until then after each frame. */
  receive(): Uint8Array | undefined {
    return this.#in.read()
  }

  /** Fills the packet, which must be of this level. */
  write(packet: PacketWriter): void {
    while (this.hasDataToSend) {
      const isAgain = this.#out.hasLost
      const offset = isAgain ? this.#out.lostStart : this.#out.sent
      const room = cryptoDataRoom(offset, packet.remaining)
      const length = Math.min(room, isAgain ? this.#out.lostEnd - offset : this.#out.unsent)
      if (length <= 0) return
      writeCryptoHeader(packet, offset, length)
      this.#out.copyTo(packet, offset, length)
      this.#out.onSent(offset, length)
      packet.record(new SentFrame(SentKind.Crypto, this.level, offset, length))
    }
  }

  onAcked(frame: SentFrame): void {
    this.#out.onAcked(frame.offset, frame.length)
  }

  onLost(frame: SentFrame): void {
    this.#out.onLost(frame.offset, frame.length)
  }

  /** All that was sent and not acknowledged is due again: after a Retry, or for a probe. */
  resend(): void {
    this.#out.resend()
  }
}

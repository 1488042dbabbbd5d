// The sending part of a stream (RFC 9000 §3.1; QUIC Stream Resets with Partial Delivery, cited as PD): bytes in, frames
// out.

import { MAX_EXACT } from '../bytes/varint.ts'
import { streamDataRoom, writeStreamHeader } from '../packet/frames/stream.ts'
import type { PacketWriter } from '../packet/packet-writer.ts'
import { SentFrame, SentKind } from '../packet/sent-frame.ts'
import { SendCredit } from './flow-control.ts'
import { Due } from './scheduler.ts'
import { SendBuffer } from './send-buffer.ts'
import { isSendDone, isSending, nextSendState, SendEvent, SendState } from './send-state.ts'

/** A packet's last few bytes are left empty rather than cut from a stream: less than this is not worth a frame. */
export const MIN_FRAGMENT = 16

export class SendStream {
  readonly id: number
  /** What the peer allows; what is used is `finalSize`. */
  readonly credit: SendCredit
  /** The code of RESET_STREAM or RESET_STREAM_AT; -1 while not reset. */
  resetCode = -1
  /** PD §4: once reset, so many bytes arrive all the same; 0: it is a RESET_STREAM. */
  reliableSize = 0
  /** The application has said all it will: FIN or reset. Not so when it was the peer who stopped the stream. */
  isEnded = false
  /** Was above the high-water mark since the application was last told that it may write. */
  isFull = false
  readonly #buffer: SendBuffer = new SendBuffer()
  #state: SendState = SendState.Ready
  #hasFin = false
  #isFinDue = false
  #isFinAcked = false
  #isResetDue = false
  #isResetAcked = false

  constructor(id: number, limit: number) {
    this.id = id
    this.credit = new SendCredit(limit)
  }

  get isDone(): boolean {
    return isSendDone(this.#state)
  }

  /** Bytes can still get through. */
  get isOpen(): boolean {
    return isSending(this.#state)
  }

  /** How many bytes are held, sent or not. */
  get buffered(): number {
    return this.#buffer.length
  }

  /** How much memory that takes. */
  get held(): number {
    return this.#buffer.held
  }

  /** RFC 9000 §4.5: the credit used; final once reset. */
  get finalSize(): number {
    return this.#buffer.sent
  }

  /** What its final size will be at least: less than was written, for a stream that was reset before all was sent. */
  get committed(): number {
    return Math.max(this.#buffer.sent, this.reliableSize)
  }

  /** PD §4: its final size is known, and within the credit, once what has to arrive was sent. */
  get isResetDue(): boolean {
    return this.#isResetDue && this.#buffer.unsent === 0
  }

  /** What could be sent, if the connection has credit. */
  get due(): Due {
    if (!isSending(this.#state)) return Due.Nothing
    const buffer = this.#buffer
    if (buffer.hasLost || (this.#isFinDue && buffer.unsent === 0)) return Due.Free
    return buffer.unsent > 0 && this.credit.available > 0 ? Due.Fresh : Due.Nothing
  }

  /** RFC 9000 §4.1: there are bytes to send, but not the credit, and the peer was not told so. */
  get isBlockedDue(): boolean {
    return isSending(this.#state) && this.#buffer.unsent > 0 && this.credit.isBlockedDue
  }

  /** Takes bytes that must not change afterwards. On a stream the peer has stopped they go nowhere. */
  send(bytes: Uint8Array, fin: boolean): void {
    if (fin) this.isEnded = true
    if (!this.isOpen) return
    this.#buffer.push(bytes)
    if (fin) this.#hasFin = this.#isFinDue = true
  }

  /**
   * RFC 9000 §3.1: abandons what was not acknowledged, but for the first `reliableSize` bytes. Throws a RangeError when
   * fewer were written.
   */
  reset(errorCode: number, reliableSize = 0): void {
    if (!isSending(this.#state)) return
    const isReset = this.resetCode >= 0
    // PD §5.2: what was promised may become less, not more, and the code stays.
    if (isReset && reliableSize >= this.reliableSize) return
    if (!(reliableSize >= 0 && reliableSize <= this.#buffer.end)) {
      throw new RangeError(`reliableSize must be from 0 to the ${this.#buffer.end} bytes written, not ${reliableSize}`)
    }
    // A peer's STOP_SENDING may bring a code that is no exact number: any code will do (RFC 9000 §3.5).
    if (!isReset) this.resetCode = Math.min(errorCode, MAX_EXACT)
    this.reliableSize = reliableSize
    this.#isResetDue = true
    this.#isResetAcked = this.#hasFin = this.#isFinDue = this.isFull = false
    if (reliableSize > 0) return this.#buffer.cutAt(reliableSize)
    this.#buffer.clear()
    this.#on(SendEvent.Reset)
  }

  /**
   * Writes one STREAM frame with what is due, lost bytes first. Returns how many bytes of the connection's credit it
   * took, or -1 when the packet has no room.
   */
  write(packet: PacketWriter, connectionCredit: number): number {
    const buffer = this.#buffer
    const isAgain = buffer.hasLost
    const offset = isAgain ? buffer.lostStart : buffer.sent
    const wanted = isAgain
      ? buffer.lostEnd - offset
      : Math.min(buffer.unsent, this.credit.available, Math.max(0, connectionCredit))
    const room = streamDataRoom(this.id, offset, packet.remaining)
    if (room < Math.min(wanted, MIN_FRAGMENT)) return -1
    const length = Math.min(wanted, room)
    const fin = this.#hasFin && offset + length === buffer.end
    writeStreamHeader(packet, this.id, offset, length, fin)
    buffer.copyTo(packet, offset, length)
    packet.record(new SentFrame(SentKind.Stream, this.id, offset, length, fin))
    this.#onSent(offset, length, fin)
    return isAgain ? 0 : length
  }

  /** True when this was the last that was missing. */
  onAcked(offset: number, length: number, fin: boolean): boolean {
    if (!isSending(this.#state)) return false
    this.#buffer.onAcked(offset, length)
    if (fin && this.#state === SendState.DataSent) {
      this.#isFinAcked = true
      this.#isFinDue = false
    }
    if (this.resetCode >= 0) {
      this.#onReliableAcked()
      return false
    }
    if (!this.#isFinAcked || this.#buffer.length > 0) return false
    this.#on(SendEvent.AllAcked)
    return true
  }

  onLost(offset: number, length: number, fin: boolean): void {
    if (!isSending(this.#state)) return
    this.#buffer.onLost(offset, length)
    if (fin && this.#hasFin && !this.#isFinAcked) this.#isFinDue = true
  }

  /** PD §5.3: like a FIN it leaves the stream in "Data Sent". */
  onResetSent(): void {
    this.#isResetDue = false
    if (this.reliableSize > 0) this.#on(SendEvent.Fin)
  }

  /** PD §5.2: it takes the frame that promised least. */
  onResetAcked(reliableSize: number): void {
    if (reliableSize !== this.reliableSize) return
    this.#isResetDue = false
    this.#isResetAcked = true
    this.#on(SendEvent.ResetAcked)
    if (reliableSize > 0) this.#onReliableAcked()
  }

  onResetLost(reliableSize: number): void {
    if (reliableSize === this.reliableSize && !this.#isResetAcked) this.#isResetDue = true
  }

  /** STREAM_DATA_BLOCKED is on its way: it opens the stream as a STREAM frame does. */
  onBlockedSent(): void {
    this.credit.onBlockedSent()
    this.#on(SendEvent.Stream)
  }

  /** Lets go of all bytes: the connection is over. */
  discard(): void {
    this.#buffer.clear()
  }

  /** RFC 9001 §4.6.2: what was sent in rejected 0-RTT packets was never sent. The stream begins again. */
  rewind(): void {
    this.#buffer.rewind()
    this.credit.restart(this.#buffer.sent)
    this.#isResetDue = this.resetCode >= 0
    this.#isResetAcked = false
    this.#isFinDue = this.#hasFin
    if (isSending(this.#state)) this.#state = SendState.Ready
  }

  #onReliableAcked(): void {
    if (this.#isResetAcked && this.#buffer.length === 0) this.#on(SendEvent.AllAcked)
  }

  #onSent(offset: number, length: number, fin: boolean): void {
    this.#buffer.onSent(offset, length)
    this.credit.used = this.#buffer.sent
    this.#on(SendEvent.Stream)
    if (!fin) return
    this.#isFinDue = false
    this.#on(SendEvent.Fin)
  }

  #on(event: SendEvent): void {
    this.#state = nextSendState(this.#state, event)
  }
}

// What the streams of a connection hold in memory: counted stream by stream whenever something happened to one.

import type { MemoryAccount } from '../bytes/memory-budget.ts'
import { limits } from '../limits.ts'
import { FrameType } from '../packet/frames/frame.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import type { ReceiveWindow } from './flow-control.ts'
import { type HighWaterMark, MAX_SEND_BUFFER } from './high-water-mark.ts'
import type { Stream } from './stream.ts'

export class StreamMemory {
  readonly account: MemoryAccount
  readonly #window: ReceiveWindow
  readonly #mark: HighWaterMark
  readonly #limit: number
  /** Received on all streams and not read, with what it takes beside the bytes themselves. */
  #received = 0
  #promised = 0

  constructor(account: MemoryAccount, window: ReceiveWindow, mark: HighWaterMark) {
    this.account = account
    this.#window = window
    this.#mark = mark
    this.#limit = limits.receivedOverhead + limits.receivedPerByte * window.max
  }

  /** Something happened to `stream`. */
  count(stream: Stream): void {
    const { send, receive } = stream
    this.#set(stream, send?.buffered ?? 0, receive?.held ?? 0, Math.min(send?.held ?? 0, MAX_SEND_BUFFER))
    this.promise()
  }

  forget(stream: Stream): void {
    this.#set(stream, 0, 0, 0)
  }

  /**
   * Credit beyond what every connection begins with is counted before it is used. That first credit is not, or thousands
   * of connections that never use it could not be had.
   */
  promise(): void {
    const { limit, consumed, size, received, initial } = this.#window
    const promised = Math.max(0, Math.max(limit, consumed + size) - received - initial)
    this.account.add(promised - this.#promised)
    this.#promised = promised
  }

  /** A peer may send its bytes in pieces so small that they weigh many times as much as flow control can see. */
  check(): void {
    if (this.#received <= this.#limit) return
    throw new TransportError(ErrorCode.InternalError, 'too many small pieces in streams', FrameType.Stream)
  }

  #set(stream: Stream, sent: number, received: number, others: number): void {
    this.#mark.held += sent - stream.sent
    this.#received += received - stream.received
    this.account.add(received + others - stream.memory)
    stream.sent = sent
    stream.received = received
    stream.memory = received + others
  }
}

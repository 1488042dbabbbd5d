// The receiving part of a stream (RFC 9000 §3.2; QUIC Stream Resets with Partial Delivery, cited as PD): frames in, bytes
// out.

import { FrameType, type ResetStreamAtFrame, type ResetStreamFrame, type StreamFrame } from '../packet/frames/frame.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import { ReceiveWindow } from './flow-control.ts'
import { ReceiveBuffer } from './receive-buffer.ts'
import { isReceiveDone, isReceiving, nextReceiveState, ReceiveEvent, ReceiveState } from './receive-state.ts'

export interface Chunk {
  /** A view of what was received: it stays as it is. */
  readonly data: Uint8Array
  /** True with the last bytes; with none when the end became known later. */
  readonly fin: boolean
}

export class ReceiveStream {
  /** The stream's own window. `received` is the largest offset seen. */
  readonly window: ReceiveWindow
  /** The code of STOP_SENDING, once the application has lost interest; -1 before. */
  stopCode = -1
  isStopDue = false
  /** Some of it came in 0-RTT packets: it may be a replay. */
  isEarly = false
  /** The application was told that there is something to read, and has not looked yet. */
  isAnnounced = false
  /** How many bytes were told of as received; -1: nobody counts them. */
  counted = -1
  readonly #buffer: ReceiveBuffer = new ReceiveBuffer()
  /** The window of the connection, into which all streams are counted. */
  readonly #connection: ReceiveWindow
  #state: ReceiveState = ReceiveState.Recv
  /** RFC 9000 §4.5; -1 while unknown. */
  #finalSize = -1
  /** The code of a reset; -1 before one. */
  #resetCode = -1
  /** PD §4: so many bytes are delivered before the reset is told. */
  #reliableSize = 0
  #isResetTold = false

  constructor(windowSize: number, maxWindow: number, connection: ReceiveWindow) {
    this.window = new ReceiveWindow(windowSize, maxWindow)
    this.#connection = connection
  }

  get isStopped(): boolean {
    return this.stopCode >= 0
  }

  /** Terminal, and nothing left to say. */
  get isDone(): boolean {
    return isReceiveDone(this.#state) && !this.isStopDue
  }

  get isReadable(): boolean {
    if (this.isStopped) return false
    return this.#buffer.isReadable || (this.#state === ReceiveState.DataRecvd && this.#resetCode < 0)
  }

  /** RFC 9000 §4.5: how many bytes it has altogether is known, and `window.received` says it. */
  get hasFinalSize(): boolean {
    return this.#finalSize >= 0
  }

  /** How much memory takes what is not read. */
  get held(): number {
    return this.#buffer.held
  }

  /** RFC 9000 §3.2: only in "Recv" is more credit of use. */
  get isCreditDue(): boolean {
    return this.#state === ReceiveState.Recv && !this.isStopped && this.window.isDue
  }

  onStream(frame: StreamFrame, now: number): void {
    const end = frame.offset + frame.data.length
    this.#check(end, frame.fin, FrameType.Stream)
    if (!isReceiving(this.#state)) return
    if (this.window.received === 0) this.#begin(now)
    this.#count(end)
    if (frame.fin && this.#finalSize < 0) {
      this.#finalSize = end
      this.#on(ReceiveEvent.Fin)
    }
    if (this.isStopped) {
      this.#discard()
      return
    }
    this.#buffer.insert(frame.offset, frame.data)
    // A peer may do this without breaking a rule, so it is we who give up: security before service.
    if (this.#buffer.hasTooManyGaps) {
      throw new TransportError(ErrorCode.InternalError, 'too many gaps in a stream', FrameType.Stream)
    }
    this.#noteAllData()
  }

  /** `takeReset` says when the application has to be told. */
  onResetStream(frame: ResetStreamFrame | ResetStreamAtFrame): void {
    this.#check(frame.finalSize, true, frame.type)
    const isReset = this.#resetCode >= 0
    if (isReset && frame.errorCode !== this.#resetCode) {
      throw new TransportError(ErrorCode.StreamStateError, 'another code for the same reset', frame.type)
    }
    // RFC 9000 §3.2: a reset that comes after all data is suppressed.
    if (!isReceiving(this.#state)) return
    const reliableSize = frame.type === FrameType.ResetStreamAt ? frame.reliableSize : 0
    // PD §5.2: what was promised may become less, not more.
    if (isReset && reliableSize >= this.#reliableSize) return
    // RFC 9000 §4.5: what was never sent counts as well, so that both sides agree on the credit used.
    this.#count(frame.finalSize)
    this.#finalSize = frame.finalSize
    this.#resetCode = frame.errorCode
    this.#reliableSize = reliableSize
    if (reliableSize > 0) this.#expectReliable()
    else {
      this.#on(ReceiveEvent.Reset)
      this.isStopDue = false
      this.#discard()
    }
  }

  /** The code of a reset that is to be told now, because all that was promised is read; -1: none, or not yet. */
  takeReset(): number {
    const isNone = this.#resetCode < 0 || this.#isResetTold || this.isStopped
    if (isNone || this.#buffer.readOffset < this.#reliableSize) return -1
    this.#isResetTold = true
    this.#discard()
    return this.#resetCode
  }

  /** The next bytes; undefined when there are none now. */
  receive(): Chunk | undefined {
    this.isAnnounced = false
    if (!this.isReadable) return undefined
    const data = this.#buffer.read() ?? EMPTY
    this.#consume(data.length)
    const isWhole = this.#state === ReceiveState.DataRecvd && this.#resetCode < 0
    const fin = isWhole && this.#buffer.readOffset === this.#finalSize
    if (fin) this.#on(ReceiveEvent.AppReadAll)
    return { data, fin }
  }

  /** RFC 9000 §3.5: the application wants no more. */
  stop(errorCode: number): void {
    if (this.isStopped || isReceiveDone(this.#state)) return
    this.stopCode = errorCode
    this.isStopDue = isReceiving(this.#state)
    this.#discard()
  }

  /** Lets go of all bytes: the connection is over. */
  discard(): void {
    this.#buffer.clear()
  }

  /** STOP_SENDING was lost, or refused with early data. RFC 9000 §3.3: of use only while data is expected. */
  onStopLost(): void {
    if (this.isStopped && isReceiving(this.#state)) this.isStopDue = true
  }

  /** Everything about a frame that ends at `end` which can be wrong, before anything is changed. */
  #check(end: number, isFinal: boolean, frameType: number): void {
    const received = this.window.received
    // RFC 9000 §4.5: a final size never changes, and nothing is beyond it.
    if (this.#finalSize >= 0 && (isFinal ? end !== this.#finalSize : end > this.#finalSize)) {
      throw new TransportError(ErrorCode.FinalSizeError, `final size was ${this.#finalSize}, is ${end}`, frameType)
    }
    if (isFinal && end < received) {
      throw new TransportError(ErrorCode.FinalSizeError, `final size ${end} below ${received} received`, frameType)
    }
    if (end <= received) return
    // RFC 9000 §4.1, at both levels. Also keeps out what a number cannot hold exactly.
    if (!this.window.canReceive(end - received)) {
      throw new TransportError(ErrorCode.FlowControlError, `stream data up to ${end}`, frameType)
    }
    if (!this.#connection.canReceive(end - received)) {
      throw new TransportError(ErrorCode.FlowControlError, 'data beyond MAX_DATA', frameType)
    }
  }

  /** PD §5.3: like a FIN it says how much is to come. */
  #expectReliable(): void {
    this.#on(ReceiveEvent.Fin)
    if (this.isStopped) this.#discard()
    else this.#noteAllData()
  }

  #noteAllData(): void {
    const { contiguous } = this.#buffer
    const isComplete = this.#resetCode < 0 ? contiguous === this.#finalSize : contiguous >= this.#reliableSize
    if (isComplete) this.#on(ReceiveEvent.AllData)
  }

  #begin(now: number): void {
    this.window.begin(now)
    this.#connection.begin(now)
  }

  #count(end: number): void {
    const more = end - this.window.received
    if (more <= 0) return
    this.window.receive(more)
    this.#connection.receive(more)
  }

  #consume(amount: number): void {
    this.window.consume(amount)
    this.#connection.consume(amount)
  }

  /** After a stop or a reset, whatever was counted is consumed at once. */
  #discard(): void {
    this.#buffer.clear()
    this.#consume(this.window.received - this.window.consumed)
    if (this.#state === ReceiveState.ResetRecvd) this.#on(ReceiveEvent.AppReadReset)
    else if (this.#finalSize >= 0) {
      // The rest, should it come, would be thrown away: the final size is all that was still needed.
      this.#on(ReceiveEvent.AllData)
      this.#on(ReceiveEvent.AppReadAll)
    }
  }

  #on(event: ReceiveEvent): void {
    this.#state = nextReceiveState(this.#state, event)
  }
}

const EMPTY = new Uint8Array(0)

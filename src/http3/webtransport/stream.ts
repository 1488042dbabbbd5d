// A stream of a session, as a pair of WHATWG streams with back-pressure both ways.

import type { Http3Transport } from '../transport.ts'
import { codeOfReason, WebTransportError } from './error.ts'
import type { StreamFlow } from './flow-control.ts'
import { fromHttpCode, toHttpCode, WebTransportCode } from './wire.ts'

/** What a stream needs of its session. */
export interface StreamOwner {
  readonly transport: Http3Transport
  /** Both directions are done with. */
  onStreamDone(stream: WebTransportStream): void
}

export interface StreamShape {
  readonly id: number
  readonly canRead: boolean
  readonly canWrite: boolean
  /** Bytes we wrote that say whose it is. */
  readonly headerSize: number
  /** What came behind the peer's. */
  readonly data: Uint8Array
  readonly isFinished: boolean
  /** Its part of the limits of the session. */
  readonly flow: StreamFlow
}

/** As W3C has it: `readable` and `writable`, of those one where the stream goes one way. */
export class WebTransportStream {
  readonly id: number
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>
  readonly #owner: StreamOwner
  readonly #headerSize: number
  readonly #flow: StreamFlow
  #reader: ReadableStreamDefaultController<Uint8Array> | undefined = undefined
  #writer: WritableStreamDefaultController | undefined = undefined
  #first: Uint8Array
  #isFinished: boolean
  #isWanted = false
  #isReadDone: boolean
  #isWriteDone: boolean
  #hasEnded = false
  #wake: (() => void) | undefined = undefined
  /** A write waits for the session's limit on data. */
  #isBlocked = false

  constructor(owner: StreamOwner, shape: StreamShape) {
    this.id = shape.id
    this.#owner = owner
    this.#headerSize = shape.headerSize
    this.#flow = shape.flow
    this.#first = shape.data
    this.#isFinished = shape.isFinished
    this.#isReadDone = !shape.canRead
    this.#isWriteDone = !shape.canWrite
    // Nothing is read ahead of whoever reads: credit follows consumption.
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: controller => {
          this.#reader = controller
        },
        pull: () => this.#pull(),
        cancel: reason => this.#cancel(reason),
      },
      { highWaterMark: 0 },
    )
    this.writable = new WritableStream<Uint8Array>({
      start: controller => {
        this.#writer = controller
      },
      write: chunk => this.#write(chunk),
      close: () => this.#close(),
      abort: reason => this.#abort(reason),
    })
  }

  onReadable(): void {
    if (this.#isWanted) this.#deliver()
  }

  onWritable(): void {
    this.#wake?.()
  }

  /** Not the peer's. */
  get isOurs(): boolean {
    return this.#headerSize > 0
  }

  /** The session may send more data. */
  onCredit(): void {
    if (this.#isBlocked) this.#wake?.()
  }

  onReset(errorCode: number): void {
    if (this.#isReadDone) return
    this.#reader?.error(remoteError('the peer reset the stream', errorCode))
    this.#onReadDone()
  }

  onStopped(errorCode: number): void {
    if (this.#isWriteDone) return
    this.#writer?.error(remoteError('the peer wants no more of the stream', errorCode))
    this.#reset(errorCode)
  }

  /** All that was written, and the end, has arrived. */
  onFinished(): void {
    if (!this.#hasEnded) return
    this.#onWriteDone()
  }

  /** The session is over; `isClosed`: so is the connection, and nobody has to be told. */
  onSessionEnded(error: WebTransportError, isClosed: boolean): void {
    if (!this.#isReadDone) {
      this.#reader?.error(error)
      if (!isClosed) this.#quietly(() => this.#owner.transport.stop(this.id, WebTransportCode.SessionGone))
      this.#isReadDone = true
    }
    if (!this.#isWriteDone) {
      this.#writer?.error(error)
      if (isClosed) this.#onWriteDone()
      else this.#reset(WebTransportCode.SessionGone)
    }
    this.#owner.onStreamDone(this)
  }

  #pull(): void {
    this.#isWanted = true
    this.#deliver()
  }

  #deliver(): void {
    while (this.#isWanted && !this.#isReadDone) {
      const data = this.#take()
      if (data === undefined) return
      if (data.length > 0) {
        this.#isWanted = false
        this.#reader?.enqueue(data)
        this.#flow.onRead(data.length)
      }
      if (!this.#isFinished) continue
      this.#reader?.close()
      this.#onReadDone()
    }
  }

  #take(): Uint8Array | undefined {
    if (this.#first.length > 0 || this.#isFinished) {
      const first = this.#first
      this.#first = empty
      return first
    }
    const chunk = this.#owner.transport.read(this.id)
    if (chunk?.fin) this.#isFinished = true
    return chunk?.data
  }

  #cancel(reason: unknown): void {
    if (this.#isReadDone) return
    this.#quietly(() => this.#owner.transport.stop(this.id, toHttpCode(codeOfReason(reason))))
    this.#onReadDone()
  }

  /** As much as the session allows, and then the rest. */
  async #write(chunk: unknown): Promise<void> {
    let rest = copyOf(chunk)
    while (rest.length > 0 && !this.#isWriteDone) {
      const amount = this.#flow.take(rest.length)
      this.#isBlocked = amount === 0
      const room = this.#isBlocked ? 0 : this.#owner.transport.write(this.id, rest.subarray(0, amount), false)
      rest = rest.subarray(amount)
      if (room <= 0 && !this.#isWriteDone) await this.#waiting()
    }
    this.#isBlocked = false
  }

  /** Resolves when the peer has it all: a session may end then without loss. */
  #close(): Promise<void> | undefined {
    this.#hasEnded = true
    this.#owner.transport.write(this.id, empty, true)
    return this.#isWriteDone ? undefined : this.#waiting()
  }

  #abort(reason: unknown): void {
    if (!this.#isWriteDone) this.#reset(toHttpCode(codeOfReason(reason)))
  }

  /** Section 4.4: what says whose stream it is arrives all the same. */
  #reset(errorCode: number): void {
    const { transport } = this.#owner
    this.#quietly(() => {
      const isKept = this.#headerSize > 0 && transport.resetAt?.(this.id, errorCode, this.#headerSize)
      if (!isKept) transport.reset(this.id, errorCode)
      this.#flow.onReset(Math.max(0, (transport.count(this.id)?.sent ?? 0) - this.#headerSize))
    })
    this.#onWriteDone()
  }

  #waiting(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = () => {
        this.#wake = undefined
        resolve()
      }
    })
  }

  #onReadDone(): void {
    this.#isReadDone = true
    this.#flow.abandon()
    if (this.#isWriteDone) this.#owner.onStreamDone(this)
  }

  #onWriteDone(): void {
    this.#isWriteDone = true
    this.#wake?.()
    if (this.#isReadDone) this.#owner.onStreamDone(this)
  }

  /** The transport may have forgotten the stream already. */
  #quietly(action: () => void): void {
    try {
      action()
    } catch {}
  }
}

/** What is written may be changed by whoever wrote it. */
function copyOf(chunk: unknown): Uint8Array {
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk.slice(0))
  if (!ArrayBuffer.isView(chunk)) throw new TypeError('a stream of WebTransport takes bytes: an ArrayBuffer or a view')
  return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength).slice()
}

function remoteError(message: string, errorCode: number): WebTransportError {
  return new WebTransportError(message, { streamErrorCode: fromHttpCode(errorCode) ?? null })
}

const empty = new Uint8Array(0)

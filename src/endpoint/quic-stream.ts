// A stream as promises and iterators; stream-faces.ts has the WHATWG and node:stream faces.

import type { Duplex } from 'node:stream'
import { assertErrorCode, QuicError } from './errors.ts'
import { Settler } from './settler.ts'
import { duplexOf, readableOf, writableOf } from './stream-faces.ts'

/** The verbs a stream needs of its session. */
export interface StreamDoor {
  write(id: number, bytes: Uint8Array, fin: boolean): number
  read(id: number): { readonly data: Uint8Array; readonly fin: boolean } | undefined
  reset(id: number, errorCode: number): void
  resetAt(id: number, errorCode: number, reliableSize: number): boolean
  stop(id: number, errorCode: number): void
  setPriority(id: number, urgency: number, isIncremental: boolean): void
}

export class QuicStream {
  readonly id: number
  readonly direction: 'bidi' | 'uni'
  /** Bytes of it came as 0-RTT data: it may be a replay until the handshake is confirmed. */
  readonly isEarly: boolean
  readonly canRead: boolean
  readonly canWrite: boolean
  readonly #door: StreamDoor
  readonly #closed: Settler<void> = new Settler()
  /** Nothing more is read: the end was reached, or nobody wants it. */
  #isReadDone: boolean
  /** Nothing more arrives. */
  #isReceiveOver: boolean
  /** Nothing more is written. */
  #isWriteDone: boolean
  /** All arrived at the peer, or never will. */
  #isSendOver: boolean
  #readError: unknown
  #writeError: unknown
  #delivered: Settler<void> | undefined
  /** Resolves the read that waits, with what its shape makes of a chunk. */
  #reader: ((result: unknown) => void) | undefined
  #shape: (chunk: Uint8Array | undefined) => unknown = asItIs
  /** Waits for room; shared by all writes that do. */
  #room: Settler<void> | undefined
  #webReadable: ReadableStream<Uint8Array> | undefined
  #webWritable: WritableStream<Uint8Array> | undefined
  /** Told when our direction fails: for faces that show it before the next write. */
  onWriteError: (error: unknown) => void = ignore

  constructor(id: number, isOurs: boolean, isEarly: boolean, door: StreamDoor) {
    this.id = id
    this.direction = (id & 2) === 0 ? 'bidi' : 'uni'
    this.isEarly = isEarly
    this.#door = door
    this.canRead = this.direction === 'bidi' || !isOurs
    this.canWrite = this.direction === 'bidi' || isOurs
    this.#isReadDone = this.#isReceiveOver = !this.canRead
    this.#isWriteDone = this.#isSendOver = !this.canWrite
  }

  /**
   * Resolves when nothing is left to happen: the peer's direction was read to its end or abandoned, and all that we
   * wrote was acknowledged or abandoned. Never rejects.
   */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /**
   * Resolves when the peer has acknowledged all that was written, the end included; rejects when it never will. Await
   * it before `session.close()`, which gives up what is under way.
   */
  get delivered(): Promise<void> {
    if (!this.canWrite) return Promise.reject(new TypeError('this stream only receives'))
    if (this.#delivered === undefined) {
      this.#delivered = new Settler()
      if (this.#isSendOver) this.#settleDelivered()
    }
    return this.#delivered.promise
  }

  /** The next bytes, or undefined after the last. Rejects when the peer reset the stream or the connection ended. */
  read(): Promise<Uint8Array | undefined> {
    return this.#read(asItIs)
  }

  /** All chunks up to the end. To leave the loop early is to stop sending, with code 0. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return new Chunks(this, () => this.#read(resultOf))
  }

  /** Everything up to the end. Rejects with a RangeError above `limit` bytes, default 16 MiB. */
  async bytes(limit: number = 16 * 1024 * 1024): Promise<Uint8Array> {
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of this) {
      length += chunk.length
      if (length > limit) throw new RangeError(`the stream is longer than ${limit} bytes; raise the limit or iterate`)
      chunks.push(chunk)
    }
    const all = new Uint8Array(length)
    let at = 0
    for (const chunk of chunks) {
      all.set(chunk, at)
      at += chunk.length
    }
    return all
  }

  /**
   * Queues bytes, which must not change afterwards; resolves when there is room for more. Rejects when the peer stopped
   * the stream or the connection ended; who does not wait need not look.
   */
  write(bytes: Uint8Array | string): Promise<void> {
    return this.#write(bytes, false)
  }

  /** Queues the last bytes, or none, and ends our direction; resolves at once, see `delivered`. */
  end(bytes: Uint8Array | string = nothing): Promise<void> {
    return this.#write(bytes, true)
  }

  /** Abandons our direction (RESET_STREAM): what has not arrived is given up, writes that wait reject. */
  reset(errorCode: number): void {
    assertErrorCode(errorCode)
    if (this.#isSendOver) return
    this.#door.reset(this.id, errorCode)
    this.#failReset(errorCode)
  }

  /**
   * The same, but the first `reliableSize` bytes that were written still arrive, before the peer is told (QUIC Stream
   * Resets with Partial Delivery). False, and nothing done: the peer does not know how. Throws a RangeError when fewer
   * were written.
   */
  resetAt(errorCode: number, reliableSize: number): boolean {
    assertErrorCode(errorCode)
    if (this.#isSendOver || !this.#door.resetAt(this.id, errorCode, reliableSize)) return false
    this.#failReset(errorCode)
    return true
  }

  #failReset(errorCode: number): void {
    const wire = { errorCode, type: 'application' } as const
    this.#failWrite(new QuicError('ERR_ZEROTRIP_STREAM_ABORTED', `reset here with code ${errorCode}`, wire))
  }

  /**
   * In which order this side sends its streams: urgency from 0, the first, to 7, default 3; incremental ones of the same
   * urgency share, others go one after the other. The peer is not told. Throws a RangeError. RFC 9218 §4.
   */
  setPriority({ urgency = 3, incremental = false }: { urgency?: number; incremental?: boolean }): void {
    if (!Number.isInteger(urgency) || urgency < 0 || urgency > 7) {
      throw new RangeError(`urgency must be an integer from 0 to 7, not ${urgency}`)
    }
    this.#door.setPriority(this.id, urgency, incremental)
  }

  /** Asks the peer to abandon its direction (STOP_SENDING); reads find the end. */
  stopSending(errorCode: number): void {
    assertErrorCode(errorCode)
    if (this.#isReceiveOver) return
    this.#door.stop(this.id, errorCode)
    this.#endRead()
  }

  /** WHATWG face of the receiving side. Use it or `read`, not both. */
  get readable(): ReadableStream<Uint8Array> {
    this.#webReadable ??= readableOf(this)
    return this.#webReadable
  }

  /** WHATWG face of the sending side. */
  get writable(): WritableStream<Uint8Array> {
    this.#webWritable ??= writableOf(this)
    return this.#webWritable
  }

  /** node:stream face of both sides; destroying it resets and stops the stream with code 0. */
  toDuplex(): Duplex {
    return duplexOf(this)
  }

  /** The session tells: bytes are there. */
  onReadable(): void {
    const resolve = this.#reader
    if (resolve === undefined) return
    // `#take` may come back here with the end.
    this.#reader = undefined
    try {
      const chunk = this.#take()
      if (chunk === notYet) this.#reader = resolve
      else resolve(this.#shape(chunk))
    } catch (error) {
      resolve(Promise.reject(error))
    }
  }

  /** The session tells: there is room. */
  onWritable(): void {
    this.#room?.resolve()
    this.#room = undefined
  }

  /** The session tells: the peer has everything. */
  onFinished(): void {
    this.#isSendOver = true
    this.#settleDelivered()
    this.#closeIfOver()
  }

  /** The peer abandoned its direction. */
  onReset(error: unknown): void {
    if (this.#isReceiveOver) return
    this.#readError = error
    this.#isReceiveOver = true
    this.onReadable()
    this.#closeIfOver()
  }

  /** The peer wants no more of ours; it was reset for us. */
  onStopped(error: unknown): void {
    if (this.#isSendOver) return
    // Lets go of the stream: the application has said all it will.
    this.#door.reset(this.id, 0)
    this.#failWrite(error)
  }

  /** The connection ended. */
  onClosed(error: unknown): void {
    this.onReset(error)
    if (!this.#isSendOver) this.#failWrite(error)
  }

  /** No async function, nor a promise behind another: of many streams that wait, each keeps no more than the one. */
  #read<T>(shape: (chunk: Uint8Array | undefined) => T): Promise<T> {
    try {
      if (!this.canRead) throw new TypeError('this stream only sends')
      const chunk = this.#take()
      if (chunk !== notYet) return Promise.resolve(shape(chunk))
      if (this.#reader !== undefined) throw new TypeError('a read is under way already')
    } catch (error) {
      return Promise.reject(error)
    }
    this.#shape = shape
    return new Promise(resolve => {
      this.#reader = resolve as (result: unknown) => void
    })
  }

  /** The next bytes, undefined after the last, or `notYet`. Throws the error that ended the stream. */
  #take(): Uint8Array | undefined {
    for (;;) {
      if (this.#isReadDone) return undefined
      // What came before a close is still handed out.
      const chunk = this.#door.read(this.id)
      if (chunk?.fin) this.#endRead()
      if (chunk === undefined) break
      if (chunk.data.length > 0) return chunk.data
    }
    if (this.#isReceiveOver) throw this.#readError
    return notYet
  }

  #write(bytes: Uint8Array | string, fin: boolean): Promise<void> {
    try {
      if (!this.canWrite) throw new TypeError('this stream only receives')
      const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
      if (!(data instanceof Uint8Array)) throw new TypeError('a stream takes Uint8Arrays and strings')
      if (this.#writeError !== undefined) return rejected(this.#writeError)
      if (this.#isWriteDone) throw new TypeError('the stream has been ended')
      const room = this.#door.write(this.id, data, fin)
      if (fin) {
        this.#isWriteDone = true
        this.onWritable()
        return done
      }
      if (room > 0 && this.#room === undefined) return done
      this.#room ??= new Settler()
      return this.#room.promise
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #endRead(): void {
    this.#isReadDone = this.#isReceiveOver = true
    this.onReadable()
    this.#closeIfOver()
  }

  #failWrite(error: unknown): void {
    this.#writeError = error
    this.#isWriteDone = this.#isSendOver = true
    this.#room?.reject(error)
    this.#room = undefined
    this.#settleDelivered()
    this.onWriteError(error)
    this.#closeIfOver()
  }

  #settleDelivered(): void {
    if (this.#writeError === undefined) this.#delivered?.resolve()
    else this.#delivered?.reject(this.#writeError)
  }

  #closeIfOver(): void {
    if (this.#isReceiveOver && this.#isSendOver) this.#closed.resolve()
  }
}

/** `for await`, without an async generator, which would keep three promises for each stream that waits. */
class Chunks implements AsyncIterableIterator<Uint8Array> {
  readonly #stream: QuicStream
  readonly #read: () => Promise<IteratorResult<Uint8Array, undefined>>
  #isOver = false

  constructor(stream: QuicStream, read: () => Promise<IteratorResult<Uint8Array, undefined>>) {
    this.#stream = stream
    this.#read = read
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    return this.#isOver ? Promise.resolve(ended) : this.#read()
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#isOver = true
    this.#stream.stopSending(0)
    return ended
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

function asItIs(chunk: Uint8Array | undefined): Uint8Array | undefined {
  return chunk
}

function resultOf(chunk: Uint8Array | undefined): IteratorResult<Uint8Array, undefined> {
  return chunk === undefined ? ended : { value: chunk, done: false }
}

const ended: IteratorResult<Uint8Array, undefined> = { value: undefined, done: true }
/** Stands for a chunk that has not come. */
const notYet = new Uint8Array(0)
const nothing = new Uint8Array(0)
const done = Promise.resolve()

function ignore(): void {}

function rejected(error: unknown): Promise<void> {
  const promise = Promise.reject(error)
  promise.catch(ignore)
  return promise
}

// A stream as promises and iterators; WHATWG and node:stream faces on demand.

import { Duplex, type DuplexOptions } from 'node:stream'
import type { QuicError } from './errors.ts'

/** The verbs a stream needs of its session. */
export interface StreamDoor {
  write(id: number, bytes: Uint8Array, fin: boolean): number
  read(id: number): { readonly data: Uint8Array; readonly fin: boolean } | undefined
  reset(id: number, errorCode: number): void
  stop(id: number, errorCode: number): void
}

interface Waiter {
  resolve(): void
  reject(error: Error): void
}

const nothing = new Uint8Array(0)

export class QuicStream {
  readonly id: number
  readonly direction: 'bidi' | 'uni'
  /** Bytes of it came as 0-RTT data: it may be a replay until the handshake is confirmed. */
  readonly isEarly: boolean
  /** Resolves when both directions are done; never rejects. */
  readonly closed: Promise<void>
  readonly #door: StreamDoor
  readonly #canRead: boolean
  readonly #canWrite: boolean
  #isReadDone: boolean
  #isWriteDone: boolean
  #readError: QuicError | undefined
  #writeError: QuicError | undefined
  #reader: Waiter | undefined
  #writers: Waiter[] = []
  #isFull = false
  #resolveClosed: () => void = () => {}
  #webReadable: ReadableStream<Uint8Array> | undefined
  #webWritable: WritableStream<Uint8Array> | undefined

  constructor(id: number, isOurs: boolean, isEarly: boolean, door: StreamDoor) {
    this.id = id
    this.direction = (id & 2) === 0 ? 'bidi' : 'uni'
    this.isEarly = isEarly
    this.#door = door
    this.#canRead = this.direction === 'bidi' || !isOurs
    this.#canWrite = this.direction === 'bidi' || isOurs
    this.#isReadDone = !this.#canRead
    this.#isWriteDone = !this.#canWrite
    this.closed = new Promise(resolve => {
      this.#resolveClosed = resolve
    })
  }

  /** The next bytes, or undefined after the last. Rejects with a QuicError when the peer reset the stream. */
  async read(): Promise<Uint8Array | undefined> {
    if (!this.#canRead) throw new TypeError('this stream only sends')
    for (;;) {
      if (this.#isReadDone && this.#readError === undefined) return undefined
      // What came before a reset or a close is still handed out.
      const chunk = this.#door.read(this.id)
      if (chunk?.fin) this.#endRead()
      if (chunk && (chunk.data.length > 0 || chunk.fin)) return chunk.data.length > 0 ? chunk.data : undefined
      if (this.#readError) throw this.#readError
      if (this.#reader) throw new TypeError('a read is under way already')
      await new Promise<void>((resolve, reject) => {
        this.#reader = { resolve, reject }
      })
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    let isDone = false
    try {
      for (let chunk = await this.read(); chunk !== undefined; chunk = await this.read()) yield chunk
      isDone = true
    } finally {
      if (!isDone) this.stopSending(0)
    }
  }

  /** Everything up to the end. Throws a RangeError above `limit` bytes, default 16 MiB. */
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

  /** Queues bytes, which must not change afterwards; resolves when there is room for more. */
  write(bytes: Uint8Array | string): Promise<void> {
    return this.#write(bytes, false)
  }

  /** Queues the last bytes, or none, and ends our direction. */
  end(bytes: Uint8Array | string = nothing): Promise<void> {
    return this.#write(bytes, true)
  }

  /** Abandons our direction (RESET_STREAM). */
  reset(errorCode: number): void {
    if (this.#isWriteDone) return
    this.#door.reset(this.id, errorCode)
    this.#endWrite()
  }

  /** Asks the peer to abandon its direction (STOP_SENDING). */
  stopSending(errorCode: number): void {
    if (this.#isReadDone) return
    this.#door.stop(this.id, errorCode)
    this.#endRead()
  }

  /** WHATWG face of the receiving side. */
  get readable(): ReadableStream<Uint8Array> {
    this.#webReadable ??= new ReadableStream<Uint8Array>(
      {
        pull: async controller => {
          const chunk = await this.read()
          if (chunk === undefined) controller.close()
          else controller.enqueue(chunk)
        },
        cancel: () => this.stopSending(0),
      },
      { highWaterMark: 0 },
    )
    return this.#webReadable
  }

  /** WHATWG face of the sending side. */
  get writable(): WritableStream<Uint8Array> {
    this.#webWritable ??= new WritableStream<Uint8Array>({
      write: chunk => this.write(chunk),
      close: () => this.end(),
      abort: () => this.reset(0),
    })
    return this.#webWritable
  }

  /** node:stream face of both sides. */
  toDuplex(): Duplex {
    const stream = this
    const sides: DuplexOptions & { readable: boolean; writable: boolean } = {
      allowHalfOpen: true,
      readable: this.#canRead,
      writable: this.#canWrite,
      read() {
        stream.read().then(
          chunk => this.push(chunk ?? null),
          error => this.destroy(error),
        )
      },
      write(chunk, encoding, callback) {
        stream.write(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk).then(() => callback(), callback)
      },
      final(callback) {
        stream.end().then(() => callback(), callback)
      },
      destroy(error, callback) {
        stream.stopSending(0)
        stream.reset(0)
        callback(error)
      },
    }
    return new Duplex(sides)
  }

  /** The session tells: bytes are there. */
  onReadable(): void {
    this.#reader?.resolve()
    this.#reader = undefined
  }

  /** The session tells: there is room. */
  onWritable(): void {
    this.#isFull = false
    const writers = this.#writers
    this.#writers = []
    for (const writer of writers) writer.resolve()
  }

  /** The peer abandoned its direction. */
  onReset(error: QuicError): void {
    if (this.#isReadDone) return
    this.#readError = error
    this.#endRead()
  }

  /** The peer wants no more of ours; it was reset for us. */
  onStopped(error: QuicError): void {
    if (this.#isWriteDone) return
    this.#writeError = error
    this.#endWrite()
  }

  /** The connection ended. */
  onClosed(error: QuicError): void {
    this.onReset(error)
    this.onStopped(error)
  }

  async #write(bytes: Uint8Array | string, fin: boolean): Promise<void> {
    if (!this.#canWrite) throw new TypeError('this stream only receives')
    if (this.#writeError) throw this.#writeError
    if (this.#isWriteDone) throw new TypeError('the stream has been ended')
    const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
    const room = this.#door.write(this.id, data, fin)
    if (fin) return this.#endWrite()
    if (room > 0 && !this.#isFull) return
    this.#isFull = true
    await new Promise<void>((resolve, reject) => this.#writers.push({ resolve, reject }))
  }

  #endRead(): void {
    this.#isReadDone = true
    const reader = this.#reader
    this.#reader = undefined
    if (this.#readError) reader?.reject(this.#readError)
    else reader?.resolve()
    if (this.#isWriteDone) this.#resolveClosed()
  }

  #endWrite(): void {
    this.#isWriteDone = true
    const writers = this.#writers
    this.#writers = []
    for (const writer of writers) {
      if (this.#writeError) writer.reject(this.#writeError)
      else writer.resolve()
    }
    if (this.#isReadDone) this.#resolveClosed()
  }
}

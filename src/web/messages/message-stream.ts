// A message each way on one stream, as events: what a server and a client see of it when they want speed. Not a
// node:stream, which costs more than the rest of a small request; `toDuplex` makes one.

import { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import { Http3ErrorCode } from '../../http3/error-codes.ts'
import type { Field } from '../../http3/field.ts'
import type { RequestStream } from '../../http3/request-stream.ts'
import { addHeaders, type HeaderMap, type OutgoingHeaders, trailerFields } from './header-map.ts'
import { duplexOf, readableOf } from './message-duplex.ts'

/**
 * - `data` (Buffer): content. Attaching a listener starts the flow, `pause` and `resume` hold it back.
 * - `trailers` (headers): before `end`.
 * - `end`: the other's message is complete.
 * - `drain`: after `write` returned false, there is room again.
 * - `finish`: all of ours was handed over.
 * - `aborted`: the other end lost interest, or the connection ended.
 * - `error`: at a client only, and never without `close` after it.
 * - `close`: nothing more will happen.
 */
export abstract class MessageStream extends EventEmitter {
  /** Undefined at a client whose request waits for the handshake or for a stream. */
  protected stream: RequestStream | undefined
  /** To be sent with the first content. */
  protected head: readonly Field[] | undefined = undefined
  protected isClosed = false
  #isFlowing = false
  #isFlowScheduled = false
  #isEndSeen = false
  #isEnded = false
  #needsDrain = false
  #queued: Uint8Array[] | undefined = undefined

  /** QUIC stream id; -1 before there is one. */
  get id(): number {
    return this.stream === undefined ? -1 : this.stream.id
  }

  get destroyed(): boolean {
    return this.isClosed
  }

  /** Our message was ended. */
  get writableEnded(): boolean {
    return this.#isEnded
  }

  get writableNeedDrain(): boolean {
    return this.#needsDrain
  }

  /** Something to say may still arrive at the other end. */
  get writable(): boolean {
    return !this.#isEnded && !this.isClosed && (this.stream === undefined || this.stream.isWritable)
  }

  override on(event: string | symbol, listener: (...args: never[]) => void): this {
    super.on(event, listener as (...args: unknown[]) => void)
    if (event === 'data') this.resume()
    return this
  }

  override addListener(event: string | symbol, listener: (...args: never[]) => void): this {
    return this.on(event, listener)
  }

  /** Content flows from the next tick on. */
  resume(): this {
    this.#isFlowing = true
    // Before there is a head there is nothing to flow, and what comes with it flows then.
    if (this.#isFlowScheduled || !this.stream?.hasHead) return this
    this.#isFlowScheduled = true
    process.nextTick(flowLater, this)
    return this
  }

  pause(): this {
    this.#isFlowing = false
    return this
  }

  /** The next piece of content that is there, for those who do not let it flow. */
  read(): Buffer | undefined {
    const piece = this.stream?.read()
    return piece === undefined ? undefined : bufferOf(piece)
  }

  /** False: there is no room for more, wait for `drain`. Bytes must not change afterwards. */
  write(chunk: Uint8Array | string): boolean {
    return this.#send(bytesOf(chunk), false)
  }

  /** The end of our message, with or without a last piece of content. */
  end(chunk?: Uint8Array | string): this {
    this.#send(chunk === undefined ? undefined : bytesOf(chunk), true)
    return this
  }

  /** Trailers, which end the message. */
  sendTrailers(headers: OutgoingHeaders): this {
    if (!this.writable || this.stream === undefined) return this
    this.flushHead()
    this.stream.writeTrailers(trailerFields(headers))
    this.#finish()
    return this
  }

  /** Gives up both directions (RFC 9114 §4.1.1). */
  close(errorCode: number = Http3ErrorCode.RequestCancelled): this {
    this.stream?.cancel(errorCode)
    this.closed()
    return this
  }

  destroy(error?: Error): this {
    if (this.isClosed) return this
    if (error !== undefined && this.listenerCount('error') > 0) this.emit('error', error)
    return this.close()
  }

  /** Wants no more of what comes in. */
  stopReading(): void {
    this.#isFlowing = false
    this.stream?.stop(Http3ErrorCode.NoError)
  }

  /** A node:stream over it; then it is the only way in. */
  toDuplex(): Duplex {
    return duplexOf(this)
  }

  /** The content that comes in. To leave the loop early is to want no more of it. */
  [Symbol.asyncIterator](): AsyncIterator<Buffer> {
    return readableOf(this)[Symbol.asyncIterator]()
  }

  /** For the connection: there may be something to read. */
  onContent(): void {
    const { stream } = this
    if (stream === undefined || this.#isEndSeen) return
    while (this.#isFlowing) {
      const piece = stream.read()
      if (piece === undefined) break
      this.emit('data', bufferOf(piece))
    }
    // What nobody reads hides the end, except where there is no content at all.
    if (stream.error !== undefined) this.onFailed(stream.error)
    else if (stream.isEnded) this.#onEnd(stream)
  }

  /** For the connection: there is room. */
  onWritable(): void {
    if (!this.#needsDrain) return
    this.#needsDrain = false
    this.emit('drain')
  }

  /** What came in will not be complete. */
  protected abstract onFailed(error: unknown): void
  /** Both directions are done with. */
  protected abstract closed(): void
  /** All of our message was handed over. */
  protected onSent(): void {}

  protected flushHead(): void {
    const { head } = this
    if (head === undefined || this.stream === undefined) return
    this.head = undefined
    if (this.stream.isWritable) this.stream.writeHead(head)
  }

  /** What was written before there was a stream. */
  protected flushQueued(): void {
    const queued = this.#queued
    this.#queued = undefined
    for (const chunk of queued ?? []) this.stream?.write(chunk)
    if (this.#isEnded && this.stream?.isWritable) this.stream.end()
    this.onWritable()
    if (this.#isFlowing) this.resume()
  }

  get hasSeenEnd(): boolean {
    return this.#isEndSeen
  }

  #send(bytes: Uint8Array | undefined, end: boolean): boolean {
    if (!this.writable) return false
    const { head, stream } = this
    if (stream === undefined) return this.#queue(bytes, end)
    this.head = undefined
    const room = stream.send(head, bytes, end)
    if (end) this.#finish()
    else if (room <= 0) this.#needsDrain = true
    return room > 0
  }

  #queue(bytes: Uint8Array | undefined, end: boolean): boolean {
    this.#queued ??= []
    if (bytes !== undefined) this.#queued.push(bytes)
    if (end) this.#finish()
    else this.#needsDrain = true
    return false
  }

  #finish(): void {
    this.#isEnded = true
    this.#needsDrain = false
    this.emit('finish')
    this.onSent()
  }

  #onEnd(stream: RequestStream): void {
    this.#isEndSeen = true
    if (stream.trailers !== undefined) {
      const headers: HeaderMap = Object.create(null)
      addHeaders(headers, stream.trailers)
      this.emit('trailers', headers)
    }
    this.emit('end')
    if (this.#isEnded) this.closed()
  }

  /** For `resume`. */
  flowNow(): void {
    this.#isFlowScheduled = false
    if (this.#isFlowing && !this.isClosed) this.onContent()
  }
}

function flowLater(stream: MessageStream): void {
  stream.flowNow()
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function bytesOf(chunk: Uint8Array | string): Uint8Array {
  if (typeof chunk === 'string') return Buffer.from(chunk)
  if (chunk instanceof Uint8Array) return chunk
  throw new TypeError('content is a string, a Buffer or a Uint8Array')
}

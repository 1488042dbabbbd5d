// The stream of a CONNECT as a Duplex that takes a head of HTTP/1.1 first, as the socket of an upgrade would.

import { Duplex } from 'node:stream'
import { Http3ErrorCode } from '../../http3/error-codes.ts'
import type { RequestStream } from '../../http3/request-stream.ts'
import { type Http1Head, readHttp1Head } from './http1-head.ts'

export class TunnelSocket extends Duplex {
  readonly encrypted = true
  readonly #onHead: (head: Http1Head) => void
  #stream: RequestStream | undefined = undefined
  /** Written before the head was whole, or before there was a stream. */
  #early: Buffer = Buffer.alloc(0)
  #hasHead = false
  #isOpen = false
  #isWanted = false
  #wake: (() => void) | undefined = undefined

  /** `onHead`: told of what is written first; bytes behind it are content once `open` was called. */
  constructor(onHead: (head: Http1Head) => void) {
    super({ allowHalfOpen: true })
    this.#onHead = onHead
  }

  /** Content goes both ways from now on. `head`: what is read first. */
  open(stream: RequestStream, head?: Buffer): void {
    this.#stream = stream
    this.#isOpen = true
    if (head !== undefined) this.push(head)
    const early = this.#early
    this.#early = Buffer.alloc(0)
    if (early.length > 0) stream.write(early)
    this.onWritable()
    this.onContent()
  }

  onContent(): void {
    const stream = this.#stream
    if (stream === undefined || !this.#isOpen) return
    while (this.#isWanted) {
      const piece = stream.read()
      if (piece === undefined) break
      this.#isWanted = this.push(piece)
    }
    if (stream.error !== undefined) this.destroy(stream.error)
    else if (stream.isEnded) this.push(null)
  }

  onWritable(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  setKeepAlive(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  /** WebSocket looks after its time itself. */
  setTimeout(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  override _read(): void {
    this.#isWanted = true
    this.onContent()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error) => void): void {
    try {
      this.#take(chunk, callback)
    } catch (error) {
      callback(error as Error)
    }
  }

  override _final(callback: () => void): void {
    if (this.#stream?.isWritable && this.#stream.hasSentHead) this.#stream.end()
    callback()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    // RFC 9220 §3: what would be a RST there. Does nothing where both ends have ended.
    this.#stream?.cancel(Http3ErrorCode.RequestCancelled)
    this.onWritable()
    callback(error)
  }

  #take(chunk: Buffer, callback: (error?: Error) => void): void {
    if (this.#isOpen && this.#stream !== undefined) {
      // What is written belongs to whoever wrote it.
      const room = this.#stream.write(Uint8Array.from(chunk))
      if (room > 0 || !this.#stream.isWritable) callback()
      else this.#wake = callback
      return
    }
    this.#early = Buffer.concat([this.#early, chunk])
    const found = this.#hasHead ? undefined : readHttp1Head(this.#early)
    if (found !== undefined) {
      this.#hasHead = true
      this.#early = this.#early.subarray(found.size)
      this.#onHead(found.head)
    }
    callback()
  }
}

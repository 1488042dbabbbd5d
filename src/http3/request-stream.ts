// One request and its response on one stream (RFC 9114 §4.1): the door below fetch. Fields are plain lists, content is
// pulled with `read` and pushed with `write`, nothing here waits.

import { Writer } from '../bytes/writer.ts'
import { FieldSectionTooLarge, Http3Error, Http3ErrorCode, Http3StreamError } from './error-codes.ts'
import { type Field, fieldSectionSize } from './field.ts'
import { assertSendable, type RequestHead, type ResponseHead } from './fields.ts'
import { FrameType, frameHeaderSize, writeFrameHeader } from './frames.ts'
import { IncomingMessage, type MessageHost, Step } from './incoming-message.ts'

/** What a request stream needs of its connection. */
export interface RequestHost extends MessageHost {
  /** The encoded section: a view that is good until the next call. */
  encodeSection(fields: readonly Field[], streamId: number): Uint8Array
  /** The section encoded last went nowhere. */
  onSectionUnsent(streamId: number): void
  /** No more is read of a stream, and not all of it was. */
  onReadAbandoned(streamId: number): void
  /** SETTINGS_MAX_FIELD_SECTION_SIZE of the peer. */
  readonly peerMaxFieldSectionSize: number
  readonly events: { push(event: RequestEvent): unknown }
  /** All that will be sent was handed to the transport. */
  onSendEnded(stream: RequestStream): void
  /** Both directions are done with. */
  onStreamClosed(stream: RequestStream): void
  /** A connection error. */
  fail(error: Http3Error): void
}

/** What happened on a request stream. */
export type RequestEvent =
  /** `stream.request` (server) or `stream.response` (client, the final one) is there. */
  | { readonly type: 'head'; readonly stream: RequestStream }
  | { readonly type: 'interim'; readonly stream: RequestStream; readonly response: ResponseHead }
  /** `read` has something new: content, the end, or an error. */
  | { readonly type: 'content'; readonly stream: RequestStream }
  /** After `write` returned zero or less: more may be written. */
  | { readonly type: 'writable'; readonly stream: RequestStream }
  /** The peer does not want what we send (STOP_SENDING). */
  | { readonly type: 'stopped'; readonly stream: RequestStream; readonly errorCode: number }
  /** `stream.error` says why nothing more will come. */
  | { readonly type: 'failed'; readonly stream: RequestStream }

/** Content up to this size is copied behind its frame header, so that both are one write. */
export const MAX_MERGED_CONTENT = 4096

export class RequestStream {
  readonly id: number
  /** Why the message that comes in will not be complete. */
  error: Error | undefined = undefined
  readonly #host: RequestHost
  readonly #incoming: IncomingMessage
  #hasSentHead = false
  #isSendEnded = false
  #isSendAborted = false
  #isReceiveDone = false
  #isStopped = false
  /** Why the connection was closed, while what arrived before is being read. */
  #closeError: Error | undefined = undefined

  constructor(host: RequestHost, id: number) {
    this.id = id
    this.#host = host
    this.#incoming = new IncomingMessage(host, id)
  }

  /** True when (part of) what was received came as 0-RTT data, and no handshake vouches for it yet. */
  get isEarly(): boolean {
    return !this.#host.transport.isHandshakeConfirmed && this.#host.transport.isEarly(this.id)
  }

  /** Server: the request. Undefined until the event `head`. */
  get request(): RequestHead | undefined {
    return this.#incoming.request
  }

  /** Client: the final response. Undefined until the event `head`. */
  get response(): ResponseHead | undefined {
    return this.#incoming.response
  }

  get trailers(): readonly Field[] | undefined {
    return this.#incoming.trailers
  }

  /** The header section of the message that comes in is there. */
  get hasHead(): boolean {
    return this.#incoming.hasHead
  }

  /** Everything the peer had to say was received and taken. */
  get isEnded(): boolean {
    return this.#incoming.isEnded
  }

  /** The header section of the request or of the final response was sent. */
  get hasSentHead(): boolean {
    return this.#hasSentHead
  }

  /** False once the message was ended, given up by us, or refused by the peer. */
  get isWritable(): boolean {
    return !this.#isSendEnded && !this.#isSendAborted && !this.#isStopped
  }

  /** Sends a header section; a response may have interim ones (1xx) before. Returns the room left, as `write` does. */
  writeHead(fields: readonly Field[], end = false): number {
    return this.send(fields, undefined, end)
  }

  /** Sends content. The bytes must not change afterwards. Zero or less: wait for `writable` before the next. */
  write(data: Uint8Array, end = false): number {
    return this.send(undefined, data, end)
  }

  /** Sends a trailer section and ends the message. */
  writeTrailers(fields: readonly Field[]): number {
    if (!this.#hasSentHead) throw new TypeError('trailers before the header section')
    return this.send(fields, undefined, true)
  }

  end(): number {
    return this.send(undefined, undefined, true)
  }

  /**
   * Header section, content and end in as few writes as can be: one, unless the content is large. What is sent after
   * the peer lost interest goes nowhere.
   */
  send(fields: readonly Field[] | undefined, data: Uint8Array | undefined, end: boolean): number {
    if (this.#isSendEnded) throw new TypeError('the message was ended before')
    if (fields === undefined && !this.#hasSentHead) throw new TypeError('content before the header section')
    if (fields !== undefined) this.#assertSendable(fields)
    if (!this.isWritable) return 0
    const section = fields === undefined ? undefined : this.#host.encodeSection(fields, this.id)
    if (fields !== undefined && !isInterim(fields)) this.#hasSentHead = true
    const length = data === undefined ? 0 : data.length
    const isMerged = length <= MAX_MERGED_CONTENT
    const head = framed(section, length, isMerged ? data : undefined)
    const room = this.#write(head, end && isMerged)
    if (section !== undefined && this.#isSendAborted) this.#host.onSectionUnsent(this.id)
    if (isMerged) return room
    return this.isWritable ? this.#write(data as Uint8Array, end) : 0
  }

  /** The next piece of content; undefined when there is none now: see `isEnded`, `error`, or wait for `content`. */
  read(): Uint8Array | undefined {
    if (this.#isReceiveDone || !this.#incoming.hasHead) return undefined
    try {
      const step = this.#incoming.advance()
      if (step === Step.Wait && this.#closeError !== undefined) {
        this.#isReceiveDone = true
        this.error = this.#closeError
      }
      if (step !== Step.Content) return this.#afterRead(undefined)
      const piece = this.#incoming.piece()
      this.#incoming.settle()
      return this.#afterRead(piece)
    } catch (error) {
      this.#onFault(error)
      return undefined
    }
  }

  /** Gives up what we send. */
  reset(errorCode: number): void {
    if (this.#isSendEnded || this.#isSendAborted) return
    this.#isSendAborted = true
    this.#quietly(() => this.#host.transport.reset(this.id, errorCode))
    this.#closeIfDone()
  }

  /** Gives up what we receive. */
  stop(errorCode: number): void {
    if (this.#isReceiveDone) return
    this.#isReceiveDone = true
    // Once the end was seen nothing more can come, and there is nobody to tell.
    if (!this.#incoming.isFinished) this.#quietly(() => this.#host.transport.stop(this.id, errorCode))
    this.#host.onReadAbandoned(this.id)
    this.#closeIfDone()
  }

  /** Both: RFC 9114 §4.1.1. */
  cancel(errorCode: number): void {
    this.reset(errorCode)
    this.stop(errorCode)
  }

  /** Client: a response to HEAD has no content. */
  expectNoContent(): void {
    this.#incoming.isHeadRequest = true
  }

  onReadable(): void {
    if (this.#isReceiveDone) return
    // Content is read when somebody asks for it.
    if (this.#incoming.hasHead) {
      this.#host.events.push({ type: 'content', stream: this })
      return
    }
    try {
      this.#readHead()
    } catch (error) {
      this.#onFault(error)
    }
  }

  onWritable(): void {
    if (this.isWritable) this.#host.events.push({ type: 'writable', stream: this })
  }

  onReset(errorCode: number): void {
    if (this.#isReceiveDone) return
    this.#isReceiveDone = true
    this.#host.onReadAbandoned(this.id)
    this.error = new Http3StreamError(errorCode, 'the peer reset the stream', true)
    this.#endUnseen(Http3ErrorCode.RequestRejected)
    this.#host.events.push({ type: 'failed', stream: this })
    this.#closeIfDone()
    this.#host.onGlitch()
  }

  onStopped(errorCode: number): void {
    if (!this.isWritable) return
    this.#isStopped = true
    this.#endUnseen(errorCode)
    this.#host.events.push({ type: 'stopped', stream: this, errorCode })
    if (errorCode !== Http3ErrorCode.NoError) this.#host.onGlitch()
  }

  /** `hasRest`: what arrived before the connection was closed can still be read. */
  onConnectionClosed(error: Error, hasRest: boolean): void {
    this.#isSendAborted = true
    if (this.#isReceiveDone) return
    if (hasRest && this.#incoming.hasHead) {
      this.#closeError = error
      this.#host.events.push({ type: 'content', stream: this })
      return
    }
    this.#isReceiveDone = true
    this.error = error
    this.#host.events.push({ type: 'failed', stream: this })
  }

  #readHead(): void {
    for (;;) {
      const step = this.#incoming.advance()
      if (step === Step.Wait) return
      if (step === Step.Head) break
      const response = this.#incoming.interim as ResponseHead
      this.#host.events.push({ type: 'interim', stream: this, response })
    }
    // One look ahead: whether there is any content decides what the message becomes, and a content-length that is
    // wrong already should be seen by nobody (RFC 9114 §4.1.2).
    this.#incoming.advance()
    this.#host.events.push({ type: 'head', stream: this })
    this.#afterRead(undefined)
  }

  #afterRead(piece: Uint8Array | undefined): Uint8Array | undefined {
    if (this.#incoming.isEnded && !this.#isReceiveDone) {
      this.#isReceiveDone = true
      this.#host.onProgress()
      this.#closeIfDone()
    }
    return piece
  }

  #assertSendable(fields: readonly Field[]): void {
    assertSendable(fields)
    const limit = this.#host.peerMaxFieldSectionSize
    // RFC 9114 §4.2.2.
    if (limit !== Number.POSITIVE_INFINITY && fieldSectionSize(fields) > limit) {
      throw new RangeError(`the peer takes field sections of ${limit} bytes`)
    }
  }

  #write(bytes: Uint8Array, end: boolean): number {
    try {
      const room = this.#host.transport.write(this.id, bytes, end)
      if (end) {
        this.#isSendEnded = true
        this.#host.onSendEnded(this)
        this.#closeIfDone()
      }
      return room
    } catch {
      // The stream was closed under us: the event that says so is on its way.
      this.#isSendAborted = true
      this.#closeIfDone()
      return 0
    }
  }

  /** Giving up a stream that the transport has forgotten already is no fault of anybody. */
  #quietly(action: () => void): void {
    try {
      action()
    } catch {}
  }

  #onFault(error: unknown): void {
    if (this.#closeError !== undefined) {
      this.#isReceiveDone = true
      this.error = this.#closeError
      return
    }
    if (!(error instanceof Http3StreamError)) {
      this.#host.fail(error instanceof Http3Error ? error : internalError(error))
      return
    }
    if (error instanceof FieldSectionTooLarge && this.#host.isServer && !this.hasHead && this.isWritable) {
      // RFC 9114 §4.2.2. No handler has seen it, so there is nobody else to answer.
      this.send(requestHeaderFieldsTooLarge, undefined, true)
      this.stop(Http3ErrorCode.NoError)
    } else {
      this.error = error
      this.cancel(error.code)
      this.#host.events.push({ type: 'failed', stream: this })
    }
    try {
      this.#host.onGlitch()
    } catch (excess) {
      this.#host.fail(excess as Http3Error)
    }
  }

  /**
   * When the peer lost interest: our direction ends at once, except where a handler is at work. Then its end is the
   * end of the stream, so that a stream counts against the peer's limit for as long as it costs us something.
   */
  #endUnseen(errorCode: number): void {
    if (this.#host.isServer && this.#incoming.hasHead) return
    this.reset(this.#host.isServer ? errorCode : Http3ErrorCode.RequestCancelled)
  }

  #closeIfDone(): void {
    if (this.#isReceiveDone && (this.#isSendEnded || this.#isSendAborted)) this.#host.onStreamClosed(this)
  }
}

/** HEADERS with `section`, then DATA with `length` bytes, of which `data` is put in here. */
function framed(section: Uint8Array | undefined, length: number, data: Uint8Array | undefined): Uint8Array {
  let size = data === undefined ? 0 : data.length
  if (section !== undefined) size += frameHeaderSize(FrameType.Headers, section.length) + section.length
  if (length > 0) size += frameHeaderSize(FrameType.Data, length)
  if (size === 0) return empty
  const writer = Writer.allocate(size)
  if (section !== undefined) {
    writeFrameHeader(writer, FrameType.Headers, section.length)
    writer.put(section)
  }
  if (length > 0) writeFrameHeader(writer, FrameType.Data, length)
  if (data !== undefined) writer.put(data)
  return writer.bytes
}

function isInterim(fields: readonly Field[]): boolean {
  const first = fields[0]
  return first !== undefined && first[0] === ':status' && first[1].startsWith('1')
}

function internalError(error: unknown): Http3Error {
  return new Http3Error(Http3ErrorCode.InternalError, error instanceof Error ? error.message : String(error))
}

const empty = new Uint8Array(0)
const requestHeaderFieldsTooLarge: readonly Field[] = [[':status', '431']]

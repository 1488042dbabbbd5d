// One request and its response on one stream (RFC 9114 §4.1): the door below fetch. Fields are plain lists, content is
// pulled with `read` and pushed with `write`, nothing here waits.

import { FieldSectionTooLarge, Http3Error, Http3ErrorCode, Http3StreamError, internalError } from './error-codes.ts'
import { type Field, fieldSectionSize } from './field.ts'
import type { RequestHead, ResponseHead } from './fields.ts'
import { maxHttpDatagramSize, sendHttpDatagram } from './http-datagrams.ts'
import { IncomingMessage, Step } from './incoming-message.ts'
import { framed, OutgoingMessage, trimmed } from './outgoing-message.ts'
import { type Priority, readPriority } from './priority.ts'
import type { RequestHost as Host, StreamEvent } from './request-host.ts'

export type RequestHost = Host<RequestStream>
export type RequestEvent = StreamEvent<RequestStream>

/** Content up to this size is copied behind its frame header, so that both are one write. */
export const MAX_MERGED_CONTENT = 4096

export class RequestStream {
  readonly id: number
  /** Why the message that comes in will not be complete. */
  error: Error | undefined = undefined
  readonly #host: RequestHost
  readonly #incoming: IncomingMessage
  readonly outgoing: OutgoingMessage
  #datagrams: ((payload: Uint8Array) => void) | undefined = undefined
  /** What a PRIORITY_UPDATE said, or the request's own field; undefined: neither did. */
  #priority: Priority | undefined = undefined
  #isSendAborted = false
  #isReceiveDone = false
  #isStopped = false
  /** Why the connection was closed, while what arrived before is being read. */
  #closeError: Error | undefined = undefined

  constructor(host: RequestHost, id: number) {
    this.id = id
    this.#host = host
    this.#incoming = new IncomingMessage(host, id)
    this.outgoing = new OutgoingMessage()
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
    return this.outgoing.hasSentHead
  }

  /** False once the message was ended, given up by us, or refused by the peer. */
  get isWritable(): boolean {
    return !this.outgoing.isEnded && !this.#isSendAborted && !this.#isStopped
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
    if (!this.hasSentHead) throw new TypeError('trailers before the header section')
    return this.send(fields, undefined, true)
  }

  end(): number {
    return this.send(undefined, undefined, true)
  }

  /**
   * Header section, content and end in as few writes as can be: one, unless the content is large. What is sent after
   * the peer lost interest goes nowhere, and so does content in answer to HEAD. Throws a TypeError for what cannot come
   * now, a RangeError for content that is not as long as content-length says, or fields the peer does not take.
   */
  send(fields: readonly Field[] | undefined, content: Uint8Array | undefined, end: boolean): number {
    if (!this.isWritable && !this.outgoing.isEnded) return 0
    const data = this.request?.method === 'HEAD' ? undefined : content
    const length = data === undefined ? 0 : data.length
    this.outgoing.check(fields, length, end)
    if (fields !== undefined) this.#assertFits(fields)
    if (!this.isWritable) return 0
    const section = fields === undefined ? undefined : this.#encode(fields)
    this.outgoing.onSent(fields, length)
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
    if (this.outgoing.isEnded || this.#isSendAborted) return
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

  /** Client: what may come depends on the method (RFC 9110 §9.3.2, RFC 9114 §4.4). */
  expectAnswerTo(fields: readonly Field[]): void {
    const method = fields[0]?.[1]
    if (method === 'HEAD') this.#incoming.isHeadRequest = true
    if (method === 'CONNECT') this.#incoming.isConnect = true
  }

  /**
   * In which order this is to be sent (RFC 9218). A client tells its server what it wants of the response
   * (PRIORITY_UPDATE), unless its request has said so.
   */
  setPriority(priority: Priority): void {
    this.#priority = priority
    this.#host.onPriority(this, priority)
  }

  /** Server: what the client said in a frame; its field does not matter then (RFC 9218 §7). */
  get hasPriority(): boolean {
    return this.#priority !== undefined
  }

  /** Bytes of the largest datagram that can be sent now; 0: none can (RFC 9297 §2.1). */
  get maxDatagramSize(): number {
    return this.isWritable && this.#host.hasDatagrams ? maxHttpDatagramSize(this.#host.transport, this.id) : 0
  }

  /** False: it was not sent, because the peer takes none, or none so large, or the stream was ended. */
  sendDatagram(payload: Uint8Array): boolean {
    return this.isWritable && this.#host.hasDatagrams && sendHttpDatagram(this.#host.transport, this.id, payload)
  }

  /** Says that this request knows what to do with datagrams; without it one is H3_DATAGRAM_ERROR (RFC 9297 §2). */
  takeDatagrams(sink: (payload: Uint8Array) => void): void {
    this.#datagrams = sink
    for (const payload of this.#host.takeEarlyDatagrams(this.id)) sink(payload)
  }

  /** False: nobody wants it yet. */
  onDatagram(payload: Uint8Array): boolean {
    // RFC 9297 §2.1: what comes after the end is dropped.
    if (this.#isReceiveDone) return true
    if (this.#datagrams !== undefined) this.#datagrams(payload)
    else if (this.#isUndecided) return false
    else this.abort(new Http3StreamError(Http3ErrorCode.DatagramError, 'a datagram of a request that knows none'))
    return true
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
      if (step === Step.Foreign) {
        this.#host.onForeignStream(this, this.#incoming.owner, this.#incoming.rest(), this.#incoming.isFinished)
        return
      }
      const response = this.#incoming.interim as ResponseHead
      this.#host.events.push({ type: 'interim', stream: this, response })
    }
    // One look ahead: whether there is any content decides what the message becomes, and a content-length that is
    // wrong already should be seen by nobody (RFC 9114 §4.1.2).
    this.#incoming.advance()
    const method = this.request?.method
    if (method === 'HEAD' || method === 'CONNECT') this.outgoing.isUncounted = true
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

  /**
   * RFC 9114 §4.2.2. What a client announces must not throw in a handler that knows nothing of it: there the answer is
   * given up.
   */
  #assertFits(fields: readonly Field[]): void {
    const limit = this.#host.peerMaxFieldSectionSize
    if (limit === Number.POSITIVE_INFINITY || fieldSectionSize(fields) <= limit) return
    const reason = `the peer takes field sections of ${limit} bytes`
    if (!this.#host.isServer) throw new RangeError(reason)
    this.abort(new Http3StreamError(Http3ErrorCode.InternalError, reason))
  }

  #encode(fields: readonly Field[]): Uint8Array {
    // RFC 9218 §8: a server knows better what its client will want first.
    const { priority } = this.outgoing
    if (priority !== undefined && !this.hasSentHead) this.setPriority(readPriority(priority, this.#priority))
    return this.#host.encodeSection(trimmed(fields), this.id)
  }

  #write(bytes: Uint8Array, end: boolean): number {
    try {
      const room = this.#host.transport.write(this.id, bytes, end)
      if (end) {
        this.outgoing.isEnded = true
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
      this.#abort(error)
    }
    this.#spendGlitch()
  }

  /** Ends both directions; whoever has to do with the request is told. */
  abort(error: Http3StreamError): void {
    this.#abort(error)
    this.#spendGlitch()
  }

  #abort(error: Http3StreamError): void {
    this.error = error
    this.cancel(error.code)
    this.#host.events.push({ type: 'failed', stream: this })
  }

  #spendGlitch(): void {
    try {
      this.#host.onGlitch()
    } catch (excess) {
      this.#host.fail(excess as Http3Error)
    }
  }

  /**
   * A server may not know yet what the request is; one that has a protocol may be waiting for the handshake. To a client
   * datagrams may come before the answer they go with.
   */
  get #isUndecided(): boolean {
    if (!this.#host.isServer) return this.#incoming.isConnect && !this.#incoming.hasHead
    return this.request === undefined || this.request.protocol !== ''
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
    if (this.#isReceiveDone && (this.outgoing.isEnded || this.#isSendAborted)) this.#host.onStreamClosed(this)
  }
}

const requestHeaderFieldsTooLarge: readonly Field[] = [[':status', '431']]

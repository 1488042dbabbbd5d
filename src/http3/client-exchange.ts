// One request at a client: from the call to the last byte of the response.

import { limits } from '../limits.ts'
import { type BodyOwner, IncomingBody, OutgoingBody } from './body.ts'
import { Http3ErrorCode } from './error-codes.ts'
import { bodyBytes, hasNoContent, headerPairs, type RequestLike, requestFields } from './fetch.ts'
import type { Field } from './field.ts'
import type { ResponseHead } from './fields.ts'
import { ReplayableBody } from './replayable-body.ts'
import type { RequestStream } from './request-stream.ts'

export interface ClientRequestOptions {
  /**
   * It may be sent as 0-RTT data, where it can be replayed: for requests that do no harm twice (RFC 8470 §4). Then a
   * 425 is followed by a second try after the handshake. A body that is a stream is kept for that, up to `keepBody`
   * bytes, and goes no further until the handshake is confirmed. Default false.
   */
  readonly early?: boolean
  /** Bytes of a streamed body that are kept while it may have to be sent again. Default 65,536. */
  readonly keepBody?: number | undefined
  /** Cancels the request and the body of its response. Besides the signal of the request itself. */
  readonly signal?: AbortSignal | undefined
}

/** One request on its way; told what happens to it until it calls `onDone`. */
export interface OutgoingRequest {
  readonly fields: readonly Field[]
  /** A body known as a whole. */
  readonly bytes: Uint8Array | undefined
  /** There is more of the body than `bytes`. */
  readonly hasStream: boolean
  readonly mayBeEarly: boolean
  /** The response is there and its body is being read. */
  readonly isStreaming: boolean
  readonly isDone: boolean
  /** -1 while it waits. */
  readonly streamId: number
  /** RFC 8470 §5.2: the answer to early data is "not now", and there is something to say again. */
  readonly isTooEarly: boolean
  /** Set by the client. */
  onDone: () => void
  /** False when it was cancelled before it began. */
  listen(): boolean
  onOpened(stream: RequestStream, isEarly: boolean): void
  onInterim?(response: ResponseHead): void
  onResponse(): void
  onContent(): void
  onWritable(): void
  /** The handshake is confirmed: what is sent from now on cannot be too early. */
  onConfirmed?(): void
  /** The server wants no more of what we send. */
  onStopped(): void
  /** Ready to be sent once more, and not early. */
  rewind(): void
  /** Ends it, whatever it was at. */
  fail(error: unknown): void
}

export class ClientExchange implements OutgoingRequest, BodyOwner {
  readonly fields: readonly Field[]
  readonly bytes: Uint8Array | undefined
  onDone: () => void = () => {}
  isDone = false
  mayBeEarly: boolean
  readonly #isHead: boolean
  readonly #body: ReadableStream<unknown> | undefined
  readonly #keepBody: number
  /** A streamed body that went early. */
  #replayable: ReplayableBody | undefined = undefined
  readonly #signals: AbortSignal[] = []
  readonly #onAbort: (event: Event) => void
  readonly #resolve: (response: Response) => void
  readonly #reject: (error: unknown) => void
  #stream: RequestStream | undefined = undefined
  #incoming: IncomingBody | undefined = undefined
  #outgoing: OutgoingBody | undefined = undefined
  #wasEarly = false
  #isSent = false
  #isResponseDone = false

  /** Throws a TypeError for a request that cannot be. */
  constructor(
    request: RequestLike,
    options: ClientRequestOptions,
    authority: string | undefined,
    resolve: (response: Response) => void,
    reject: (error: unknown) => void,
  ) {
    const body = request.body ?? undefined
    this.bytes = bodyBytes(body)
    this.#body = body instanceof ReadableStream ? body : undefined
    if (body !== undefined && this.bytes === undefined && this.#body === undefined) {
      throw new TypeError('a body is a string, a Uint8Array or a ReadableStream')
    }
    this.fields = requestFields(request, authority, this.bytes === undefined ? -1 : this.bytes.length)
    this.mayBeEarly = options.early ?? false
    this.#keepBody = options.keepBody ?? limits.replayableBody
    this.#isHead = request.method === 'HEAD'
    this.#resolve = resolve
    this.#reject = reject
    this.#onAbort = event => this.fail((event.target as AbortSignal).reason)
    if (request.signal) this.#signals.push(request.signal)
    if (options.signal) this.#signals.push(options.signal)
  }

  get hasStream(): boolean {
    return this.#body !== undefined
  }

  get isStreaming(): boolean {
    return this.#incoming !== undefined
  }

  get streamId(): number {
    return this.#stream === undefined ? -1 : this.#stream.id
  }

  get isTooEarly(): boolean {
    const canRepeat = !this.hasStream || this.#replayable?.canReplay === true
    return this.#wasEarly && canRepeat && this.#stream?.response?.status === 425
  }

  listen(): boolean {
    for (const signal of this.#signals) {
      if (signal.aborted) {
        this.fail(signal.reason)
        return false
      }
      signal.addEventListener('abort', this.#onAbort)
    }
    return true
  }

  onOpened(stream: RequestStream, isEarly: boolean): void {
    this.#stream = stream
    this.#wasEarly = isEarly
    if (this.#body === undefined) return
    if (isEarly) this.#replayable = new ReplayableBody(this.#body, this.#keepBody)
    const outgoing = new OutgoingBody(stream, this.#replayable?.open() ?? this.#body, undefined)
    this.#outgoing = outgoing
    outgoing.run().then(
      () => this.#onSent(outgoing),
      error => this.fail(error),
    )
  }

  onConfirmed(): void {
    this.#replayable?.release()
  }

  onContent(): void {
    if (this.#incoming !== undefined) return this.#incoming.onContent()
    if (this.#stream?.response === undefined) return
    // No content is due: what is left to read is the end.
    while (this.#stream.read() !== undefined);
    if (this.#stream.isEnded || this.#stream.error !== undefined) this.onBodyEnded()
  }

  onWritable(): void {
    this.#outgoing?.onWritable()
  }

  /** RFC 9114 §4.1: the response is still good. */
  onStopped(): void {
    this.#outgoing?.cancel(new DOMException('The server wants no more of the body', 'AbortError'))
  }

  onResponse(): void {
    const stream = this.#stream as RequestStream
    const head = stream.response as ResponseHead
    if (head.status > 599) {
      stream.cancel(Http3ErrorCode.MessageError)
      return this.fail(new TypeError(`fetch has no status ${head.status}`))
    }
    const isBare = stream.isEnded || this.#isHead || hasNoContent(head.status)
    if (!isBare) this.#incoming = new IncomingBody(stream, this)
    const body = this.#incoming === undefined ? null : this.#incoming.readable
    try {
      this.#resolve(new Response(body as never, { status: head.status, headers: headerPairs(head.fields) }))
    } catch (error) {
      return this.fail(error)
    }
    if (isBare) this.onContent()
  }

  onBodyEnded(): void {
    this.#isResponseDone = true
    if (this.#outgoing === undefined || this.#isSent) this.#finish()
  }

  onBodyCancelled(): void {
    this.#outgoing?.cancel(new DOMException('The body of the response was cancelled', 'AbortError'))
    this.#stream?.cancel(Http3ErrorCode.RequestCancelled)
    this.#finish()
  }

  rewind(): void {
    this.#replayable?.rewind()
    this.#outgoing?.cancel(new DOMException('It is sent again', 'AbortError'))
    this.#outgoing = undefined
    this.#stream?.cancel(Http3ErrorCode.RequestCancelled)
    this.#stream = undefined
    this.#wasEarly = false
    this.mayBeEarly = false
  }

  fail(error: unknown): void {
    if (this.isDone) return
    this.#reject(error)
    this.#incoming?.fail(error)
    this.#outgoing?.cancel(error)
    this.#stream?.cancel(Http3ErrorCode.RequestCancelled)
    this.#finish()
  }

  #onSent(outgoing: OutgoingBody): void {
    if (outgoing !== this.#outgoing) return
    this.#isSent = true
    if (this.#isResponseDone) this.#finish()
  }

  #finish(): void {
    if (this.isDone) return
    this.isDone = true
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#onAbort)
    this.onDone()
  }
}

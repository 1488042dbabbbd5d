// One request of an agent: its way to a session, its answer back to whoever asked, its timeouts, and whether it may be
// sent again.

import type { OutgoingRequest } from '../../http3/client-exchange.ts'
import type { Field } from '../../http3/field.ts'
import { fieldValue, type ResponseHead } from '../../http3/fields.ts'
import {
  type ObservedRequest,
  requestBodySent,
  requestCreate,
  requestErrors,
  requestHeaders,
  requestTrailers,
} from '../channels.ts'
import { RequestError, requestError } from '../errors.ts'
import { fieldsOf, headersOf } from '../messages/header-map.ts'
import { Http3ClientStream } from './client-stream.ts'
import type { AnswerSink, DispatchController, DispatchOptions } from './dispatch.ts'
import { headersFrom, rawOf } from './dispatch.ts'
import { type BodyPieces, bodyOf, type RequestBody } from './request-body.ts'

/** What a request asks of its agent. */
export interface RequestOwner {
  readonly headersTimeout: number
  readonly bodyTimeout: number
  /** True: it was taken in hand again. */
  onFailed(request: DispatchedRequest, error: unknown): boolean
  /** True: the answer is not for whoever asked, and the request was taken in hand again. */
  onHead(request: DispatchedRequest, head: ResponseHead): boolean
  onDone(request: DispatchedRequest): void
}

/** What a request asks of a session. */
export interface RequestSession {
  mayBeEarly(method: string): boolean
  send(request: OutgoingRequest): void
}

export class DispatchedRequest implements DispatchController {
  readonly origin: URL
  readonly method: string
  readonly fields: readonly Field[]
  /** Times it was sent. */
  attempts = 0
  paused = false
  aborted = false
  reason: Error | null = null
  #head: readonly Field[] = []
  readonly #owner: RequestOwner
  readonly #sink: AnswerSink
  readonly #body: RequestBody
  readonly #isIdempotent: boolean
  readonly #headersTimeout: number
  readonly #bodyTimeout: number
  readonly #observed: ObservedRequest | undefined
  #stream: AgentStream | undefined = undefined
  #timer: NodeJS.Timeout | undefined = undefined
  #isStarted = false
  #isBodyBegun = false
  #isBodySent = false
  #hasHead = false
  #hasInterim = false
  #isDone = false

  /** Throws a TypeError for what is no request. */
  constructor(options: DispatchOptions, sink: AnswerSink, owner: RequestOwner) {
    this.#owner = owner
    this.#sink = sink
    this.origin = new URL(String(options.origin))
    if (this.origin.protocol !== 'https:')
      throw new TypeError(`HTTP/3 needs an https: origin, not ${this.origin.origin}`)
    this.method = options.method
    this.#body = bodyOf(options.body)
    this.fields = requestFields(options, this.origin, this.#body)
    this.#isIdempotent = options.idempotent ?? idempotent.has(options.method)
    this.#headersTimeout = options.headersTimeout ?? owner.headersTimeout
    this.#bodyTimeout = options.bodyTimeout ?? owner.bodyTimeout
    this.#observed = requestCreate.hasSubscribers || requestErrors.hasSubscribers ? this.#observe(options) : undefined
    if (this.#observed !== undefined) requestCreate.publish({ request: this.#observed })
  }

  /** It can go again from its beginning. */
  get canRepeat(): boolean {
    return !this.#hasHead && !this.aborted && (!this.#isBodyBegun || this.#body.pieces?.canRepeat === true)
  }

  /** Processed twice it does no harm (RFC 9110 §9.2.2). */
  get isIdempotent(): boolean {
    return this.#isIdempotent
  }

  /** The server has begun with it, whatever it says afterwards. */
  get wasBegun(): boolean {
    return this.#hasInterim
  }

  /** Tells whoever asked that it begins; false: it was given up. */
  start(): boolean {
    if (!this.#isStarted) {
      this.#isStarted = true
      this.#guard(() => this.#sink.start(this))
    }
    return !this.aborted && !this.#isDone
  }

  sendOn(session: RequestSession): void {
    if (!this.start()) return
    this.attempts++
    const stream = new AgentStream(this.fields, this.#body, this, session.mayBeEarly(this.method))
    this.#stream = stream
    this.#watch(this.#headersTimeout, 'ERR_ZEROTRIP_HEADERS_TIMEOUT')
    session.send(stream)
  }

  get rawHeaders(): Buffer[] {
    return rawOf(this.#head)
  }

  get rawTrailers(): Buffer[] {
    return rawOf(this.#stream?.trailerFields ?? [])
  }

  pause(): void {
    this.paused = true
    this.#stream?.pause()
    clearTimeout(this.#timer)
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    if (this.#hasHead) this.#watch(this.#bodyTimeout, 'ERR_ZEROTRIP_BODY_TIMEOUT')
    this.#stream?.resume()
  }

  abort(reason?: Error): void {
    if (this.aborted || this.#isDone) return
    this.aborted = true
    this.reason = reason ?? new RequestError('ERR_ZEROTRIP_ABORTED', 'the request was given up')
    const stream = this.#stream
    this.fail(this.reason)
    stream?.close()
  }

  /** Of a session: the request has a stream. */
  onOpened(stream: AgentStream): void {
    const { pieces, bytes } = this.#body
    if (pieces === undefined) return this.#onSent(bytes?.length ?? 0)
    this.#isBodyBegun = true
    this.#pump(stream, pieces).catch(error => {
      if (stream === this.#stream) this.abort(requestError(error))
    })
  }

  onInterim(stream: AgentStream, head: ResponseHead): void {
    if (stream !== this.#stream) return
    this.#hasInterim = true
    this.#head = head.fields
    this.#guard(() => this.#sink.head(head.status, head.fields))
  }

  onHead(stream: AgentStream, head: ResponseHead): void {
    if (stream !== this.#stream) return
    if (this.#owner.onHead(this, head)) {
      stream.close()
      return
    }
    this.#hasHead = true
    this.#head = head.fields
    if (this.#observed !== undefined && requestHeaders.hasSubscribers) {
      const response = { statusCode: head.status, headers: headersOf(head.fields) }
      requestHeaders.publish({ request: this.#observed, response })
    }
    this.#guard(() => this.#sink.head(head.status, head.fields))
    if (!this.paused) this.#watch(this.#bodyTimeout, 'ERR_ZEROTRIP_BODY_TIMEOUT')
    // In the same turn: content that came with the head follows at once.
    if (!this.paused) stream.resume()
  }

  onData(stream: AgentStream, chunk: Buffer): void {
    if (stream !== this.#stream || this.#isDone) return
    this.#timer?.refresh()
    this.#guard(() => this.#sink.data(chunk))
  }

  onEnd(stream: AgentStream): void {
    if (stream !== this.#stream || this.#isDone) return
    const trailers = stream.trailerFields ?? []
    this.#finish()
    if (this.#observed !== undefined && requestTrailers.hasSubscribers) {
      requestTrailers.publish({ request: this.#observed, trailers: headersOf(trailers) })
    }
    this.#guard(() => this.#sink.end(trailers))
  }

  onStreamFailed(stream: AgentStream, error: unknown): void {
    if (stream !== this.#stream || this.#isDone) return
    this.#stream = undefined
    clearTimeout(this.#timer)
    if (!this.#owner.onFailed(this, error)) this.fail(error)
  }

  /** For good. */
  fail(error: unknown): void {
    if (this.#isDone) return
    const shown = requestError(error)
    this.start()
    if (this.#isDone) return
    this.#finish()
    if (this.#observed !== undefined) requestErrors.publish({ request: this.#observed, error: shown })
    this.#sink.error(shown)
  }

  async #pump(stream: AgentStream, pieces: BodyPieces): Promise<void> {
    let total = 0
    for (let n = 0; ; n++) {
      const piece = await pieces.piece(n)
      if (!stream.writable) return
      if (piece === undefined) break
      total += piece.length
      const hasRoom = stream.write(piece)
      this.#sink.sent(piece.length, total)
      if (!hasRoom) await stream.room()
    }
    stream.end()
    this.#isBodySent = true
    this.#onSent(0)
  }

  #onSent(size: number): void {
    if (size > 0) this.#sink.sent(size, size)
    this.#sink.allSent()
    if (this.#observed !== undefined && requestBodySent.hasSubscribers) {
      requestBodySent.publish({ request: this.#observed })
    }
  }

  /** What a handler throws ends its request. */
  #guard(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.abort(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #watch(ms: number, code: 'ERR_ZEROTRIP_HEADERS_TIMEOUT' | 'ERR_ZEROTRIP_BODY_TIMEOUT'): void {
    clearTimeout(this.#timer)
    if (ms > 0) this.#timer = setTimeout(onTimeout, ms, this, code).unref()
  }

  #finish(): void {
    this.#isDone = true
    if (!this.#isBodySent) this.#body.pieces?.cancel()
    clearTimeout(this.#timer)
    this.#owner.onDone(this)
  }

  #observe(options: DispatchOptions): ObservedRequest {
    const { method } = this
    return { origin: this.origin.origin, method, path: options.path, headers: headersFrom(options.headers) }
  }
}

/** The stream of a request, whose events go to it without an emitter between. */
export class AgentStream extends Http3ClientStream {
  readonly #request: DispatchedRequest
  #room: (() => void) | undefined = undefined

  constructor(fields: readonly Field[], body: RequestBody, request: DispatchedRequest, early: boolean) {
    super(fields, { endStream: body.pieces === undefined, early }, body.bytes)
    this.#request = request
    this.on('drain', () => this.#go())
    this.on('stopped', () => this.#go())
    this.on('close', () => this.#go())
    this.on('error', error => request.onStreamFailed(this, error))
    this.on('end', () => request.onEnd(this))
    super.on('data', (chunk: Buffer) => request.onData(this, chunk))
  }

  /** Resolves when more may be written, or never will. */
  room(): Promise<void> {
    if (!this.writable || !this.writableNeedDrain) return Promise.resolve()
    return new Promise(resolve => {
      this.#room = resolve
    })
  }

  override onOpened(stream: Parameters<Http3ClientStream['onOpened']>[0], isEarly: boolean): void {
    super.onOpened(stream, isEarly)
    this.#request.onOpened(this)
  }

  override onInterim(response: ResponseHead): void {
    this.#request.onInterim(this, response)
  }

  protected override onHead(response: ResponseHead): void {
    this.#request.onHead(this, response)
  }

  #go(): void {
    const room = this.#room
    this.#room = undefined
    room?.()
  }
}

function onTimeout(
  request: DispatchedRequest,
  code: 'ERR_ZEROTRIP_HEADERS_TIMEOUT' | 'ERR_ZEROTRIP_BODY_TIMEOUT',
): void {
  const what = code === 'ERR_ZEROTRIP_HEADERS_TIMEOUT' ? 'no response' : 'no more of the response'
  request.abort(new RequestError(code, `${what} from ${request.origin.origin} in time`))
}

function requestFields(options: DispatchOptions, origin: URL, body: RequestBody): Field[] {
  const { method } = options
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method)) throw new TypeError(`not a method: ${method}`)
  const headers = headersFrom(options.headers)
  const authority = typeof headers['host'] === 'string' ? headers['host'] : origin.host
  delete headers['host']
  const fields = fieldsOf(headers, [
    [':method', method],
    [':scheme', 'https'],
    [':authority', authority],
    [':path', pathOf(options)],
  ])
  if (body.type !== undefined && fieldValue(fields, 'content-type') === undefined)
    fields.push(['content-type', body.type])
  const isLengthDue = body.length > 0 || (body.length === 0 && withContent.has(method))
  if (isLengthDue && fieldValue(fields, 'content-length') === undefined) {
    fields.push(['content-length', String(body.length)])
  }
  return fields
}

function pathOf({ path, query }: DispatchOptions): string {
  if (!path.startsWith('/')) throw new TypeError(`a path begins with /, not ${path}`)
  if (query === undefined || query === null) return path
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) parameters.append(name, String(each ?? ''))
  }
  return `${path}?${parameters}`
}

/** RFC 9110 §9.2.2. */
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])
const withContent: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

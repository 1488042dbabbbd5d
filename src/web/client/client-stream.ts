// The fast door of a client: a request and its answer as one light object, shaped as the streams of node:http2.

import type { OutgoingRequest } from '../../http3/client-exchange.ts'
import { Http3ErrorCode } from '../../http3/error-codes.ts'
import type { Field } from '../../http3/field.ts'
import type { ResponseHead } from '../../http3/fields.ts'
import type { RequestStream } from '../../http3/request-stream.ts'
import { addHeaders, fieldsOf, type HeaderMap, headersOf, type OutgoingHeaders } from '../messages/header-map.ts'
import { MessageStream } from '../messages/message-stream.ts'

export interface ClientStreamOptions {
  /** The request has no content. Default true for GET, HEAD and DELETE. */
  readonly endStream?: boolean
  /** Cancels the request. */
  readonly signal?: AbortSignal | undefined
  /** May leave as 0-RTT data, where it can be replayed (RFC 8470). Default false. */
  readonly early?: boolean
}

/** Besides those of every message: `response` (headers), and `headers` for interim ones (1xx). */
export class Http3ClientStream extends MessageStream implements OutgoingRequest {
  readonly fields: readonly Field[]
  readonly bytes: Uint8Array | undefined
  readonly hasStream: boolean
  mayBeEarly: boolean
  onDone: () => void = ignore
  readonly #signal: AbortSignal | undefined
  readonly #onAbort = (): void => this.fail(this.#signal?.reason)
  #wasEarly = false
  #isStopped = false

  /** `bytes`: the content, if it is known as a whole. Throws a TypeError for what is no request. */
  constructor(fields: readonly Field[], options: ClientStreamOptions, bytes?: Uint8Array) {
    super()
    this.fields = fields
    this.bytes = bytes
    const method = fields[0]?.[1] as string
    this.hasStream = !(options.endStream ?? bodiless.has(method))
    this.mayBeEarly = options.early ?? false
    this.#signal = options.signal
    if (!this.hasStream) this.end()
  }

  get isDone(): boolean {
    return this.isClosed
  }

  get streamId(): number {
    return this.id
  }

  get isStreaming(): boolean {
    return this.stream?.response !== undefined
  }

  get isTooEarly(): boolean {
    return this.#wasEarly && !this.hasStream && this.stream?.response?.status === 425
  }

  /** The final response; undefined until `response`. */
  get response(): ResponseHead | undefined {
    return this.stream?.response
  }

  /** Trailers of the response, after its end. */
  get trailerFields(): readonly Field[] | undefined {
    return this.stream?.trailers
  }

  listen(): boolean {
    const signal = this.#signal
    if (signal === undefined) return true
    if (signal.aborted) {
      this.fail(signal.reason)
      return false
    }
    signal.addEventListener('abort', this.#onAbort)
    return true
  }

  onOpened(stream: RequestStream, isEarly: boolean): void {
    this.stream = stream
    this.#wasEarly = isEarly
    this.flushQueued()
  }

  onInterim(response: ResponseHead): void {
    if (this.listenerCount('headers') > 0) this.emit('headers', responseHeaders(response))
    if (response.status === 100) this.emit('continue')
  }

  onResponse(): void {
    this.onHead(this.response as ResponseHead)
    if (!this.isClosed) this.onContent()
  }

  onStopped(): void {
    // RFC 9114 §4.1: the response is still good.
    this.#isStopped = true
    this.emit('stopped')
  }

  override get writable(): boolean {
    return super.writable && !this.#isStopped
  }

  rewind(): void {
    this.stream?.cancel(Http3ErrorCode.RequestCancelled)
    this.stream = undefined
    this.#wasEarly = false
    this.mayBeEarly = false
  }

  fail(error: unknown): void {
    if (this.isClosed) return
    this.stream?.cancel(Http3ErrorCode.RequestCancelled)
    this.#release()
    // Who asked may not have had the time to listen.
    process.nextTick(emitFailure, this, error)
  }

  /** The header section of the answer is there. */
  protected onHead(response: ResponseHead): void {
    this.emit('response', responseHeaders(response))
  }

  protected onFailed(error: unknown): void {
    this.fail(error)
  }

  protected closed(): void {
    if (this.isClosed) return
    this.#release()
    this.emit('close')
  }

  #release(): void {
    this.isClosed = true
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.onDone()
  }
}

/**
 * The header section of a request: `:method`, default GET, `:scheme`, `:authority`, default that of the session, `:path`,
 * default `/`, and fields.
 */
export function clientFields(headers: OutgoingHeaders, authority: string): Field[] {
  const method = String(headers[':method'] ?? 'GET')
  const pseudo: Field[] = [[':method', method]]
  const named = String(headers[':authority'] ?? headers['host'] ?? authority)
  if (method === 'CONNECT' && headers[':protocol'] === undefined) pseudo.push([':authority', named])
  else {
    pseudo.push([':scheme', String(headers[':scheme'] ?? 'https')], [':authority', named])
    pseudo.push([':path', String(headers[':path'] ?? '/')])
    if (headers[':protocol'] !== undefined) pseudo.push([':protocol', String(headers[':protocol'])])
  }
  const { host: _host, ...rest } = headers
  return fieldsOf(headers['host'] === undefined ? headers : rest, pseudo)
}

function responseHeaders({ status, fields }: ResponseHead): HeaderMap {
  const headers = headersOf([])
  headers[':status'] = status
  addHeaders(headers, fields)
  return headers
}

function emitFailure(stream: Http3ClientStream, error: unknown): void {
  stream.emit('error', error)
  stream.emit('close')
}

function ignore(): void {}

const bodiless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE'])

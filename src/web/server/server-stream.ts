// The fast door: a request and its answer as one light object, shaped as the streams of node:http2.

import type { QuicSession } from '../../endpoint/quic-session.ts'
import { Http3ErrorCode } from '../../http3/error-codes.ts'
import type { Field } from '../../http3/field.ts'
import type { RequestHead } from '../../http3/fields.ts'
import type { RequestStream } from '../../http3/request-stream.ts'
import { addHeaders, fieldsOf, type HeaderMap, type OutgoingHeaders } from '../messages/header-map.ts'
import { MessageStream } from '../messages/message-stream.ts'
import type { ServerAnswer, ServerSession } from './server-session.ts'

export class Http3ServerStream extends MessageStream implements ServerAnswer {
  /** It came as 0-RTT data and may be a replay (RFC 8470). */
  readonly early: boolean
  readonly #session: ServerSession
  #hasResponded = false

  constructor(session: ServerSession, stream: RequestStream) {
    super()
    this.stream = stream
    this.#session = session
    this.early = stream.isEarly
  }

  /** The QUIC connection it came on. */
  get session(): QuicSession {
    return this.#session.session
  }

  /** Resolves when the handshake is confirmed: from then on the request is known to be no replay. */
  get confirmed(): Promise<void> {
    return this.#session.session.confirmed
  }

  get headersSent(): boolean {
    return this.#hasResponded
  }

  /**
   * The header section of the answer: `:status`, default 200, and fields; it leaves with the content written in this
   * tick. `endStream`: there is no content. Throws a TypeError when called twice, or for what is no field.
   */
  respond(headers: OutgoingHeaders = {}, options: { readonly endStream?: boolean } = {}): this {
    if (this.#hasResponded) throw new TypeError('respond was called before')
    const status = headers[':status'] ?? 200
    this.head = this.#session.withDate(fieldsOf(headers, [statusField(status)]))
    this.#hasResponded = true
    if (options.endStream === true) return this.end()
    queueMicrotask(() => this.flushHead())
    return this
  }

  /** An interim response, 1xx: `{ ':status': 103, link }` for early hints. Throws after `respond`. */
  additionalHeaders(headers: OutgoingHeaders): this {
    const status = Number(headers[':status'])
    if (this.#hasResponded) throw new TypeError('interim responses come before respond')
    if (!(status >= 100 && status <= 199)) throw new RangeError(`not an interim status: ${headers[':status']}`)
    if (this.writable) this.stream?.writeHead(fieldsOf(headers, [statusField(status)]))
    return this
  }

  override end(chunk?: Uint8Array | string): this {
    if (!this.#hasResponded) this.respond()
    return super.end(chunk)
  }

  override write(chunk: Uint8Array | string): boolean {
    if (!this.#hasResponded) this.respond()
    return super.write(chunk)
  }

  start(): void {
    this.#session.emitStream(this, this.#headers())
  }

  abort(_error: unknown): void {
    if (this.isClosed) return
    this.emit('aborted')
    this.close()
  }

  protected onFailed(error: unknown): void {
    this.abort(error)
  }

  protected override onSent(): void {
    // RFC 9114 §4.1: what is left of the request is of no use, unless somebody reads it.
    if (this.stream?.isEnded || this.listenerCount('data') === 0) this.closed()
  }

  protected closed(): void {
    const { stream } = this
    if (this.isClosed || stream === undefined) return
    this.isClosed = true
    stream.reset(Http3ErrorCode.RequestCancelled)
    stream.stop(Http3ErrorCode.NoError)
    this.#session.onAnswered(stream)
    this.emit('close')
  }

  #headers(): HeaderMap {
    const { method, scheme, authority, path, fields } = (this.stream as RequestStream).request as RequestHead
    const headers: HeaderMap = Object.create(null)
    headers[':method'] = method
    headers[':scheme'] = scheme
    headers[':authority'] = authority
    headers[':path'] = path
    addHeaders(headers, fields)
    return headers
  }
}

function statusField(status: unknown): Field {
  if (status === 200) return ok
  const text = String(status)
  if (!/^[1-9][0-9]{2}$/.test(text)) throw new RangeError(`not a status: ${text}`)
  return [':status', text]
}

const ok: Field = [':status', '200']

// Sessions at a client: the request for one, and what its answer means.

import type { Http3Client } from '../client.ts'
import { Http3ErrorCode, Http3StreamError } from '../error-codes.ts'
import type { Field } from '../field.ts'
import type { ResponseHead } from '../fields.ts'
import type { RequestStream } from '../request-stream.ts'
import { TunnelRequest } from '../tunnel-request.ts'
import { sessionError } from './error.ts'
import type { WebTransportHub } from './hub.ts'
import type { WebTransportSession } from './session.ts'
import { readStrings, UPGRADE_TOKEN, UPGRADE_TOKEN_DRAFT_02, WebTransportCode, writeStrings } from './wire.ts'

export interface WebTransportRequestOptions {
  readonly authority: string
  readonly path: string
  readonly headers?: Iterable<readonly [string, string]> | undefined
  /** Offered, the one preferred first. */
  readonly protocols?: readonly string[] | undefined
}

/** Asks for a session, as soon as the server's SETTINGS say in which of its drafts (section 3.1). */
export function requestSession(
  client: Http3Client,
  hub: WebTransportHub,
  session: WebTransportSession,
  options: WebTransportRequestOptions,
): void {
  hub.whenSettled(() => {
    if (session.isEnded) return
    if (hub.isPossible) client.send(new SessionRequest(hub, session, options, client.peerSettings.webTransport))
    else session.fail(sessionError('the server takes no sessions of WebTransport'))
  })
}

class SessionRequest extends TunnelRequest {
  readonly fields: readonly Field[]
  readonly #hub: WebTransportHub
  readonly #session: WebTransportSession
  readonly #protocols: readonly string[]
  readonly #isCurrent: boolean

  constructor(
    hub: WebTransportHub,
    session: WebTransportSession,
    options: WebTransportRequestOptions,
    isCurrent: boolean,
  ) {
    super()
    this.#isCurrent = isCurrent
    this.#hub = hub
    this.#session = session
    this.#protocols = options.protocols ?? []
    const fields: Field[] = [
      [':method', 'CONNECT'],
      [':protocol', isCurrent ? UPGRADE_TOKEN : UPGRADE_TOKEN_DRAFT_02],
      [':scheme', 'https'],
      [':authority', options.authority],
      [':path', options.path],
    ]
    if (!isCurrent) fields.push(['sec-webtransport-http3-draft02', '1'])
    if (this.#protocols.length > 0) fields.push(['wt-available-protocols', writeStrings(this.#protocols)])
    for (const [name, value] of options.headers ?? []) fields.push([name.toLowerCase(), value])
    this.fields = fields
  }

  listen(): boolean {
    return !this.#session.isEnded
  }

  override onOpened(stream: RequestStream): void {
    super.onOpened(stream)
    this.#session.onRequested(stream)
  }

  onResponse(): void {
    const stream = this.stream as RequestStream
    const response = stream.response as ResponseHead
    // Section 3.2: redirects are not followed.
    if (response.status > 299) return this.#refused(`the server answered ${response.status}`)
    if (isNoTunnel(response)) {
      stream.abort(new Http3StreamError(Http3ErrorCode.MessageError, 'content where capsules are'))
      return this.#refused('the answer of the server is malformed')
    }
    const [protocol = ''] = readStrings(response.field('wt-protocol') ?? '') ?? []
    if (protocol !== '' && !this.#protocols.includes(protocol)) {
      stream.cancel(WebTransportCode.AlpnError)
      return this.#refused('the server chose a protocol that was not offered')
    }
    this.#session.protocol = protocol
    if (this.#isCurrent) this.#session.flow = this.#hub.newFlow()
    this.#hub.add(this.#session)
    this.#session.onEstablished(stream)
    this.#checkEnd()
  }

  onContent(): void {
    this.#session.onContent()
    this.#checkEnd()
  }

  override onWritable(): void {
    this.#session.onWritable()
  }

  fail(error: unknown): void {
    this.#session.fail(sessionError('the session broke off', error))
    this.stream?.cancel(Http3ErrorCode.RequestCancelled)
    this.done()
  }

  #refused(reason: string): void {
    this.#session.fail(sessionError(reason))
    this.stream?.cancel(Http3ErrorCode.RequestCancelled)
    this.done()
  }

  #checkEnd(): void {
    const stream = this.stream
    if (this.#session.isEnded && (stream?.isEnded || stream?.error !== undefined)) this.done()
  }
}

/** RFC 9297 §3.2. */
function isNoTunnel({ status, contentLength, fields }: ResponseHead): boolean {
  return status === 204 || status === 205 || status === 206 || contentLength !== -1 || fields.some(isContentType)
}

function isContentType([name]: Field): boolean {
  return name === 'content-type'
}

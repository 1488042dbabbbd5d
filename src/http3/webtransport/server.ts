// Sessions at a server: who may have one, and who is told.

import { limits } from '../../limits.ts'
import { Http3Error, Http3ErrorCode, Http3StreamError } from '../error-codes.ts'
import { headerPairs, requestUrl } from '../fetch.ts'
import type { Field } from '../field.ts'
import type { RequestHead } from '../fields.ts'
import type { RequestStream } from '../request-stream.ts'
import type { Exchange, ExchangeFactory, Http3Server } from '../server.ts'
import type { ExchangeHost } from '../server-exchange.ts'
import type { WebTransportLimits } from '../settings.ts'
import { sessionError } from './error.ts'
import type { SessionFlow } from './flow-control.ts'
import { WebTransportHub } from './hub.ts'
import { WebTransportSession } from './session.ts'
import { readStrings, UPGRADE_TOKEN, UPGRADE_TOKEN_DRAFT_02, writeStrings } from './wire.ts'

/** What a client asks for. */
export interface WebTransportRequest {
  readonly url: string
  readonly headers: Headers
  /** The origin of the page that asks; undefined: no browser does. */
  readonly origin: string | undefined
  /** Protocols offered, the one preferred first. */
  readonly protocols: readonly string[]
}

/** Yes; no, with 403 or the status; or yes, with one of the protocols and with more fields of the answer. */
export type WebTransportAnswer =
  | boolean
  | number
  | { readonly protocol?: string; readonly headers?: Iterable<readonly [string, string]> }

export interface WebTransportServerOptions {
  /** Told of each session, when it is established. */
  readonly session: (session: WebTransportServerSession) => unknown
  /**
   * Who may have one. Default: pages of the same host and port as the server, and whoever is no browser. With one of
   * your own look at `origin`: any page can make its visitor's browser ask.
   */
  readonly accept?: ((request: WebTransportRequest) => WebTransportAnswer | Promise<WebTransportAnswer>) | undefined
  /**
   * What a client may be ahead by in one session (section 5 of the current draft). Default 2 MiB of data and 64 streams of
   * each direction; all 0: no flow control, and one session at a time. Sessions of draft-02 know of none.
   */
  readonly limits?: Partial<WebTransportLimits> | undefined
}

export class WebTransportServerSession extends WebTransportSession {
  readonly request: WebTransportRequest

  constructor(hub: WebTransportHub, request: WebTransportRequest) {
    super(hub)
    this.request = request
  }
}

/** What an `Http3Server` needs to take sessions: settings and `tunnels`, and `attach` for each that is made. */
export function webTransportTunnels(options: WebTransportServerOptions): Readonly<Record<string, ExchangeFactory>> {
  const make: ExchangeFactory = (host, stream) => new Acceptance(host as Http3Server, stream, options)
  return { [UPGRADE_TOKEN]: make, [UPGRADE_TOKEN_DRAFT_02]: make }
}

/** Section 4: data of sessions may come before any of them; who takes sessions says so from the beginning. */
export function attachWebTransport(server: Http3Server): void {
  new WebTransportHub(server.connection)
}

/** SETTINGS of a server that takes sessions. */
export const webTransportSettings = { enableConnectProtocol: true, h3Datagram: true, webTransport: true } as const

class Acceptance implements Exchange {
  readonly #host: ExchangeHost
  readonly #hub: WebTransportHub
  readonly #stream: RequestStream
  readonly #options: WebTransportServerOptions
  #session: WebTransportServerSession | undefined = undefined
  #flow: SessionFlow | undefined = undefined
  #isDone = false

  constructor(host: Http3Server, stream: RequestStream, options: WebTransportServerOptions) {
    this.#host = host
    this.#hub = host.connection.foreign as WebTransportHub
    this.#stream = stream
    this.#options = options
  }

  /** Section 3.1: the client's SETTINGS say whether it knows how; they may be on their way. */
  start(): void {
    this.#hub.whenSettled(() => this.#consider())
  }

  onContent(): void {
    this.#session?.onContent()
    this.#checkEnd()
  }

  onWritable(): void {
    this.#session?.onWritable()
  }

  abort(error: unknown): void {
    this.#session?.fail(sessionError('the session broke off', error))
    this.#stream.cancel(Http3ErrorCode.RequestCancelled)
    this.#done()
  }

  #consider(): void {
    if (this.#isDone) return
    if (!this.#hub.isPossible) {
      this.#stream.abort(new Http3StreamError(Http3ErrorCode.MessageError, 'a session without the settings for it'))
      return this.#done()
    }
    // Section 5.2: without flow control of sessions there is one at a time; browsers of draft-02 know of none.
    const head = this.#stream.request as RequestHead
    if (head.protocol === UPGRADE_TOKEN) this.#flow = this.#hub.newFlow()
    const isAlone = head.protocol === UPGRADE_TOKEN && this.#flow === undefined
    if (this.#hub.sessionCount >= (isAlone ? 1 : limits.webTransportSessions)) {
      this.#stream.cancel(Http3ErrorCode.RequestRejected)
      return this.#done()
    }
    this.#hub.expected.add(this)
    const request = requestOf(head)
    Promise.resolve()
      .then(() => (this.#options.accept ?? acceptSameHost)(request))
      .then(answer => this.#answer(request, answer))
      .catch((error: unknown) => this.#onError(error))
  }

  #answer(request: WebTransportRequest, answer: WebTransportAnswer): void {
    if (this.#isDone) return
    if (answer === true) return this.#establish(request, {})
    if (typeof answer === 'object') return this.#establish(request, answer)
    this.#refuse(answer === false ? 403 : answer)
  }

  #establish(request: WebTransportRequest, answer: Exclude<WebTransportAnswer, boolean | number>): void {
    const { protocol, headers } = answer
    if (protocol !== undefined && !request.protocols.includes(protocol)) {
      throw new TypeError(`the client has not offered the protocol ${protocol}`)
    }
    const fields: Field[] = [[':status', '200']]
    if (this.#stream.request?.protocol === UPGRADE_TOKEN_DRAFT_02)
      fields.push(['sec-webtransport-http3-draft', 'draft02'])
    if (protocol !== undefined) fields.push(['wt-protocol', writeStrings([protocol])])
    for (const [name, value] of headers ?? []) fields.push([name.toLowerCase(), value])
    this.#stream.writeHead(fields)
    const session = new WebTransportServerSession(this.#hub, request)
    session.protocol = protocol ?? ''
    session.flow = this.#flow
    this.#session = session
    session.onRequested(this.#stream)
    this.#hub.expected.delete(this)
    this.#hub.add(session)
    session.onEstablished(this.#stream)
    Promise.resolve()
      .then(() => this.#options.session(session))
      .catch((error: unknown) => {
        this.#host.options.onError?.(error, undefined)
        session.close()
      })
    this.#checkEnd()
  }

  #refuse(status: number): void {
    this.#hub.refuse(this.#stream.id)
    if (this.#stream.isWritable) this.#stream.writeHead([[':status', String(status)]], true)
    this.#stream.stop(Http3ErrorCode.NoError)
    this.#done()
  }

  #onError(error: unknown): void {
    if (error instanceof Http3Error) throw error
    this.#host.options.onError?.(error, undefined)
    if (this.#session === undefined && !this.#isDone) this.#refuse(500)
  }

  /** The session ended, and so did what the client has to say. */
  #checkEnd(): void {
    if (this.#session?.isEnded && (this.#stream.isEnded || this.#stream.error !== undefined)) this.#done()
  }

  #done(): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#hub.expected.delete(this)
    this.#host.onExchangeDone(this.#stream)
  }
}

function requestOf(head: RequestHead): WebTransportRequest {
  return {
    url: requestUrl(head),
    headers: new Headers(headerPairs(head.fields)),
    origin: head.field('origin'),
    protocols: readStrings(head.field('wt-available-protocols') ?? '') ?? [],
  }
}

/** Section 3.2: a page of somebody else has nothing to look for here. */
function acceptSameHost({ origin, url }: WebTransportRequest): boolean {
  if (origin === undefined) return true
  return URL.canParse(origin) && new URL(origin).host === new URL(url).host
}

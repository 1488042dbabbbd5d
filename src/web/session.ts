// An HTTP/3 client for people: connect(url), session.fetch(path); or fetch(url) for a single request.

import type { ConnectionEvent, PeerInfo } from '../connection/events.ts'
import { defaultBackend } from '../crypto/backend-wasm.ts'
import type { Application } from '../endpoint/application.ts'
import { closeWith, QuicEndpoint } from '../endpoint/endpoint.ts'
import type { EndpointOptions } from '../endpoint/endpoint-options.ts'
import type { ConnectOptions } from '../endpoint/options.ts'
import type { CloseInfo, QuicSession } from '../endpoint/quic-session.ts'
import { Http3Client, type Http3ClientOptions } from '../http3/client.ts'
import type { OutgoingRequest } from '../http3/client-exchange.ts'
import { isSafeMethod } from '../http3/early-data.ts'
import type { RequestLike } from '../http3/fetch.ts'
import type { ClientBundle } from '../zero-rtt/bundle.ts'
import { type ClientStreamOptions, clientFields, Http3ClientStream } from './client/client-stream.ts'
import { ClientTickets } from './client-tickets.ts'
import type { OutgoingHeaders } from './messages/header-map.ts'
import { type FetchBody, sessionBody } from './session-body.ts'

export interface Http3ConnectOptions
  extends Omit<ConnectOptions, 'alpn' | 'application'>,
    Pick<EndpointOptions, 'backend'> {
  /** The socket to use, shared with other sessions and left open. Default: one that closes with the session. */
  readonly endpoint?: QuicEndpoint
  /**
   * What a platform provisioned for speaking to this worker. Each session made of the same object uses it once; it also
   * turns `earlyData` on, for the requests it allows.
   */
  readonly bundle?: ClientBundle
  /**
   * Made while nobody waits: keys and ClientHello are there, and nothing is sent before the first request. What it proves
   * itself with has the time in it: one that is seconds old may have its early data refused, so close it and make another.
   * `handshakeTimeout` counts from here on. Default false.
   */
  readonly ahead?: boolean
  /** Limits of HTTP/3 itself. */
  readonly http3?: Omit<Http3ClientOptions, 'authority' | 'remembered'>
}

export interface Http3FetchInit {
  /** Default GET. */
  readonly method?: string
  readonly headers?: ConstructorParameters<typeof Headers>[0]
  readonly body?: FetchBody | null
  /** Cancels the request, and the body of its response. */
  readonly signal?: AbortSignal | null
  /**
   * May leave as 0-RTT data, where it can be replayed (RFC 8470). Default: on a session with `earlyData`, requests of
   * safe methods, or what the bundle allows.
   */
  readonly early?: boolean
  /** Bytes of a streamed body that are kept while it may have to be sent again after a 425. Default 65,536. */
  readonly keepBody?: number
}

export class Http3Session implements AsyncDisposable {
  /** Resolves when the handshake is complete. */
  readonly opened: Promise<PeerInfo>
  /** Resolves when the connection ended in order, rejects otherwise. */
  readonly closed: Promise<CloseInfo>
  readonly session: QuicSession
  readonly #client: Http3Client
  readonly #authority: string
  /** Requests that leave early without being told to. */
  readonly #early: ClientBundle['earlyRequests']
  /** Of a session made ahead that was not asked for anything yet. */
  #begin: (() => void) | undefined

  /** Throws a TypeError or RangeError for a URL or options that do not fit. */
  constructor(url: string | URL, options: Http3ConnectOptions = {}) {
    const origin = new URL(url)
    if (origin.protocol !== 'https:') throw new TypeError(`HTTP/3 needs an https: URL, not ${origin.href}`)
    const backend = options.backend ?? options.endpoint?.backend ?? defaultBackend
    const endpoint = options.endpoint ?? new QuicEndpoint({ backend })
    const seat = new Seat()
    try {
      const to = { host: origin.hostname.replace(/^\[|\]$/g, ''), port: Number(origin.port || 443) }
      const earlyData = options.earlyData ?? options.bundle !== undefined
      const tickets = new ClientTickets(backend, to, options)
      this.session = endpoint.connect(to, { ...options, earlyData, tickets, alpn: [H3], application: () => seat })
      this.#early = earlyData ? (options.bundle?.earlyRequests ?? 'safe') : 'never'
      const remembered = earlyData ? tickets.rememberedSettings(H3) : undefined
      if (earlyData) tickets.onLate = () => seat.client?.remember(tickets.rememberedSettings(H3))
      seat.client = new Http3Client(this.session.transport, { ...options.http3, authority: origin.host, remembered })
    } catch (error) {
      if (options.endpoint === undefined) endpoint.close()
      throw error
    }
    if (options.ahead) this.#begin = heldBack(endpoint, this.session)
    this.#client = seat.client
    this.#authority = origin.host
    this.opened = this.session.opened
    this.closed = this.session.closed
    if (options.endpoint === undefined) closeWith(endpoint, this.session)
  }

  /** Was early data taken by the server? Undefined until the handshake is complete. */
  get earlyData(): PeerInfo['earlyData'] | undefined {
    return this.session.peer?.earlyData
  }

  /** False once no more requests are taken: use another session. */
  get isOpen(): boolean {
    return this.#client.isOpen
  }

  /**
   * Sends a request, in this tick if it may leave early or the session is open. `input` may be a path; the authority of
   * a whole URL is sent as it is, whoever the session is with. Redirects are answers like others, and what is compressed
   * stays so: the function `fetch` follows and unpacks.
   * Rejects with a TypeError for what is no request, with the connection's error when that fails.
   */
  async fetch(input: string | URL | Request, init: Http3FetchInit = {}): Promise<Response> {
    const request = requestOf(input, init)
    const early = init.early ?? this.mayBeEarly(request.method ?? 'GET')
    this.#goAhead()
    return this.#client.request(request, {
      early,
      keepBody: init.keepBody,
      ...(init.signal && { signal: init.signal }),
    })
  }

  /**
   * Sends a request, as node:http2 does: `session.request({ ':path': '/' })`, and `response`, `data` and `end` follow.
   * Throws a TypeError for what is no request.
   */
  request(headers: OutgoingHeaders = {}, options: ClientStreamOptions = {}): Http3ClientStream {
    const fields = clientFields(headers, this.#authority)
    const early = options.early ?? this.mayBeEarly(fields[0]?.[1] as string)
    const stream = new Http3ClientStream(fields, { ...options, early })
    this.send(stream)
    return stream
  }

  /** For other shapes: a request of the caller's own making. */
  send(request: OutgoingRequest): void {
    this.#goAhead()
    this.#client.send(request)
  }

  /** Calls back when the server's SETTINGS are there, or will never be. */
  whenSettled(callback: () => void): void {
    this.#client.whenSettled(callback)
  }

  /** Takes no new requests and closes when those begun are done. */
  async close(): Promise<void> {
    await this.#client.close()
    await this.session.close(H3_NO_ERROR)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #goAhead(): void {
    this.#begin?.()
    this.#begin = undefined
  }

  /** May a request of this method leave as 0-RTT data when nobody says more? */
  mayBeEarly(method: string): boolean {
    return this.#early === 'all' || (this.#early === 'safe' && isSafeMethod(method))
  }
}

const H3 = 'h3'
/** RFC 9114 §8.1. */
const H3_NO_ERROR = 0x100

/** The session's place for its HTTP/3 client, which is made in the tick of `connect`, when the session exists. */
class Seat implements Application {
  client: Http3Client | undefined

  onEvent(event: ConnectionEvent): void {
    this.client?.onEvent(event)
  }

  async close(): Promise<void> {
    await this.client?.close()
  }

  /** Our own SETTINGS are not what a ticket must remember: the server's are. */
  get sessionState(): Uint8Array | undefined {
    return this.client?.settings
  }
}

/** Nothing is sent before what is returned is called. */
function heldBack(endpoint: QuicEndpoint, session: QuicSession): () => void {
  session.holds++
  return () => {
    session.holds--
    endpoint.schedule(session)
  }
}

/** Begins a session with the origin of `url`, and returns at once. */
export function connect(url: string | URL, options: Http3ConnectOptions = {}): Http3Session {
  return new Http3Session(url, options)
}

function requestOf(input: string | URL | Request, init: Http3FetchInit): RequestLike {
  const request = isRequest(input) ? input : undefined
  const { body, type, length } = sessionBody(init.body ?? request?.body)
  const given = init.headers ?? request?.headers
  const headers = given === undefined && type === undefined ? undefined : new Headers(given)
  if (type !== undefined && !headers?.has('content-type')) headers?.set('content-type', type)
  if (length !== undefined && !headers?.has('content-length')) headers?.set('content-length', String(length))
  const method = init.method?.toUpperCase() ?? request?.method ?? 'GET'
  if (!TOKEN.test(method)) throw new TypeError(`not a method: ${method}`)
  return {
    url: request?.url ?? String(input),
    method,
    body,
    signal: request?.signal ?? null,
    ...(headers !== undefined && { headers }),
  }
}

/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

function isRequest(input: string | URL | Request): input is Request {
  return typeof input === 'object' && 'url' in input
}

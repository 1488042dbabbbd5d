// An HTTP/3 client for people: connect(url), session.fetch(path); or fetch(url) for a single request.

import type { PeerInfo } from '../connection/events.ts'
import { nodeBackend } from '../crypto/backend-node.ts'
import { unixTime } from '../endpoint/clock.ts'
import { closeWith, type EndpointOptions, orClose, QuicEndpoint } from '../endpoint/endpoint.ts'
import type { ConnectOptions } from '../endpoint/options.ts'
import type { CloseInfo, QuicSession } from '../endpoint/quic-session.ts'
import { Http3Client, type Http3ClientOptions } from '../http3/client.ts'
import { isSafeMethod } from '../http3/early-data.ts'
import type { RequestLike } from '../http3/fetch.ts'
import type { ClientBundle } from '../zero-rtt/bundle.ts'
import { ProvisionedClient } from '../zero-rtt/provisioned-psk.ts'
import type { Resumption } from '../zero-rtt/resumption.ts'
import { firstTickets, NoTickets, type TicketStore } from '../zero-rtt/ticket-store.ts'

export interface Http3ConnectOptions
  extends Omit<ConnectOptions, 'alpn' | 'application'>,
    Pick<EndpointOptions, 'backend'> {
  /** The socket to use, shared with other sessions and left open. Default: one that closes with the session. */
  readonly endpoint?: QuicEndpoint
  /** What a platform provisioned for speaking to this worker; make one `ProvisionedClient` of it for many connections. */
  readonly bundle?: ClientBundle
  readonly http3?: Omit<Http3ClientOptions, 'authority' | 'remembered'>
}

export interface Http3FetchInit {
  /** Default GET. */
  readonly method?: string
  readonly headers?: ConstructorParameters<typeof Headers>[0]
  readonly body?: RequestLike['body']
  readonly signal?: AbortSignal | null
  /**
   * May leave as 0-RTT data, where it can be replayed (RFC 8470). Default: on a session with `earlyData`, requests of
   * safe methods.
   */
  readonly early?: boolean
}

export class Http3Session implements AsyncDisposable {
  /** Resolves when the handshake is complete. */
  readonly opened: Promise<PeerInfo>
  readonly closed: Promise<CloseInfo>
  readonly session: QuicSession
  readonly #client: Http3Client
  readonly #usesEarlyData: boolean
  readonly #origin: URL

  constructor(url: string | URL, options: Http3ConnectOptions = {}) {
    this.#origin = new URL(url)
    if (this.#origin.protocol !== 'https:') throw new TypeError(`HTTP/3 needs an https: URL, not ${this.#origin.href}`)
    const backend = options.backend ?? options.endpoint?.backend ?? nodeBackend
    const endpoint = options.endpoint ?? new QuicEndpoint({ host: '::', ...(options.backend && { backend }) })
    const tickets = new Taken(ticketsOf(options, backend))
    const host = this.#origin.hostname.replace(/^\[|\]$/g, '')
    const port = Number(this.#origin.port || 443)
    let client: Http3Client | undefined
    const begin = (): QuicSession =>
      endpoint.connect(
        { host, port },
        {
          ...options,
          tickets,
          alpn: ['h3'],
          application: session => {
            const remembered = options.earlyData ? tickets.taken?.appState : undefined
            const settings = { ...options.http3, authority: this.#origin.host, remembered }
            client = new Http3Client(session.transport, settings)
            const current = client
            return {
              onEvent: event => current.onEvent(event),
              // Our own SETTINGS are not what a ticket must remember: the server's are.
              get sessionState() {
                return current.settings
              },
            }
          },
        },
      )
    this.session = options.endpoint === undefined ? orClose(endpoint, begin) : begin()
    this.#client = client as unknown as Http3Client
    this.#usesEarlyData = options.earlyData ?? false
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
   * Sends a request, in this tick if it may leave early or the session is open. `input` may be a path.
   * Rejects with a TypeError for what is no request, with the connection's error when that fails.
   */
  async fetch(input: string | URL | Request, init: Http3FetchInit = {}): Promise<Response> {
    const request = requestOf(input, init)
    const early = init.early ?? (this.#usesEarlyData && isSafeMethod(request.method ?? 'GET'))
    return this.#client.request(request, { early, ...(init.signal && { signal: init.signal }) })
  }

  /** Takes no new requests and closes when those begun are done. */
  async close(): Promise<void> {
    await this.#client.close()
    await this.session.close(H3_NO_ERROR)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** RFC 9114 §8.1. */
const H3_NO_ERROR = 0x100

/** Begins a session with the origin of `url`, and returns at once. */
export function connect(url: string | URL, options: Http3ConnectOptions = {}): Http3Session {
  return new Http3Session(url, options)
}

/** One request; on `session`, or on a session of its own that ends with the response. */
export async function fetch(
  input: string | URL | Request,
  init: Http3FetchInit & Http3ConnectOptions & { readonly session?: Http3Session } = {},
): Promise<Response> {
  if (init.session) return init.session.fetch(input, init)
  // The signal is the request's here: the session ends with it anyway.
  const { signal: _signal, ...options } = init
  const session = connect(typeof input === 'object' && 'url' in input ? input.url : input, options)
  const response = session.fetch(input, init)
  session.close().catch(() => {})
  return response
}

function requestOf(input: string | URL | Request, init: Http3FetchInit): RequestLike {
  const isRequest = typeof input === 'object' && 'url' in input
  const headers = init.headers ?? (isRequest ? input.headers : undefined)
  return {
    url: isRequest ? input.url : String(input),
    method: (init.method ?? (isRequest ? input.method : 'GET')).toUpperCase(),
    body: init.body ?? (isRequest ? input.body : undefined),
    signal: isRequest ? input.signal : null,
    ...(headers !== undefined && { headers: headers instanceof Headers ? headers : new Headers(headers) }),
  }
}

function ticketsOf(options: Http3ConnectOptions, backend: typeof nodeBackend): TicketStore {
  const own = options.tickets ?? NoTickets
  return options.bundle ? firstTickets(new ProvisionedClient(backend, options.bundle, unixTime), own) : own
}

/** Remembers what was taken, for the SETTINGS inside. */
class Taken implements TicketStore {
  readonly #tickets: TicketStore
  taken: Resumption | undefined

  constructor(tickets: TicketStore) {
    this.#tickets = tickets
  }

  take(origin: string): Resumption | undefined {
    this.taken = this.#tickets.take(origin)
    return this.taken
  }

  put(origin: string, resumption: Resumption): void {
    this.#tickets.put(origin, resumption)
  }
}

// An HTTP/3 server for people: serve({ port, cert, key, fetch }).

import type { TransportOptions } from '../connection/config.ts'
import type { Address } from '../connection/path.ts'
import { defaultBackend } from '../crypto/backend-wasm.ts'
import type { Application } from '../endpoint/application.ts'
import type { CloseOptions } from '../endpoint/closing.ts'
import { orClose, QuicEndpoint } from '../endpoint/endpoint.ts'
import type { EndpointOptions } from '../endpoint/endpoint-options.ts'
import type { ListenOptions } from '../endpoint/options.ts'
import type { ApplicationFactory, QuicSession } from '../endpoint/quic-session.ts'
import type { RequestStream } from '../http3/request-stream.ts'
import {
  type Exchange,
  type ExchangeHost,
  type Http3Handler,
  Http3Server,
  type Http3ServerOptions,
} from '../http3/server.ts'
import {
  attachWebTransport,
  type WebTransportServerOptions,
  webTransportSettings,
  webTransportTunnels,
} from '../http3/webtransport/server.ts'
import { type Authorize, type EarlyDataGate, refuseEarlyData } from '../tls13/ports.ts'
import { AddressTokens } from '../zero-rtt/address-token.ts'
import type { Chain, WorkerBundle } from '../zero-rtt/bundle.ts'
import { type EpochLife, ProvisionedServer } from '../zero-rtt/provisioned-server.ts'
import { firstOf, gateByKind } from '../zero-rtt/psk-sources.ts'
import { httpDate } from './http-date.ts'
import { restoredBackend } from './restored-backend.ts'
import { ServerChannels } from './server-channels.ts'
import { type ServerTimeouts, SessionWatch, serverTimeouts } from './session-watch.ts'
import { serverSettings } from './settings.ts'
import { type UpgradeHandler, upgradeTunnels } from './websocket/upgrade.ts'

export interface ServeOptions
  extends EndpointOptions,
    Omit<ListenOptions, 'alpn' | 'earlyData' | 'appState'>,
    ServerTimeouts {
  /** Answers requests. `request.early`: it came as 0-RTT data and may be a replay; `await request.confirmed` to be sure. */
  readonly fetch: Http3Handler
  /**
   * Which early requests run at once, are held until the handshake is confirmed, or are answered 425. Default `defer`:
   * safe methods run, others are held; `all` if the bundle says so. Nothing is early unless `earlyData` or `bundle` lets
   * it in.
   */
  readonly early?: Http3ServerOptions['earlyData']
  /** Who judges whether early data of a ticket is fresh. Default: it is refused. */
  readonly earlyData?: EarlyDataGate
  /** What a platform provisioned for this process: clients that hold the other half may send early data. */
  readonly bundle?: WorkerBundle
  /** Limits of HTTP/3 itself. */
  readonly http3?: Omit<Http3ServerOptions, 'earlyData' | 'onError' | 'exchange' | 'observer'>
  /**
   * Takes sessions of WebTransport: of the current draft, and of draft-02, which is what browsers speak. Datagrams are
   * then taken as well, 65,535 bytes at most unless `transport.maxDatagramFrameSize` says otherwise. A function is told of
   * each session of a page of this host, or of no browser; `{ accept, session }` decides for itself.
   */
  readonly webtransport?: WebTransportServerOptions | WebTransportServerOptions['session'] | undefined
  /**
   * Takes WebSockets (RFC 9220): called as listeners of `upgrade` of node:http are, for `WebSocketServer.handleUpgrade`
   * of the package ws. Default: CONNECT with that protocol is answered 501.
   */
  readonly upgrade?: UpgradeHandler | undefined
  /** Told when a handler fails. Default: `process.emitWarning`. */
  readonly onError?: Http3ServerOptions['onError']
  /** Other protocols on the same port, by ALPN. */
  readonly protocols?: Readonly<Record<string, ApplicationFactory>>
}

/** Who answers the requests of a session. */
export interface Answering {
  exchange(host: ExchangeHost, stream: RequestStream): Exchange
  /** HTTP/3 begins. */
  onServer(server: Http3Server): void
}

/** What every door has in common. */
export interface Http3EndpointOptions extends Omit<ServeOptions, 'fetch'> {
  readonly fetch?: Http3Handler
  /** In place of `fetch`. */
  readonly answering?: (session: QuicSession) => Answering
  /** In place of the options of that name: asked at each look. */
  readonly timeouts?: Required<ServerTimeouts>
}

export class Http3Endpoint implements AsyncDisposable {
  readonly endpoint: QuicEndpoint
  /** Resolves with the bound address; rejects with node's own error when the port cannot be had. */
  readonly ready: Promise<Address>

  readonly #options: Http3EndpointOptions
  readonly #provisioned: ProvisionedServer | undefined
  readonly #watch: SessionWatch

  constructor(options: Http3EndpointOptions) {
    if (options.answering === undefined && typeof options.fetch !== 'function') {
      throw new TypeError('serve needs `fetch`: a function from a Request to a Response')
    }
    const backend = options.backend ?? defaultBackend
    const { bundle } = options
    const provisioned = bundle && new ProvisionedServer(backend, bundle)
    this.#watch = new SessionWatch(options.timeouts ?? serverTimeouts(options))
    this.#options = options
    this.#provisioned = provisioned
    const tokens = bundle && AddressTokens.ofInstance(backend, bundle)
    this.endpoint = new QuicEndpoint({ ...(tokens && { addressTokens: tokens }), ...options })
    this.ready = this.endpoint.ready
    orClose(this.endpoint, () => this.endpoint.listen(this.#listenOptions(options, provisioned), () => {}))
    if (options.answering === undefined) this.ready.then(() => setImmediate(loadFetch), ignore)
  }

  /**
   * Takes no new connections and requests (CONNECTION_REFUSED, GOAWAY), lets those begun finish for up to `deadline` ms,
   * default 10,000, then closes. Resolves when the port is free.
   */
  close(options: CloseOptions = {}): Promise<void> {
    return this.endpoint.close({ deadline: DEADLINE, errorCode: H3_NO_ERROR, ...options })
  }

  /** Ends all connections that have no request. */
  closeIdleConnections(): void {
    this.#watch.closeIdle()
  }

  /** Ends all connections, and with them the requests under way. */
  closeAllConnections(): void {
    this.#watch.closeAll()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** From now on this client is a stranger, with its key and with its tickets, and what it has open is closed. */
  revoke(clientId: string): void {
    this.#provisionedServer().revoke(clientId)
    this.#closeRevoked()
  }

  /**
   * Begins the next epoch of the bundle's key (`nextEpoch` makes what clients need), and closes what is left of the epoch
   * before the last. Throws a TypeError with a ratchet.
   */
  advanceEpoch(life: EpochLife): void {
    this.#provisionedServer().advanceEpoch(life)
    this.#closeRevoked()
  }

  /** The same, by a bundle that the platform made. Throws a RangeError for one of another instance or no later epoch. */
  renew(bundle: WorkerBundle): void {
    this.#provisionedServer().renew(bundle)
    this.#closeRevoked()
  }

  /** One more client of a worker with a ratchet, as `provisionClient` gives it. */
  addClient(chain: Chain): void {
    this.#provisionedServer().addChain(chain)
  }

  /**
   * For a process that was restored from a snapshot, of which a copy may be alive: drops all connections without a word,
   * and serves the same on the same port with the keys of `bundle`, which was made for this copy alone, and with
   * randomness of its own. Nothing of before is of use any more: neither keys nor tickets, tokens or ids.
   */
  async injectAfterRestore(bundle: WorkerBundle): Promise<Http3Endpoint> {
    const { port } = await this.ready
    await this.endpoint.abandon()
    const { addressTokens: _, ...options } = this.#options
    return new Http3Endpoint({ ...options, port, bundle, backend: restoredBackend(bundle) })
  }

  #provisionedServer(): ProvisionedServer {
    if (this.#provisioned === undefined) throw new TypeError('this server has no `bundle`')
    return this.#provisioned
  }

  #closeRevoked(): void {
    const provisioned = this.#provisionedServer()
    this.endpoint.closeWhere(authorization => provisioned.isRevoked(authorization), H3_REQUEST_CANCELLED)
  }

  #listenOptions(options: Http3EndpointOptions, provisioned: ProvisionedServer | undefined): ListenOptions {
    const psks = [options.psks, provisioned].filter(source => source !== undefined)
    return {
      ...options,
      ...(psks.length > 0 && { psks: firstOf(...psks) }),
      alpn: { h3: session => this.#serve(session, options), ...options.protocols },
      earlyData: earlyGate(options.earlyData, provisioned),
      ...(provisioned && { authorize: authorizing(options.authorize, provisioned) }),
      appState: serverSettings(http3Options(options)),
      transport: transportOptions(options),
    }
  }

  #serve(session: QuicSession, options: Http3EndpointOptions): Application {
    const { fetch = unanswered } = options
    const answering = options.answering?.(session)
    const server = new Http3Server(session.transport, fetch, {
      date: httpDate,
      ...http3Options(options),
      observer: new ServerChannels(session),
      ...(answering && { exchange: (host, stream) => answering.exchange(host, stream) }),
      earlyData: options.early ?? (options.bundle?.earlyRequests === 'all' ? 'all' : 'defer'),
      onError: options.onError ?? warn,
    })
    answering?.onServer(server)
    this.#watch.add(session, server)
    if (options.webtransport !== undefined) attachWebTransport(server)
    return server
  }
}

/** Node loads undici when `Request` is first asked for, for 20 ms: while nobody waits, rather than with the first client. */
function loadFetch(): void {
  Reflect.get(globalThis, 'Request')
}

function ignore(): void {}

function http3Options({ http3, webtransport, upgrade }: Http3EndpointOptions): Http3ServerOptions {
  if (webtransport === undefined && upgrade === undefined) return http3 ?? {}
  const taking = typeof webtransport === 'function' ? { session: webtransport } : webtransport
  return {
    ...http3,
    enableConnectProtocol: true,
    ...(taking && { ...webTransportSettings, webTransportLimits: taking.limits }),
    tunnels: { ...http3?.tunnels, ...(taking && webTransportTunnels(taking)), ...(upgrade && upgradeTunnels(upgrade)) },
  }
}

function transportOptions({ transport, webtransport }: Http3EndpointOptions): TransportOptions {
  return webtransport === undefined ? { ...transport } : { maxDatagramFrameSize: MAX_DATAGRAM_FRAME, ...transport }
}

/** RFC 9221 §3: whatever fits a packet. */
const MAX_DATAGRAM_FRAME = 65_535

/** ms for answers that were begun when the end was asked for. */
const DEADLINE = 10_000
/** RFC 9114 §8.1. */
const H3_NO_ERROR = 0x100
const H3_REQUEST_CANCELLED = 0x10c

/**
 * Serves HTTP/3 on `port` (default: any free one; see `ready`). Throws a TypeError for options that do not fit.
 *
 *     const server = serve({ port: 4433, cert, key, fetch: request => new Response(`hello ${request.url}`) })
 */
export function serve(options: ServeOptions): Http3Endpoint {
  return new Http3Endpoint(options)
}

function earlyGate(tickets: EarlyDataGate | undefined, provisioned: ProvisionedServer | undefined): EarlyDataGate {
  if (provisioned === undefined) return tickets ?? refuseEarlyData
  return gateByKind({ imported: provisioned, ...(tickets && { resumption: tickets }) })
}

/** What was revoked is refused, whatever the application thinks of it. */
function authorizing(ask: Authorize | undefined, provisioned: ProvisionedServer): Authorize {
  return question => {
    const granted = provisioned.authorize(question)
    return granted === undefined || ask === undefined ? granted : ask(question)
  }
}

function unanswered(): never {
  throw new TypeError('nobody answers')
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : new Error(String(error)), { code: 'ERR_ZEROTRIP_HANDLER' })
}

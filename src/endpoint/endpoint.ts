// One UDP socket, both roles: the only place where datagrams, timers and connections meet.

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { type ClientConfig, MIN_DATAGRAM_SIZE, resolveTransport } from '../connection/config.ts'
import { Connection } from '../connection/connection.ts'
import type { Address } from '../connection/path.ts'
import type { PreferredAddresses } from '../connection/preferred-address.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import { nodeBackend } from '../crypto/backend-node.ts'
import { AddressTokens } from '../zero-rtt/address-token.ts'
import { NoTickets, originOf, type TicketStore } from '../zero-rtt/ticket-store.ts'
import { now, timeOrigin } from './clock.ts'
import { Driver } from './driver.ts'
import { QuicError } from './errors.ts'
import { isReflector } from './incoming.ts'
import { Listener } from './listener.ts'
import { Neighbours } from './neighbours.ts'
import {
  assertRemote,
  type ConnectOptions,
  clientConfig,
  handshakeTimeout,
  type ListenOptions,
  resuming,
} from './options.ts'
import { prepareQlog, QlogFile } from './qlog-file.ts'
import { QuicSession, type SessionHost } from './quic-session.ts'
import { QuicStreams } from './quic-streams.ts'
import { type ConnectionIdGenerator, Router } from './router.ts'
import type { LocalAddress } from './session-paths.ts'
import { type UdpOptions, UdpSocket } from './udp-socket.ts'

export interface EndpointOptions extends UdpOptions {
  /** Default node:crypto. */
  readonly backend?: CryptoBackend
  /** Room for outgoing datagrams, bytes. Default 1,500, or as much as `transport.maxDatagramSize` asks for. */
  readonly datagramBufferSize?: number
  /** Makes and reads address validation tokens. Default: with keys of its own. */
  readonly addressTokens?: AddressTokens
  /**
   * Where clients of `listen` are asked to go after the handshake, one address of each family (RFC 9000 §9.6): further
   * sockets, bound with the first. Default: clients stay where they are.
   */
  readonly preferredAddress?: PreferredAddresses
  /** Makes our connection ids, such as a load balancer can route by. Default: 8 random bytes. */
  readonly connectionIds?: ConnectionIdGenerator
  /** 32 bytes from which stateless reset tokens are made: give a process that takes over the same. Default random. */
  readonly statelessResetKey?: Uint8Array
}

const DEFAULT_BUFFER = 1500
/** HMAC-SHA-256 keys shorter than its output weaken it. */
const MIN_RESET_KEY = 32

export class QuicEndpoint implements AsyncDisposable, SessionHost {
  /** Resolves with the bound address; rejects with node's own error when the port cannot be had. */
  readonly ready: Promise<Address>
  readonly backend: CryptoBackend
  readonly #socket: UdpSocket
  readonly #driver: Driver
  readonly #router: Router
  readonly #tokens: AddressTokens
  readonly #sessions = new Set<QuicSession>()
  readonly #neighbours = new Neighbours()
  #listener: Listener | undefined
  #closing: Promise<void> | undefined
  /** As they are bound. */
  #preferred: PreferredAddresses | undefined

  /** Binds at once. Throws a TypeError or RangeError for options that do not fit. */
  constructor(options: EndpointOptions = {}) {
    assertEndpoint(options)
    this.backend = options.backend ?? nodeBackend
    const bufferSize = Math.max(MIN_DATAGRAM_SIZE, options.datagramBufferSize ?? DEFAULT_BUFFER)
    this.#socket = new UdpSocket(this.backend, bufferSize)
    this.#driver = new Driver(this.#socket)
    const resetKey = options.statelessResetKey ?? this.backend.random(MIN_RESET_KEY)
    this.#router = new Router(this.backend, resetKey, options.connectionIds)
    this.#tokens = options.addressTokens ?? new AddressTokens(this.backend)
    this.#socket.onDatagram((datagram, from) => this.#onDatagram(datagram, from))
    this.ready = this.#bind(options)
    this.ready.then(
      () => this.#driver.start(),
      error => this.#onBindFailed(error),
    )
  }

  /**
   * Takes clients from now on, one configuration for each endpoint. Iterate over the result, or give `onSession`.
   * Throws a TypeError or RangeError for options that do not fit.
   */
  listen(options: ListenOptions, onSession?: (session: QuicSession) => void): Listener {
    this.#assertOpen()
    if (this.#listener !== undefined) {
      throw new QuicError('ERR_ZEROTRIP_INVALID_STATE', 'this endpoint listens already; make another QuicEndpoint')
    }
    this.#listener = new Listener(options, onSession, {
      backend: this.backend,
      router: this.#router,
      tokens: this.#tokens,
      host: this,
      add: session => this.#add(session),
      send: (write, to) => this.#sendOnce(write, to),
      connections: () => this.#sessions.size,
      raiseDatagramSize: size => this.#socket.raiseBufferSize(size),
      preferredAddress: () => this.#preferred,
    })
    return this.#listener
  }

  /**
   * Begins a connection and returns at once: what is written in the same tick leaves in the first datagram, as 0-RTT
   * data when the ticket store has something for this origin and `earlyData` is set. Throws a TypeError or RangeError
   * for options that do not fit, and the reason of a signal that is aborted already.
   */
  connect(to: { readonly host: string; readonly port: number }, options: ConnectOptions): QuicSession {
    this.#assertOpen()
    assertRemote(to)
    options.signal?.throwIfAborted()
    const basis = clientConfig(options, this.backend, to.host)
    const timeout = handshakeTimeout(options)
    prepareQlog(options.qlog)
    this.#socket.raiseBufferSize(resolveTransport(options.transport).probeDatagramSize)
    // Last of all: a ticket that was taken is gone.
    const origin = originOf(options.serverName ?? to.host, to.port)
    const tickets = options.tickets ?? NoTickets
    const config = resuming(basis, tickets.take(origin), options, this.backend)
    const session = this.#client({ host: to.host, port: to.port }, config, options, { tickets, origin, timeout })
    if (isIP(to.host) === 0) this.#resolve(session, to)
    else this.#neighbours.add(session, to)
    this.#sessions.add(session)
    this.schedule(session)
    return session
  }

  /** Sessions that are open or closing. */
  get sessions(): ReadonlySet<QuicSession> {
    return this.#sessions
  }

  /** Connection ids that lead to a session: 0 when nothing is left of any. */
  get routes(): number {
    return this.#router.size
  }

  /** Who is listening here, after `listen`. */
  get listener(): Listener | undefined {
    return this.#listener
  }

  /**
   * Closes every session with `errorCode`, default 0, tells the peers, and gives the port back. Does not wait for data
   * under way. Resolves when the port is free.
   */
  close(errorCode = 0, reason = ''): Promise<void> {
    this.#closing ??= this.#close(errorCode, reason)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Keeps the process alive while the socket is open, as it is from the start; `unref` lets it end (as in node:net). */
  ref(): this {
    this.#socket.ref()
    return this
  }

  unref(): this {
    this.#socket.unref()
    return this
  }

  /** For sessions: something may be due. */
  schedule(session: QuicSession): void {
    this.#driver.schedule(session)
  }

  /** For sessions: nothing can come or go any more. */
  onTerminated(session: QuicSession): void {
    this.#sessions.delete(session)
    this.#neighbours.remove(session)
    this.#listener?.onTerminated(session)
  }

  /** For sessions: the peer is reached elsewhere now. */
  onMoved(session: QuicSession): void {
    this.#neighbours.remove(session)
    this.#neighbours.add(session, session.remoteAddress)
  }

  /** For sessions that move: a socket of their own. */
  async openPath(local: LocalAddress): Promise<number> {
    this.#assertOpen()
    return (await this.#socket.bind(local)).via as number
  }

  closePath(via: number): void {
    this.#socket.unbind(via)
  }

  async #bind(options: EndpointOptions): Promise<Address> {
    const bound = await this.#socket.bind(options)
    const { ipv4, ipv6 } = options.preferredAddress ?? {}
    if (ipv4 === undefined && ipv6 === undefined) return bound
    this.#preferred = {
      ...(ipv4 && { ipv4: await this.#socket.bind(ipv4) }),
      ...(ipv6 && { ipv6: await this.#socket.bind(ipv6) }),
    }
    return bound
  }

  #client(
    remote: Address,
    config: ClientConfig,
    options: ConnectOptions,
    to: { readonly tickets: TicketStore; readonly origin: string; readonly timeout: number },
  ): QuicSession {
    const log = new QlogFile(options.qlog)
    const make = (self: QuicSession): Connection => {
      const deps = { backend: this.backend, recorder: log.open, ids: this.#router.idsFor(self) }
      return Connection.client({ ...config, timeOrigin: timeOrigin() }, deps, remote, now())
    }
    return new QuicSession(make, this, {
      application: () => options.application ?? (self => new QuicStreams(self.transport)),
      alpn: config.alpn[0],
      tickets: to.tickets,
      origin: to.origin,
      handshakeTimeout: to.timeout,
      signal: options.signal,
      onTerminated: () => log.close(),
    })
  }

  #onDatagram(datagram: Uint8Array, from: Address): void {
    const id = this.#router.destination(datagram)
    if (id === undefined) return
    const session = this.#router.find(id)
    if (session !== undefined) return session.receive(datagram, from, now())
    if (isReflector(from.port)) return
    const isLong = ((datagram[0] as number) & 0x80) !== 0
    if (isLong) this.#listener?.onLongHeader(datagram, from)
    else this.#onStray(datagram, id, from)
  }

  /** A short header of nobody: a stateless reset, or a packet that deserves one. */
  #onStray(datagram: Uint8Array, id: Uint8Array, from: Address): void {
    const time = now()
    const session = this.#neighbours.receiveReset(datagram, from, time)
    if (session === undefined) return this.#sendOnce(into => this.#router.reset(datagram, id, into, time), from)
    session.drain()
    this.schedule(session)
  }

  #add(session: QuicSession): void {
    this.#sessions.add(session)
    this.#neighbours.add(session, session.remoteAddress)
  }

  /** A datagram outside of any connection; `write` returns its length, 0 for none. */
  #sendOnce(write: (into: Uint8Array) => number, to: Address): void {
    const buffer = this.#socket.buffer()
    if (buffer === undefined) return
    const length = write(buffer)
    if (length === 0) this.#socket.release(buffer)
    else this.#socket.send(buffer, length, to)
  }

  async #resolve(session: QuicSession, to: Address): Promise<void> {
    session.isResolved = false
    try {
      const { address } = await lookup(to.host, { family: this.#socket.family })
      // Aborted meanwhile: it is gone.
      if (!this.#sessions.has(session)) return
      const remote = { host: address, port: to.port }
      session.connection.setRemote(remote)
      this.#neighbours.add(session, remote)
      session.isResolved = true
      this.schedule(session)
    } catch (cause) {
      const message = `no address found for ${to.host}; is the name right?`
      session.abort(new QuicError('ERR_ZEROTRIP_LOOKUP', message, { cause }))
    }
  }

  #onBindFailed(cause: Error): void {
    for (const session of this.#sessions) {
      session.abort(new QuicError('ERR_ZEROTRIP_BIND', `no UDP socket: ${cause.message}`, { cause }))
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new QuicError('ERR_ZEROTRIP_INVALID_STATE', 'the endpoint is closed')
  }

  async #close(errorCode: number, reason: string): Promise<void> {
    this.#listener?.close()
    await this.ready.catch(() => {})
    for (const session of this.#sessions) session.close(errorCode, reason)
    await this.#driver.stop()
    for (const session of this.#sessions) session.terminate()
    await this.#socket.close()
  }
}

function assertEndpoint({ host, port, statelessResetKey, preferredAddress }: EndpointOptions): void {
  if (host !== undefined && isIP(host) === 0) {
    throw new TypeError(`host must be an IP address to bind to, not '${host}'`)
  }
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new RangeError(`port must be from 0 to 65535, not ${port}`)
  }
  const { ipv4, ipv6 } = preferredAddress ?? {}
  if ((ipv4 !== undefined && isIP(ipv4.host) !== 4) || (ipv6 !== undefined && isIP(ipv6.host) !== 6)) {
    throw new TypeError('preferredAddress must be { ipv4: { host, port }, ipv6: { host, port } }, or one of the two')
  }
  if (statelessResetKey !== undefined && statelessResetKey.length < MIN_RESET_KEY) {
    throw new TypeError(`statelessResetKey must have ${MIN_RESET_KEY} bytes or more`)
  }
}

/** An endpoint that listens: `await using server = listen({ port: 4433, ... }, session => ...)`. */
export function listen(
  options: ListenOptions & EndpointOptions,
  onSession?: (session: QuicSession) => void,
): QuicEndpoint & { readonly listener: Listener } {
  const endpoint = new QuicEndpoint(options)
  return orClose(endpoint, () => {
    endpoint.listen(options, onSession)
    return endpoint as QuicEndpoint & { readonly listener: Listener }
  })
}

/** A connection on a socket of its own, which closes with it. */
export function connect(
  to: { readonly host: string; readonly port: number },
  options: ConnectOptions & Omit<EndpointOptions, 'port'>,
): QuicSession {
  const endpoint = new QuicEndpoint(options)
  const session = orClose(endpoint, () => endpoint.connect(to, options))
  closeWith(endpoint, session)
  return session
}

/** What `begin` throws must not leave a socket behind. */
export function orClose<T>(endpoint: QuicEndpoint, begin: () => T): T {
  try {
    return begin()
  } catch (error) {
    endpoint.close()
    throw error
  }
}

/** The endpoint is its session's own, and goes with it. */
export function closeWith(endpoint: QuicEndpoint, session: QuicSession): void {
  const close = (): Promise<void> => endpoint.close()
  session.closed.then(close, close)
}

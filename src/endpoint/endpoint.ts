// UDP sockets, one most often, and both roles: the only place where datagrams, timers and connections meet.

import { MemoryBudget } from '../bytes/memory-budget.ts'
import { MIN_DATAGRAM_SIZE } from '../connection/config.ts'
import type { Address } from '../connection/path.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import { defaultBackend } from '../crypto/backend-wasm.ts'
import type { Authorization } from '../tls13/ports.ts'
import { AddressTokens } from '../zero-rtt/address-token.ts'
import type { EndpointDoor } from './acceptor.ts'
import { type Bindings, bindAll } from './bindings.ts'
import type { CertificateOptions } from './certificates.ts'
import { now } from './clock.ts'
import { assertClose, type CloseOptions, finishAll } from './closing.ts'
import { Dialer } from './dialer.ts'
import { Driver } from './driver.ts'
import { EndpointNews } from './endpoint-news.ts'
import { assertEndpoint, type EndpointOptions, MIN_RESET_KEY } from './endpoint-options.ts'
import type { EndpointStatistics } from './endpoint-statistics.ts'
import { QuicError, throwLater } from './errors.ts'
import { isReflector } from './incoming.ts'
import { interfacePayload } from './interface-mtu.ts'
import { Listener } from './listener.ts'
import { defaultMemory, relieve } from './memory.ts'
import { Neighbours } from './neighbours.ts'
import type { ConnectOptions, ListenOptions } from './options.ts'
import type { QuicSession, SessionHost } from './quic-session.ts'
import { Router } from './router.ts'
import type { LocalAddress } from './session-paths.ts'
import { UdpSocket } from './udp-socket.ts'

const DEFAULT_BUFFER = 1500

export class QuicEndpoint implements AsyncDisposable, SessionHost {
  /**
   * Resolves with the bound address, the first one where there are several; rejects with node's own error when one
   * cannot be had, such as EADDRINUSE for a port that is taken.
   */
  readonly ready: Promise<Address>
  readonly backend: CryptoBackend
  readonly #socket: UdpSocket
  readonly #driver: Driver
  readonly #router: Router
  readonly #tokens: AddressTokens
  readonly #sessions = new Set<QuicSession>()
  readonly #neighbours = new Neighbours()
  readonly #memory: MemoryBudget
  readonly #door: EndpointDoor
  readonly #news: EndpointNews = new EndpointNews(this)
  readonly #dialer: Dialer
  #listener: Listener | undefined
  #closing: Promise<void> | undefined
  #bindings: Bindings | undefined

  /** Binds at once. Throws a TypeError or RangeError for options that do not fit. */
  constructor(options: EndpointOptions = {}) {
    assertEndpoint(options)
    this.backend = options.backend ?? defaultBackend
    const bufferSize = Math.max(MIN_DATAGRAM_SIZE, options.datagramBufferSize ?? DEFAULT_BUFFER)
    this.#socket = new UdpSocket(this.backend, bufferSize)
    this.#driver = new Driver(this.#socket)
    const resetKey = options.statelessResetKey ?? this.backend.random(MIN_RESET_KEY)
    this.#router = new Router(this.backend, resetKey, options.connectionIds)
    this.#tokens = options.addressTokens ?? new AddressTokens(this.backend)
    const add = (session: QuicSession): void => this.#add(session)
    this.#memory = new MemoryBudget(options.maxMemory ?? defaultMemory())
    const interfacePayloadOf = ({ host }: Address): number | undefined => {
      const size = interfacePayload(host)
      if (size !== undefined) this.#socket.raiseBufferSize(size)
      return size
    }
    this.#door = {
      backend: this.backend,
      router: this.#router,
      host: this,
      news: this.#news,
      memory: this.#memory,
      add,
      interfacePayload: interfacePayloadOf,
    }
    this.#dialer = new Dialer({ ...this.#door, socket: this.#socket })
    this.#socket.onDatagram((datagram, from) => this.#onDatagram(datagram, from, options.forward))
    this.ready = this.#bind(options)
    this.ready.then(
      () => {
        this.#driver.start()
        this.#news.bound()
      },
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
      ...this.#door,
      tokens: this.#tokens,
      send: (write, to) => this.#sendOnce(write, to),
      connections: () => this.#sessions.size,
      raiseDatagramSize: size => this.#socket.raiseBufferSize(size),
      preferredAddress: () => this.#bindings?.preferred,
    })
    return this.#listener
  }

  /** Shows clients other certificates from now on: see `Listener.setCertificates`. */
  setCertificates(options: CertificateOptions): void {
    if (this.#listener === undefined) throw new QuicError('ERR_ZEROTRIP_INVALID_STATE', 'this endpoint does not listen')
    this.#listener.setCertificates(options)
  }

  /**
   * Begins a connection and returns at once: what is written in the same tick leaves in the first datagram, as 0-RTT
   * data when the ticket store has something for this origin and `earlyData` is set. Throws a TypeError or RangeError
   * for options that do not fit, and the reason of a signal that is aborted already.
   */
  connect(to: { readonly host: string; readonly port: number }, options: ConnectOptions): QuicSession {
    this.#assertOpen()
    return this.#dialer.connect(to, options)
  }

  /**
   * Takes a datagram that another process got for this one, as if it had come here from `from`; it is not handed on
   * again, and changed in place. Answers leave by our own socket (the one of `from.via`): it should be bound to the same
   * address.
   */
  inject(datagram: Uint8Array, from: Address): void {
    this.#onDatagram(datagram, from, undefined)
  }

  /** All addresses as they are bound, in the order of `addresses`; none before `ready`. */
  get addresses(): readonly Address[] {
    return this.#bindings?.addresses ?? []
  }

  /** Sessions that are open or closing. */
  get sessions(): ReadonlySet<QuicSession> {
    return this.#sessions
  }

  /** What happened here so far, beside what each session says of itself. */
  statistics(): EndpointStatistics {
    const { dropped, ...counters } = this.#news.counters
    return {
      connections: this.#sessions.size,
      handshakes: this.#listener?.handshakes ?? 0,
      memoryUsed: this.#memory.used,
      ...counters,
      dropped: { ...dropped },
      sendErrors: this.#socket.sendErrors,
    }
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
   * Ends it all: new clients are refused (CONNECTION_REFUSED), applications take nothing new (HTTP/3: GOAWAY), streams
   * under way may finish until the deadline. Then every session is closed, peers are told once, nobody stays to answer
   * stragglers, and the ports are given back, which is when this resolves. Called again it joins the first call. Throws
   * a RangeError for options that do not fit.
   */
  close(options: CloseOptions = {}): Promise<void> {
    assertClose(options)
    this.#closing ??= this.#close(options)
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
    return (await this.#socket.bind(local, true)).via as number
  }

  closePath(via: number): void {
    this.#socket.unbind(via)
  }

  async #bind(options: EndpointOptions): Promise<Address> {
    this.#bindings = await bindAll(this.#socket, options)
    return this.#bindings.addresses[0] as Address
  }

  #onDatagram(datagram: Uint8Array, from: Address, forward: EndpointOptions['forward']): void {
    const { counters } = this.#news
    counters.datagramsReceived++
    counters.bytesReceived += datagram.length
    const recent = this.#router.recent(datagram)
    if (recent !== undefined) return this.#receive(recent, datagram, from)
    const id = this.#router.destination(datagram)
    if (id === undefined) return void counters.dropped.unreadable++
    const session = this.#router.find(id)
    if (session !== undefined) return this.#receive(session, datagram, from)
    if (isReflector(from.port)) return void counters.dropped.reflector++
    if (forward !== undefined && isForwarded(forward, datagram, from, id)) return void counters.datagramsForwarded++
    const isLong = ((datagram[0] as number) & 0x80) !== 0
    if (!isLong) this.#onStray(datagram, id, from)
    else if (this.#listener === undefined) counters.dropped.notListening++
    else this.#listener.onLongHeader(datagram, from)
  }

  #receive(session: QuicSession, datagram: Uint8Array, from: Address): void {
    session.receive(datagram, from, now())
    if (this.#memory.isExceeded) relieve(this.#memory, this.#sessions)
  }

  /** A short header of nobody: a stateless reset, or a packet that deserves one. */
  #onStray(datagram: Uint8Array, id: Uint8Array, from: Address): void {
    const time = now()
    const session = this.#neighbours.receiveReset(datagram, from, time)
    if (session === undefined) {
      const isQuicBitFree = this.#listener?.isQuicBitFree ?? false
      const size = this.#sendOnce(into => this.#router.reset(datagram, id, into, time, isQuicBitFree), from)
      if (size > 0) this.#news.resetSent(from, size)
      else this.#news.strayDropped(datagram.length)
      return
    }
    session.drain()
    this.schedule(session)
  }

  #add(session: QuicSession): void {
    this.#sessions.add(session)
    this.#neighbours.add(session, session.remoteAddress)
  }

  /** A datagram outside of any connection; `write` returns its length, and so does this; 0: none was sent. */
  #sendOnce(write: (into: Uint8Array) => number, to: Address): number {
    const buffer = this.#socket.buffer()
    if (buffer === undefined) return 0
    const length = write(buffer)
    if (length === 0) this.#socket.release(buffer)
    else this.#socket.send(buffer, length, to)
    return length
  }

  #onBindFailed(cause: Error): void {
    for (const session of this.#sessions) {
      session.abort(new QuicError('ERR_ZEROTRIP_BIND', `no UDP socket: ${cause.message}`, { cause }))
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new QuicError('ERR_ZEROTRIP_INVALID_STATE', 'the endpoint is closed')
  }

  /**
   * Closes the sessions of peers that are known by their keys (`peer.authorization`) and not welcome any more: those of an
   * instance, an edge, an epoch. Returns how many; default code 0.
   */
  closeWhere(isUnwelcome: (authorization: Authorization) => boolean, errorCode = 0, reason = 'revoked'): number {
    const unwelcome = [...this.#sessions].filter(
      ({ connection: { authorization } }) => authorization && isUnwelcome(authorization),
    )
    for (const session of unwelcome) session.close(errorCode, reason)
    return unwelcome.length
  }

  /**
   * Ends everything where it is, without a word to anybody: for a process that was restored from a snapshot. A copy of it
   * may be alive, and one more packet under keys that both have would be one too many. Resolves when the port is free.
   */
  abandon(): Promise<void> {
    this.#closing ??= this.#abandon()
    return this.#closing
  }

  async #abandon(): Promise<void> {
    this.#driver.halt()
    this.#listener?.close()
    await this.ready.catch(() => {})
    for (const session of this.#sessions) session.terminate()
    await this.#socket.close()
    this.#news.closed()
  }

  async #close(options: CloseOptions): Promise<void> {
    this.#listener?.close()
    await this.ready.catch(() => {})
    await finishAll(this.#sessions, options)
    for (const session of this.#sessions) session.close(options.errorCode, options.reason)
    await this.#driver.stop()
    for (const session of this.#sessions) session.terminate()
    await this.#socket.close()
    this.#news.closed()
  }
}

/** What the application throws is shown, and the datagram lost. */
function isForwarded(
  forward: NonNullable<EndpointOptions['forward']>,
  datagram: Uint8Array,
  from: Address,
  id: Uint8Array,
): boolean {
  try {
    return forward(datagram, from, id)
  } catch (error) {
    throwLater(error)
    return true
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

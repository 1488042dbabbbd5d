// One UDP socket, both roles: the only place where datagrams, timers and connections meet.

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { MIN_DATAGRAM_SIZE } from '../connection/config.ts'
import { Connection } from '../connection/connection.ts'
import type { Address } from '../connection/path.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import { nodeBackend } from '../crypto/backend-node.ts'
import { AddressTokens } from '../zero-rtt/address-token.ts'
import { NoTickets, originOf } from '../zero-rtt/ticket-store.ts'
import { now, timeOrigin } from './clock.ts'
import { Driver } from './driver.ts'
import { QuicError } from './errors.ts'
import { environmentKeyLog } from './key-log.ts'
import { Listener } from './listener.ts'
import { type ConnectOptions, clientConfig, type ListenOptions } from './options.ts'
import { recorderFactory } from './qlog-file.ts'
import { QuicSession, type SessionHost } from './quic-session.ts'
import { QuicStreams } from './quic-streams.ts'
import { Router } from './router.ts'
import { type UdpOptions, UdpSocket } from './udp-socket.ts'

export interface EndpointOptions extends UdpOptions {
  /** Default node:crypto. */
  readonly backend?: CryptoBackend
  /** Room for outgoing datagrams, bytes. Default 1,500; raise it together with `transport.maxDatagramSize`. */
  readonly datagramBufferSize?: number
  /** Makes and reads address validation tokens. Default: with keys of its own. */
  readonly addressTokens?: AddressTokens
  /** 32 bytes from which stateless reset tokens are made. Default random. */
  readonly statelessResetKey?: Uint8Array
}

const DEFAULT_BUFFER = 1500

export class QuicEndpoint implements AsyncDisposable, SessionHost {
  /** Resolves with the bound address; rejects with node's own error when the port cannot be had. */
  readonly ready: Promise<Address>
  readonly backend: CryptoBackend
  readonly #socket: UdpSocket
  readonly #driver: Driver
  readonly #router: Router
  readonly #tokens: AddressTokens
  readonly #sessions = new Set<QuicSession>()
  #listener: Listener | undefined
  #isClosed = false

  constructor(options: EndpointOptions = {}) {
    const host = options.host ?? '::'
    if (isIP(host) === 0) throw new TypeError(`host must be an IP address to bind to, not '${host}'`)
    this.backend = options.backend ?? nodeBackend
    this.#socket = new UdpSocket(
      host,
      this.backend,
      Math.max(MIN_DATAGRAM_SIZE, options.datagramBufferSize ?? DEFAULT_BUFFER),
    )
    this.#driver = new Driver(this.#socket)
    this.#router = new Router(this.backend, options.statelessResetKey ?? this.backend.random(32))
    this.#tokens = options.addressTokens ?? new AddressTokens(this.backend)
    this.#socket.onDatagram((datagram, from) => this.#onDatagram(datagram, from))
    this.ready = this.#socket.bind(host, options.port ?? 0, options).then(address => {
      this.#driver.start()
      return address
    })
    this.ready.catch(() => {})
  }

  /**
   * Takes clients from now on, one configuration for each endpoint. Iterate over the result, or give `onSession`.
   * Throws a TypeError for options that do not fit.
   */
  listen(options: ListenOptions, onSession?: (session: QuicSession) => void): Listener {
    if (this.#listener !== undefined) {
      throw new QuicError('ERR_ZEROTRIP_INVALID_STATE', 'this endpoint listens already; make another QuicEndpoint')
    }
    const listener = new Listener(options, onSession, {
      backend: this.backend,
      router: this.#router,
      tokens: this.#tokens,
      host: this,
      add: session => this.#sessions.add(session),
      send: (write, to) => this.#sendOnce(write, to),
      connections: () => this.#sessions.size,
    })
    this.#listener = listener
    return listener
  }

  /**
   * Begins a connection and returns at once: what is written in the same tick leaves in the first datagram, as 0-RTT
   * data when the ticket store has something for this origin and `earlyData` is set.
   */
  connect(to: { readonly host: string; readonly port: number }, options: ConnectOptions): QuicSession {
    if (this.#isClosed) throw new QuicError('ERR_ZEROTRIP_INVALID_STATE', 'the endpoint is closed')
    options.signal?.throwIfAborted()
    const origin = originOf(options.serverName ?? to.host, to.port)
    const tickets = options.tickets ?? NoTickets
    const resumption = tickets.take(origin)
    const config = clientConfig(options, this.backend, to.host, resumption?.pins ?? [])
    const keyLog = options.keyLog ?? environmentKeyLog()
    // What goes early goes under the protocol of the ticket; no other is offered beside it (RFC 8446 §4.2.10).
    const alpn = resumption && options.earlyData ? [resumption.alpn] : options.alpn
    const session: QuicSession = new QuicSession(
      self =>
        Connection.client(
          { ...config, alpn, timeOrigin: timeOrigin(), ...(resumption && { resumption }), ...(keyLog && { keyLog }) },
          {
            backend: this.backend,
            recorder: recorderFactory(options.qlog),
            ids: this.#router.idsFor(() => self),
          },
          { host: to.host, port: to.port },
          now(),
        ),
      this,
      {
        application: () => options.application ?? (self => new QuicStreams(self.transport)),
        alpn: alpn.length === 1 || options.application !== undefined ? alpn[0] : undefined,
        tickets,
        origin,
      },
    )
    this.#sessions.add(session)
    if (isIP(to.host) === 0) this.#resolve(session, to)
    options.signal?.addEventListener('abort', () => session.close(0, 'aborted'), { once: true })
    this.schedule(session)
    return session
  }

  /** Sessions that are open or closing. */
  get sessions(): ReadonlySet<QuicSession> {
    return this.#sessions
  }

  /** Closes every session with `errorCode`, default 0, tells the peers, and gives the port back. */
  async close(errorCode = 0, reason = ''): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#listener?.close()
    await this.ready.catch(() => {})
    await Promise.all([...this.#sessions].map(session => session.close(errorCode, reason)))
    this.#driver.flushNow()
    for (const session of this.#sessions) clearTimeout(session.timer)
    await this.#socket.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Lets the process end although the socket is open, or not (as `ref` and `unref` of node:net). */
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
    this.#listener?.onTerminated(session)
  }

  #onDatagram(datagram: Uint8Array, from: Address): void {
    const time = now()
    const id = this.#router.destination(datagram)
    if (id === undefined) return
    const session = this.#router.find(id)
    if (session !== undefined) return session.receive(datagram, from, time)
    const isLong = ((datagram[0] as number) & 0x80) !== 0
    if (isLong) this.#listener?.onInitial(datagram, from, time)
    else this.#sendOnce(into => this.#router.reset(datagram, id, into, time), from)
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
      const { address } = await lookup(to.host)
      session.connection.setRemote({ host: address, port: to.port })
      session.isResolved = true
      this.schedule(session)
    } catch (cause) {
      session.fail(
        new QuicError('ERR_ZEROTRIP_LOOKUP', `no address found for ${to.host}; is the name right?`, { cause }),
      )
      this.#sessions.delete(session)
    }
  }
}

/** An endpoint that listens: `await using server = listen({ port: 4433, ... }, session => ...)`. */
export function listen(
  options: ListenOptions & EndpointOptions,
  onSession?: (session: QuicSession) => void,
): QuicEndpoint & { readonly listener: Listener } {
  const endpoint = new QuicEndpoint(options)
  const listener = endpoint.listen(options, onSession)
  return Object.assign(endpoint, { listener })
}

/** A connection on a socket of its own, which closes with it. */
export function connect(
  to: { readonly host: string; readonly port: number },
  options: ConnectOptions & Omit<EndpointOptions, 'port'>,
): QuicSession {
  const endpoint = new QuicEndpoint(options)
  const session = endpoint.connect(to, options)
  const close = (): Promise<void> => endpoint.close()
  session.closed.then(close, close)
  return session
}

// The client side of an endpoint: from a name or an address to a session that begins.

import { isIP } from 'node:net'
import { type ClientConfig, resolveTransport } from '../connection/config.ts'
import { Connection } from '../connection/connection.ts'
import type { Address } from '../connection/path.ts'
import type { Resumption } from '../zero-rtt/resumption.ts'
import { isLater, NoTickets, originOf, type TicketStore } from '../zero-rtt/ticket-store.ts'
import type { EndpointDoor } from './acceptor.ts'
import { now, timeOrigin } from './clock.ts'
import { QuicError } from './errors.ts'
import { assertRemote, type ConnectOptions, clientConfig, handshakeTimeout, resuming } from './options.ts'
import { prepareQlog, QlogFile } from './qlog-file.ts'
import { QuicSession } from './quic-session.ts'
import { QuicStreams } from './quic-streams.ts'
import { storeFailed } from './session-tickets.ts'
import type { UdpSocket } from './udp-socket.ts'

/** What the endpoint lends for it. */
export interface DialerHost extends EndpointDoor {
  readonly socket: UdpSocket
}

/** Addresses of one name that are tried. */
const MAX_ADDRESSES = 8

/** RFC 8305 §4: families take turns, the resolver's favourite first; in each the resolver's order. */
export function inTurns(found: readonly { readonly address: string; readonly family: number }[]): string[] {
  const first = found.filter(({ family }) => family === found[0]?.family)
  const others = found.filter(({ family }) => family !== found[0]?.family)
  const turns: string[] = []
  for (let i = 0; i < Math.max(first.length, others.length); i++) {
    for (const one of [first[i], others[i]]) if (one !== undefined) turns.push(one.address)
  }
  return [...new Set(turns)]
}

export class Dialer {
  readonly #door: DialerHost

  constructor(door: DialerHost) {
    this.#door = door
  }

  /** A session under way. Throws a TypeError or RangeError for options that do not fit. */
  connect(to: { readonly host: string; readonly port: number }, options: ConnectOptions): QuicSession {
    const { backend, socket, host } = this.#door
    assertRemote(to)
    options.signal?.throwIfAborted()
    const basis = clientConfig(options, backend, to.host)
    const timeout = handshakeTimeout(options)
    prepareQlog(options.qlog)
    socket.raiseBufferSize(resolveTransport(options.transport).probeDatagramSize)
    // Last of all: a ticket that was taken is gone.
    const origin = originOf(basis.serverName, to.port)
    const tickets = options.tickets ?? NoTickets
    const taken = tickets.take(origin)
    const begin = (resumption: Resumption | undefined): ClientConfig => resuming(basis, resumption, options, backend)
    const config = begin(isLater(taken) ? undefined : taken)
    const session = this.#session(socket.route(to.host, to.port), config, options, { tickets, origin, timeout })
    this.#door.add(session)
    this.#door.news.counters.opened++
    const isNothing = taken === undefined && options.fallback === 'refuse'
    if (isLater(taken) || isNothing) this.#beginLate(session, taken, begin, options)
    if (isIP(to.host) === 0) this.#resolve(session, to)
    host.schedule(session)
    return session
  }

  #session(
    remote: Address,
    config: ClientConfig,
    options: ConnectOptions,
    to: { readonly tickets: TicketStore; readonly origin: string; readonly timeout: number },
  ): QuicSession {
    const { backend, router, host, memory, interfacePayload } = this.#door
    const log = new QlogFile(options.qlog)
    const make = (self: QuicSession): Connection => {
      const deps = { backend, recorder: log.open, ids: router.idsFor(self), memory, interfacePayload }
      return Connection.client({ ...config, timeOrigin: timeOrigin() }, deps, remote, now())
    }
    return new QuicSession(make, host, {
      application: () => options.application ?? (self => new QuicStreams(self.transport)),
      alpn: config.alpn[0],
      tickets: to.tickets,
      origin: to.origin,
      handshakeTimeout: to.timeout,
      signal: options.signal,
      onTerminated: () => log.close(),
    })
  }

  /** Nothing is sent until the store has answered; where nothing will be, the caller has its session first. */
  async #beginLate(
    session: QuicSession,
    taken: ReturnType<TicketStore['take']>,
    begin: (resumption: Resumption | undefined) => ClientConfig,
    options: ConnectOptions,
  ): Promise<void> {
    session.holds++
    let resumption: Resumption | undefined
    try {
      resumption = await taken
    } catch (error) {
      storeFailed(error)
    }
    if (session.connection.isTerminated) return
    if (resumption !== undefined) session.connection.beginWith(begin(resumption), now())
    else if (options.fallback === 'refuse') return session.abort(noCredential())
    session.holds--
    session.drain()
    this.#door.host.schedule(session)
  }

  async #resolve(session: QuicSession, to: Address): Promise<void> {
    const { socket, host } = this.#door
    session.holds++
    try {
      const { lookup } = process.getBuiltinModule('node:dns/promises')
      const found = await lookup(to.host, { family: socket.family, all: true })
      // Aborted meanwhile: it is gone.
      if (session.connection.isTerminated) return
      const addresses = inTurns(found).slice(0, MAX_ADDRESSES)
      session.connection.setRemotes(addresses.map(address => socket.route(address, to.port)))
      host.onMoved(session)
      const onAnswer = (): void => (session.connection.isTerminated ? undefined : host.onMoved(session))
      if (addresses.length > 1) session.opened.then(onAnswer, () => {})
      session.holds--
      host.schedule(session)
    } catch (cause) {
      const message = `no address found for ${to.host}; is the name right?`
      session.abort(new QuicError('ERR_ZEROTRIP_LOOKUP', message, { cause }))
    }
  }
}

function noCredential(): QuicError {
  const message = 'there is no PSK or ticket for this server that is good now, and no other way in (fallback: refuse)'
  return new QuicError('ERR_ZEROTRIP_NO_CREDENTIAL', message)
}

// From an admitted client to a session, and whom its protocol belongs to.

import type { MemoryBudget } from '../bytes/memory-budget.ts'
import { type Accepted, resolveTransport, resolveVersions, SERVER_VERSIONS } from '../connection/config.ts'
import { Connection } from '../connection/connection.ts'
import type { Address } from '../connection/path.ts'
import type { PreferredAddresses } from '../connection/preferred-address.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import type { PacketHeader } from '../packet/header.ts'
import type { AddressTokens } from '../zero-rtt/address-token.ts'
import { NoTickets } from '../zero-rtt/ticket-store.ts'
import { type CertificateOptions, certificateSource } from './certificates.ts'
import { now, timeOrigin, unixTime } from './clock.ts'
import type { EndpointNews } from './endpoint-news.ts'
import { placeOf } from './incoming.ts'
import { handshakeTimeout, type ListenOptions, serverConfig } from './options.ts'
import { prepareQlog, QlogFile } from './qlog-file.ts'
import { type ApplicationFactory, QuicSession, type SessionHost } from './quic-session.ts'
import { QuicStreams } from './quic-streams.ts'
import type { Router } from './router.ts'

/** What the endpoint lends to both of its roles. */
export interface EndpointDoor {
  readonly backend: CryptoBackend
  readonly router: Router
  readonly host: SessionHost
  readonly memory: MemoryBudget
  readonly news: EndpointNews
  /** The largest UDP payload that is worth trying towards an address; there is room for it from then on. */
  readonly interfacePayload: (remote: Address) => number | undefined
  add(session: QuicSession): void
}

/** What the endpoint lends to its listener. */
export interface ListenerHost extends EndpointDoor {
  readonly tokens: AddressTokens
  /** Writes a datagram outside of any connection; `write` returns its length, and so does this; 0: none was sent. */
  send(write: (into: Uint8Array) => number, to: Address): number
  connections(): number
  raiseDatagramSize(size: number): void
  /** Where clients are asked to go. */
  preferredAddress(): PreferredAddresses | undefined
}

/** What a token says about the client that brought it. */
export interface Origin {
  readonly isAddressValidated: boolean
  readonly originalDestination: Uint8Array
  readonly retrySource: Uint8Array | undefined
}

export class Acceptor {
  readonly #options: ListenOptions
  readonly #config: ReturnType<typeof serverConfig>
  readonly #handshakeTimeout: number
  readonly #door: ListenerHost
  readonly #announce: (session: QuicSession) => void
  /** Sessions that a client's first destination id still leads to. */
  readonly #firstIds = new Map<QuicSession, Uint8Array>()

  /** Throws a TypeError or RangeError for options that do not fit. `announce` is told of each session it can show. */
  constructor(options: ListenOptions, door: ListenerHost, announce: (session: QuicSession) => void) {
    this.#options = options
    this.#config = serverConfig(options, door.backend)
    this.#handshakeTimeout = handshakeTimeout(options)
    this.#door = door
    this.#announce = announce
    prepareQlog(options.qlog)
    if (options.qlog !== undefined) door.news.openLog(options.qlog, door.backend.random(8))
    door.raiseDatagramSize(resolveTransport(options.transport).probeDatagramSize)
  }

  /** From now on clients are shown these. Throws a TypeError for what does not fit: then nothing changes. */
  setCertificates(options: CertificateOptions): void {
    const source = certificateSource(options, this.#door.backend)
    if (source === undefined) throw new TypeError('`cert` and `key` (PEM) are needed, or `certificates`')
    this.#config.certificates.replace(source)
  }

  /** QUIC versions that are spoken here. */
  get versions(): readonly number[] {
    return resolveVersions(this.#config.versions, SERVER_VERSIONS)
  }

  /** RFC 9287 §3: packets need not have the bit that tells QUIC from other protocols. */
  get isQuicBitFree(): boolean {
    return this.#config.transport?.greaseQuicBit ?? true
  }

  /** Handshakes not yet confirmed. */
  get handshakes(): number {
    return this.#firstIds.size
  }

  /** Makes the session of the client whose Initial has `header`, and gives it what has come so far. */
  accept(datagrams: readonly Uint8Array[], header: PacketHeader, from: Address, origin: Origin): void {
    const { router } = this.#door
    // Two clients may have chosen the same id while their admission was thought about: the first one has it.
    if (router.find(header.destination) !== undefined) return
    const destination = header.destination.slice()
    // Copies, and nothing else of a header: whatever is a view of the datagram would keep all of it.
    const first = { version: header.version, destination, source: header.source.slice() }
    const session = this.#session(first, from, origin)
    this.#door.add(session)
    router.add(destination, session)
    this.#firstIds.set(session, destination)
    // Once confirmed, the client knows our ids and uses them.
    const forget = (): void => this.forget(session)
    session.confirmed.then(forget, forget)
    const time = now()
    for (const datagram of datagrams) session.receive(datagram, from, time)
    // Nothing in it was authentic: no state is kept for what anybody could have made up.
    const { counters } = this.#door.news
    if (session.connection.stats.packetsReceived > 0) counters.accepted++
    else {
      counters.dropped.forged += datagrams.length
      session.terminate()
    }
  }

  /** The client's first id leads nowhere any more. */
  forget(session: QuicSession): void {
    const id = this.#firstIds.get(session)
    if (id === undefined) return
    this.#firstIds.delete(session)
    this.#door.router.remove(id)
  }

  #session(
    header: Pick<PacketHeader, 'version' | 'destination' | 'source'>,
    from: Address,
    origin: Origin,
  ): QuicSession {
    const { backend, router, host, tokens, memory, interfacePayload } = this.#door
    const log = new QlogFile(this.#options.qlog)
    const make = (self: QuicSession): Connection => {
      const ids = router.idsFor(self)
      const { version, destination, source } = header
      const accepted: Accepted = { version, remote: from, destination, source, localId: ids.create(), ...origin }
      const newToken = (): Uint8Array =>
        tokens.newToken(placeOf(self.connection.remote, self.connection.version), unixTime())
      const preferredAddress = this.#door.preferredAddress()
      const config = {
        ...this.#config,
        timeOrigin: timeOrigin(),
        newToken,
        ...(preferredAddress && { preferredAddress }),
      }
      return Connection.server(config, { backend, recorder: log.open, ids, memory, interfacePayload }, accepted, now())
    }
    return new QuicSession(make, host, {
      application: alpn => this.#application(alpn),
      alpn: undefined,
      tickets: NoTickets,
      origin: '',
      handshakeTimeout: this.#handshakeTimeout,
      onSeated: this.#announce,
      onTerminated: () => log.close(),
    })
  }

  #application(alpn: string): ApplicationFactory {
    const { alpn: served } = this.#options
    const factory = Array.isArray(served) ? undefined : (served as Record<string, ApplicationFactory>)[alpn]
    return factory ?? (session => new QuicStreams(session.transport))
  }
}

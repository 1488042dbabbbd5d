// The server side of an endpoint: from a stranger's Initial packet to a session (RFC 9000 §5.2.2, §8.1).

import { Writer } from '../bytes/writer.ts'
import { type Accepted, MIN_DATAGRAM_SIZE, type ServerConfig } from '../connection/config.ts'
import { Connection } from '../connection/connection.ts'
import type { Address } from '../connection/path.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import { connectionIdKey } from '../packet/connection-id.ts'
import { type PacketHeader, PacketKind, readHeader } from '../packet/header.ts'
import { ErrorCode } from '../packet/transport-error.ts'
import { isSupportedVersion, supportedVersions, writeVersionNegotiation } from '../packet/version.ts'
import type { AddressTokens } from '../zero-rtt/address-token.ts'
import { NoTickets } from '../zero-rtt/ticket-store.ts'
import { timeOrigin, unixTime } from './clock.ts'
import { Inbox } from './inbox.ts'
import {
  type Admission,
  type Admit,
  admitUnderLimits,
  MAX_CONNECTIONS,
  writeRefusal,
  writeRetryAnswer,
} from './incoming.ts'
import { environmentKeyLog } from './key-log.ts'
import { type ListenOptions, serverConfig } from './options.ts'
import { recorderFactory } from './qlog-file.ts'
import { type ApplicationFactory, QuicSession, type SessionHost } from './quic-session.ts'
import { QuicStreams } from './quic-streams.ts'
import { LOCAL_ID_LENGTH, type Router } from './router.ts'

/** Clients whose admission is being thought about. */
export const MAX_PENDING_CLIENTS = 256
/** Datagrams kept for each of them. */
export const MAX_PENDING_DATAGRAMS = 4
/** RFC 9000 §7.2: a client's first destination id is this long at least. */
const MIN_FIRST_ID_LENGTH = 8
/** Ports of services that answer anything: never a client, but good to reflect at. */
const REFLECTING_PORTS = new Set([0, 17, 19, 53, 111, 123, 137, 138, 161, 389, 500, 1900, 5353, 11211])

/** What the endpoint lends to its listener. */
export interface ListenerHost {
  readonly backend: CryptoBackend
  readonly router: Router
  readonly tokens: AddressTokens
  readonly host: SessionHost
  add(session: QuicSession): void
  send(write: (into: Uint8Array) => number, to: Address): void
  connections(): number
}

/** What a token says about the client that brought it. */
interface Origin {
  readonly isAddressValidated: boolean
  readonly originalDestination: Uint8Array
  readonly retrySource: Uint8Array | undefined
}

export class Listener implements AsyncIterable<QuicSession> {
  readonly #options: ListenOptions
  readonly #config: ServerConfig
  readonly #admit: Admit
  readonly #door: ListenerHost
  readonly #onSession: ((session: QuicSession) => void) | undefined
  readonly #sessions = new Inbox<QuicSession>(MAX_CONNECTIONS)
  /** Sessions that a client's first destination id still leads to. */
  readonly #firstIds = new Map<QuicSession, Uint8Array>()
  readonly #pending = new Map<string, Uint8Array[]>()
  #isClosed = false

  constructor(options: ListenOptions, onSession: ((session: QuicSession) => void) | undefined, door: ListenerHost) {
    const keyLog = options.keyLog ?? environmentKeyLog()
    this.#options = options
    this.#config = { ...serverConfig(options, door.backend), ...(keyLog && { keyLog }) }
    this.#admit = options.admit ?? admitUnderLimits
    this.#onSession = onSession
    this.#door = door
  }

  /** Sessions in the order their clients came, each as soon as its protocol is known. */
  [Symbol.asyncIterator](): AsyncIterator<QuicSession> {
    return this.#sessions[Symbol.asyncIterator]()
  }

  /** Takes no more clients; those that are here stay. */
  close(): void {
    this.#isClosed = true
    this.#sessions.close()
  }

  /** Handshakes not yet confirmed. */
  get handshakes(): number {
    return this.#firstIds.size
  }

  /** For the endpoint: a long header of an unknown connection. */
  onInitial(datagram: Uint8Array, from: Address, now: number): void {
    if (this.#isClosed || datagram.length < MIN_DATAGRAM_SIZE || REFLECTING_PORTS.has(from.port)) return
    const header = readHeader(datagram, 0, LOCAL_ID_LENGTH)
    if (header === undefined) return
    if (header.kind === PacketKind.UnknownVersion || !isSupportedVersion(header.version)) {
      return this.#negotiateVersion(header, from)
    }
    if (header.kind !== PacketKind.Initial || header.destination.length < MIN_FIRST_ID_LENGTH) return
    const key = `${from.host} ${from.port} ${connectionIdKey(header.destination)}`
    const waiting = this.#pending.get(key)
    if (waiting !== undefined) {
      if (waiting.length < MAX_PENDING_DATAGRAMS) waiting.push(datagram)
      return
    }
    this.#consider(datagram, header, from, key, now)
  }

  /** For the endpoint: the session is over. */
  onTerminated(session: QuicSession): void {
    this.#forgetFirstId(session)
  }

  #consider(datagram: Uint8Array, header: PacketHeader, from: Address, key: string, now: number): void {
    const origin = this.#readToken(header, from)
    if (origin === undefined) return this.#refuse(header, from, ErrorCode.InvalidToken)
    const admission = this.#admit({
      remoteAddress: from,
      isAddressValidated: origin.isAddressValidated,
      handshakes: this.handshakes,
      connections: this.#door.connections(),
    })
    if (typeof admission === 'string') return this.#carryOut(admission, [datagram], header, from, origin, now)
    if (this.#pending.size >= MAX_PENDING_CLIENTS) return
    const waiting = [datagram]
    this.#pending.set(key, waiting)
    admission
      .catch((): Admission => 'ignore')
      .then(answer => {
        this.#pending.delete(key)
        if (!this.#isClosed) this.#carryOut(answer, waiting, header, from, origin, now)
      })
  }

  #carryOut(
    admission: Admission,
    datagrams: readonly Uint8Array[],
    header: PacketHeader,
    from: Address,
    origin: Origin,
    now: number,
  ): void {
    switch (admission) {
      case 'accept':
        return this.#accept(datagrams, header, from, origin, now)
      case 'retry':
        if (origin.isAddressValidated) return this.#accept(datagrams, header, from, origin, now)
        return this.#door.send(into => this.#writeRetry(into, header, from), from)
      case 'refuse':
        return this.#refuse(header, from, ErrorCode.ConnectionRefused)
      case 'ignore':
    }
  }

  #accept(datagrams: readonly Uint8Array[], header: PacketHeader, from: Address, origin: Origin, now: number): void {
    const { router, host, tokens } = this.#door
    const destination = header.destination.slice()
    const session = new QuicSession(
      self => {
        const ids = router.idsFor(() => self)
        const accepted: Accepted = {
          version: header.version,
          remote: from,
          destination,
          source: header.source.slice(),
          localId: ids.create(),
          ...origin,
        }
        const newToken = (): Uint8Array => tokens.newToken(`${from.host}:${from.port}`, unixTime())
        const config = { ...this.#config, timeOrigin: timeOrigin(), newToken }
        const deps = { backend: this.#door.backend, recorder: recorderFactory(this.#options.qlog), ids }
        return Connection.server(config, deps, accepted, now)
      },
      host,
      {
        application: alpn => this.#application(alpn),
        alpn: undefined,
        tickets: NoTickets,
        origin: '',
        onSeated: self => this.#announce(self),
      },
    )
    this.#door.add(session)
    router.add(destination, session)
    this.#firstIds.set(session, destination)
    // Once confirmed, the client knows our ids and uses them.
    const forget = (): void => this.#forgetFirstId(session)
    session.confirmed.then(forget, forget)
    for (const datagram of datagrams) session.receive(datagram, from, now)
  }

  #application(alpn: string): ApplicationFactory {
    const { alpn: served } = this.#options
    const factory = Array.isArray(served) ? undefined : (served as Record<string, ApplicationFactory>)[alpn]
    return factory ?? (session => new QuicStreams(session.transport))
  }

  #announce(session: QuicSession): void {
    if (this.#onSession) this.#onSession(session)
    else this.#sessions.push(session)
  }

  #forgetFirstId(session: QuicSession): void {
    const id = this.#firstIds.get(session)
    if (id === undefined) return
    this.#firstIds.delete(session)
    if (this.#door.router.find(id) === session) this.#door.router.remove(id)
  }

  /** RFC 9000 §8.1.2-3. Undefined: the token answers a Retry of ours, but not rightly. */
  #readToken(header: PacketHeader, from: Address): Origin | undefined {
    const stranger = {
      isAddressValidated: false,
      originalDestination: header.destination.slice(),
      retrySource: undefined,
    }
    if (header.token.length === 0) return stranger
    const answer = this.#door.tokens.read(header.token, `${from.host}:${from.port}`, unixTime())
    switch (answer?.kind) {
      case undefined:
        return stranger
      case 'invalid-retry':
        return undefined
      case 'new':
        return { ...stranger, isAddressValidated: true }
      case 'retry':
        return {
          isAddressValidated: true,
          originalDestination: answer.originalDestination,
          retrySource: answer.retrySource,
        }
    }
  }

  #writeRetry(into: Uint8Array, header: PacketHeader, from: Address): number {
    return writeRetryAnswer(into, header, from, this.#door.backend, this.#door.tokens, unixTime())
  }

  #refuse(header: PacketHeader, from: Address, code: Parameters<typeof writeRefusal>[2]): void {
    this.#door.send(into => writeRefusal(into, header, code, this.#door.backend), from)
  }

  /** RFC 9000 §6.1, RFC 8999 §6. */
  #negotiateVersion(header: PacketHeader, from: Address): void {
    this.#door.send(into => {
      const writer = new Writer(into)
      const random = this.#door.backend.random(1)[0] as number
      writeVersionNegotiation(writer, header.source, header.destination, supportedVersions, random)
      return writer.pos
    }, from)
  }
}

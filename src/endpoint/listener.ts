// The server side of an endpoint: what becomes of a stranger's long header (RFC 9000 §5.2.2, §6.1, §8.1).

import { equal } from '../bytes/equal.ts'
import { Writer } from '../bytes/writer.ts'
import { MIN_DATAGRAM_SIZE } from '../connection/config.ts'
import type { Address } from '../connection/path.ts'
import { hasQuicBit, type PacketHeader, PacketKind, readHeader } from '../packet/header.ts'
import { ErrorCode } from '../packet/transport-error.ts'
import { RESERVED_VERSION_RANDOM, withReservedVersion, writeVersionNegotiation } from '../packet/version.ts'
import { Acceptor, type ListenerHost, type Origin } from './acceptor.ts'
import { retryUnderLoad } from './admission.ts'
import type { CertificateOptions } from './certificates.ts'
import { unixTime } from './clock.ts'
import { throwLater } from './errors.ts'
import { Inbox } from './inbox.ts'
import {
  type Admission,
  type Admit,
  MAX_CONNECTIONS,
  MAX_PENDING_CLIENTS,
  placeOf,
  writeRefusal,
  writeRetryAnswer,
} from './incoming.ts'
import type { ListenOptions } from './options.ts'
import { PendingClients } from './pending-clients.ts'
import type { QuicSession } from './quic-session.ts'

/** RFC 9000 §7.2: a client's first destination id is this long at least. */
const MIN_FIRST_ID_LENGTH = 8

export class Listener implements AsyncIterable<QuicSession> {
  readonly #admit: Admit
  readonly #maxConnections: number
  readonly #door: ListenerHost
  readonly #acceptor: Acceptor
  readonly #onSession: ((session: QuicSession) => void) | undefined
  /** No more than there are connections: one that is over before it is taken, leaves. */
  readonly #sessions: Inbox<QuicSession> = new Inbox(Number.POSITIVE_INFINITY)
  readonly #pending: PendingClients
  #isClosed = false

  constructor(options: ListenOptions, onSession: ((session: QuicSession) => void) | undefined, door: ListenerHost) {
    this.#admit = options.admit ?? retryUnderLoad()
    this.#maxConnections = bound(options, 'maxConnections', MAX_CONNECTIONS)
    this.#pending = new PendingClients(bound(options, 'maxPendingClients', MAX_PENDING_CLIENTS))
    this.#onSession = onSession
    this.#door = door
    this.#acceptor = new Acceptor(options, door, session => this.#announce(session))
  }

  /**
   * Sessions in the order their clients came, each as soon as its protocol is known: before the handshake is complete
   * when there is early data. Await `session.opened` where that matters.
   */
  [Symbol.asyncIterator](): AsyncIterator<QuicSession> {
    return this.#sessions[Symbol.asyncIterator]()
  }

  /**
   * Shows other certificates from now on, such as renewed ones: `cert` and `key`, or `certificates`. Connections and
   * handshakes under way keep what they have, and so do tickets. Throws a TypeError for what does not fit; then nothing
   * changes.
   */
  setCertificates(options: CertificateOptions): void {
    this.#acceptor.setCertificates(options)
  }

  /** Takes no more clients: they are refused (CONNECTION_REFUSED). Those that are here stay. */
  close(): void {
    this.#isClosed = true
    this.#pending.clear()
    this.#sessions.close()
  }

  /** Packets need not have the bit that tells QUIC from other protocols (RFC 9287). */
  get isQuicBitFree(): boolean {
    return this.#acceptor.isQuicBitFree
  }

  /** Handshakes not yet confirmed. */
  get handshakes(): number {
    return this.#acceptor.handshakes
  }

  /** Clients whose admission is being thought about. */
  get pending(): number {
    return this.#pending.size
  }

  /** For the endpoint: a long header of an unknown connection. */
  onLongHeader(datagram: Uint8Array, from: Address): void {
    const { dropped } = this.#door.news.counters
    const header = readHeader(datagram, 0, this.#door.router.idLength, this.#acceptor.isQuicBitFree)
    // RFC 9000 §6.1: Version Negotiation is never answered with Version Negotiation.
    if (header === undefined || header.kind === PacketKind.VersionNegotiation) return void dropped.notInitial++
    const key = this.#pending.key(from, header.destination)
    // Early data may come in datagrams of its own, of any size.
    if (this.#pending.append(key, datagram)) return
    if (datagram.length < MIN_DATAGRAM_SIZE) return void dropped.notInitial++
    if (!this.#acceptor.versions.includes(header.version)) return this.#negotiateVersion(header, from)
    // RFC 9287 §3.1: without the QUIC bit only from who brings a token, and so may know that we take such packets.
    const isQuic = hasQuicBit(datagram, 0) || header.token.length > 0
    if (header.kind !== PacketKind.Initial || header.destination.length < MIN_FIRST_ID_LENGTH || !isQuic) {
      dropped.notInitial++
      return
    }
    this.#consider(datagram, header, from, key)
  }

  /** For the endpoint: the session is over. */
  onTerminated(session: QuicSession): void {
    this.#acceptor.forget(session)
    this.#sessions.remove(session)
  }

  #announce(session: QuicSession): void {
    if (this.#onSession) this.#onSession(session)
    else this.#sessions.push(session)
  }

  #consider(datagram: Uint8Array, header: PacketHeader, from: Address, key: string): void {
    if (this.#isClosed) return this.#refuse(header, from, ErrorCode.ConnectionRefused)
    const origin = this.#readToken(header, from)
    if (origin === undefined) return this.#refuse(header, from, ErrorCode.InvalidToken)
    const admission = this.#ask(from, origin)
    if (typeof admission === 'string') return this.#carryOut(admission, [datagram], header, from, origin)
    if (!this.#pending.add(key, datagram)) return void this.#door.news.counters.dropped.pendingFull++
    const answered = (answer: Admission): void => {
      const datagrams = this.#pending.take(key)
      this.#carryOut(this.#isClosed ? 'refuse' : answer, datagrams, header, from, origin)
    }
    admission.then(answered, () => answered('ignore'))
  }

  /** What the application thinks; when it throws, that is shown, and nobody is let in. */
  #ask(from: Address, origin: Origin): Admission | Promise<Admission> {
    const connections = this.#door.connections()
    if (connections >= this.#maxConnections || this.#door.memory.isNearlyUsed) return 'refuse'
    const { isAddressValidated } = origin
    try {
      return this.#admit({ remoteAddress: from, isAddressValidated, handshakes: this.handshakes, connections })
    } catch (error) {
      throwLater(error)
      return 'ignore'
    }
  }

  /** A generator of connection ids that fails is shown, and nobody is let in. */
  #carryOut(
    admission: Admission,
    datagrams: readonly Uint8Array[],
    header: PacketHeader,
    from: Address,
    origin: Origin,
  ): void {
    try {
      this.#act(admission, datagrams, header, from, origin)
    } catch (error) {
      throwLater(error)
    }
  }

  #act(
    admission: Admission,
    datagrams: readonly Uint8Array[],
    header: PacketHeader,
    from: Address,
    origin: Origin,
  ): void {
    switch (admission) {
      case 'accept':
        return this.#acceptor.accept(datagrams, header, from, origin)
      case 'retry':
        if (origin.isAddressValidated) return this.#acceptor.accept(datagrams, header, from, origin)
        return this.#retry(header, from)
      case 'refuse':
        return this.#refuse(header, from, ErrorCode.ConnectionRefused)
      case 'ignore':
        this.#door.news.refused(from, 'ignored')
    }
  }

  /** RFC 9000 §8.1.2-3. Undefined: the token answers a Retry of ours, but not rightly. */
  #readToken(header: PacketHeader, from: Address): Origin | undefined {
    const stranger = {
      isAddressValidated: false,
      originalDestination: header.destination.slice(),
      retrySource: undefined,
    }
    if (header.token.length === 0) return stranger
    const answer = this.#door.tokens.read(header.token, placeOf(from, header.version), unixTime())
    switch (answer?.kind) {
      case undefined:
        return stranger
      case 'invalid-retry':
        return undefined
      case 'new':
        return { ...stranger, isAddressValidated: true }
      case 'retry': {
        const { originalDestination, retrySource } = answer
        // RFC 9000 §17.2.5.2: the client goes on with the id the Retry gave.
        if (!equal(header.destination, retrySource)) return undefined
        return { isAddressValidated: true, originalDestination, retrySource }
      }
    }
  }

  #retry(header: PacketHeader, from: Address): void {
    const { router, backend, tokens } = this.#door
    const source = router.freshId()
    const write = (into: Uint8Array): number =>
      writeRetryAnswer(into, header, from, source, backend, tokens, unixTime())
    const size = this.#door.send(write, from)
    if (size > 0) this.#door.news.retrySent(from, size)
  }

  #refuse(header: PacketHeader, from: Address, code: Parameters<typeof writeRefusal>[2]): void {
    const size = this.#door.send(into => writeRefusal(into, header, code, this.#door.backend), from)
    if (size > 0) this.#door.news.refused(from, code === ErrorCode.InvalidToken ? 'invalid token' : 'refused')
  }

  /** RFC 9000 §6.1, RFC 8999 §6. */
  #negotiateVersion(header: PacketHeader, from: Address): void {
    const size = this.#door.send(into => {
      const writer = new Writer(into)
      const { backend } = this.#door
      const versions = withReservedVersion(this.#acceptor.versions, backend.random(RESERVED_VERSION_RANDOM))
      writeVersionNegotiation(writer, header.source, header.destination, versions, backend.random(1)[0] as number)
      return writer.pos
    }, from)
    if (size > 0) this.#door.news.versionsSent(from, header.version, size, this.#acceptor.versions)
  }
}

function bound(options: ListenOptions, name: 'maxConnections' | 'maxPendingClients', fallback: number): number {
  const value = options[name] ?? fallback
  if (value >= 0) return value
  throw new RangeError(`${name} must be a number from 0, not ${value}`)
}

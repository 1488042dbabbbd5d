// Destination id to session; and what is said to datagrams that belong to none (RFC 9000 §5.2, §6.1, §10.3).

import { equal } from '../bytes/equal.ts'
import { Writer } from '../bytes/writer.ts'
import type { ConnectionIdSource } from '../connection/local-ids.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import { limits } from '../limits.ts'
import { connectionIdKey, MAX_CONNECTION_ID_LENGTH } from '../packet/connection-id.ts'
import { hasQuicBit, peekDestination } from '../packet/header.ts'
import {
  MIN_STATELESS_RESET_LENGTH,
  STATELESS_RESET_TOKEN_LENGTH,
  writeStatelessReset,
} from '../packet/stateless-reset.ts'
import type { QuicSession } from './quic-session.ts'

/** Makes the connection ids of an endpoint: for load balancers that find the right process by them. */
export interface ConnectionIdGenerator {
  /** Of every id, 8 to 20 bytes. */
  readonly length: number
  /** An id that is not in use; one that nobody can guess or tell from others of the connection (RFC 9000 §5.1). */
  generate(): Uint8Array
}

/** Ids by default: random, so that nobody can aim at a bucket of the table. */
const LOCAL_ID_LENGTH = 8
/** RFC 9000 §7.2: after a Retry ours stands where that of a client would. */
const MIN_ID_LENGTH = 8
/** How often a generator may repeat itself before that is a fault. */
const MAX_TRIES = 16
/** Stateless resets per second at most: an answer to a stranger must not become a flood. */
export const MAX_RESETS_PER_SECOND: number = limits.resetsPerSecond
/** RFC 9000 §10.3: longer than this makes it look like any other packet. */
const RESET_LENGTH = 42
/** What a short header packet has beside the id: first byte, number and as much as header protection needs, tag. */
const LEAST_PACKET = 1 + 4 + 16

export class Router {
  readonly #backend: CryptoBackend
  readonly #secret: Uint8Array
  readonly #ids: ConnectionIdGenerator
  readonly #byId = new Map<string, QuicSession>()
  /** Of the datagram before: mostly the same peer speaks again. */
  #recentId: Uint8Array = none
  #recentSession: QuicSession | undefined
  #resetsInSecond = 0
  #second = 0

  /**
   * `secret` makes stateless reset tokens; share it only with a successor of this process. Throws a RangeError for ids
   * of a length that does not fit.
   */
  constructor(backend: CryptoBackend, secret: Uint8Array, ids: ConnectionIdGenerator = randomIds(backend)) {
    if (!(Number.isInteger(ids.length) && ids.length >= MIN_ID_LENGTH && ids.length <= MAX_CONNECTION_ID_LENGTH)) {
      throw new RangeError(`connectionIds.length must be from 8 to 20, not ${ids.length}`)
    }
    this.#backend = backend
    this.#secret = secret
    this.#ids = ids
  }

  /** How long our ids are. */
  get idLength(): number {
    return this.#ids.length
  }

  /** The destination id of a datagram's first packet. */
  destination(datagram: Uint8Array): Uint8Array | undefined {
    return peekDestination(datagram, this.#ids.length)
  }

  find(id: Uint8Array): QuicSession | undefined {
    const session = this.#byId.get(connectionIdKey(id))
    if (session !== undefined) this.#remember(id, session)
    return session
  }

  /** Whose datagram it is if it begins with a short header and the id that was found last; no key is made for that. */
  recent(datagram: Uint8Array): QuicSession | undefined {
    const id = this.#recentId
    if (((datagram[0] as number) & 0x80) !== 0) return undefined
    for (let i = 0; i < id.length; i++) if (datagram[i + 1] !== id[i]) return undefined
    return this.#recentSession
  }

  add(id: Uint8Array, session: QuicSession): void {
    this.#byId.set(connectionIdKey(id), session)
  }

  remove(id: Uint8Array): void {
    this.#byId.delete(connectionIdKey(id))
    if (equal(id, this.#recentId)) this.#remember(none, undefined)
  }

  get size(): number {
    return this.#byId.size
  }

  /** Ids for one session, routed to it from the moment they exist. */
  idsFor(session: QuicSession): ConnectionIdSource {
    return {
      create: () => {
        const id = this.freshId()
        this.add(id, session)
        return id
      },
      resetToken: id => this.resetToken(id),
      retire: id => this.remove(id),
    }
  }

  /** An id that leads nowhere yet. Throws a TypeError when the generator makes none. */
  freshId(): Uint8Array {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const id = this.#ids.generate().slice()
      if (id.length !== this.#ids.length) {
        throw new TypeError(`connectionIds.generate made ${id.length} bytes instead of ${this.#ids.length}`)
      }
      if (this.find(id) === undefined) return id
    }
    throw new TypeError('connectionIds.generate makes ids that are in use')
  }

  resetToken(id: Uint8Array): Uint8Array {
    return this.#backend.hmac('sha256', this.#secret, id).subarray(0, STATELESS_RESET_TOKEN_LENGTH)
  }

  /**
   * Writes a stateless reset for a short-header packet of an unknown connection. Returns its length, 0 for none: always
   * shorter than what it answers, so that two endpoints cannot keep each other talking (RFC 9000 §10.3.3). What lacks the
   * bit that all packets have (§17.3.1) gets an answer only where packets may lack it, `isQuicBitFree`, and if it is no
   * shorter than a packet: a peer that never sets it would wait for its idle timeout otherwise (RFC 9287 §3).
   */
  reset(datagram: Uint8Array, id: Uint8Array, into: Uint8Array, now: number, isQuicBitFree = false): number {
    const length = Math.min(RESET_LENGTH, datagram.length - 1)
    const isPacket = hasQuicBit(datagram, 0) || (isQuicBitFree && datagram.length >= LEAST_PACKET + id.length)
    if (!isPacket || length < MIN_STATELESS_RESET_LENGTH || !this.#mayReset(now)) return 0
    const writer = new Writer(into)
    writeStatelessReset(writer, this.resetToken(id), this.#backend.random(length), length)
    return writer.pos
  }

  #remember(id: Uint8Array, session: QuicSession | undefined): void {
    this.#recentId = id.slice()
    this.#recentSession = session
  }

  #mayReset(now: number): boolean {
    const second = Math.floor(now / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#resetsInSecond = 0
    }
    return this.#resetsInSecond++ < MAX_RESETS_PER_SECOND
  }
}

const none = new Uint8Array(0)

function randomIds(backend: CryptoBackend): ConnectionIdGenerator {
  return { length: LOCAL_ID_LENGTH, generate: () => backend.random(LOCAL_ID_LENGTH) }
}

// Stateless session tickets (RFC 8446 §4.6.1): the server's state travels inside, sealed.

import { equal } from '../bytes/equal.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import type { HashName } from '../crypto/cipher-suite.ts'
import { limits } from '../limits.ts'
import type {
  Authorization,
  EarlyDataTerms,
  IssuedTicket,
  Psk,
  PskKind,
  PskSource,
  TicketIssuer,
  TicketState,
} from '../tls13/ports.ts'
import { authorizationField } from './authorization-field.ts'
import { bytes, group, oneOf, optional, RecordFormat, text, uint } from './record-format.ts'
import { MAX_BLOB, MAX_TICKET_LIFETIME } from './resumption.ts'
import { ROTATION_PERIOD, SealingKeys, type SealingKeysOptions } from './sealing-keys.ts'

export interface TicketSealerOptions extends SealingKeysOptions {
  /** Seconds. Default TICKET_LIFETIME; seven days at most (RFC 8446 §4.6.1). */
  readonly lifetimeSeconds?: number
  /**
   * Names this server among those that share the keys. A ticket sealed by another resumes here without early data:
   * one place alone is authoritative for the replay of a ticket (RFC 8446 §8.2). Default: none.
   */
  readonly replica?: Uint8Array
}

/** Seconds: as long as a key of our own seals, so that two keys cover every ticket. */
export const TICKET_LIFETIME: number = 3600

/** A larger ticket would push the first flight of early data out of the first datagram: it is not issued. */
export const MAX_TICKET_LENGTH: number = limits.ticketLength

/** A PSK found in a ticket, with what the freshness of its early data is judged by (RFC 8446 §8.3). */
export class TicketPsk implements Psk {
  readonly kind: PskKind = 'resumption'
  readonly secret: Uint8Array
  readonly hash: HashName
  readonly earlyData: EarlyDataTerms | undefined
  readonly expires: number
  readonly appState: Uint8Array
  /** Unix ms. */
  readonly issued: number
  /** ms since `issued`, as the client sees it. */
  readonly claimedAge: number
  readonly version: number | undefined
  readonly clientCertificate: Uint8Array | undefined
  readonly authenticatedUntil: number | undefined
  readonly authorization: Authorization | undefined
  /** Its key was handed in, and may be older than this process. */
  readonly isKeyShared: boolean
  /** Others that have the key would take its early data, too. */
  readonly isAnywhereGood: boolean

  constructor(
    state: TicketState,
    expires: number,
    claimedAge: number,
    { isKeyShared, isAnywhereGood }: Pick<TicketPsk, 'isKeyShared' | 'isAnywhereGood'>,
  ) {
    this.secret = state.secret
    this.hash = state.hash
    this.earlyData = state.terms
    this.expires = expires
    this.appState = state.appState
    this.issued = state.issued
    this.claimedAge = claimedAge
    this.version = state.version
    this.clientCertificate = state.clientCertificate
    this.authenticatedUntil = state.authenticatedUntil
    this.authorization = state.authorization
    this.isKeyShared = isKeyShared
    this.isAnywhereGood = isAnywhereGood
  }
}

export class TicketSealer implements PskSource, TicketIssuer {
  readonly #backend: CryptoBackend
  readonly #keys: SealingKeys
  readonly #lifetimeSeconds: number
  readonly #replica: Uint8Array
  readonly #place: Pick<TicketPsk, 'isKeyShared' | 'isAnywhereGood'>
  readonly #decoy: Uint8Array = writeDecoy()

  constructor(backend: CryptoBackend, options: TicketSealerOptions = {}) {
    const lifetime = options.lifetimeSeconds ?? TICKET_LIFETIME
    if (!Number.isInteger(lifetime) || lifetime < 1 || lifetime * 1000 > MAX_TICKET_LIFETIME) {
      throw new RangeError(`a ticket lifetime of ${lifetime} s is not in 1..${MAX_TICKET_LIFETIME / 1000}`)
    }
    this.#backend = backend
    // Two keys of our own are to cover the life of every ticket.
    this.#keys = new SealingKeys(backend, 'ticket', { period: Math.max(ROTATION_PERIOD, lifetime * 1000), ...options })
    this.#lifetimeSeconds = lifetime
    this.#replica = options.replica ?? NOTHING
    const isKeyShared = options.keys !== undefined
    this.#place = { isKeyShared, isAnywhereGood: isKeyShared && this.#replica.length === 0 }
  }

  issue(state: TicketState): IssuedTicket | undefined {
    const issued = Math.floor(state.issued)
    const lifetimeSeconds = Math.min(this.#lifetimeSeconds, secondsBetween(issued, state.authenticatedUntil))
    if (lifetimeSeconds < 1) return undefined
    const ageAdd = randomU32(this.#backend)
    const content = format.write({
      ...state,
      version: state.version,
      clientCertificate: state.clientCertificate,
      authenticatedUntil: state.authenticatedUntil,
      authorization: state.authorization,
      issued,
      lifetimeSeconds,
      ageAdd,
      replica: this.#replica,
    })
    const ticket = this.#keys.seal(content, NOTHING, issued)
    return ticket.length > MAX_TICKET_LENGTH ? undefined : { ticket, lifetimeSeconds, ageAdd }
  }

  find(identity: Uint8Array, obfuscatedAge: number, unixTime: number): TicketPsk | undefined {
    if (identity.length > MAX_TICKET_LENGTH) return undefined
    const content = this.#keys.open(identity, NOTHING)
    // What does not open is as much work as what does.
    const ticket = format.read(content ?? this.#decoy)
    const expires = ticket.issued + ticket.lifetimeSeconds * 1000
    const terms = equal(ticket.replica, this.#replica) ? ticket.terms : undefined
    // RFC 8446 §4.2.11.1: modulo 2^32.
    const psk = new TicketPsk({ ...ticket, terms }, expires, (obfuscatedAge - ticket.ageAdd) >>> 0, this.#place)
    return content === undefined || unixTime >= expires ? undefined : psk
  }

  /** A new key for tickets to come; see `SealingKeys.rotate`. */
  rotate(key?: Uint8Array): void {
    this.#keys.rotate(key)
  }
}

interface SealedTicket extends TicketState {
  readonly version: number | undefined
  readonly clientCertificate: Uint8Array | undefined
  readonly authenticatedUntil: number | undefined
  readonly authorization: Authorization | undefined
  readonly lifetimeSeconds: number
  readonly ageAdd: number
  readonly replica: Uint8Array
}

const NOTHING: Uint8Array = new Uint8Array(0)

const format: RecordFormat<SealedTicket> = new RecordFormat<SealedTicket>('ZTST', 'zerotrip sealed ticket', 4, {
  secret: bytes(16, 64),
  hash: oneOf('sha256', 'sha384'),
  issued: uint(),
  lifetimeSeconds: uint(0xffffffff),
  ageAdd: uint(0xffffffff),
  replica: bytes(0, 64),
  terms: optional(
    group<EarlyDataTerms>({
      cipherSuite: uint(0xffff),
      alpn: text(1, 255),
      serverName: optional(text(1, 255)),
      transportParameters: bytes(0, MAX_BLOB),
    }),
  ),
  appState: bytes(0, MAX_BLOB),
  version: optional(uint(0xffffffff)),
  clientCertificate: optional(bytes(1, MAX_BLOB)),
  authenticatedUntil: optional(uint()),
  authorization: optional(authorizationField),
})

/** A ticket of nobody. */
function writeDecoy(): Uint8Array {
  return format.write({
    secret: new Uint8Array(32),
    hash: 'sha256',
    issued: 0,
    lifetimeSeconds: 0,
    ageAdd: 0,
    replica: NOTHING,
    terms: undefined,
    appState: NOTHING,
    version: undefined,
    clientCertificate: undefined,
    authenticatedUntil: undefined,
    authorization: undefined,
  })
}

function secondsBetween(issued: number, end: number | undefined): number {
  return end === undefined ? Number.POSITIVE_INFINITY : Math.floor((end - issued) / 1000)
}

function randomU32(backend: CryptoBackend): number {
  return backend.random(4).reduce((value, byte) => value * 256 + byte, 0)
}

// What a client remembers of a server, or was told about one, to send data in its first flight
// (RFC 8446 §4.2.10-11, RFC 9001 §4.6, RFC 9000 §7.4.1, RFC 9114 §7.2.4.2).

import type { HashName } from '../crypto/cipher-suite.ts'
import { limits } from '../limits.ts'
import type { Authorization, EarlyDataTerms, OfferedPsk, PskKind } from '../tls13/ports.ts'
import { authorizationField } from './authorization-field.ts'
import { bytes, flag, listOf, oneOf, optional, RecordFormat, text, uint } from './record-format.ts'

/** `ticket`: from an earlier connection. `provisioned`: imported (RFC 9258). `unsafeExternal`: a raw external PSK. */
export type ResumptionKind = 'ticket' | 'provisioned' | 'unsafeExternal'

export interface Resumption {
  readonly kind: ResumptionKind
  /** What goes on the wire: the ticket, the ImportedIdentity, or the external identity. */
  readonly identity: Uint8Array
  /** The PSK that enters the key schedule. */
  readonly secret: Uint8Array
  readonly hash: HashName
  /** The one suite early data may use. */
  readonly cipherSuite: number
  /** QUIC version: remembered parameters do not carry over to another. */
  readonly version: number
  readonly alpn: string
  readonly serverName: string | undefined
  /** Unix ms. */
  readonly issued: number
  /** ms from `issued`. */
  readonly lifetime: number
  /** ticket_age_add; 0 for what is not a ticket. */
  readonly ageAdd: number
  readonly allowsEarlyData: boolean
  /** The server's transport parameters, encoded. */
  readonly transportParameters: Uint8Array
  /** The application's own state: for HTTP/3 the server's SETTINGS. */
  readonly appState: Uint8Array
  /** Address validation token for the Initial packet; empty when none. */
  readonly token: Uint8Array
  /** SHA-256 of the server's SubjectPublicKeyInfo, for the handshake that falls back to a certificate. */
  readonly pins: readonly Uint8Array[]
  /** ms, a hint for the first RTT estimate (RFC 9002 §6.2.2). */
  readonly initialRtt: number | undefined
  /**
   * Unix ms when the chain expires that proved the server when it all began: `lifetime` ends there, and so does that of
   * tickets to come. Default: not known.
   */
  readonly authenticatedUntil?: number | undefined
  /** Who the server is, as the key says that it all began with; tickets inherit it. Default: not known. */
  readonly authorization?: Authorization | undefined
}

/** RFC 8446 §4.6.1: a ticket lives for seven days at most, whatever the server says. */
export const MAX_TICKET_LIFETIME: number = limits.ticketLifetime

/** Bounds of the stored form. */
export const MAX_PINS: number = 8
export const MAX_BLOB: number = 0xffff
/** ms. */
export const MAX_INITIAL_RTT: number = 60_000

export function isExpired(resumption: Resumption, unixTime: number): boolean {
  return unixTime >= resumption.issued + resumption.lifetime
}

/**
 * What to offer in the ClientHello; undefined once expired. Early data is offered only when the caller wants it and
 * the server allowed it.
 */
export function offeredPsk(resumption: Resumption, unixTime: number, useEarlyData: boolean): OfferedPsk | undefined {
  if (isExpired(resumption, unixTime)) return undefined
  return {
    kind: pskKinds[resumption.kind],
    identity: resumption.identity,
    secret: resumption.secret,
    hash: resumption.hash,
    obfuscatedAge: obfuscatedAge(resumption, unixTime),
    earlyData: useEarlyData && resumption.allowsEarlyData ? earlyDataTerms(resumption) : undefined,
    authenticatedUntil: resumption.authenticatedUntil,
  }
}

/** The facts of a NewSessionTicket, as a connection reports them. */
export interface ReceivedTicket {
  readonly ticket: Uint8Array
  readonly secret: Uint8Array
  readonly hash: HashName
  readonly cipherSuite: number
  readonly lifetimeSeconds: number
  readonly ageAdd: number
  readonly alpn: string
  readonly serverName: string | undefined
  readonly allowsEarlyData: boolean
  readonly transportParameters: Uint8Array
  readonly authenticatedUntil?: number | undefined
}

/** What the connection that received a ticket knows besides. */
export interface TicketCompany {
  readonly version: number
  readonly appState: Uint8Array
  readonly token: Uint8Array
  readonly pins: readonly Uint8Array[]
  readonly initialRtt: number | undefined
  readonly authorization?: Authorization | undefined
}

export function resumptionFromTicket(received: ReceivedTicket, company: TicketCompany, unixTime: number): Resumption {
  const { ticket, lifetimeSeconds, ...kept } = received
  const issued = Math.floor(unixTime)
  // RFC 8446 §4.6.1: a resumption is as good as the certificate it comes from, which nobody looks at again.
  const authenticated = Math.max(0, (received.authenticatedUntil ?? Number.POSITIVE_INFINITY) - issued)
  const lifetime = Math.min(lifetimeSeconds * 1000, MAX_TICKET_LIFETIME, authenticated)
  const initialRtt = wholeRtt(company.initialRtt)
  return { kind: 'ticket', identity: ticket, issued, lifetime, ...kept, ...company, initialRtt }
}

/** The stored form: compact, versioned, and as secret as the key inside. */
export function writeResumption(resumption: Resumption): Uint8Array {
  return format.write(resumption)
}

/** Throws a TypeError for anything `writeResumption` would not have written. */
export function readResumption(stored: Uint8Array): Resumption {
  return format.read(stored)
}

/** For stores and programs that speak JSON; as secret as the other form. */
export function resumptionToJson(resumption: Resumption): string {
  return format.toJson(resumption)
}

/** As strict as `readResumption`. */
export function resumptionFromJson(json: string): Resumption {
  return format.fromJson(json)
}

/** Whole ms, as it is stored: rounded up, for a hint that is too small makes probes too early. */
function wholeRtt(rtt: number | undefined): number | undefined {
  return rtt === undefined ? undefined : Math.min(Math.ceil(rtt), MAX_INITIAL_RTT)
}

/** RFC 8446 §4.2.11.1: the age in ms plus ticket_age_add, modulo 2^32; 0 for external PSKs. */
function obfuscatedAge(resumption: Resumption, unixTime: number): number {
  if (resumption.kind !== 'ticket') return 0
  // A clock that was set back must not make the age negative.
  const age = Math.max(0, Math.round(unixTime - resumption.issued))
  return (age + resumption.ageAdd) % 0x100000000
}

function earlyDataTerms(resumption: Resumption): EarlyDataTerms {
  return {
    cipherSuite: resumption.cipherSuite,
    alpn: resumption.alpn,
    serverName: resumption.serverName,
    transportParameters: resumption.transportParameters,
  }
}

const pskKinds: Readonly<Record<ResumptionKind, PskKind>> = {
  ticket: 'resumption',
  provisioned: 'imported',
  unsafeExternal: 'external',
}

const format: RecordFormat<Resumption> = new RecordFormat<Resumption>('ZTRS', 'zerotrip resumption', 3, {
  kind: oneOf('ticket', 'provisioned', 'unsafeExternal'),
  identity: bytes(1, MAX_BLOB),
  secret: bytes(16, 64),
  hash: oneOf('sha256', 'sha384'),
  cipherSuite: uint(0xffff),
  version: uint(0xffffffff),
  alpn: text(1, 255),
  serverName: optional(text(1, 255)),
  issued: uint(),
  lifetime: uint(),
  ageAdd: uint(0xffffffff),
  allowsEarlyData: flag(),
  transportParameters: bytes(0, MAX_BLOB),
  appState: bytes(0, MAX_BLOB),
  token: bytes(0, MAX_BLOB),
  pins: listOf(bytes(32, 32), MAX_PINS),
  initialRtt: optional(uint(MAX_INITIAL_RTT)),
  authenticatedUntil: optional(uint()),
  authorization: optional(authorizationField),
})

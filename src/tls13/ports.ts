// What TLS asks of others. Each port has a safe answer when nobody is connected to it: verify, refuse, none.

import type { PrivateKey, SignatureScheme } from '../crypto/backend.ts'
import type { HashName } from '../crypto/cipher-suite.ts'

/** A private key; without `sign` it is elsewhere, and a `signatureWanted` output asks for each signature. */
export type SigningKey = Omit<PrivateKey, 'sign'> & Partial<Pick<PrivateKey, 'sign'>>

/** A certificate chain, leaf first, in DER, with the key of the leaf. */
export interface CertifiedKey {
  readonly chain: readonly Uint8Array[]
  readonly key: SigningKey
}

/** What a server may base its choices on. */
export interface ClientHelloInfo {
  readonly serverName: string | undefined
  readonly alpn: readonly string[]
  readonly signatureSchemes: readonly SignatureScheme[]
  readonly cipherSuites: readonly number[]
}

export interface CertificateSource {
  /**
   * Undefined: no certificate for this client; the handshake ends with `handshake_failure` unless a PSK is used.
   * 'later': a `certificateWanted` output with the same `hello` asks for it, and the handshake waits.
   */
  select(hello: ClientHelloInfo): CertifiedKey | 'later' | undefined
}

/** A source that always knows. */
export interface ReadyCertificateSource extends CertificateSource {
  select(hello: ClientHelloInfo): CertifiedKey | undefined
}

/** What a server asks of a client that is to show a certificate (RFC 8446 §4.3.2). */
export interface CertificateRequestInfo {
  readonly signatureSchemes: readonly SignatureScheme[]
  /** Names of authorities in DER that the server trusts; empty: it does not say (RFC 8446 §4.2.4). */
  readonly certificateAuthorities: readonly Uint8Array[]
}

export interface ClientCertificateSource {
  /** Undefined: none that fits; the server decides whether it goes on. */
  select(request: CertificateRequestInfo): CertifiedKey | undefined
}

/** How a server asks clients for certificates. */
export interface ClientAuthentication {
  /** True: a client without a certificate is refused. False: it comes in, and `certificates` is empty. */
  readonly isRequired: boolean
  readonly verifier: ClientVerifier
  /** Names of authorities in DER, a hint for the client. */
  readonly authorities: readonly Uint8Array[]
}

export interface ClientVerifier {
  /** Judges a client's chain (DER, leaf first) at `unixTime` (ms). Throws a TlsAlert that fits; returning means trust. */
  verify(chain: readonly Uint8Array[], unixTime: number): void
}

export interface CertificateVerifier {
  /**
   * Judges the peer's chain (DER, leaf first) for `serverName` at `unixTime` (ms). Throws a TlsAlert that fits:
   * bad_certificate, certificate_expired, unknown_ca, ... Returning means trust, until the Unix ms that it returns: no
   * ticket is used for longer. Undefined: for as long as tickets live.
   */
  verify(chain: readonly Uint8Array[], serverName: string, unixTime: number): number | undefined
}

/** Compression of certificates by codes of RFC 8879 §7.3: 1 zlib, 2 brotli. */
export interface CertificateCompression {
  /** Best first. */
  readonly algorithms: readonly number[]
  compress(algorithm: number, bytes: Uint8Array): Uint8Array
  /** Exactly `length` bytes, and never more memory than for those; undefined for everything else. */
  decompress(algorithm: number, compressed: Uint8Array, length: number): Uint8Array | undefined
}

/** Where the PSK came from decides the binder's label (RFC 8446 §4.2.11.2, RFC 9258 §5.2). */
export type PskKind = 'resumption' | 'imported' | 'external'

/** A PSK that a server found for an identity, with everything early data must agree with (RFC 8446 §4.2.10). */
export interface Psk {
  readonly kind: PskKind
  readonly secret: Uint8Array
  readonly hash: HashName
  /** Undefined forbids early data. */
  readonly earlyData: EarlyDataTerms | undefined
  /** Unix ms after which the PSK is unknown. */
  readonly expires: number
  /** Opaque state of the application that was put into the ticket; empty when none. */
  readonly appState: Uint8Array
  /** Of a ticket: its age in ms as the client claims it (RFC 8446 §4.2.11.1). */
  readonly claimedAge?: number | undefined
  /** Of a ticket: the QUIC version of the connection that gave it; undefined: good for any (RFC 9369 §5). */
  readonly version?: number | undefined
  /** Of a ticket: the leaf (DER) that the client showed in the connection that gave it. */
  readonly clientCertificate?: Uint8Array | undefined
  /** Of a ticket: Unix ms when the certificate expires that proved the server when it all began. */
  readonly authenticatedUntil?: number | undefined
  /** Whom it was made for, and what its tickets inherit. */
  readonly authorization?: Authorization | undefined
}

/** Who may do what: granted by `authorize`, inherited by tickets. */
export interface Authorization {
  /** The peer's name: a client's towards its server, the instance's towards its client. */
  readonly peer: string
  /** Which relation the key was made for, such as `checkout>payment`; empty: there is but one. */
  readonly edge: string
  /** Of the key. */
  readonly epoch: number
}

/** What `authorize` is asked, once the binder is verified. */
export interface AuthorizationQuestion {
  readonly psk: Psk
  readonly identity: Uint8Array
  readonly serverName: string | undefined
  /** The protocol that was chosen. */
  readonly alpn: string
  readonly unixTime: number
}

/**
 * One question for PSKs and tickets alike. `anyone`: welcome, without a name. Undefined refuses the client: the handshake
 * ends with `access_denied`.
 */
export type Authorize = (question: AuthorizationQuestion) => Authorization | 'anyone' | undefined

/** What the 0-RTT data was sealed under. A server accepts early data only if all of it still holds. */
export interface EarlyDataTerms {
  /** The one suite early data may use. */
  readonly cipherSuite: number
  readonly alpn: string
  /** Server name of the first connection, compared when both are known. */
  readonly serverName: string | undefined
  /** The transport parameters the client remembers; the server must not offer less (RFC 9000 §7.4.1). */
  readonly transportParameters: Uint8Array
}

export interface PskSource {
  /**
   * The PSK for an identity, or undefined. Must take the same time for an unknown identity as for a known one as far
   * as it can. `obfuscatedAge` belongs to tickets.
   */
  find(identity: Uint8Array, obfuscatedAge: number, unixTime: number): Psk | undefined
}

/** Asked once for each ClientHello whose early data could be accepted, after the binder was verified. */
export interface EarlyDataGate {
  /** `psk` as found, `binder` unique for this ClientHello. True: fresh and wanted. False refuses early data alone. */
  admit(attempt: EarlyDataAttempt): boolean
  /**
   * Asked first. Anything but undefined is handed out as the `question` of an `admissionWanted` output, whose answer
   * stands in place of `admit`'s; until then no early data is read. Who leaves this out loses early data, not safety.
   */
  later?(attempt: EarlyDataAttempt): unknown
}

/** Why early data was refused. */
export type EarlyDataRefusal =
  /** Seen before. */
  | 'replayed'
  /** Its time, or that of its key, is not now. */
  | 'expired'
  /** The key was used as often as it may be. */
  | 'exhausted'
  /** The client is not welcome any more. */
  | 'revoked'
  /** It cannot be said whether it is fresh: memory is full, too young, or does not answer. */
  | 'undecided'
  /** Suite, protocol, name, limits or settings are not those it was sent under. */
  | 'terms'
  /** No key of ours, or not the first that was offered. */
  | 'unknown'
  /** A HelloRetryRequest came first. */
  | 'retry'
  /** Nobody wants any. */
  | 'unwanted'

export interface EarlyDataAttempt {
  readonly psk: Psk
  readonly identity: Uint8Array
  readonly binder: Uint8Array
  /** Ticket age as the client claims, ms; undefined for a PSK that is not a ticket. */
  readonly ticketAge: number | undefined
  readonly hello: ClientHelloInfo
  readonly unixTime: number
  /** Remarks of whoever judges, for counters: why not, and how far the client's time is behind ours, ms. */
  refusal?: EarlyDataRefusal
  skew?: number
}

/** The null object: no early data. */
export const refuseEarlyData: EarlyDataGate = { admit: () => false }

/** What a server wants to be remembered with a ticket. */
export interface TicketState {
  readonly secret: Uint8Array
  readonly hash: HashName
  readonly issued: number
  readonly terms: EarlyDataTerms | undefined
  readonly appState: Uint8Array
  /** QUIC version of the connection, if the ticket is to be good for no other (RFC 9369 §5). */
  readonly version?: number | undefined
  /** The leaf (DER) that the client showed. */
  readonly clientCertificate?: Uint8Array | undefined
  /** Unix ms when our certificate expires, and the ticket with it; also that of an earlier connection, when resumed. */
  readonly authenticatedUntil?: number | undefined
  /** Of the connection that gives it. */
  readonly authorization?: Authorization | undefined
}

export interface IssuedTicket {
  readonly ticket: Uint8Array
  readonly lifetimeSeconds: number
  readonly ageAdd: number
}

export interface TicketIssuer {
  /** Seals the state into a ticket; undefined: do not send one. */
  issue(state: TicketState): IssuedTicket | undefined
}

/** One line of the NSS key log (SSLKEYLOGFILE): label, client random, secret. */
export type KeyLog = (label: string, clientRandom: Uint8Array, secret: Uint8Array) => void

/** What a client offers to resume with; at most one is offered for early data. */
export interface OfferedPsk {
  readonly kind: PskKind
  readonly identity: Uint8Array
  readonly secret: Uint8Array
  readonly hash: HashName
  /** uint32 to send: (age in ms + ageAdd) mod 2^32; 0 for a PSK that is not a ticket. */
  readonly obfuscatedAge: number
  /** Present: early data is offered under these terms. */
  readonly earlyData: EarlyDataTerms | undefined
  /** Of a ticket: Unix ms when the chain that proved the server expires; tickets to come do not outlive it either. */
  readonly authenticatedUntil?: number | undefined
}

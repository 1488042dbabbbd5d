// What a session is configured with and what comes out of it.

import type { CryptoBackend, NamedGroup, SignatureScheme } from '../crypto/backend.ts'
import type { CipherSuite, HashName } from '../crypto/cipher-suite.ts'
import { limits } from '../limits.ts'
import type { Level } from '../packet/level.ts'
import type {
  Authorization,
  Authorize,
  CertificateCompression,
  CertificateSource,
  CertificateVerifier,
  ClientAuthentication,
  ClientCertificateSource,
  ClientHelloInfo,
  EarlyDataGate,
  EarlyDataRefusal,
  KeyLog,
  OfferedPsk,
  Psk,
  PskSource,
  SigningKey,
  TicketIssuer,
} from './ports.ts'

export interface TlsClientConfig {
  readonly backend: CryptoBackend
  /** Given to the verifier, and sent as SNI unless it is an IP literal or empty. */
  readonly serverName: string
  /** At least one protocol, best first. */
  readonly alpn: readonly string[]
  /** Carried unread. */
  readonly transportParameters: Uint8Array
  readonly verifier: CertificateVerifier
  /** Asked when the server wants a certificate of ours. Default: none. */
  readonly certificate?: ClientCertificateSource | undefined
  /** Undefined: a handshake with certificates. */
  readonly psk: OfferedPsk | undefined
  /** Default: those of the backend. */
  readonly cipherSuites?: readonly CipherSuite[] | undefined
  /** The first gets the key share, and X25519 beside the hybrid. Default: those of the backend but for the hybrid. */
  readonly groups?: readonly NamedGroup[] | undefined
  /** Default: certificates are taken as they are. */
  readonly compression?: CertificateCompression | undefined
  /** Reserved values among what is offered (RFC 8701), so that servers keep ignoring what they do not know. Default true. */
  readonly grease?: boolean | undefined
  /** Default: none. */
  readonly keyLog?: KeyLog | undefined
}

export interface TlsServerConfig {
  readonly backend: CryptoBackend
  /** At least one protocol, in our order of preference, which counts. */
  readonly alpn: readonly string[]
  /** Those of `alpn` that this client may have, such as by its server name, best first. Default: all. */
  readonly protocols?: ((hello: ClientHelloInfo) => readonly string[]) | undefined
  /** Carried unread; a function is given those of the client, for what answers them (RFC 9368 §4). */
  readonly transportParameters: Uint8Array | ((client: Uint8Array) => Uint8Array)
  readonly certificates: CertificateSource
  /** Default: certificates go out as they are. */
  readonly compression?: CertificateCompression | undefined
  /** Default: clients are not asked for certificates. */
  readonly clientAuthentication?: ClientAuthentication | undefined
  readonly psks: PskSource
  readonly earlyData: EarlyDataGate
  /** Default: every PSK that is found is welcome, as whom it says. */
  readonly authorize?: Authorize | undefined
  /** Undefined: no tickets. */
  readonly tickets: TicketIssuer | undefined
  /** Tickets sent when the handshake is complete. Default 2, at most `MAX_TICKETS`. */
  readonly ticketCount?: number | undefined
  /** Tickets allow early data. Default false. */
  readonly ticketTerms?: boolean | undefined
  /** Opaque state of the application that goes into tickets. Default empty. */
  readonly appState?: Uint8Array | undefined
  /** Default: those of the backend. Our order counts. */
  readonly cipherSuites?: readonly CipherSuite[] | undefined
  /** Our order counts, after groups the client sent a share for. Default: those of the backend, the hybrid first. */
  readonly groups?: readonly NamedGroup[] | undefined
  /** Default: none. */
  readonly keyLog?: KeyLog | undefined
}

/** Tickets a server sends, and tickets a client takes from one connection; more are dropped unread. */
export const MAX_TICKETS: number = limits.tickets

export interface SendOutput {
  readonly type: 'send'
  readonly level: Level
  readonly bytes: Uint8Array
}

export interface SecretOutput {
  readonly type: 'secret'
  readonly level: Level
  readonly direction: 'read' | 'write'
  readonly suite: CipherSuite
  readonly secret: Uint8Array
}

/** The application protocol, as soon as it is chosen: early data and early answers need to know it. */
export interface ProtocolOutput {
  readonly type: 'protocol'
  readonly alpn: string
  /** Server: what was granted to the holder of the PSK; early requests may run from now on. */
  readonly authorization?: Authorization | undefined
}

/** The transport parameters of the peer, not authenticated before `complete` (RFC 9001 §8.2). */
export interface PeerParametersOutput {
  readonly type: 'peerParameters'
  readonly bytes: Uint8Array
}

/**
 * Only if early data was offered. Server: before any secret. Client: before `peerParameters`; a HelloRetryRequest
 * refuses it earlier.
 */
export interface EarlyDataOutput {
  readonly type: 'earlyData'
  readonly accepted: boolean
  /** Server: why not. */
  readonly refusal?: EarlyDataRefusal | undefined
  /** Server: how far the client's time is behind ours, ms, if it has said. */
  readonly skew?: number | undefined
  /** Server: whose it is, if that is known. */
  readonly authorization?: Authorization | undefined
}

/** Server: the gate answers later. `provideAdmission` does; until then nothing goes on. */
export interface AdmissionWantedOutput {
  readonly type: 'admissionWanted'
  /** What the gate's `later` gave. */
  readonly question: unknown
}

export interface CompleteOutput {
  readonly type: 'complete'
  readonly alpn: string
  readonly serverName: string | undefined
  readonly suite: CipherSuite
  readonly group: NamedGroup
  readonly isResumed: boolean
  /**
   * The peer's, leaf first, verified. Of a server that is resumed: empty; of a client: the leaf alone, out of its ticket.
   */
  readonly certificates: readonly Uint8Array[]
  /** Server: the PSK in use. */
  readonly psk: Psk | undefined
  /** Server: what was granted to whoever holds that PSK. */
  readonly authorization?: Authorization | undefined
}

/** Server: the source said 'later'. `provideCertificate` answers; until then nothing goes on. */
export interface CertificateWantedOutput {
  readonly type: 'certificateWanted'
  readonly hello: ClientHelloInfo
}

/** The key is elsewhere. `provideSignature` answers; until then nothing goes on. */
export interface SignatureWantedOutput {
  readonly type: 'signatureWanted'
  readonly key: SigningKey
  readonly scheme: SignatureScheme
  /** What is to be signed, whole: the scheme says how it is hashed. */
  readonly content: Uint8Array
}

/** Client: something to resume with. */
export interface TicketOutput {
  readonly type: 'ticket'
  readonly ticket: Uint8Array
  /** The PSK that belongs to the ticket. */
  readonly secret: Uint8Array
  readonly hash: HashName
  readonly cipherSuite: number
  readonly lifetimeSeconds: number
  readonly ageAdd: number
  readonly allowsEarlyData: boolean
  /** Unix ms when the chain that proved the server expires, now or before earlier tickets; undefined: not known. */
  readonly authenticatedUntil: number | undefined
}

export type TlsOutput =
  | SendOutput
  | SecretOutput
  | ProtocolOutput
  | PeerParametersOutput
  | EarlyDataOutput
  | CompleteOutput
  | TicketOutput
  | CertificateWantedOutput
  | SignatureWantedOutput
  | AdmissionWantedOutput

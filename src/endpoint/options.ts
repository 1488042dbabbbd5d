// What callers may say, and how it becomes a connection's configuration.

import {
  CLIENT_VERSIONS,
  type ClientConfig,
  resolveFirstVersion,
  resolveTransport,
  resolveVersions,
  type ServerConfig,
  type TransportOptions,
} from '../connection/config.ts'
import { type CryptoBackend, groupsByName, type NamedGroup, type NamedGroupName } from '../crypto/backend.ts'
import {
  type CipherSuite,
  TLS_AES_128_GCM_SHA256,
  TLS_AES_256_GCM_SHA384,
  TLS_CHACHA20_POLY1305_SHA256,
} from '../crypto/cipher-suite.ts'
import { limits } from '../limits.ts'
import { noCertificate, pinnedKeys } from '../tls13/certificate-policy.ts'
import {
  type Authorize,
  type ClientHelloInfo,
  type EarlyDataGate,
  type KeyLog,
  type PskSource,
  refuseEarlyData,
  type TicketIssuer,
} from '../tls13/ports.ts'
import { firstOf } from '../zero-rtt/psk-sources.ts'
import type { Resumption } from '../zero-rtt/resumption.ts'
import { TicketSealer } from '../zero-rtt/ticket-sealer.ts'
import type { TicketStore } from '../zero-rtt/ticket-store.ts'
import { nodeCompression } from './certificate-compression.ts'
import {
  type AsyncCertificateSource,
  type CertificateOptions,
  type ClientAuthenticationOptions,
  type ClientCertificateOptions,
  CurrentCertificates,
  certificateSource,
  clientAuthentication,
  clientCertificate,
} from './certificates.ts'
import { MAX_DELAY } from './clock.ts'
import type { Admit } from './incoming.ts'
import { environmentKeyLog } from './key-log.ts'
import type { ApplicationFactory } from './quic-session.ts'
import { asciiName, isTrustGiven, type TrustOptions, verifierOf } from './trust.ts'

export type CipherSuiteName = 'TLS_AES_128_GCM_SHA256' | 'TLS_AES_256_GCM_SHA384' | 'TLS_CHACHA20_POLY1305_SHA256'

interface CommonOptions {
  /**
   * QUIC versions, best first: 1, and 0x6b3343cf for version 2 (`QUIC_V1`, `QUIC_V2`). A client begins with the first one
   * or with that of its ticket, and offers the others; a server takes the first that a client offers. Default: version 1
   * for a client; for a server both, without preference.
   */
  readonly versions?: readonly number[]
  /** Transport parameters and limits. */
  readonly transport?: TransportOptions
  /** Suites in order of preference. Default: what the crypto backend does fastest. */
  readonly cipherSuites?: readonly CipherSuiteName[]
  /**
   * Groups for the key exchange (RFC 8446 §4.2.7), best first: X25519, P-256, P-384, and the hybrid X25519MLKEM768, which
   * also holds against quantum computers. A server takes the first that the client sent a share for; by default that is
   * the hybrid if the client begins with it. A client sends a share of the first, and of X25519 beside the hybrid; by
   * default it offers no hybrid, whose ClientHello takes a second datagram and more time than the rest of a handshake.
   */
  readonly groups?: readonly NamedGroupName[]
  /**
   * Certificates compressed by brotli or zlib (RFC 8879): a client takes them so, a server sends them so if they are
   * long, which can save a round trip. Default true.
   */
  readonly certificateCompression?: boolean
  /** Receives NSS key log lines. Default: appended to the file SSLKEYLOGFILE names, if it is set. */
  readonly keyLog?: KeyLog
  /** A directory for qlog files, one for each connection, and one for an endpoint that listens. Default none. */
  readonly qlog?: string
  /**
   * How long a handshake may take, ms; 0: as long as the idle timeout lets it. Default 10,000. Then the connection fails
   * with ERR_ZEROTRIP_HANDSHAKE_TIMEOUT.
   */
  readonly handshakeTimeout?: number
}

export const DEFAULT_HANDSHAKE_TIMEOUT: number = limits.handshakeTime

export interface ListenOptions extends CommonOptions, CertificateOptions, ClientAuthenticationOptions {
  /**
   * Protocols in order of preference. A list serves them as raw streams; an object says who sits above for each.
   * Required: QUIC has no connection without ALPN (RFC 9001 §8.1).
   */
  readonly alpn: readonly string[] | Readonly<Record<string, ApplicationFactory>>
  /** Those of `alpn` that a client may have, such as by its server name, best first. Default: all. */
  readonly protocolsFor?: (hello: ClientHelloInfo) => readonly string[]
  /** PSKs besides our own tickets. Default none. */
  readonly psks?: PskSource
  /** Who judges early data. Default: it is refused. */
  readonly earlyData?: EarlyDataGate
  /**
   * Whom the holder of a PSK or a ticket is taken for: `{ peer, edge, epoch }`, or undefined to refuse it
   * (`access_denied`). Default: whom the PSK says; a client that shows a certificate is not asked about.
   */
  readonly authorize?: Authorize
  /** Seals tickets and finds them again; false: none. Default: a sealer with keys of its own. */
  readonly tickets?: (TicketIssuer & PskSource) | false
  /** Tickets for each connection. Default 2. */
  readonly ticketCount?: number
  /** Application state remembered in tickets, such as our HTTP/3 SETTINGS. Default empty. */
  readonly appState?: Uint8Array
  /** Decides on each new client. Default `retryUnderLoad()`; see also `retryAlways`, `retryNever`, `limitPerHost`. */
  readonly admit?: Admit
  /** Connections on this endpoint, those of clients included; beyond that new ones are refused. Default 20,000. */
  readonly maxConnections?: number
  /** Clients whose admission is being thought about; beyond that new ones are ignored. Default 256. */
  readonly maxPendingClients?: number
}

export interface ConnectOptions extends CommonOptions, ClientCertificateOptions, TrustOptions {
  /** Protocols to offer, best first. Required. */
  readonly alpn: readonly string[]
  /** Name for SNI and the certificate check, also with letters beyond ASCII. Default: the host connected to. */
  readonly serverName?: string
  /** Where tickets are kept and taken from. Default: nowhere, every handshake is a full one. */
  readonly tickets?: TicketStore
  /** Go where the server prefers to be reached, once that answers (RFC 9000 §9.6). Default true. */
  readonly followPreferredAddress?: boolean
  /**
   * What to begin with, unless there is a ticket: one of `versions`. With `versions: [QUIC_V2, QUIC_V1]` and `firstVersion:
   * QUIC_V1` every server understands the first flight, and one that speaks version 2 may go over to it without a further
   * round trip (RFC 9368 §2.3). Default: the first of `versions`.
   */
  readonly firstVersion?: number
  /**
   * Offer reserved values beside real ones, cipher suites and extensions among them, so that servers keep ignoring what
   * they do not know (RFC 8701). Default true.
   */
  readonly grease?: boolean
  /** Offer early data with what the store holds: only for what may be executed twice. Default false. */
  readonly earlyData?: boolean
  /**
   * What to do when there is no PSK or ticket that the server takes. `refuse`: nothing; no certificate is taken in its
   * place, and without anything to offer the connection fails at once (ERR_ZEROTRIP_NO_CREDENTIAL). For edges, where who
   * may call is in the key. Default `certificate`: a full handshake, in which the pins of a bundle still hold.
   */
  readonly fallback?: 'certificate' | 'refuse'
  /** Who sits above, from the start and whatever protocol is chosen. Default: raw streams. */
  readonly application?: ApplicationFactory
  /** Ends the attempt, or later the connection: all that waits then rejects with its reason. */
  readonly signal?: AbortSignal
}

/** A server's configuration, whose certificates can be replaced. Throws a TypeError that says what is missing. */
export function serverConfig(
  options: ListenOptions,
  backend: CryptoBackend,
): ServerConfig & { certificates: CurrentCertificates } {
  const keyLog = options.keyLog ?? environmentKeyLog()
  const sealer = options.tickets === undefined ? new TicketSealer(backend) : options.tickets
  const asked = clientAuthentication(options, backend)
  const psks = [options.psks, sealer || undefined].filter(source => source !== undefined)
  return {
    alpn: protocols(options),
    ...(options.protocolsFor && { protocols: options.protocolsFor }),
    certificates: new CurrentCertificates(certificates(options, backend)),
    ...(asked && { clientAuthentication: asked }),
    psks: firstOf(...psks),
    earlyData: options.earlyData ?? refuseEarlyData,
    ...(options.authorize && { authorize: options.authorize }),
    tickets: sealer || undefined,
    ticketCount: options.ticketCount ?? 2,
    appState: options.appState ?? new Uint8Array(0),
    ...(keyLog && { keyLog }),
    ...common(options),
  }
}

function protocols(options: ListenOptions): readonly string[] {
  const { alpn } = options
  const names = Array.isArray(alpn) ? (alpn as readonly string[]) : Object.keys(alpn)
  if (names.length === 0) throw new TypeError("listen needs `alpn`: the protocols it serves, such as ['h3']")
  return names
}

function certificates(options: ListenOptions, backend: CryptoBackend): AsyncCertificateSource {
  const source = certificateSource(options, backend)
  if (source !== undefined) return source
  if (options.psks !== undefined) return { select: () => undefined }
  throw new TypeError('listen needs `cert` and `key` (PEM), or `certificates`, or `psks`')
}

/** Where to connect to. Throws a TypeError or RangeError for what is nowhere. */
export function assertRemote({ host, port }: { readonly host: string; readonly port: number }): void {
  if (typeof host !== 'string' || host === '') throw new TypeError('connect needs a host: a name or an IP address')
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new RangeError(`connect needs a port from 1 to 65535, not ${port}`)
  }
}

/** A client's configuration, but for what it may resume with. Throws a TypeError or RangeError that says what is wrong. */
export function clientConfig(
  options: ConnectOptions,
  backend: CryptoBackend,
  host: string,
): Omit<ClientConfig, 'resumption'> {
  if (options.alpn.length === 0) throw new TypeError("connect needs `alpn`: the protocols to offer, such as ['h3']")
  const keyLog = options.keyLog ?? environmentKeyLog()
  const certificate = clientCertificate(options, backend)
  return {
    alpn: options.alpn,
    serverName: asciiName(options.serverName ?? host),
    verifier: verifierOf(options, backend),
    ...(certificate && { certificate }),
    earlyData: options.earlyData ?? false,
    followPreferredAddress: options.followPreferredAddress ?? true,
    ...(options.firstVersion !== undefined && { firstVersion: firstVersion(options) }),
    grease: options.grease ?? true,
    ...(keyLog && { keyLog }),
    ...common(options),
  }
}

function firstVersion({ firstVersion, versions }: ConnectOptions): number {
  return resolveFirstVersion(firstVersion, resolveVersions(versions, CLIENT_VERSIONS))
}

/** What of a configuration depends on what the ticket store gave. */
export function resuming(
  config: Omit<ClientConfig, 'resumption'>,
  resumption: Resumption | undefined,
  options: ConnectOptions,
  backend: CryptoBackend,
): ClientConfig {
  if (resumption === undefined) return config
  const isRefused = options.fallback === 'refuse'
  const earlyData = (config.earlyData ?? false) && config.alpn.includes(resumption.alpn)
  const pins = [...(options.pins ?? []), ...resumption.pins]
  return {
    ...config,
    // Early data is bound to the name it was prepared for (RFC 8446 §4.2.10).
    ...(options.serverName === undefined && { serverName: resumption.serverName ?? config.serverName }),
    resumption,
    earlyData,
    // What goes early goes under the protocol of the ticket; no other is offered beside it (RFC 8446 §4.2.10).
    ...(earlyData && { alpn: [resumption.alpn] }),
    // A bundle names the key its worker falls back to, when the PSK is refused.
    ...(resumption.pins.length > 0 && !isTrustGiven(options) && { verifier: pinnedKeys(backend, pins) }),
    ...(isRefused && { verifier: noCertificate }),
  }
}

const suites = new Map<string, CipherSuite>(
  [TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256].map(suite => [suite.name, suite]),
)

/** ms; 0: no limit. */
export function handshakeTimeout({ handshakeTimeout = DEFAULT_HANDSHAKE_TIMEOUT }: CommonOptions): number {
  if (handshakeTimeout >= 0 && handshakeTimeout <= MAX_DELAY) return handshakeTimeout
  throw new RangeError(`handshakeTimeout must be from 0 to ${MAX_DELAY} ms, not ${handshakeTimeout}`)
}

function common(
  options: CommonOptions,
): Pick<ClientConfig, 'transport' | 'cipherSuites' | 'groups' | 'versions' | 'compression'> {
  // Throws here and now, not when the first connection is made.
  resolveTransport(options.transport)
  return {
    ...(options.versions && { versions: resolveVersions(options.versions, []) }),
    ...(options.transport && { transport: options.transport }),
    ...(options.cipherSuites && { cipherSuites: options.cipherSuites.map(suiteNamed) }),
    ...((options.certificateCompression ?? true) && { compression: nodeCompression }),
    ...(options.groups && { groups: namedGroups(options.groups) }),
  }
}

function namedGroups(names: readonly string[]): readonly NamedGroup[] {
  if (names.length > 0 && names.every(name => Object.hasOwn(groupsByName, name))) {
    return names.map(name => groupsByName[name as NamedGroupName])
  }
  throw new RangeError(`groups must be some of ${Object.keys(groupsByName).join(', ')}, not '${names.join(', ')}'`)
}

function suiteNamed(name: string): CipherSuite {
  const suite = suites.get(name)
  if (suite === undefined)
    throw new RangeError(`unknown cipher suite ${name}; known are ${[...suites.keys()].join(', ')}`)
  return suite
}

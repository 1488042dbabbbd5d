// What callers may say, and how it becomes a connection's configuration.

import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import type { ClientConfig, ServerConfig, TransportOptions } from '../connection/config.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import {
  type CipherSuite,
  TLS_AES_128_GCM_SHA256,
  TLS_AES_256_GCM_SHA384,
  TLS_CHACHA20_POLY1305_SHA256,
} from '../crypto/cipher-suite.ts'
import { insecureVerifier, pinnedKeys, singleCertificate, verifyChain } from '../tls13/certificate-policy.ts'
import {
  type CertificateSource,
  type CertificateVerifier,
  type EarlyDataGate,
  type KeyLog,
  type PskSource,
  refuseEarlyData,
  type TicketIssuer,
} from '../tls13/ports.ts'
import { pemBlocks } from '../x509/pem.ts'
import { firstOf } from '../zero-rtt/psk-sources.ts'
import { TicketSealer } from '../zero-rtt/ticket-sealer.ts'
import type { TicketStore } from '../zero-rtt/ticket-store.ts'
import type { Admit } from './incoming.ts'
import type { ApplicationFactory } from './quic-session.ts'

export type CipherSuiteName = 'TLS_AES_128_GCM_SHA256' | 'TLS_AES_256_GCM_SHA384' | 'TLS_CHACHA20_POLY1305_SHA256'

interface CommonOptions {
  /** Transport parameters and limits. */
  readonly transport?: TransportOptions
  /** Suites in order of preference. Default: what the crypto backend does fastest. */
  readonly cipherSuites?: readonly CipherSuiteName[]
  /** Receives NSS key log lines. Default: appended to the file SSLKEYLOGFILE names, if it is set. */
  readonly keyLog?: KeyLog
  /** A directory for qlog files, one for each connection. Default none. */
  readonly qlog?: string
}

export interface ListenOptions extends CommonOptions {
  /**
   * Protocols in order of preference. A list serves them as raw streams; an object says who sits above for each.
   * Required: QUIC has no connection without ALPN (RFC 9001 §8.1).
   */
  readonly alpn: readonly string[] | Readonly<Record<string, ApplicationFactory>>
  /** Certificate chain, PEM, leaf first. Together with `key`, or else `certificates`, or PSKs alone. */
  readonly cert?: string
  /** Private key of the leaf, PEM. */
  readonly key?: string
  /** Chooses a certificate by the client's hello. Instead of `cert` and `key`. */
  readonly certificates?: CertificateSource
  /** PSKs besides our own tickets. Default none. */
  readonly psks?: PskSource
  /** Who judges early data. Default: it is refused. */
  readonly earlyData?: EarlyDataGate
  /** Seals tickets and finds them again; false: none. Default: a sealer with keys of its own. */
  readonly tickets?: (TicketIssuer & PskSource) | false
  /** Tickets for each connection. Default 2. */
  readonly ticketCount?: number
  /** Application state remembered in tickets, such as our HTTP/3 SETTINGS. Default empty. */
  readonly appState?: Uint8Array
  /** Decides on each new client. Default: Retry under load. */
  readonly admit?: Admit
}

export interface ConnectOptions extends CommonOptions {
  /** Protocols to offer, best first. Required. */
  readonly alpn: readonly string[]
  /** Name for SNI and the certificate check. Default: the host connected to. */
  readonly serverName?: string
  /** Certificate authorities to trust, PEM (one or more in a text). Default: those Node ships. */
  readonly ca?: string | readonly string[]
  /** SHA-256 of public keys (SubjectPublicKeyInfo) to trust instead of a chain. */
  readonly pins?: readonly Uint8Array[]
  /** Judges certificates in place of `ca` and `pins`. */
  readonly verifier?: CertificateVerifier
  /** Trusts whoever answers. For tests; says so in its name. */
  readonly insecureNoCertificateCheck?: boolean
  /** Where tickets are kept and taken from. Default: nowhere, every handshake is a full one. */
  readonly tickets?: TicketStore
  /** Offer early data with what the store holds: only for what may be executed twice. Default false. */
  readonly earlyData?: boolean
  /** Who sits above, once the protocol is known. Default: raw streams. */
  readonly application?: ApplicationFactory
  /** Ends the attempt, or later the connection. */
  readonly signal?: AbortSignal
}

/** A server's configuration. Throws a TypeError that says what is missing. */
export function serverConfig(options: ListenOptions, backend: CryptoBackend): ServerConfig {
  const sealer = options.tickets === undefined ? new TicketSealer(backend) : options.tickets
  const psks = [options.psks, sealer || undefined].filter(source => source !== undefined)
  return {
    alpn: protocols(options),
    certificates: certificates(options, backend),
    psks: firstOf(...psks),
    earlyData: options.earlyData ?? refuseEarlyData,
    tickets: sealer || undefined,
    ticketCount: options.ticketCount ?? 2,
    appState: options.appState ?? new Uint8Array(0),
    ...common(options),
  }
}

export function protocols(options: ListenOptions): readonly string[] {
  const { alpn } = options
  const names = Array.isArray(alpn) ? (alpn as readonly string[]) : Object.keys(alpn)
  if (names.length === 0) throw new TypeError("listen needs `alpn`: the protocols it serves, such as ['h3']")
  return names
}

function certificates(options: ListenOptions, backend: CryptoBackend): CertificateSource {
  if (options.certificates) return options.certificates
  const { cert, key } = options
  if (cert === undefined || key === undefined) {
    if (options.psks !== undefined && cert === key) return { select: () => undefined }
    throw new TypeError('listen needs `cert` and `key` (PEM), or `certificates`, or `psks`')
  }
  const chain = pemBlocks(cert, 'CERTIFICATE')
  if (chain.length === 0) throw new TypeError('`cert` holds no PEM certificate (-----BEGIN CERTIFICATE-----)')
  return singleCertificate({ chain, key: backend.privateKey(key) })
}

/** What is the same for every connection of a client's options. */
export function clientConfig(
  options: ConnectOptions,
  backend: CryptoBackend,
  host: string,
  pins: readonly Uint8Array[],
): Omit<ClientConfig, 'resumption'> {
  if (options.alpn.length === 0) throw new TypeError("connect needs `alpn`: the protocols to offer, such as ['h3']")
  return {
    alpn: options.alpn,
    serverName: options.serverName ?? host,
    verifier: verifier(options, backend, pins),
    earlyData: options.earlyData ?? false,
    ...common(options),
  }
}

function verifier(options: ConnectOptions, backend: CryptoBackend, pins: readonly Uint8Array[]): CertificateVerifier {
  if (options.verifier) return options.verifier
  if (options.insecureNoCertificateCheck) return insecureVerifier
  const allPins = [...(options.pins ?? []), ...pins]
  if (allPins.length > 0) return pinnedKeys(backend, allPins)
  if (options.ca === undefined) return systemRoots(backend)
  const texts = typeof options.ca === 'string' ? [options.ca] : options.ca
  const roots = texts.flatMap(text => pemBlocks(text, 'CERTIFICATE'))
  if (roots.length === 0) throw new TypeError('`ca` holds no PEM certificate (-----BEGIN CERTIFICATE-----)')
  return verifyChain(backend, roots)
}

let system: CertificateVerifier | undefined

/** Read when the first chain is to be judged: most short-lived workers never judge one. */
function systemRoots(backend: CryptoBackend): CertificateVerifier {
  return {
    verify(chain, serverName, unixTime) {
      system ??= verifyChain(
        backend,
        [...rootCertificates, ...extraRoots()].flatMap(text => pemBlocks(text, 'CERTIFICATE')),
      )
      system.verify(chain, serverName, unixTime)
    },
  }
}

/** NODE_EXTRA_CA_CERTS counts here as it does for node:tls. */
function extraRoots(): string[] {
  const path = process.env['NODE_EXTRA_CA_CERTS']
  return path === undefined || path === '' ? [] : [readFileSync(path, 'latin1')]
}

const suites = new Map<string, CipherSuite>(
  [TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256].map(suite => [suite.name, suite]),
)

function common(options: CommonOptions): Pick<ClientConfig, 'transport' | 'cipherSuites'> {
  return {
    ...(options.transport && { transport: options.transport }),
    ...(options.cipherSuites && { cipherSuites: options.cipherSuites.map(suiteNamed) }),
  }
}

function suiteNamed(name: string): CipherSuite {
  const suite = suites.get(name)
  if (suite === undefined)
    throw new RangeError(`unknown cipher suite ${name}; known are ${[...suites.keys()].join(', ')}`)
  return suite
}

// What a server makes of a ClientHello: protocol, suite, PSK, group, certificate (RFC 8446 §4.1.1).

import { equal } from '../bytes/equal.ts'
import { type CryptoBackend, NamedGroup, type SignatureScheme } from '../crypto/backend.ts'
import type { CipherSuite } from '../crypto/cipher-suite.ts'
import { Alert, TlsAlert } from './alert.ts'
import type { EarlyDataOutput, TlsServerConfig } from './config.ts'
import { ExtensionType, type KeyShareEntry } from './extensions.ts'
import type { ClientHello } from './messages/client-hello.ts'
import { illegalParameter } from './messages/handshake.ts'
import type { Authorization, CertifiedKey, ClientHelloInfo, EarlyDataAttempt, EarlyDataRefusal } from './ports.ts'
import { agreesWith, type SelectedPsk, selectPsk } from './psk.ts'

export interface Choice {
  readonly alpn: string
  readonly suite: CipherSuite
  readonly group: NamedGroup
  /** The client's share of the group; undefined: ask for one with a HelloRetryRequest. */
  readonly share: KeyShareEntry | undefined
  readonly psk: SelectedPsk | undefined
}

/** `retrySuite` is the suite that a HelloRetryRequest has settled. */
export function choose(
  config: TlsServerConfig,
  hello: ClientHello,
  retrySuite: CipherSuite | undefined,
  unixTime: number,
): Choice {
  checkMandatory(hello)
  const alpn = chooseProtocol(config, hello)
  const suites = commonSuites(config, hello, retrySuite)
  const { group, share } = chooseGroup(config, hello)
  const psk = selectPsk(hello, suites, config, unixTime)
  return { alpn, suite: psk?.suite ?? (suites[0] as CipherSuite), group, share, psk }
}

/** RFC 8446 §9.2, and §4.2.10 for early data. Only key exchange by groups is done here, so groups are always needed. */
function checkMandatory(hello: ClientHello): void {
  const { psks, signatureSchemes, groups, keyShares, hasEarlyData } = hello
  if (psks === undefined && signatureSchemes === undefined) throw missing('signature_algorithms')
  if (groups === undefined) throw missing('supported_groups')
  if (keyShares === undefined) throw missing('key_share')
  if (hasEarlyData && psks === undefined) throw missing('pre_shared_key')
}

function missing(name: string): TlsAlert {
  return new TlsAlert(Alert.MissingExtension, `no ${name}`)
}

function chooseProtocol(config: TlsServerConfig, hello: ClientHello): string {
  const ours = config.protocols?.(helloInfo(hello)).filter(protocol => config.alpn.includes(protocol)) ?? config.alpn
  const alpn = ours.find(protocol => hello.alpn.includes(protocol))
  if (alpn === undefined) throw new TlsAlert(Alert.NoApplicationProtocol, 'no protocol in common')
  return alpn
}

function commonSuites(
  config: TlsServerConfig,
  hello: ClientHello,
  retrySuite: CipherSuite | undefined,
): readonly CipherSuite[] {
  const ours = config.cipherSuites ?? config.backend.cipherSuites
  const common = ours.filter(suite => hello.cipherSuites.includes(suite.id))
  // RFC 8446 §4.1.4: the second ClientHello leads to the same suite.
  const suites = retrySuite === undefined ? common : common.filter(suite => suite === retrySuite)
  if (suites.length === 0) throw new TlsAlert(Alert.HandshakeFailure, 'no cipher suite in common')
  return suites
}

/** A group with a share saves a round trip, so it comes before one we would rather have. */
function chooseGroup(config: TlsServerConfig, hello: ClientHello): Pick<Choice, 'group' | 'share'> {
  const offered = hello.groups ?? []
  const shares = sharesByGroup(hello.keyShares ?? [], offered)
  const common = (config.groups ?? defaultGroups(config.backend)).filter(group => offered.includes(group))
  const [first] = common
  if (first === undefined) throw new TlsAlert(Alert.HandshakeFailure, 'no group in common')
  const group = common.find(candidate => shares.has(candidate)) ?? first
  return { group, share: shares.get(group) }
}

/** Who sends a hybrid share has paid for it, and may have secrets that are to outlive today's mathematics. */
function defaultGroups({ groups }: CryptoBackend): readonly NamedGroup[] {
  const hybrid = NamedGroup.X25519MlKem768
  return groups.includes(hybrid) ? [hybrid, ...groups.filter(group => group !== hybrid)] : groups
}

/** RFC 8446 §4.2.8: one share for a group, and for offered groups alone. */
function sharesByGroup(shares: readonly KeyShareEntry[], offered: readonly number[]): Map<number, KeyShareEntry> {
  const byGroup = new Map<number, KeyShareEntry>()
  const allowed = new Set(offered)
  for (const share of shares) {
    if (byGroup.has(share.group)) throw illegalParameter(`two shares of group ${share.group}`)
    if (!allowed.has(share.group)) throw illegalParameter(`a share of group ${share.group}, which is not offered`)
    byGroup.set(share.group, share)
  }
  return byGroup
}

/** RFC 8446 §4.1.2: what a client may not change after a HelloRetryRequest for `group`. */
export function checkSecondHello(first: ClientHello, second: ClientHello, group: NamedGroup): void {
  const isSame =
    equal(first.random, second.random) &&
    first.cipherSuites.length === second.cipherSuites.length &&
    first.cipherSuites.every((suite, i) => suite === second.cipherSuites[i]) &&
    UNCHANGED.every(type => isSameBody(first.extensions.get(type), second.extensions.get(type)))
  if (!isSame) throw illegalParameter('the second ClientHello differs from the first')
  if (second.hasEarlyData) throw illegalParameter('early data after a HelloRetryRequest')
  if (second.keyShares?.length !== 1 || second.keyShares[0]?.group !== group) {
    throw illegalParameter(`the second ClientHello has no single share of group ${group}`)
  }
}

const UNCHANGED: readonly number[] = [
  ExtensionType.ServerName,
  ExtensionType.SupportedGroups,
  ExtensionType.SignatureAlgorithms,
  ExtensionType.Alpn,
  ExtensionType.SupportedVersions,
  ExtensionType.PskKeyExchangeModes,
  ExtensionType.CompressCertificate,
  ExtensionType.QuicTransportParameters,
]

function isSameBody(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equal(a, b)
}

/** A certificate and the scheme to sign with. */
export interface ServerIdentity {
  readonly certified: CertifiedKey
  readonly scheme: SignatureScheme
}

/** RFC 8446 §4.4.2.2: with what the source answered. */
export function chooseIdentity(hello: ClientHello, certified: CertifiedKey | undefined): ServerIdentity {
  if (certified === undefined) throw new TlsAlert(Alert.HandshakeFailure, 'no certificate for this client')
  const scheme = certified.key.schemes.find(candidate => hello.signatureSchemes?.includes(candidate))
  if (scheme === undefined) throw new TlsAlert(Alert.HandshakeFailure, 'no signature scheme in common')
  return { certified, scheme }
}

/**
 * RFC 8446 §4.2.10: early data needs the first PSK and all of its terms; whether it is fresh is asked last, with what
 * this returns. Otherwise: why it is refused.
 */
export function earlyAttempt(
  hello: ClientHello,
  choice: Choice,
  unixTime: number,
): EarlyDataAttempt | EarlyDataRefusal {
  const selected = choice.psk
  if (selected === undefined || selected.index !== 0) return 'unknown'
  const { psk, identity, binder } = selected
  const terms = psk.earlyData
  if (terms === undefined) return 'unwanted'
  if (!agreesWith(terms, choice.suite, choice.alpn, hello.serverName)) return 'terms'
  return { psk, identity, binder, ticketAge: psk.claimedAge, hello: helloInfo(hello), unixTime }
}

/** What becomes of early data, and the remarks of whoever judged it. */
export type EarlyVerdict = Omit<EarlyDataOutput, 'type'>

export function verdictOf(attempt: EarlyDataAttempt, accepted: boolean): EarlyVerdict {
  const { refusal = 'unwanted', skew } = attempt
  return { accepted, refusal: accepted ? undefined : refusal, skew }
}

/** Whom the client is taken for. Throws where nobody wants it. */
export function authorizationOf(
  { authorize }: TlsServerConfig,
  { psk, identity }: SelectedPsk,
  { alpn }: Choice,
  { serverName }: ClientHello,
  unixTime: number,
): Authorization | undefined {
  if (authorize === undefined) return psk.authorization
  const granted = authorize({ psk, identity, serverName, alpn, unixTime })
  if (granted === undefined) throw new TlsAlert(Alert.AccessDenied, 'the holder of this PSK is not authorized')
  return granted === 'anyone' ? undefined : granted
}

export function helloInfo(hello: ClientHello): ClientHelloInfo {
  return {
    serverName: hello.serverName,
    alpn: hello.alpn,
    // Codes unknown to us may be among them; they match nothing.
    signatureSchemes: (hello.signatureSchemes ?? []) as readonly SignatureScheme[],
    cipherSuites: hello.cipherSuites,
  }
}

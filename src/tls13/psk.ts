// Pre-shared keys (RFC 8446 §4.2.11): what a client may offer, which one a server takes, and the binders.

import { constantTimeEqual } from '../bytes/equal.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import type { CipherSuite, HashName } from '../crypto/cipher-suite.ts'
import { parseCertificate } from '../x509/certificate.ts'
import { Alert, TlsAlert } from './alert.ts'
import type { TlsServerConfig } from './config.ts'
import { MAX_PSK_IDENTITIES, PSK_DHE_KE } from './extensions.ts'
import { EarlyStage } from './key-schedule.ts'
import type { ClientHello } from './messages/client-hello.ts'
import type { EarlyDataTerms, OfferedPsk, Psk } from './ports.ts'
import type { HelloTranscript } from './transcript.ts'

/** Longer identities (a ticket may have 64 KiB) are not offered: no server would read so long a ClientHello. */
export const MAX_OFFERED_IDENTITY_LENGTH: number = 8 * 1024

/** A PSK that cannot be used with any of the suites offered is not offered at all. */
export function usablePsk(psk: OfferedPsk | undefined, suites: readonly CipherSuite[]): OfferedPsk | undefined {
  if (psk === undefined || psk.identity.length === 0 || psk.identity.length > MAX_OFFERED_IDENTITY_LENGTH)
    return undefined
  return suites.some(suite => suite.hash === psk.hash) ? psk : undefined
}

/** The suite of early data, or undefined when its terms are none that this ClientHello could lead to. */
export function earlyDataSuite(
  psk: OfferedPsk | undefined,
  suites: readonly CipherSuite[],
  alpn: readonly string[],
): CipherSuite | undefined {
  const terms = psk?.earlyData
  if (psk === undefined || terms === undefined || !alpn.includes(terms.alpn)) return undefined
  return suites.find(suite => suite.id === terms.cipherSuite && suite.hash === psk.hash)
}

/** The PSK a server settled on. */
export interface SelectedPsk {
  readonly psk: Psk
  readonly index: number
  readonly identity: Uint8Array
  readonly binder: Uint8Array
  readonly suite: CipherSuite
}

/**
 * The first identity that is known, alive and fits one of `suites` (already the ones both sides have, in our order).
 * No binder is looked at: that is for the chosen one alone (RFC 8446 §4.2.11).
 */
export function selectPsk(
  hello: ClientHello,
  suites: readonly CipherSuite[],
  { psks, clientAuthentication }: TlsServerConfig,
  unixTime: number,
): SelectedPsk | undefined {
  if (hello.psks === undefined) return undefined
  const modes = hello.pskModes
  // RFC 8446 §4.2.9.
  if (modes === undefined) throw new TlsAlert(Alert.MissingExtension, 'a PSK without psk_key_exchange_modes')
  if (!modes.includes(PSK_DHE_KE)) return undefined
  const { identities, binders } = hello.psks
  const count = Math.min(identities.length, MAX_PSK_IDENTITIES)
  for (let index = 0; index < count; index++) {
    const { identity, obfuscatedAge } = identities[index] as (typeof identities)[number]
    const psk = psks.find(identity, obfuscatedAge, unixTime)
    if (psk === undefined || psk.expires <= unixTime) continue
    if (!isAuthenticated(psk, clientAuthentication?.isRequired ?? false, unixTime)) continue
    const suite = suiteFor(psk, suites)
    if (suite !== undefined) return { psk, index, identity, binder: binders[index] as Uint8Array, suite }
  }
  return undefined
}

/** No certificate is asked for beside a PSK (RFC 8446 §4.3.2): the ticket's is as good as it was, until it expires. */
function isAuthenticated({ clientCertificate }: Psk, isRequired: boolean, unixTime: number): boolean {
  if (clientCertificate === undefined) return !isRequired
  return unixTime < parseCertificate(clientCertificate).notAfter + 1000
}

/** A PSK belongs to one hash; the suite its early data was sealed with is the best choice, if there is one. */
function suiteFor(psk: Psk, suites: readonly CipherSuite[]): CipherSuite | undefined {
  const fitting = suites.filter(suite => suite.hash === psk.hash)
  return fitting.find(suite => suite.id === psk.earlyData?.cipherSuite) ?? fitting[0]
}

/** Undefined: the binder of the selected PSK over the ClientHello without its binders is wrong (RFC 8446 §4.2.11.2). */
export function verifyBinder(
  backend: CryptoBackend,
  selected: SelectedPsk,
  before: HelloTranscript,
  truncatedHello: Uint8Array,
): EarlyStage | undefined {
  const { psk, binder } = selected
  const stage = new EarlyStage(backend, psk.hash, psk.secret)
  const expected = stage.binder(psk.kind, before.digestWith(psk.hash, truncatedHello))
  return constantTimeEqual(expected, binder) ? stage : undefined
}

/** Also for an identity that is not known, where no certificate can do instead (RFC 8446 Appendix E.6). */
export function wrongBinder(): TlsAlert {
  return new TlsAlert(Alert.DecryptError, 'the PSK binder does not verify')
}

/**
 * The work of `verifyBinder` for a ClientHello none of whose PSKs is known, so that time does not tell an unknown identity
 * from a wrong binder (RFC 8446 Appendix E.6).
 */
export function verifyNothing(
  backend: CryptoBackend,
  hash: HashName,
  binder: Uint8Array,
  before: HelloTranscript,
  truncatedHello: Uint8Array,
): void {
  const stage = new EarlyStage(backend, hash, noSecret)
  constantTimeEqual(stage.binder('resumption', before.digestWith(hash, truncatedHello)), binder)
}

const noSecret = new Uint8Array(32)

/** RFC 8446 §4.2.10, without the question of freshness: does the choice agree with what early data was sealed under? */
export function agreesWith(
  terms: EarlyDataTerms,
  suite: CipherSuite,
  alpn: string,
  serverName: string | undefined,
): boolean {
  if (terms.cipherSuite !== suite.id || terms.alpn !== alpn) return false
  return terms.serverName === undefined || serverName === undefined || terms.serverName === serverName
}

// Ready-made answers for the certificate ports: whom a client trusts, and which certificate a server shows.

import { constantTimeEqual } from '../bytes/equal.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import { type Certificate, parseCertificate } from '../x509/certificate.ts'
import { CertificateError, type CertificateErrorReason } from '../x509/certificate-error.ts'
import { checkCertificateHash } from '../x509/certificate-hash.ts'
import { ChainVerifier } from '../x509/chain.ts'
import { Alert, TlsAlert } from './alert.ts'
import type {
  CertificateVerifier,
  CertifiedKey,
  ClientAuthentication,
  ClientHelloInfo,
  ReadyCertificateSource,
} from './ports.ts'

/** Trusts chains that lead to one of `roots` (DER). Throws a TypeError for a root that is not a certificate. */
export function verifyChain(backend: CryptoBackend, roots: readonly Uint8Array[]): CertificateVerifier {
  const verifier = new ChainVerifier(backend, roots)
  return {
    verify: (chain, serverName, unixTime) => withAlerts(() => verifier.verify(chain, serverName, unixTime)),
  }
}

/** Trusts clients whose chains lead to one of `roots` (DER), and names those to them; `isRequired`: nobody without. */
export function verifyClients(
  backend: CryptoBackend,
  roots: readonly Uint8Array[],
  isRequired: boolean,
): ClientAuthentication {
  const verifier = new ChainVerifier(backend, roots)
  return {
    isRequired,
    verifier: { verify: (chain, unixTime) => withAlerts(() => verifier.verifyClient(chain, unixTime)) },
    authorities: verifier.authorities,
  }
}

/**
 * Trusts a leaf whose SubjectPublicKeyInfo has one of these SHA-256 hashes, and looks at nothing else: neither names nor
 * dates. For peers that were introduced beforehand.
 */
export function pinnedKeys(backend: CryptoBackend, sha256Pins: readonly Uint8Array[]): CertificateVerifier {
  if (sha256Pins.length === 0) throw new TypeError('no pins')
  if (sha256Pins.some(pin => pin.length !== 32)) throw new TypeError('a pin is the 32 bytes of a SHA-256')
  return {
    verify(chain) {
      withAlerts(() => {
        const hash = backend.hash('sha256', parseCertificate(leafOf(chain)).publicKey)
        if (sha256Pins.some(pin => constantTimeEqual(pin, hash))) return
        throw new CertificateError('notPinned', 'the key of the certificate is not a pinned one')
      })
    },
  }
}

/**
 * Trusts a leaf that has one of these SHA-256 hashes on the terms of browsers (W3C WebTransport): a P-256 key, valid now
 * and for 14 days at most. Neither its issuer nor its names are looked at. Throws a TypeError for what is no SHA-256.
 */
export function pinnedCertificates(backend: CryptoBackend, sha256Hashes: readonly Uint8Array[]): CertificateVerifier {
  if (sha256Hashes.length === 0) throw new TypeError('no hashes of certificates')
  if (sha256Hashes.some(hash => hash.length !== 32)) throw new TypeError('a hash is the 32 bytes of a SHA-256')
  return {
    verify(chain, _serverName, unixTime) {
      return withAlerts(() => checkCertificateHash(backend, sha256Hashes, leafOf(chain), unixTime))
    },
  }
}

function leafOf(chain: readonly Uint8Array[]): Uint8Array {
  const leaf = chain[0]
  if (leaf === undefined) throw new CertificateError('malformed', 'no certificate')
  return leaf
}

/** Trusts nobody: for clients that have a PSK, and are to have nothing else. */
export const noCertificate: CertificateVerifier = {
  verify: () => {
    throw new TlsAlert(Alert.AccessDenied, 'the server took no PSK, and a certificate is not taken in its place')
  },
}

/** Trusts everybody, an attacker in the middle included. For tests and measurements. */
export const insecureVerifier: CertificateVerifier = { verify: () => undefined }

/**
 * A verifier of the caller's: whatever it throws refuses, a TlsAlert and a CertificateError with their own alerts, the
 * rest with certificate_unknown. A promise refuses too: nobody would wait for it.
 */
export function refusing<Given extends readonly unknown[], Answer>(
  verifier: Judge<Given, Answer>,
): Judge<Given, Answer> {
  return {
    verify(...given) {
      try {
        const answer = withAlerts(() => verifier.verify(...given))
        if ((answer as { then?: unknown } | undefined)?.then !== undefined)
          throw new TypeError('a verifier must answer at once, not with a promise')
        return answer
      } catch (error) {
        if (error instanceof TlsAlert) throw error
        const cause = error instanceof Error ? error : new Error(String(error))
        throw new TlsAlert(Alert.CertificateUnknown, cause.message, cause)
      }
    },
  }
}

/** A CertificateVerifier or a ClientVerifier. */
interface Judge<Given extends readonly unknown[], Answer> {
  verify(...given: Given): Answer
}

/** The same certificate for every client that can verify its key's signatures. */
export function singleCertificate(certifiedKey: CertifiedKey): ReadyCertificateSource {
  checkCertifiedKey(certifiedKey)
  return { select: hello => (canVerify(hello, certifiedKey) ? certifiedKey : undefined) }
}

/**
 * Certificates by server name, in A-labels (`xn--…`) as clients send it. An exact name goes before a wildcard (`*.example.com`), and `*` is for all others and
 * for clients that name nobody; without it they are refused.
 */
export function bySni(certificates: ReadonlyMap<string, CertifiedKey>): ReadyCertificateSource {
  const byName = new Map<string, CertifiedKey>()
  for (const [name, certifiedKey] of certificates) {
    checkCertifiedKey(certifiedKey)
    if (!/^[!-~]+$/.test(name)) throw new TypeError(`no client asks for '${name}': write it in A-labels (xn--…)`)
    byName.set(name.toLowerCase(), certifiedKey)
  }
  return {
    select(hello) {
      const found = lookUp(byName, hello.serverName)
      return found !== undefined && canVerify(hello, found) ? found : undefined
    },
  }
}

function lookUp(byName: ReadonlyMap<string, CertifiedKey>, serverName: string | undefined): CertifiedKey | undefined {
  const fallback = byName.get('*')
  if (serverName === undefined) return fallback
  const name = serverName.toLowerCase()
  return byName.get(name) ?? byName.get(`*${name.slice(Math.max(name.indexOf('.'), 0))}`) ?? fallback
}

function canVerify(hello: ClientHelloInfo, { key }: CertifiedKey): boolean {
  return key.schemes.some(scheme => hello.signatureSchemes.includes(scheme))
}

function checkCertifiedKey({ chain, key }: CertifiedKey): void {
  const leaf = chain[0]
  if (leaf === undefined) throw new TypeError('a chain needs at least one certificate')
  let certificate: Certificate
  try {
    certificate = parseCertificate(leaf)
  } catch (error) {
    throw new TypeError('the certificate is not one in DER', { cause: error })
  }
  if (!constantTimeEqual(certificate.publicKey, key.publicKey)) {
    throw new TypeError('the private key does not belong to the certificate')
  }
}

function withAlerts<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof CertificateError) throw new TlsAlert(alerts[error.reason], error.message, error)
    throw error
  }
}

// RFC 8446 §6.2; for hashes that are broken §4.4.2.4.
const alerts: Readonly<Record<CertificateErrorReason, Alert>> = {
  malformed: Alert.BadCertificate,
  badSignature: Alert.BadCertificate,
  weakSignature: Alert.BadCertificate,
  unsupportedSignature: Alert.UnsupportedCertificate,
  unsupportedKey: Alert.UnsupportedCertificate,
  notYetValid: Alert.CertificateExpired,
  expired: Alert.CertificateExpired,
  unknownCa: Alert.UnknownCa,
  notAuthority: Alert.BadCertificate,
  pathTooLong: Alert.BadCertificate,
  unknownCritical: Alert.UnsupportedCertificate,
  wrongPurpose: Alert.UnsupportedCertificate,
  nameConstraint: Alert.BadCertificate,
  hostMismatch: Alert.BadCertificate,
  notPinned: Alert.BadCertificate,
  validityTooLong: Alert.CertificateUnknown,
  tooComplex: Alert.BadCertificate,
}

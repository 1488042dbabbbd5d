// Trust in one certificate by its hash, on the terms of browsers (W3C WebTransport, `serverCertificateHashes`).

import { constantTimeEqual } from '../bytes/equal.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import { checkValidity, endOf, parseCertificate } from './certificate.ts'
import { CertificateError } from './certificate-error.ts'
import { keyType } from './signature-algorithm.ts'

/** Longest validity of a certificate that is trusted by its hash, in ms: nobody could revoke it. */
export const MAX_HASHED_VALIDITY: number = 14 * 86_400_000

/**
 * Returns when the SHA-256 of `der` is one of `sha256Hashes`, its key is of P-256, it is valid for 14 days at most and
 * at `unixTime` (ms). Neither names nor issuers are looked at. Throws a CertificateError otherwise.
 * What it returns is the Unix ms at which the certificate expires.
 */
export function checkCertificateHash(
  backend: CryptoBackend,
  sha256Hashes: readonly Uint8Array[],
  der: Uint8Array,
  unixTime: number,
): number {
  const certificate = parseCertificate(der)
  const hash = backend.hash('sha256', der)
  if (!sha256Hashes.some(known => constantTimeEqual(known, hash))) {
    throw new CertificateError('notPinned', 'the hash of the certificate is none of those given')
  }
  if (certificate.version !== 3 || keyType(certificate.publicKey) !== 'p256') {
    throw new CertificateError(
      'unsupportedKey',
      'trusted by its hash is only a certificate of version 3 with a P-256 key',
    )
  }
  if (certificate.notAfter - certificate.notBefore > MAX_HASHED_VALIDITY) {
    throw new CertificateError('validityTooLong', 'too long valid to be trusted by its hash')
  }
  checkValidity(certificate, unixTime)
  return endOf(certificate)
}

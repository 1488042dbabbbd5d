// Why a certificate was not accepted, and what to do about it.

/** Reasons never change their names; SECURITY.md lists them with the TLS alert each becomes. */
export type CertificateErrorReason =
  | 'malformed'
  | 'badSignature'
  | 'weakSignature'
  | 'unsupportedSignature'
  | 'unsupportedKey'
  | 'notYetValid'
  | 'expired'
  | 'unknownCa'
  | 'notAuthority'
  | 'pathTooLong'
  | 'unknownCritical'
  | 'wrongPurpose'
  | 'nameConstraint'
  | 'hostMismatch'
  | 'notPinned'
  | 'validityTooLong'
  | 'tooComplex'

/** What whoever meets the reason can do. */
const advice: Readonly<Record<CertificateErrorReason, string>> = {
  malformed: 'have it issued anew by software that writes DER',
  badSignature: 'serve the chain as the authority delivered it',
  weakSignature: 'have it issued anew with SHA-256 or better',
  unsupportedSignature: 'have it signed with RSA, ECDSA (P-256 with SHA-256, P-384 with SHA-384) or Ed25519',
  unsupportedKey: 'use an RSA key of 2048 to 8192 bits, P-256, P-384 or Ed25519',
  notYetValid: "check this machine's clock, or wait",
  expired: "renew it, or check this machine's clock",
  unknownCa: 'serve the intermediates too, or trust its root with `ca`',
  notAuthority: 'have it issued by an authority, with CA:TRUE and keyCertSign',
  pathTooLong: 'have it issued nearer to the root',
  unknownCritical: 'have it issued without that extension, or with it not critical',
  wrongPurpose: 'have it issued for this use (key usage digitalSignature; extended key usage serverAuth or clientAuth)',
  nameConstraint: 'have it issued by an authority that may speak for its names',
  hostMismatch: 'connect by a name it has, give that as `serverName`, or have the name added as subjectAltName',
  notPinned: 'pin the one that is served now, if it is the right one',
  validityTooLong: 'issue it for 14 days or less',
  tooComplex: 'serve only the certificates from the leaf to the root',
}

/** A certificate was refused. The message says what is wrong and what to do. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError'
  readonly reason: CertificateErrorReason

  /** `what` is wrong; what to do is added. */
  constructor(reason: CertificateErrorReason, what: string) {
    super(`${what}; ${advice[reason]}`)
    this.reason = reason
  }

  /** `ERR_ZEROTRIP_CERTIFICATE_` and the reason: `ERR_ZEROTRIP_CERTIFICATE_HOST_MISMATCH`. Stable. */
  get code(): string {
    return `ERR_ZEROTRIP_CERTIFICATE_${this.reason.replace(/[A-Z]/g, capital => `_${capital}`).toUpperCase()}`
  }
}

// Why a certificate was not accepted.

/**
 * `malformed`: not a certificate. `bad`: breaks a rule of RFC 5280, or a signature is wrong. `expired`: not valid now.
 * `unknownCa`: no path to a root. `unsupported`: asks for something not understood, or is for another purpose.
 * `hostMismatch`: good, but for somebody else. `tooComplex`: judging it would take more work than is allowed.
 */
export type CertificateErrorReason =
  | 'malformed'
  | 'bad'
  | 'expired'
  | 'unknownCa'
  | 'unsupported'
  | 'hostMismatch'
  | 'tooComplex'

export class CertificateError extends Error {
  override readonly name = 'CertificateError'
  readonly reason: CertificateErrorReason

  constructor(reason: CertificateErrorReason, message: string) {
    super(message)
    this.reason = reason
  }
}

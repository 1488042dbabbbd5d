// A certificate made on the spot, for development and for workers whose clients hold a pin.

import { defaultBackend } from '../crypto/backend-wasm.ts'
import { unixTime } from '../endpoint/clock.ts'
import { issueCertificate, newPrivateKey } from '../x509/issue.ts'
import { pemText } from '../x509/pem.ts'

export interface SelfSignedOptions {
  /** DNS names and IP addresses, at least one. */
  readonly hosts: readonly string[]
  /** ms from now. Default 13 days: browsers take a pinned certificate for 14 at most. */
  readonly lifetime?: number
}

export interface SelfSigned {
  /** PEM: what `serve` takes, and what a client may trust as `ca`. */
  readonly cert: string
  /** PEM, PKCS#8. */
  readonly key: string
  /** SHA-256 of the public key, for `pins`. */
  readonly pin: Uint8Array
  /** SHA-256 of the certificate, for `serverCertificateHashes`, here and in browsers. */
  readonly certificateHash: Uint8Array
}

const DAY = 24 * 3_600_000
/** The clocks of clients may be behind. */
const CLOCK_SKEW = 3_600_000

/**
 * A P-256 key and a certificate it signed itself. Throws a RangeError without hosts.
 *
 *     const { cert, key } = selfSigned({ hosts: ['localhost'] })
 */
export function selfSigned(options: SelfSignedOptions): SelfSigned {
  const pkcs8 = newPrivateKey(defaultBackend)
  const key = defaultBackend.privateKey(pkcs8)
  const now = unixTime()
  const issued = issueCertificate(defaultBackend, {
    key,
    hosts: options.hosts,
    notBefore: now - CLOCK_SKEW,
    notAfter: now + (options.lifetime ?? 13 * DAY),
  })
  const pin = defaultBackend.hash('sha256', key.publicKey)
  return { cert: issued.pem, key: pemText('PRIVATE KEY', pkcs8), pin, certificateHash: issued.fingerprint }
}

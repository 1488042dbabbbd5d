// The certificate of one launch, for clients that hold no half of its key. Made by the worker: it travels nowhere.

import { createHash, createPrivateKey } from 'node:crypto'
import { issueCertificate, newPrivateKey, nodeBackend } from 'zerotrip'

export interface Identity {
  /** PEM. */
  readonly certificate: string
  /** PEM. */
  readonly key: string
  /** SHA-256 of the public key, hex. */
  readonly pin: string
}

/** A day: longer than a worker lives. */
const LIFETIME = 86_400_000
/** The clocks of clients may be behind. */
const CLOCK_SKEW = 300_000

export function newIdentity(hosts: readonly string[]): Identity {
  const encoded = newPrivateKey(nodeBackend)
  const key = nodeBackend.privateKey(encoded)
  const now = Date.now()
  const issued = issueCertificate(nodeBackend, { key, hosts, notBefore: now - CLOCK_SKEW, notAfter: now + LIFETIME })
  const keyObject = createPrivateKey({ key: Buffer.from(encoded), format: 'der', type: 'pkcs8' })
  return {
    certificate: issued.pem,
    key: keyObject.export({ format: 'pem', type: 'pkcs8' }) as string,
    pin: createHash('sha256').update(key.publicKey).digest('hex'),
  }
}

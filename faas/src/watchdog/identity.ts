// The certificate of one launch, for clients that hold no half of its key. Made by the worker: it travels nowhere.

import { selfSigned } from 'zerotrip'

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

export function newIdentity(hosts: readonly string[]): Identity {
  const { cert, key, pin } = selfSigned({ hosts, lifetime: LIFETIME })
  return { certificate: cert, key, pin: Buffer.from(pin).toString('hex') }
}

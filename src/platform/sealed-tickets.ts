// Tickets at rest: as secret as the keys inside, so they are sealed, each for its place.

import type { Aead, CryptoBackend } from '../crypto/backend.ts'
import { nodeBackend } from '../crypto/backend-node.ts'
import { TAG_LENGTH } from '../crypto/cipher-suite.ts'
import { isExpired, type Resumption, readResumption, writeResumption } from '../zero-rtt/resumption.ts'

const NONCE_LENGTH = 12

export class SealedTickets {
  readonly #backend: CryptoBackend
  readonly #aead: Aead

  /** `key`: 32 random bytes; a RangeError otherwise. */
  constructor(key: Uint8Array, backend: CryptoBackend = nodeBackend) {
    if (key.length !== 32) throw new RangeError(`the key of a ticket store has 32 bytes, not ${key.length}`)
    this.#backend = backend
    this.#aead = backend.aead('chacha20-poly1305', key)
  }

  seal(origin: string, resumption: Resumption): Uint8Array {
    const nonce = this.#backend.random(NONCE_LENGTH)
    const sealed = this.#aead.seal(nonce, new TextEncoder().encode(origin), writeResumption(resumption))
    const bytes = new Uint8Array(NONCE_LENGTH + sealed.length)
    bytes.set(nonce)
    bytes.set(sealed, NONCE_LENGTH)
    return bytes
  }

  /** Undefined for what was sealed with another key or for another origin, was damaged, or has expired. */
  open(origin: string, bytes: Uint8Array, unixTime: number): Resumption | undefined {
    if (bytes.length < NONCE_LENGTH + TAG_LENGTH) return undefined
    const nonce = bytes.subarray(0, NONCE_LENGTH)
    const content = this.#aead.open(nonce, new TextEncoder().encode(origin), bytes.subarray(NONCE_LENGTH))
    const resumption = content && readResumption(content)
    return resumption === undefined || isExpired(resumption, unixTime) ? undefined : resumption
  }
}

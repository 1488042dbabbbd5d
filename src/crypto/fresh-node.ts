// Randomness for a process that was restored from a snapshot. OpenSSL's generator has a state, and a copy of the process
// has the same one: until it is seeded again, hours later, both draw the same bytes. This one begins with what the copy
// alone was given, and erases each key when it has been used.

import { createCipheriv, hkdfSync } from 'node:crypto'
import type { CryptoBackend } from './backend.ts'
import { nodeBackend } from './backend-node.ts'
import { newKeyExchange } from './key-exchange-node.ts'

const KEY_LENGTH = 32
const PAGE = 4096

/**
 * The node backend with a generator of its own: `seed` is at least 32 bytes that no copy of this process has. Ids, nonces,
 * key shares and tickets are drawn from it; ML-KEM, where Node has it, still draws from OpenSSL.
 */
export function freshNodeBackend(seed: Uint8Array): CryptoBackend {
  if (seed.length < KEY_LENGTH) throw new RangeError(`a seed of ${seed.length} bytes is too short`)
  const generator = new FastKeyErasure(seed)
  const random = (length: number): Uint8Array => generator.take(length)
  return { ...nodeBackend, random, keyExchange: group => newKeyExchange(group, random) }
}

/** A stream cipher whose first bytes are its next key. */
class FastKeyErasure {
  #key: Uint8Array
  #page: Uint8Array = new Uint8Array(0)

  constructor(seed: Uint8Array) {
    this.#key = new Uint8Array(hkdfSync('sha256', seed, new Uint8Array(0), 'zerotrip v1 restored', KEY_LENGTH))
  }

  take(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; ) {
      if (this.#page.length === 0) this.#turn()
      const piece = this.#page.subarray(0, length - at)
      bytes.set(piece, at)
      piece.fill(0)
      at += piece.length
      this.#page = this.#page.subarray(piece.length)
    }
    return bytes
  }

  #turn(): void {
    const stream = createCipheriv('chacha20', this.#key, new Uint8Array(16)).update(new Uint8Array(KEY_LENGTH + PAGE))
    this.#key = new Uint8Array(stream.subarray(0, KEY_LENGTH))
    this.#page = stream.subarray(KEY_LENGTH)
  }
}

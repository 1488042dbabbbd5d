// Opening what is ours and what is not in the same time (RFC 8446 Appendix E.6).

import type { Aead, CryptoBackend } from '../crypto/backend.ts'
import type { AeadName } from '../crypto/cipher-suite.ts'

/** An AEAD that tells nobody by its time whether something has opened. */
export class EvenAead implements Aead {
  readonly #aead: Aead
  readonly #nonce: Uint8Array
  readonly #ours: Uint8Array
  readonly #strange: Uint8Array

  /** `length`: bytes of what is mostly sealed. */
  constructor(backend: CryptoBackend, name: AeadName, key: Uint8Array, length: number) {
    this.#aead = backend.aead(name, key)
    this.#nonce = backend.random(12)
    this.#ours = this.#aead.seal(this.#nonce, NOTHING, new Uint8Array(length))
    this.#strange = this.#ours.slice()
    this.#strange[0] = (this.#ours[0] as number) ^ 1
  }

  seal(nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array {
    return this.#aead.seal(nonce, associatedData, plaintext)
  }

  /** Who looks at the tag first does not decrypt what is wrong. So of two texts one opens and one does not, always. */
  open(nonce: Uint8Array, associatedData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    const opened = this.#aead.open(nonce, associatedData, ciphertext)
    this.#aead.open(this.#nonce, NOTHING, opened === undefined ? this.#ours : this.#strange)
    return opened
  }
}

const NOTHING: Uint8Array = new Uint8Array(0)

// The transcript hash (RFC 8446 §4.4.1). Two stages: until the suite is known the hellos are kept as they are, from
// then on there is a running hash.

import { Writer } from '../bytes/writer.ts'
import type { CryptoBackend, Hasher } from '../crypto/backend.ts'
import type { HashName } from '../crypto/cipher-suite.ts'
import { beginMessage, endMessage, HandshakeType } from './messages/handshake.ts'

/** The messages before the hash is known. Once a PSK names one, they are hashed as they come. */
export class HelloTranscript {
  readonly #backend: CryptoBackend
  #messages: Uint8Array[] = []
  #running: { readonly hash: HashName; readonly hasher: Hasher } | undefined = undefined
  /** Bytes of the next message that the running hash holds already. */
  #ahead = 0

  constructor(backend: CryptoBackend) {
    this.#backend = backend
  }

  add(message: Uint8Array): void {
    this.#messages.push(message)
    this.#running?.hasher.update(message.subarray(this.#ahead))
    this.#ahead = 0
  }

  /** The hash of all so far and a truncated ClientHello (RFC 8446 §4.2.11.2), the whole of which is to be added next. */
  digestWith(hash: HashName, truncated: Uint8Array): Uint8Array {
    const hasher = this.#hasher(hash)
    hasher.update(truncated)
    this.#ahead = truncated.length
    return hasher.digest()
  }

  /** Transcript-Hash of everything so far. */
  digest(hash: HashName): Uint8Array {
    return this.#hasher(hash).digest()
  }

  /** RFC 8446 §4.4.1: before a HelloRetryRequest the first ClientHello becomes a message that holds its hash. */
  replaceByHash(hash: HashName): void {
    const digest = this.digest(hash)
    const w = Writer.allocate(4 + digest.length)
    const start = beginMessage(w, HandshakeType.MessageHash)
    w.put(digest)
    this.#messages = [endMessage(w, start)]
    this.#running = undefined
  }

  /** The suite is known: from here on one running hash. */
  start(hash: HashName): Transcript {
    return new Transcript(this.#hasher(hash))
  }

  #hasher(hash: HashName): Hasher {
    if (this.#running?.hash === hash) return this.#running.hasher
    const hasher = this.#backend.hasher(hash)
    for (const message of this.#messages) hasher.update(message)
    this.#running = { hash, hasher }
    return hasher
  }
}

/** The messages after it. */
export class Transcript {
  readonly #hasher: Hasher

  constructor(hasher: Hasher) {
    this.#hasher = hasher
  }

  add(message: Uint8Array): void {
    this.#hasher.update(message)
  }

  /** Transcript-Hash of everything so far. */
  digest(): Uint8Array {
    return this.#hasher.digest()
  }
}

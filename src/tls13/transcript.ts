// The transcript hash (RFC 8446 §4.4.1). Two stages: until the suite is known the hellos are kept as they are, from
// then on there is a running hash.

import { Writer } from '../bytes/writer.ts'
import type { CryptoBackend, Hasher } from '../crypto/backend.ts'
import type { HashName } from '../crypto/cipher-suite.ts'
import { beginMessage, endMessage, HandshakeType } from './messages/handshake.ts'

/** The messages before the hash is known. */
export class HelloTranscript {
  readonly #backend: CryptoBackend
  #messages: Uint8Array[]

  constructor(backend: CryptoBackend) {
    this.#backend = backend
    this.#messages = []
  }

  add(message: Uint8Array): void {
    this.#messages.push(message)
  }

  /** The hash of all so far and a last piece that is not added: a truncated ClientHello (RFC 8446 §4.2.11.2). */
  digestWith(hash: HashName, last: Uint8Array): Uint8Array {
    const hasher = this.#backend.hasher(hash)
    for (const message of this.#messages) hasher.update(message)
    hasher.update(last)
    return hasher.digest()
  }

  /** RFC 8446 §4.4.1: before a HelloRetryRequest the first ClientHello becomes a message that holds its hash. */
  replaceByHash(hash: HashName): void {
    const hasher = this.#backend.hasher(hash)
    for (const message of this.#messages) hasher.update(message)
    const digest = hasher.digest()
    const w = Writer.allocate(4 + digest.length)
    const start = beginMessage(w, HandshakeType.MessageHash)
    w.put(digest)
    this.#messages = [endMessage(w, start)]
  }

  /** The suite is known: from here on one running hash. */
  start(hash: HashName): Transcript {
    const transcript = new Transcript(this.#backend.hasher(hash))
    for (const message of this.#messages) transcript.add(message)
    return transcript
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

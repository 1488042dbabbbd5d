// Keys for what we hand out sealed and get back: tickets and tokens. The newest seals; the ones before still open.

import { equal } from '../bytes/equal.ts'
import { Reader } from '../bytes/reader.ts'
import { Writer } from '../bytes/writer.ts'
import type { Aead, CryptoBackend } from '../crypto/backend.ts'
import { hkdfExpand } from '../crypto/hkdf.ts'
import { EvenAead } from './even-aead.ts'

export interface SealingKeysOptions {
  /**
   * Keys shared with other servers, the newest first: each at least 32 random bytes. Default: one of our own, which
   * nobody else can open and which rotates by itself.
   */
  readonly keys?: readonly Uint8Array[]
  /** ms until a key of our own is replaced. Default ROTATION_PERIOD. */
  readonly period?: number
  /** Keys that open, the newest included. Default KEYS_KEPT, or as many as were given. */
  readonly keep?: number
}

/** Defaults. */
export const ROTATION_PERIOD: number = 3_600_000
export const KEYS_KEPT: number = 2

/** Key id and nonce in front, tag behind. */
export const SEALED_OVERHEAD: number = 4 + 12 + 16

/** 2^32 random nonces of 96 bits are what one key may see (NIST SP 800-38D §8.3; kept for ChaCha20 too). */
export const MAX_SEALED: number = 2 ** 32

export class SealingKeys {
  readonly #backend: CryptoBackend
  readonly #purpose: string
  readonly #period: number
  readonly #keep: number
  readonly #isShared: boolean
  readonly #keys: SealingKey[]
  #bornAt: number | undefined = undefined
  #sealed = 0

  /** Two purposes never share a key, even when given the same bytes. */
  constructor(backend: CryptoBackend, purpose: string, options: SealingKeysOptions = {}) {
    const given = options.keys ?? [backend.random(32)]
    if (given.length === 0) throw new RangeError('no sealing key')
    this.#backend = backend
    this.#purpose = purpose
    this.#period = options.period ?? ROTATION_PERIOD
    this.#keep = Math.max(options.keep ?? KEYS_KEPT, given.length)
    this.#isShared = options.keys !== undefined
    this.#keys = given.map(key => this.#prepare(key))
  }

  seal(plaintext: Uint8Array, associatedData: Uint8Array, unixTime: number): Uint8Array {
    if (!this.#isShared) this.#rotateIfDue(unixTime)
    const key = this.#keys[0] as SealingKey
    const nonce = this.#backend.random(12)
    const ciphertext = key.aead.seal(nonce, bound(key.id, associatedData), plaintext)
    const writer = Writer.allocate(key.id.length + nonce.length + ciphertext.length)
    writer.put(key.id)
    writer.put(nonce)
    writer.put(ciphertext)
    this.#sealed++
    return writer.finish()
  }

  /** Undefined when none of our keys opens it. An unknown key id is tried too: it takes as long as a wrong tag. */
  open(sealed: Uint8Array, associatedData: Uint8Array): Uint8Array | undefined {
    if (sealed.length < SEALED_OVERHEAD) return undefined
    const reader = new Reader(sealed)
    const id = reader.view(4)
    const key = this.#keys.find(known => equal(known.id, id)) ?? (this.#keys[0] as SealingKey)
    return key.aead.open(reader.view(12), bound(id, associatedData), reader.rest())
  }

  /** A new key in front; the oldest is forgotten, and with it everything it sealed. Default: random bytes. */
  rotate(key?: Uint8Array): void {
    this.#keys.unshift(this.#prepare(key ?? this.#backend.random(32)))
    if (this.#keys.length > this.#keep) this.#keys.length = this.#keep
    this.#sealed = 0
    this.#bornAt = undefined
  }

  #rotateIfDue(unixTime: number): void {
    this.#bornAt ??= unixTime
    if (unixTime - this.#bornAt < this.#period && this.#sealed < MAX_SEALED) return
    this.rotate()
    this.#bornAt = unixTime
  }

  #prepare(key: Uint8Array): SealingKey {
    if (key.length < 32) throw new RangeError(`a sealing key of ${key.length} bytes is too short`)
    const derive = (part: string, length: number): Uint8Array =>
      hkdfExpand(this.#backend, 'sha256', key, new TextEncoder().encode(`zerotrip v1 ${this.#purpose} ${part}`), length)
    return {
      id: derive('id', 4),
      aead: new EvenAead(this.#backend, 'chacha20-poly1305', derive('key', 32), USUAL_LENGTH),
    }
  }
}

/** Bytes of a ticket without a client's certificate. */
const USUAL_LENGTH = 160

/** The id is under the tag, so that no altered one is taken for the newest key. */
function bound(id: Uint8Array, associatedData: Uint8Array): Uint8Array {
  const writer = Writer.allocate(id.length + associatedData.length)
  writer.put(id)
  writer.put(associatedData)
  return writer.finish()
}

interface SealingKey {
  readonly id: Uint8Array
  readonly aead: Aead
}

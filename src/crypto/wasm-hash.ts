// SHA-256 and HMAC by the WebAssembly module: for the short inputs of a key schedule, and for the transcript.

import type { Hasher } from './backend.ts'
import type { HashName } from './cipher-suite.ts'
import { HASH, IN_KEY, IN_TEXT, IN_TEXT_LENGTH, type WasmExports } from './wasm-memory.ts'

/** FIPS 180-4 §1. */
const BLOCK_LENGTH = 64
const HASH_LENGTH = 32
/** Above this many bytes one call of OpenSSL, with the processor's own SHA instructions, is faster. */
const MAX_HASHED = 256

/** Is this for the module? RFC 2104 §2: a key longer than a block would have to be hashed first. */
export function isHashedHere(hash: HashName, data: Uint8Array, key?: Uint8Array): boolean {
  return hash === 'sha256' && data.length <= MAX_HASHED && (key === undefined || key.length <= BLOCK_LENGTH)
}

/** The key of the next HMAC, filled up to a block (RFC 2104 §2). */
export function putKey(bytes: Uint8Array, key: Uint8Array): void {
  bytes.set(key, IN_KEY)
  bytes.fill(0, IN_KEY + key.length, IN_KEY + BLOCK_LENGTH)
}

export class WasmHashes {
  readonly #exports: WasmExports
  readonly #bytes: Uint8Array

  constructor(exports: WasmExports, bytes: Uint8Array) {
    this.#exports = exports
    this.#bytes = bytes
  }

  hash(data: Uint8Array): Uint8Array {
    this.#bytes.set(data, IN_TEXT)
    this.#exports.sha256(data.length)
    return this.#result()
  }

  hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
    const bytes = this.#bytes
    putKey(bytes, key)
    bytes.set(data, IN_TEXT)
    this.#exports.hmacSha256(data.length)
    return this.#result()
  }

  hasher(): Hasher {
    return new WasmHasher(this.#exports, this.#bytes)
  }

  #result(): Uint8Array {
    return this.#bytes.slice(HASH, HASH + HASH_LENGTH)
  }
}

/** Its state is its own: nothing of it stays in the module between two calls. */
class WasmHasher implements Hasher {
  readonly #exports: WasmExports
  readonly #bytes: Uint8Array
  readonly #value: Uint8Array
  readonly #rest: Uint8Array = new Uint8Array(BLOCK_LENGTH)
  #total = 0

  constructor(exports: WasmExports, bytes: Uint8Array) {
    this.#exports = exports
    this.#bytes = bytes
    exports.sha256Start()
    this.#value = bytes.slice(HASH, HASH + HASH_LENGTH)
  }

  update(data: Uint8Array): void {
    const waiting = this.#total % BLOCK_LENGTH
    this.#total += data.length
    if (waiting + data.length < BLOCK_LENGTH) return this.#rest.set(data, waiting)
    this.#bytes.set(this.#value, HASH)
    let taken = 0
    for (let at = waiting; data.length - taken + at >= BLOCK_LENGTH; at = 0) {
      if (at > 0) this.#bytes.set(this.#rest.subarray(0, at), IN_TEXT)
      const whole = Math.min(at + data.length - taken, IN_TEXT_LENGTH) & -BLOCK_LENGTH
      this.#bytes.set(data.subarray(taken, taken + whole - at), IN_TEXT + at)
      this.#exports.sha256Blocks(whole)
      taken += whole - at
    }
    this.#value.set(this.#bytes.subarray(HASH, HASH + HASH_LENGTH))
    this.#rest.set(data.subarray(taken))
  }

  digest(): Uint8Array {
    this.#bytes.set(this.#value, HASH)
    this.#bytes.set(this.#rest, IN_TEXT)
    this.#exports.sha256Finish(this.#total % BLOCK_LENGTH, this.#total)
    return this.#bytes.slice(HASH, HASH + HASH_LENGTH)
  }
}

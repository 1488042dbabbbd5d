// Cryptography by @noble: TypeScript down to the arithmetic, for places without node:crypto. Its AES works with tables
// and its curves with BigInt, so the time they take is not independent of the keys; ChaCha20 comes first.

import { gcm, unsafe } from '@noble/ciphers/aes.js'
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha384 } from '@noble/hashes/sha2.js'
import { randomBytes } from '@noble/hashes/utils.js'
import { type Aead, type CryptoBackend, type Hasher, type HeaderKey, NamedGroup, type PacketKey } from './backend.ts'
import { chachaKey, chachaMask, littleEndian, putLittleEndian } from './chacha-block.ts'
import {
  type AeadName,
  type CipherSuite,
  type HashName,
  TAG_LENGTH,
  TLS_AES_128_GCM_SHA256,
  TLS_AES_256_GCM_SHA384,
  TLS_CHACHA20_POLY1305_SHA256,
} from './cipher-suite.ts'
import { checkSealable, MaskedHeader } from './header-protection.ts'
import { newNobleExchange, nobleEncapsulate } from './key-exchange-noble.ts'
import { noblePrivateKey, nobleVerify } from './noble-signatures.ts'
import { PacketNonce } from './packet-nonce.ts'
import { verifiableSchemes } from './signature-schemes.ts'
import { withoutTrace } from './without-trace.ts'

/** The backend without native code. RSA keys verify but do not sign. */
export const nobleBackend: CryptoBackend = {
  name: 'noble',
  cipherSuites: [TLS_CHACHA20_POLY1305_SHA256, TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384],
  groups: [NamedGroup.X25519, NamedGroup.P256, NamedGroup.P384, NamedGroup.X25519MlKem768],
  signatureSchemes: verifiableSchemes,

  random: length => randomBytes(length),
  packetBuffer: size => new Uint8Array(size),

  hash: (hash, data) => hashes[hash](data),
  hasher: hash => new NobleHasher(hash),
  hmac: (hash, key, data) => hmac(hashes[hash], key, data),

  headerKey: (suite, key) => (suite.aead === 'chacha20-poly1305' ? new ChaChaHeader(key) : new AesHeader(key)),
  packetKey: (suite, key, iv, headerKey) => new NoblePacketKey(suite, key, iv, headerKey),
  aead: (name, key) => new NobleAead(name, key),

  keyExchange: newNobleExchange,
  encapsulate: nobleEncapsulate,
  privateKey: noblePrivateKey,
  verify: nobleVerify,
}

class NobleHasher implements Hasher {
  readonly #hash: RunningHash

  constructor(hash: HashName) {
    this.#hash = hashes[hash].create()
  }

  update(data: Uint8Array): void {
    this.#hash.update(data)
  }

  digest(): Uint8Array {
    return this.#hash.clone().digest()
  }
}

/** RFC 9001 §5.4.3. The key is expanded once. */
class AesHeader extends MaskedHeader {
  readonly #expanded: Uint32Array
  readonly #mask: Uint8Array = new Uint8Array(8)

  constructor(key: Uint8Array) {
    super()
    this.#expanded = unsafe.expandKeyLE(key)
  }

  protected override mask(packet: Uint8Array, at: number): Uint8Array {
    const block = unsafe.encrypt(
      this.#expanded,
      littleEndian(packet, at),
      littleEndian(packet, at + 4),
      littleEndian(packet, at + 8),
      littleEndian(packet, at + 12),
    )
    putLittleEndian(this.#mask, 0, block.s0)
    putLittleEndian(this.#mask, 4, block.s1)
    return this.#mask
  }
}

/** RFC 9001 §5.4.4. */
class ChaChaHeader extends MaskedHeader {
  readonly #key: Uint32Array
  readonly #mask: Uint8Array = new Uint8Array(8)

  constructor(key: Uint8Array) {
    super()
    this.#key = chachaKey(key)
  }

  protected override mask(packet: Uint8Array, at: number): Uint8Array {
    chachaMask(this.#key, packet, at, this.#mask)
    return this.#mask
  }
}

class NoblePacketKey implements PacketKey {
  readonly suite: CipherSuite
  readonly #isChaCha: boolean
  readonly #key: Uint8Array
  readonly #nonce: PacketNonce
  readonly #header: MaskedHeader

  constructor(suite: CipherSuite, key: Uint8Array, iv: Uint8Array, header: HeaderKey) {
    if (!(header instanceof MaskedHeader)) throw new TypeError('the header key belongs to another backend')
    this.suite = suite
    this.#isChaCha = suite.aead === 'chacha20-poly1305'
    this.#key = key.slice()
    this.#nonce = new PacketNonce(iv)
    this.#header = header
  }

  seal(
    buffer: Uint8Array,
    start: number,
    numberOffset: number,
    numberLength: number,
    end: number,
    packetNumber: number,
  ): number {
    checkSealable(buffer, numberOffset, end)
    const payloadStart = numberOffset + numberLength
    const associatedData = buffer.subarray(start, payloadStart)
    const payload = buffer.subarray(payloadStart, end)
    const nonce = this.#nonce.at(packetNumber)
    if (this.#isChaCha) {
      chacha20poly1305(this.#key, nonce, associatedData).encrypt(
        payload,
        buffer.subarray(payloadStart, end + TAG_LENGTH),
      )
    } else buffer.set(gcm(this.#key, nonce, associatedData).encrypt(payload), payloadStart)
    this.#header.protect(buffer, start, numberOffset, numberLength)
    return end + TAG_LENGTH
  }

  open(
    buffer: Uint8Array,
    start: number,
    payloadStart: number,
    end: number,
    packetNumber: number,
  ): Uint8Array | undefined {
    if (end - TAG_LENGTH < payloadStart) return undefined
    const cipher = this.#isChaCha ? chacha20poly1305 : gcm
    try {
      return cipher(this.#key, this.#nonce.at(packetNumber), buffer.subarray(start, payloadStart)).decrypt(
        buffer.subarray(payloadStart, end),
      )
    } catch {
      return undefined
    }
  }

  discard(): void {
    this.#key.fill(0)
  }
}

class NobleAead implements Aead {
  readonly #cipher: typeof gcm | typeof chacha20poly1305
  readonly #key: Uint8Array

  constructor(name: AeadName, key: Uint8Array) {
    this.#cipher = name === 'chacha20-poly1305' ? chacha20poly1305 : gcm
    this.#key = key.slice()
  }

  seal(nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array {
    return this.#cipher(this.#key, nonce, associatedData).encrypt(plaintext)
  }

  open(nonce: Uint8Array, associatedData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    if (ciphertext.length < TAG_LENGTH) return undefined
    return withoutTrace(() => this.#cipher(this.#key, nonce, associatedData).decrypt(ciphertext))
  }
}

/** What the hash classes of the library share. */
interface RunningHash {
  update(data: Uint8Array): unknown
  clone(): RunningHash
  digest(): Uint8Array
}

const hashes = { sha256, sha384 }

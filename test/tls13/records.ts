// The record layer of TLS 1.3 (RFC 8446 §5), for peers that are reached over a byte stream.

import type { Aead, CryptoBackend } from '../../src/crypto/backend.ts'
import type { CipherSuite } from '../../src/crypto/cipher-suite.ts'
import { hkdfExpandLabel, noContext } from '../../src/crypto/hkdf.ts'

export const Content = { ChangeCipherSpec: 20, Alert: 21, Handshake: 22, ApplicationData: 23 } as const

export interface Record {
  readonly type: number
  readonly header: Uint8Array
  readonly content: Uint8Array
}

/** Cuts a stream into records. */
export class RecordReader {
  #buffer: Uint8Array = new Uint8Array(0)

  push(bytes: Uint8Array): void {
    this.#buffer = Uint8Array.from([...this.#buffer, ...bytes])
  }

  next(): Record | undefined {
    const bytes = this.#buffer
    const end = 5 + (((bytes[3] as number) << 8) | (bytes[4] as number))
    if (bytes.length < 5 || bytes.length < end) return undefined
    this.#buffer = bytes.slice(end)
    return { type: bytes[0] as number, header: bytes.slice(0, 5), content: bytes.slice(5, end) }
  }
}

/** Protection of one direction (RFC 8446 §5.2, §7.3). */
export class RecordKey {
  readonly #aead: Aead
  readonly #iv: Uint8Array
  #sequence = 0

  constructor(backend: CryptoBackend, suite: CipherSuite, secret: Uint8Array) {
    const expand = (label: string, length: number): Uint8Array =>
      hkdfExpandLabel(backend, suite.hash, secret, label, noContext, length)
    this.#aead = backend.aead(suite.aead, expand('key', suite.keyLength))
    this.#iv = expand('iv', 12)
  }

  seal(header: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const sealed = this.#aead.seal(this.#nonce(), header, plaintext)
    this.#sequence++
    return sealed
  }

  /** The content and its type; undefined when the tag is wrong, and then it counts for nothing. */
  open(header: Uint8Array, ciphertext: Uint8Array): { type: number; content: Uint8Array } | undefined {
    const inner = this.#aead.open(this.#nonce(), header, ciphertext)
    if (inner === undefined) return undefined
    this.#sequence++
    const end = inner.findLastIndex(byte => byte !== 0)
    return { type: inner[end] as number, content: inner.slice(0, end) }
  }

  #nonce(): Uint8Array {
    const nonce = this.#iv.slice()
    for (let i = 0; i < 4; i++) nonce[11 - i] = (nonce[11 - i] as number) ^ ((this.#sequence >>> (8 * i)) & 0xff)
    return nonce
  }
}

/** As many records as it takes (RFC 8446 §5.1); in the clear without a key. */
export function writeRecords(type: number, bytes: Uint8Array, key: RecordKey | undefined): Uint8Array {
  const records: number[] = []
  for (let at = 0; at < bytes.length; at += MAX_CONTENT) {
    const content = bytes.subarray(at, at + MAX_CONTENT)
    const inner = key === undefined ? content : Uint8Array.of(...content, type)
    const length = inner.length + (key === undefined ? 0 : TAG_LENGTH)
    const header = Uint8Array.of(key === undefined ? type : Content.ApplicationData, 3, 3, length >>> 8, length)
    records.push(...header, ...(key?.seal(header, inner) ?? inner))
  }
  return Uint8Array.from(records)
}

const MAX_CONTENT = 2 ** 14
const TAG_LENGTH = 16

// Cryptography that costs next to nothing and protects nothing: for simulations that are about networks. Packets are
// sealed by a checksum under the key, so that whatever would not open with real keys does not open here either.
//
// Thorough ones sum up every byte. Where no link damages anything, the other ones look at the header, the length and
// the ends of the payload: enough to tell keys, packet numbers and packets that were cut or mixed up.

import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import {
  type CryptoBackend,
  type HeaderKey,
  NamedGroup,
  type PacketKey,
  type PrivateKey,
} from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { type CipherSuite, TAG_LENGTH } from '../../src/crypto/cipher-suite.ts'
import { checkSealable, MaskedHeader } from '../../src/crypto/header-protection.ts'

/** All chance comes from `random`, key shares included: a run repeats bit by bit. */
export function fastBackend(random: (length: number) => Uint8Array, isThorough: boolean): CryptoBackend {
  const sum = isThorough ? fullSum : quickSum
  return {
    ...nodeBackend,
    name: 'fast',
    groups: [NamedGroup.X25519],
    random,
    headerKey: (_, key) => new FastHeader(key),
    packetKey: (suite, key, iv, header) => new FastPacketKey(suite, key, iv, header, sum),
    keyExchange: group => (group === NamedGroup.X25519 ? fastExchange(random(32)) : nodeBackend.keyExchange(group)),
    privateKey: fastPrivateKey,
    verify: (scheme, publicKey, signature, data) =>
      signature.length === SIGNATURE_LENGTH
        ? Buffer.compare(signature, checksum(publicKey, data)) === 0
        : verifyOnce(scheme, publicKey, signature, data),
  }
}

class FastHeader extends MaskedHeader {
  readonly #mask: Uint8Array

  constructor(key: Uint8Array) {
    super()
    this.#mask = key.slice(0, 5)
  }

  protected override mask(): Uint8Array {
    return this.#mask
  }
}

class FastPacketKey implements PacketKey {
  readonly suite: CipherSuite
  readonly #id: number
  readonly #header: MaskedHeader
  readonly #sum: Sum

  constructor(suite: CipherSuite, key: Uint8Array, iv: Uint8Array, header: HeaderKey, sum: Sum) {
    this.suite = suite
    this.#id = crc32(iv, crc32(key))
    this.#header = header as MaskedHeader
    this.#sum = sum
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
    const sum = this.#sum(buffer, start, end, (this.#id ^ packetNumber) >>> 0)
    for (let i = 0; i < TAG_LENGTH; i++) buffer[end + i] = sum >>> (8 * (i & 3))
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
    const tagStart = end - TAG_LENGTH
    if (tagStart < payloadStart) return undefined
    const sum = this.#sum(buffer, start, tagStart, (this.#id ^ packetNumber) >>> 0)
    for (let i = 0; i < TAG_LENGTH; i++) {
      if (buffer[tagStart + i] !== ((sum >>> (8 * (i & 3))) & 0xff)) return undefined
    }
    return buffer.subarray(payloadStart, tagStart)
  }

  discard(): void {}
}

/** A sum of `bytes[start, end)` that depends on `key`. */
type Sum = (bytes: Uint8Array, start: number, end: number, key: number) => number

function fullSum(bytes: Uint8Array, start: number, end: number, key: number): number {
  return crc32(bytes.subarray(start, end), key)
}

/** Bytes at either end that count: a short header and a frame's. */
const SAMPLED = 16

function quickSum(bytes: Uint8Array, start: number, end: number, key: number): number {
  let sum = key ^ (end - start)
  const head = Math.min(start + SAMPLED, end)
  for (let i = start; i < head; i++) sum = Math.imul(sum, FNV_PRIME) ^ (bytes[i] as number)
  for (let i = Math.max(head, end - SAMPLED); i < end; i++) sum = Math.imul(sum, FNV_PRIME) ^ (bytes[i] as number)
  return sum >>> 0
}

const FNV_PRIME = 0x01000193

/** Both sides get the sum of the two shares. */
function fastExchange(share: Uint8Array): ReturnType<CryptoBackend['keyExchange']> {
  return {
    group: NamedGroup.X25519,
    publicKey: share,
    agree: peer => (peer.length === 32 ? share.map((byte, i) => byte ^ (peer[i] as number)) : undefined),
  }
}

const SIGNATURE_LENGTH = 32
const privateKeys = new Map<string | Uint8Array, PrivateKey>()
const verified = new Map<string, boolean>()

function fastPrivateKey(key: string | Uint8Array): PrivateKey {
  const known = privateKeys.get(key)
  if (known !== undefined) return known
  const { schemes, publicKey } = nodeBackend.privateKey(key)
  const made: PrivateKey = { schemes, publicKey, sign: (_, data) => checksum(publicKey, data) }
  privateKeys.set(key, made)
  return made
}

function checksum(publicKey: Uint8Array, data: Uint8Array): Uint8Array {
  return createHash('sha256').update(publicKey).update(data).digest()
}

/** Certificates are real ones, and always the same few. */
function verifyOnce(...[scheme, publicKey, signature, data]: Parameters<CryptoBackend['verify']>): boolean {
  const key = `${scheme} ${Buffer.from(checksum(publicKey, data)).toString('hex')} ${Buffer.from(signature).toString('hex')}`
  const known = verified.get(key)
  if (known !== undefined) return known
  const isGood = nodeBackend.verify(scheme, publicKey, signature, data)
  if (verified.size < 1000) verified.set(key, isGood)
  return isGood
}

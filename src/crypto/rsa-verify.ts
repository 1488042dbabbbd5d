// Verifying RSA signatures, by powers that @noble/curves computes: RSASSA-PSS and RSASSA-PKCS1-v1_5 (RFC 8017 §8). Only
// public values pass through here, so that time may depend on them.

import { pow } from '@noble/curves/abstract/modular.js'
import { equal } from '../bytes/equal.ts'
import { fromHex, toHex } from '../bytes/hex.ts'
import { MAX_RSA_BITS, MIN_RSA_BITS, type SignatureHash } from './signature-schemes.ts'

export type HashFunction = (data: Uint8Array) => Uint8Array

export interface RsaPublicKey {
  readonly modulus: bigint
  readonly exponent: bigint
  /** Length of the modulus. */
  readonly bits: number
}

/** Undefined for a key that is too small, too large or not RSA's shape: the peer chooses it, and how long we compute. */
export function rsaPublicKey(modulus: Uint8Array, exponent: Uint8Array): RsaPublicKey | undefined {
  if (modulus.length > MAX_RSA_BITS / 8 + 1 || exponent.length === 0 || exponent.length > MAX_EXPONENT_BYTES) {
    return undefined
  }
  // A DER INTEGER with its top bit set is negative.
  if (((modulus[0] ?? 0x80) | (exponent[0] as number)) & 0x80) return undefined
  const n = toBigInt(modulus)
  const e = toBigInt(exponent)
  const bits = n.toString(2).length
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS || (n & 1n) === 0n || (e & 1n) === 0n || e < 3n) return undefined
  return { modulus: n, exponent: e, bits }
}

/** RFC 8017 §8.1.2, the salt as long as the hash (RFC 8446 §4.2.3). */
export function verifyPss(key: RsaPublicKey, hash: HashFunction, signature: Uint8Array, data: Uint8Array): boolean {
  const opened = openSignature(key, signature)
  if (opened === undefined) return false
  const encodedBits = key.bits - 1
  const encodedLength = Math.ceil(encodedBits / 8)
  // When the modulus has 8k+1 bits, the encoded message is one byte shorter than the signature.
  if (opened.length > encodedLength && opened[0] !== 0) return false
  return isPssEncoding(opened.subarray(opened.length - encodedLength), encodedBits, hash, hash(data))
}

/** RFC 8017 §8.2.2: encodes what the signer should have encoded and compares; there is nothing to parse. */
export function verifyPkcs1(
  key: RsaPublicKey,
  hashName: SignatureHash,
  hash: HashFunction,
  signature: Uint8Array,
  data: Uint8Array,
): boolean {
  const opened = openSignature(key, signature)
  if (opened === undefined) return false
  const digest = hash(data)
  const digestInfo = digestInfoPrefixes[hashName]
  const expected = new Uint8Array(opened.length).fill(0xff)
  const infoStart = expected.length - digestInfo.length - digest.length
  expected[0] = 0
  expected[1] = 1
  expected[infoStart - 1] = 0
  expected.set(digestInfo, infoStart)
  expected.set(digest, infoStart + digestInfo.length)
  return equal(opened, expected)
}

/** EMSA-PSS-VERIFY (RFC 8017 §9.1.2). */
function isPssEncoding(encoded: Uint8Array, encodedBits: number, hash: HashFunction, digest: Uint8Array): boolean {
  const length = encoded.length
  const hashLength = digest.length
  if (length < 2 * hashLength + 2 || encoded[length - 1] !== 0xbc) return false
  const maskedLength = length - hashLength - 1
  const salted = encoded.subarray(maskedLength, length - 1)
  const unusedBits = 8 * length - encodedBits
  if ((encoded[0] as number) >> (8 - unusedBits) !== 0) return false

  const block = mgf1(hash, salted, maskedLength)
  for (let i = 0; i < maskedLength; i++) block[i] = (block[i] as number) ^ (encoded[i] as number)
  block[0] = (block[0] as number) & (0xff >> unusedBits)
  const separator = maskedLength - hashLength - 1
  for (let i = 0; i < separator; i++) if (block[i] !== 0) return false
  if (block[separator] !== 1) return false

  const message = new Uint8Array(8 + 2 * hashLength)
  message.set(digest, 8)
  message.set(block.subarray(separator + 1), 8 + hashLength)
  return equal(hash(message), salted)
}

/** RFC 8017 §B.2.1. */
function mgf1(hash: HashFunction, seed: Uint8Array, length: number): Uint8Array {
  const mask = new Uint8Array(length)
  const input = new Uint8Array(seed.length + 4)
  input.set(seed)
  for (let at = 0, counter = 0; at < length; counter++) {
    input[input.length - 1] = counter
    const block = hash(input)
    mask.set(block.subarray(0, Math.min(block.length, length - at)), at)
    at += block.length
  }
  return mask
}

/** RSAVP1 (RFC 8017 §5.2.2): the encoded message, as long as the modulus. */
function openSignature(key: RsaPublicKey, signature: Uint8Array): Uint8Array | undefined {
  const length = Math.ceil(key.bits / 8)
  if (signature.length !== length) return undefined
  const s = toBigInt(signature)
  if (s >= key.modulus) return undefined
  const m = pow(s, key.exponent, key.modulus)
  return fromHex(m.toString(16).padStart(2 * length, '0'))
}

function toBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`)
}

/** OpenSSL's bound for large moduli; nearly every key has 65537. */
const MAX_EXPONENT_BYTES = 8

/** DER of DigestInfo up to the digest (RFC 8017 §9.2, note 1). */
const digestInfoPrefixes: Readonly<Record<SignatureHash, Uint8Array>> = {
  sha256: fromHex('30 31 30 0d 06 09 60 86 48 01 65 03 04 02 01 05 00 04 20'),
  sha384: fromHex('30 41 30 0d 06 09 60 86 48 01 65 03 04 02 02 05 00 04 30'),
  sha512: fromHex('30 51 30 0d 06 09 60 86 48 01 65 03 04 02 03 05 00 04 40'),
}

// Signing and verifying with @noble/curves (RFC 8446 §4.2.3); RSA verifies only.

import { ed25519 } from '@noble/curves/ed25519.js'
import { p256, p384 } from '@noble/curves/nist.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { type PrivateKey, SignatureScheme } from './backend.ts'
import { type DecodedPublicKey, decodePrivateKey, decodePublicKey, encodePublicKey } from './key-encoding.ts'
import { type HashFunction, rsaPublicKey, verifyPkcs1, verifyPss } from './rsa-verify.ts'
import {
  type SignatureAlgorithm,
  type SignatureCurve,
  type SignatureHash,
  signatureAlgorithm,
} from './signature-schemes.ts'

export function noblePrivateKey(key: string | Uint8Array): PrivateKey {
  const decoded = decodePrivateKey(key)
  if (decoded.type === 'ed25519') return new Ed25519Key(decoded.secret)
  return new EcdsaKey(decoded.curve, decoded.secret)
}

export function nobleVerify(
  scheme: SignatureScheme,
  publicKey: Uint8Array,
  signature: Uint8Array,
  data: Uint8Array,
): boolean {
  const algorithm = signatureAlgorithm(scheme)
  if (algorithm === undefined) return false
  try {
    return isValid(algorithm, decodePublicKey(publicKey), signature, data)
  } catch {
    return false
  }
}

class EcdsaKey implements PrivateKey {
  readonly schemes: readonly SignatureScheme[]
  readonly publicKey: Uint8Array
  readonly #curve: SignatureCurve
  readonly #secret: Uint8Array

  constructor(curve: SignatureCurve, secret: Uint8Array) {
    if (!curves[curve].utils.isValidSecretKey(secret)) throw new TypeError(`not a private key on ${curve}`)
    this.schemes = [curve === 'P-256' ? SignatureScheme.EcdsaP256Sha256 : SignatureScheme.EcdsaP384Sha384]
    this.publicKey = encodePublicKey(curve, curves[curve].getPublicKey(secret, false))
    this.#curve = curve
    this.#secret = secret
  }

  sign(scheme: SignatureScheme, data: Uint8Array): Uint8Array {
    demandScheme(this, scheme)
    return curves[this.#curve].sign(data, this.#secret, ecdsaOptions)
  }
}

class Ed25519Key implements PrivateKey {
  readonly schemes: readonly SignatureScheme[]
  readonly publicKey: Uint8Array
  readonly #secret: Uint8Array

  constructor(secret: Uint8Array) {
    this.schemes = [SignatureScheme.Ed25519]
    this.publicKey = encodePublicKey('ed25519', ed25519.getPublicKey(secret))
    this.#secret = secret
  }

  sign(scheme: SignatureScheme, data: Uint8Array): Uint8Array {
    demandScheme(this, scheme)
    return ed25519.sign(data, this.#secret)
  }
}

function demandScheme(key: PrivateKey, scheme: SignatureScheme): void {
  if (!key.schemes.includes(scheme)) throw new TypeError(`this key cannot sign with scheme 0x${scheme.toString(16)}`)
}

function isValid(
  algorithm: SignatureAlgorithm,
  key: DecodedPublicKey,
  signature: Uint8Array,
  data: Uint8Array,
): boolean {
  switch (key.type) {
    case 'ed25519':
      // RFC 8032 §5.1.7, strictly: encodings that are not canonical do not verify.
      return algorithm.kind === 'ed25519' && ed25519.verify(signature, data, key.key, strictEd25519)
    case 'ec':
      if (algorithm.kind !== 'ecdsa' || algorithm.curve !== key.curve) return false
      return curves[key.curve].verify(signature, data, key.point, ecdsaOptions)
    case 'rsa':
      return isRsaValid(algorithm, key.modulus, key.exponent, signature, data)
  }
}

function isRsaValid(
  algorithm: SignatureAlgorithm,
  modulus: Uint8Array,
  exponent: Uint8Array,
  signature: Uint8Array,
  data: Uint8Array,
): boolean {
  const key = rsaPublicKey(modulus, exponent)
  const { kind, hash } = algorithm
  if (key === undefined || hash === undefined) return false
  if (kind === 'rsa-pss') return verifyPss(key, hashes[hash], signature, data)
  return kind === 'rsa-pkcs1' && verifyPkcs1(key, hash, hashes[hash], signature, data)
}

const curves = { 'P-256': p256, 'P-384': p384 }
const hashes: Readonly<Record<SignatureHash, HashFunction>> = { sha256, sha384, sha512 }

/** TLS has DER and takes either half of s; each curve hashes with the hash its scheme names. */
const ecdsaOptions = { format: 'der', lowS: false } as const
const strictEd25519 = { zip215: false }

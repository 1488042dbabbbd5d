// Reading keys: SubjectPublicKeyInfo, PKCS#8, SEC1 and PEM around them (RFC 5280 §4.1, RFC 5958, RFC 5915, RFC 7468).
// For the backend that has no reader of its own. Throws a TypeError for what it cannot read.

import { equal } from '../bytes/equal.ts'
import { fromHex } from '../bytes/hex.ts'
import { OutOfBytes, Reader } from '../bytes/reader.ts'
import type { SignatureCurve } from './signature-schemes.ts'

export type DecodedPublicKey =
  | { readonly type: 'ec'; readonly curve: SignatureCurve; readonly point: Uint8Array }
  | { readonly type: 'ed25519'; readonly key: Uint8Array }
  | { readonly type: 'rsa'; readonly modulus: Uint8Array; readonly exponent: Uint8Array }

export type DecodedPrivateKey =
  | { readonly type: 'ec'; readonly curve: SignatureCurve; readonly secret: Uint8Array }
  | { readonly type: 'ed25519'; readonly secret: Uint8Array }

export function decodePublicKey(spki: Uint8Array): DecodedPublicKey {
  return complete(spki, outer => {
    const info = element(outer, Tag.Sequence)
    const algorithm = element(info, Tag.Sequence)
    const oid = element(algorithm, Tag.ObjectIdentifier).rest()
    const bits = element(info, Tag.BitString)
    demand(info.isDone && bits.u8() === 0, 'SubjectPublicKeyInfo')
    if (equal(oid, oids.ed25519)) return { type: 'ed25519', key: bits.copy(bits.remaining) }
    if (equal(oid, oids.ecPublicKey))
      return { type: 'ec', curve: namedCurve(algorithm), point: bits.copy(bits.remaining) }
    demand(equal(oid, oids.rsaEncryption), 'public key of a known type')
    const key = element(bits, Tag.Sequence)
    const modulus = element(key, Tag.Integer)
    const exponent = element(key, Tag.Integer)
    demand(key.isDone && bits.isDone, 'RSAPublicKey')
    return { type: 'rsa', modulus: modulus.copy(modulus.remaining), exponent: exponent.copy(exponent.remaining) }
  })
}

/** PEM (PKCS#8 or SEC1), or PKCS#8 in DER. */
export function decodePrivateKey(key: string | Uint8Array): DecodedPrivateKey {
  if (typeof key !== 'string') return complete(key, readPkcs8)
  const { label, der } = readPem(key)
  if (label === 'PRIVATE KEY') return complete(der, readPkcs8)
  if (label === 'EC PRIVATE KEY') return complete(der, outer => readSec1(outer, undefined))
  if (label === 'RSA PRIVATE KEY') throw new TypeError(noRsa)
  throw new TypeError(`cannot read a private key of the kind ${label}`)
}

/** SubjectPublicKeyInfo around a key: an uncompressed point, or 32 bytes. */
export function encodePublicKey(type: SignatureCurve | 'ed25519', key: Uint8Array): Uint8Array {
  const prefix = spkiPrefixes[type]
  const spki = new Uint8Array(prefix.length + key.length)
  spki.set(prefix)
  spki.set(key, prefix.length)
  return spki
}

/** RFC 5958 §2. What may follow (attributes, public key) is of no use here. */
function readPkcs8(outer: Reader): DecodedPrivateKey {
  const info = element(outer, Tag.Sequence)
  element(info, Tag.Integer)
  const algorithm = element(info, Tag.Sequence)
  const oid = element(algorithm, Tag.ObjectIdentifier).rest()
  const inner = element(info, Tag.OctetString)
  if (equal(oid, oids.rsaEncryption)) throw new TypeError(noRsa)
  if (equal(oid, oids.ecPublicKey)) return readSec1(inner, namedCurve(algorithm))
  demand(equal(oid, oids.ed25519), 'private key of a known type')
  // RFC 8410 §7: an octet string within the octet string.
  const secret = element(inner, Tag.OctetString)
  demand(secret.remaining === 32, 'Ed25519 private key')
  return { type: 'ed25519', secret: secret.copy(32) }
}

/** RFC 5915 §3; the curve stands inside unless PKCS#8 has named it. */
function readSec1(outer: Reader, outerCurve: SignatureCurve | undefined): DecodedPrivateKey {
  const key = element(outer, Tag.Sequence)
  element(key, Tag.Integer)
  const octets = element(key, Tag.OctetString)
  const secret = octets.copy(octets.remaining)
  const curve = outerCurve ?? namedCurve(element(key, Tag.Context0))
  demand(secret.length === (curve === 'P-256' ? 32 : 48), 'ECPrivateKey')
  return { type: 'ec', curve, secret }
}

function namedCurve(parameters: Reader): SignatureCurve {
  const oid = element(parameters, Tag.ObjectIdentifier).rest()
  if (equal(oid, oids.p256)) return 'P-256'
  demand(equal(oid, oids.p384), 'key on P-256 or P-384')
  return 'P-384'
}

/** RFC 7468 §3: the first block that is a private key; some tools put the parameters of the curve in front. */
function readPem(text: string): { label: string; der: Uint8Array } {
  const match = /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----([A-Za-z0-9+/=\s]+)-----END \1-----/.exec(text)
  if (match === null) throw new TypeError('no private key in this PEM text')
  const [, label, body] = match as unknown as [string, string, string]
  return { label, der: fromBase64(body.replace(/\s+/g, '')) }
}

function fromBase64(text: string): Uint8Array {
  let binary: string
  try {
    binary = atob(text)
  } catch (cause) {
    throw new TypeError('not a private key: bad base64', { cause })
  }
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes
}

/** All of `der` must be one value. */
function complete<T>(der: Uint8Array, read: (outer: Reader) => T): T {
  const reader = new Reader(der)
  try {
    const value = read(reader)
    demand(reader.isDone, 'key, but one with something behind it')
    return value
  } catch (cause) {
    if (cause instanceof OutOfBytes) throw new TypeError('not a key: it ends too early', { cause })
    throw cause
  }
}

/** Enters the next value, which must have this tag. Lengths in the shortest form only (X.690 §10.1). */
function element(reader: Reader, tag: number): Reader {
  demand(reader.u8() === tag, 'key in DER')
  let length = reader.u8()
  if (length >= 0x80) {
    const size = length - 0x80
    demand(size === 1 || size === 2, 'key in DER')
    length = size === 1 ? reader.u8() : reader.u16()
    demand(length >= (size === 1 ? 0x80 : 0x100), 'key in DER')
  }
  return reader.sub(length)
}

function demand(condition: boolean, what: string): void {
  if (!condition) throw new TypeError(`not a ${what}`)
}

const Tag = {
  Integer: 0x02,
  BitString: 0x03,
  OctetString: 0x04,
  ObjectIdentifier: 0x06,
  Sequence: 0x30,
  Context0: 0xa0,
}

const oids = {
  rsaEncryption: fromHex('2a 86 48 86 f7 0d 01 01 01'),
  ecPublicKey: fromHex('2a 86 48 ce 3d 02 01'),
  p256: fromHex('2a 86 48 ce 3d 03 01 07'),
  p384: fromHex('2b 81 04 00 22'),
  ed25519: fromHex('2b 65 70'),
}

const spkiPrefixes: Readonly<Record<SignatureCurve | 'ed25519', Uint8Array>> = {
  'P-256': fromHex('30 59 30 13 06 07 2a 86 48 ce 3d 02 01 06 08 2a 86 48 ce 3d 03 01 07 03 42 00'),
  'P-384': fromHex('30 76 30 10 06 07 2a 86 48 ce 3d 02 01 06 05 2b 81 04 00 22 03 62 00'),
  ed25519: fromHex('30 2a 30 05 06 03 2b 65 70 03 21 00'),
}

const noRsa =
  'this backend verifies RSA signatures but does not sign with RSA keys; use ECDSA, Ed25519 or another backend'

import { describe, expect, test } from 'vitest'
import { fromHex } from '../../src/bytes/hex.ts'
import { parseCertificate } from '../../src/x509/certificate.ts'
import { CertificateError } from '../../src/x509/certificate-error.ts'
import { Tag } from '../../src/x509/der.ts'
import { element, integerContents, oidContents } from '../../src/x509/der-writer.ts'
import {
  isBroken,
  keyType,
  MAX_RSA_BITS,
  MAX_RSA_EXPONENT_BITS,
  MIN_RSA_BITS,
  signatureScheme,
} from '../../src/x509/signature-algorithm.ts'
import { scenario } from './scenarios.ts'

const RSA = '1.2.840.113549.1.1.1'
const EC = '1.2.840.10045.2.1'
const ED25519 = '1.3.101.112'
const P256 = element(Tag.Oid, oidContents('1.2.840.10045.3.1.7'))
const nothing = new Uint8Array(0)

test('an algorithm never goes with the key of another', () => {
  const algorithm = (name: string) => parseCertificate(scenario(name)).signatureAlgorithm
  expect(signatureScheme(algorithm('rsa-sha256'), 'p256')).toBeUndefined()
  expect(signatureScheme(algorithm('pss-sha256'), 'p384')).toBeUndefined()
  expect(signatureScheme(algorithm('ed25519'), 'rsa')).toBeUndefined()
  expect(keyType(parseCertificate(scenario('ed25519')).publicKey)).toBe('ed25519')
})

test('RFC 8446 §4.4.2.4: broken are MD5 and SHA-1, whatever the key', () => {
  const algorithm = (name: string) => parseCertificate(scenario(name)).signatureAlgorithm
  for (const name of ['rsa-md5', 'rsa-sha1', 'ecdsa-sha1']) expect(isBroken(algorithm(name)), name).toBe(true)
  for (const name of ['rsa-sha256', 'pss-sha384', 'bare', 'ed25519'])
    expect(isBroken(algorithm(name)), name).toBe(false)
})

describe('RFC 5480 §2: keys on curves', () => {
  const point = (length: number, form = 4) => new Uint8Array(length).fill(form, 0, 1)

  test('both coordinates of a named curve', () => {
    expect(keyType(publicKey(EC, P256, point(65)))).toBe('p256')
    expect(keyType(publicKey(EC, element(Tag.Oid, oidContents('1.3.132.0.34')), point(97)))).toBe('p384')
    expect(keyType(publicKey(ED25519, nothing, new Uint8Array(32)))).toBe('ed25519')
  })

  test.each([
    ['no curve', publicKey(EC, nothing, point(65))],
    ['a curve that is not known', publicKey(EC, element(Tag.Oid, oidContents('1.3.132.0.10')), point(65))],
    ['parameters in place of a name', publicKey(EC, element(Tag.Sequence), point(65))],
    ['something behind the curve', publicKey(EC, Uint8Array.of(...P256, ...P256), point(65))],
    ['a point of another curve', publicKey(EC, P256, point(97))],
    ['a compressed point', publicKey(EC, P256, point(33, 2))],
    ['a hybrid point', publicKey(EC, P256, point(65, 6))],
    ['the point at infinity', publicKey(EC, P256, Uint8Array.of(0))],
    ['Ed25519 cut short', publicKey(ED25519, nothing, new Uint8Array(31))],
    ['Ed25519 with parameters, RFC 8410 §3', publicKey(ED25519, element(Tag.Null), new Uint8Array(32))],
    ['DSA', publicKey('1.2.840.10040.4.1', nothing, new Uint8Array(32))],
    ['no algorithm that is known', publicKey('1.3.101.113', nothing, new Uint8Array(57))],
  ])('refused: %s', (_, key) => expect(keyType(key)).toBeUndefined())
})

describe('RSA keys', () => {
  test('an RSA key that takes long to verify with is refused', () => {
    expect(keyType(rsaKey(MAX_RSA_BITS))).toBe('rsa')
    expect(keyType(rsaKey(MAX_RSA_BITS + 1))).toBeUndefined()
    expect(keyType(rsaKey(2048, oddOf(MAX_RSA_EXPONENT_BITS)))).toBe('rsa')
    expect(keyType(rsaKey(2048, oddOf(MAX_RSA_EXPONENT_BITS + 1)))).toBeUndefined()
    expect(keyType(rsaKey(2048, oddOf(2047)))).toBeUndefined()
  })

  test('one that can be broken is refused', () => {
    expect(keyType(rsaKey(MIN_RSA_BITS))).toBe('rsa')
    expect(keyType(rsaKey(MIN_RSA_BITS - 1))).toBeUndefined()
    expect(keyType(rsaKey(0))).toBeUndefined()
    for (const exponent of ['00', '01', '02', '010000', 'ff']) {
      expect(keyType(rsaKey(2048, fromHex(exponent))), exponent).toBe(exponent === 'ff' ? 'rsa' : undefined)
    }
  })

  test('numbers below zero are no keys', () => {
    const negative = Uint8Array.of(0x80, ...new Uint8Array(256))
    expect(keyType(rsaSequence(negative, Uint8Array.of(3)))).toBeUndefined()
    expect(keyType(rsaSequence(integerContents(oddOf(2048)), Uint8Array.of(0x81)))).toBeUndefined()
  })

  test('strict DER inside of the key, which no signature is checked before', () => {
    const key = rsaSequence(integerContents(oddOf(2048)), Uint8Array.of(0, 3))
    expect(() => keyType(key)).toThrow(CertificateError)
    const three = element(Tag.Integer, Uint8Array.of(3))
    const behind = element(Tag.Sequence, element(Tag.Integer, integerContents(oddOf(2048))), three, three)
    expect(() => keyType(publicKey(RSA, element(Tag.Null), behind))).toThrow(CertificateError)
    expect(() => keyType(publicKey(RSA, element(Tag.Null, Uint8Array.of(0)), behind))).toThrow(CertificateError)
  })
})

function publicKey(algorithm: string, parameters: Uint8Array, key: Uint8Array): Uint8Array {
  const identifier = element(Tag.Sequence, element(Tag.Oid, oidContents(algorithm)), parameters)
  return element(Tag.Sequence, identifier, element(Tag.BitString, Uint8Array.of(0), key))
}

function rsaSequence(modulus: Uint8Array, exponent: Uint8Array): Uint8Array {
  const key = element(Tag.Sequence, element(Tag.Integer, modulus), element(Tag.Integer, exponent))
  return publicKey(RSA, element(Tag.Null), key)
}

function rsaKey(bits: number, exponent: Uint8Array = Uint8Array.of(3)): Uint8Array {
  return rsaSequence(integerContents(oddOf(bits)), integerContents(exponent))
}

/** The odd number 100…01 of so many bits; 0 for none. */
function oddOf(bits: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(bits / 8))
  if (bits === 0) return bytes
  bytes[0] = 1 << ((bits - 1) & 7)
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) | 1
  return bytes
}

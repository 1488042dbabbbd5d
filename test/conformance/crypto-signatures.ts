// The part of the backend suite that signs and verifies (RFC 8446 §4.2.3). Keys come from node:crypto.

import { constants, createHash, generateKeyPairSync, type KeyObject, privateEncrypt, sign } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/hex.ts'
import { type CryptoBackend, SignatureScheme } from '../../src/crypto/backend.ts'

const message = new TextEncoder().encode('what was agreed upon')

const signers = [
  { type: 'P-256', scheme: SignatureScheme.EcdsaP256Sha256, make: () => ec('prime256v1') },
  { type: 'P-384', scheme: SignatureScheme.EcdsaP384Sha384, make: () => ec('secp384r1') },
  { type: 'Ed25519', scheme: SignatureScheme.Ed25519, make: () => generateKeyPairSync('ed25519').privateKey },
]

export function testSignatures(backend: CryptoBackend): void {
  describe.each(signers)('RFC 8446 §4.2.3 $type', ({ scheme, make }) => testSigner(backend, scheme, make))
  describe('RSA', () => testRsa(backend))
  testKnownAnswers(backend)
  testUnusableKeys(backend)

  test('unknown schemes and broken public keys verify nothing', () => {
    const ok = backend.privateKey(pem(ec('prime256v1')))
    const signature = ok.sign(SignatureScheme.EcdsaP256Sha256, message)
    expect(backend.verify(0x0203 as SignatureScheme, ok.publicKey, signature, message)).toBe(false)
    for (let length = 0; length < ok.publicKey.length; length++) {
      const cut = ok.publicKey.subarray(0, length)
      expect(backend.verify(SignatureScheme.EcdsaP256Sha256, cut, signature, message)).toBe(false)
    }
  })
}

function testSigner(backend: CryptoBackend, scheme: SignatureScheme, make: () => KeyObject): void {
  const keyObject = make()
  const key = backend.privateKey(pem(keyObject))

  test('signs and verifies', () => {
    expect(key.schemes).toEqual([scheme])
    const signature = key.sign(scheme, message)
    expect(backend.verify(scheme, key.publicKey, signature, message)).toBe(true)
    expect(backend.verify(scheme, key.publicKey, signature, message.subarray(1))).toBe(false)
    for (let i = 0; i < signature.length; i += 5) {
      const forged = signature.slice()
      forged[i]! ^= 1
      expect(backend.verify(scheme, key.publicKey, forged, message)).toBe(false)
    }
    expect(backend.verify(scheme, key.publicKey, signature.subarray(1), message)).toBe(false)
    expect(backend.verify(scheme, key.publicKey, new Uint8Array(0), message)).toBe(false)
  })

  test('reads DER as it reads PEM', () => {
    const der = new Uint8Array(keyObject.export({ format: 'der', type: 'pkcs8' }))
    const same = backend.privateKey(der)
    expect(toHex(same.publicKey)).toBe(toHex(key.publicKey))
    expect(backend.verify(scheme, key.publicKey, same.sign(scheme, message), message)).toBe(true)
  })

  test('verifies under no scheme but its own', () => {
    const signature = key.sign(scheme, message)
    for (const other of backend.signatureSchemes) {
      expect(backend.verify(other, key.publicKey, signature, message)).toBe(other === scheme)
      if (other !== scheme) expect(() => key.sign(other, message)).toThrow(TypeError)
    }
  })

  test('verifies what others signed', () => {
    const hash =
      scheme === SignatureScheme.Ed25519 ? null : scheme === SignatureScheme.EcdsaP384Sha384 ? 'sha384' : 'sha256'
    // Several, for half of all ECDSA signatures have the larger s.
    for (let i = 0; i < 8; i++) {
      const signature = new Uint8Array(sign(hash, message, keyObject))
      expect(backend.verify(scheme, key.publicKey, signature, message)).toBe(true)
    }
  })
}

function testRsa(backend: CryptoBackend): void {
  const { RsaPkcs1Sha256, RsaPkcs1Sha384, RsaPkcs1Sha512, RsaPssRsaeSha256, RsaPssRsaeSha384, RsaPssRsaeSha512 } =
    SignatureScheme
  const schemes = [
    { scheme: RsaPkcs1Sha256, hash: 'sha256', padding: constants.RSA_PKCS1_PADDING },
    { scheme: RsaPkcs1Sha384, hash: 'sha384', padding: constants.RSA_PKCS1_PADDING },
    { scheme: RsaPkcs1Sha512, hash: 'sha512', padding: constants.RSA_PKCS1_PADDING },
    { scheme: RsaPssRsaeSha256, hash: 'sha256', padding: constants.RSA_PKCS1_PSS_PADDING },
    { scheme: RsaPssRsaeSha384, hash: 'sha384', padding: constants.RSA_PKCS1_PSS_PADDING },
    { scheme: RsaPssRsaeSha512, hash: 'sha512', padding: constants.RSA_PKCS1_PSS_PADDING },
  ]
  // The encoded message of a modulus of 2049 bits is a byte shorter than its signature.
  const keys = new Map<number, { privateKey: KeyObject; spki: Uint8Array }>()
  beforeAll(() => {
    for (const bits of [1024, 2048, 2049]) {
      const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits })
      keys.set(bits, { privateKey, spki: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })) })
    }
  })
  const keyOf = (bits: number) => keys.get(bits) as { privateKey: KeyObject; spki: Uint8Array }

  test.each(schemes)('RFC 8017 §8 $hash, padding $padding', ({ scheme, hash, padding }) => {
    for (const bits of [2048, 2049]) {
      const { privateKey, spki } = keyOf(bits)
      const saltLength = constants.RSA_PSS_SALTLEN_DIGEST
      const signature = new Uint8Array(sign(hash, message, { key: privateKey, padding, saltLength }))
      expect(backend.verify(scheme, spki, signature, message)).toBe(true)
      expect(backend.verify(scheme, spki, signature, message.subarray(1))).toBe(false)
      for (const other of schemes) {
        expect(backend.verify(other.scheme, spki, signature, message)).toBe(other.scheme === scheme)
      }
      for (let i = 0; i < signature.length; i += 50) {
        const forged = signature.slice()
        forged[i]! ^= 1
        expect(backend.verify(scheme, spki, forged, message)).toBe(false)
      }
      expect(backend.verify(scheme, spki, signature.subarray(1), message)).toBe(false)
      expect(backend.verify(scheme, spki, Uint8Array.of(0, ...signature), message)).toBe(false)
      expect(backend.verify(scheme, spki, new Uint8Array(signature.length).fill(0xff), message)).toBe(false)
      expect(backend.verify(SignatureScheme.EcdsaP256Sha256, spki, signature, message)).toBe(false)
    }
  })

  test('RFC 8017 §8.1.2 a signature that begins with a zero cannot do without it', () => {
    const { privateKey, spki } = keyOf(2048)
    const key = { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
    let signature = sign('sha256', message, key)
    while (signature[0] !== 0) signature = sign('sha256', message, key)
    expect(backend.verify(RsaPssRsaeSha256, spki, signature, message)).toBe(true)
    expect(backend.verify(RsaPssRsaeSha256, spki, signature.subarray(1), message)).toBe(false)
  })

  test('RFC 8446 §4.2.3 the salt of PSS is as long as the hash', () => {
    const { privateKey, spki } = keyOf(2048)
    for (const saltLength of [0, 20, 31, 33]) {
      const padding = constants.RSA_PKCS1_PSS_PADDING
      const signature = sign('sha256', message, { key: privateKey, padding, saltLength })
      expect(backend.verify(RsaPssRsaeSha256, spki, signature, message)).toBe(false)
    }
  })

  test('RFC 8017 §9 messages encoded wrongly do not verify', () => {
    const { privateKey, spki } = keyOf(2048)
    const wrap = (encoded: Uint8Array) =>
      new Uint8Array(privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, encoded))
    const digest = createHash('sha256').update(message).digest()
    const right = pssEncoding(digest, block => block)
    expect(backend.verify(RsaPssRsaeSha256, spki, wrap(right), message)).toBe(true)
    const wrong = [
      right.with(255, 0xbd),
      right.with(230, (right[230] as number) ^ 1),
      pssEncoding(digest, block => block.with(0, 0x01)),
      pssEncoding(digest, block => block.with(100, 0x01)),
      pssEncoding(digest, block => block.with(190, 0x02)),
    ]
    for (const encoded of wrong) {
      expect(backend.verify(RsaPssRsaeSha256, spki, wrap(encoded), message)).toBe(false)
    }

    const info = fromHex('3031300d060960864801650304020105000420')
    const pkcs1 = (padding: number) => Uint8Array.of(0, 1, ...new Uint8Array(padding).fill(0xff), 0, ...info, ...digest)
    const filled = (bytes: Uint8Array) => Uint8Array.from({ length: 256 }, (_, i) => bytes[i] ?? 0)
    expect(backend.verify(RsaPkcs1Sha256, spki, wrap(pkcs1(202)), message)).toBe(true)
    // Bleichenbacher's forgery of 2006: short padding, anything behind.
    expect(backend.verify(RsaPkcs1Sha256, spki, wrap(filled(pkcs1(8))), message)).toBe(false)
    expect(backend.verify(RsaPkcs1Sha256, spki, wrap(pkcs1(202).with(1, 2)), message)).toBe(false)
    expect(backend.verify(RsaPkcs1Sha256, spki, wrap(pkcs1(202).with(100, 0xfe)), message)).toBe(false)
  })

  test('small keys are not trusted', () => {
    const { privateKey, spki } = keyOf(1024)
    expect(backend.verify(RsaPkcs1Sha256, spki, sign('sha256', message, privateKey), message)).toBe(false)
    expect(() => backend.privateKey(pem(privateKey))).toThrow(TypeError)
  })

  test('broken keys verify nothing', () => {
    const { privateKey, spki } = keyOf(2048)
    const signature = sign('sha256', message, privateKey)
    for (let length = 0; length < spki.length; length += 7) {
      expect(backend.verify(RsaPkcs1Sha256, spki.subarray(0, length), signature, message)).toBe(false)
    }
  })
}

function testKnownAnswers(backend: CryptoBackend): void {
  test('RFC 8032 §7.1 TEST 2 of Ed25519', () => {
    const seed = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'
    const key = backend.privateKey(fromHex(`302e020100300506032b657004220420${seed}`))
    expect(toHex(key.publicKey.subarray(-32))).toBe('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c')
    expect(toHex(key.sign(SignatureScheme.Ed25519, Uint8Array.of(0x72)))).toBe(
      `92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00`,
    )
  })

  test('RFC 5915 a SEC1 key, with the parameters of its curve in front', () => {
    const keyObject = ec('secp384r1')
    const sec1 = keyObject.export({ format: 'pem', type: 'sec1' }) as string
    const parameters = '-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n'
    for (const text of [sec1, parameters + sec1, sec1.replaceAll('\n', '\r\n')]) {
      expect(toHex(backend.privateKey(text).publicKey)).toBe(toHex(backend.privateKey(pem(keyObject)).publicKey))
    }
  })
}

function testUnusableKeys(backend: CryptoBackend): void {
  test('private keys that cannot be used are refused with a TypeError', () => {
    const encrypted = ec('prime256v1').export({
      format: 'pem',
      type: 'pkcs8',
      cipher: 'aes-128-cbc',
      passphrase: 'secret',
    }) as string
    const der = new Uint8Array(ec('prime256v1').export({ format: 'der', type: 'pkcs8' }))
    const unusable = [
      '',
      'not a key',
      '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
      '-----BEGIN PRIVATE KEY-----\nA\n-----END PRIVATE KEY-----\n',
      '-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n',
      encrypted,
      new Uint8Array(0),
      der.subarray(0, -1),
      der.subarray(0, 20),
      der.with(0, 0x31),
      pem(ec('secp521r1')),
      pem(ec('secp256k1')),
      pem(generateKeyPairSync('x25519').privateKey),
      pem(generateKeyPairSync('ed448').privateKey),
    ]
    for (const key of unusable) expect(() => backend.privateKey(key)).toThrow(TypeError)
  })
}

function ec(namedCurve: string): KeyObject {
  return generateKeyPairSync('ec', { namedCurve }).privateKey
}

function pem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }) as string
}

/** EMSA-PSS-ENCODE for 2048 bits and SHA-256 (RFC 8017 §9.1.1), with a data block to be spoilt. */
function pssEncoding(digest: Uint8Array, spoil: (block: Uint8Array) => Uint8Array): Uint8Array {
  const salt = new Uint8Array(32).fill(0x33)
  const hash = (...parts: Uint8Array[]) => {
    const running = createHash('sha256')
    for (const part of parts) running.update(part)
    return new Uint8Array(running.digest())
  }
  const salted = hash(new Uint8Array(8), digest, salt)
  const block = spoil(Uint8Array.of(...new Uint8Array(190), 1, ...salt))
  for (let i = 0; i < 7; i++) {
    const mask = hash(salted, Uint8Array.of(0, 0, 0, i))
    for (let j = 0; j < 32 && 32 * i + j < 223; j++) block[32 * i + j]! ^= mask[j] as number
  }
  block[0]! &= 0x7f
  return Uint8Array.of(...block, ...salted, 0xbc)
}

import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/hex.ts'
import { nobleBackend } from '../../src/crypto/backend-noble.ts'
import { decodePrivateKey, decodePublicKey, encodePublicKey } from '../../src/crypto/key-encoding.ts'

const point = `04${'11'.repeat(64)}`
const p256Spki = `3059301306072a8648ce3d020106082a8648ce3d030107034200${point}`

test('RFC 5480 §2 a public key on P-256', () => {
  expect(decodePublicKey(fromHex(p256Spki))).toEqual({ type: 'ec', curve: 'P-256', point: fromHex(point) })
  expect(toHex(encodePublicKey('P-256', fromHex(point)))).toBe(p256Spki)
})

test('RFC 8410 §4 an Ed25519 public key', () => {
  const spki = `302a300506032b6570032100${'22'.repeat(32)}`
  expect(decodePublicKey(fromHex(spki))).toEqual({ type: 'ed25519', key: fromHex('22'.repeat(32)) })
  expect(toHex(encodePublicKey('ed25519', fromHex('22'.repeat(32))))).toBe(spki)
})

test('public keys encoded wrongly are refused', () => {
  const broken = [
    '',
    '30',
    // Something behind.
    `${p256Spki}00`,
    // A length in the long form that fits the short one, one of no bytes, one of three.
    p256Spki.replace('3059', '308159'),
    p256Spki.replace('3059', '3080'),
    p256Spki.replace('3059', '3083000059'),
    p256Spki.replace('3059', '30820059'),
    // Longer than the bytes there are.
    p256Spki.replace('3059', '305a'),
    // Unused bits.
    p256Spki.replace('034200', '034201'),
    // No bits at all.
    '3017301306072a8648ce3d020106082a8648ce3d0301070300',
    // A curve and an algorithm nobody knows.
    p256Spki.replace('2a8648ce3d030107', '2a8648ce3d030199'),
    p256Spki.replace('2a8648ce3d0201', '2a8648ce3d0299'),
    // Something between key and end.
    '305b301306072a8648ce3d020106082a8648ce3d030107034200'.concat(point, '0500'),
  ]
  for (const spki of broken) expect(() => decodePublicKey(fromHex(spki)), spki).toThrow(TypeError)
})

test('RFC 8017 §A.1.1 an RSA public key has two numbers and no more', () => {
  const algorithm = '300d06092a864886f70d0101010500'
  const key = `301a${algorithm}0309003006020103020103`
  expect(decodePublicKey(fromHex(key))).toEqual({ type: 'rsa', modulus: fromHex('03'), exponent: fromHex('03') })
  expect(() => decodePublicKey(fromHex(`301d${algorithm}030c003009020103020103020103`))).toThrow(TypeError)
  expect(() => decodePublicKey(fromHex(`301c${algorithm}030b0030060201030201030500`))).toThrow(TypeError)
})

test('RFC 5915 §3 a scalar is as long as its curve, and neither zero nor too large', () => {
  const der = new Uint8Array(
    generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({ format: 'der', type: 'pkcs8' }),
  )
  expect(decodePrivateKey(der)).toMatchObject({ type: 'ec', curve: 'P-256', secret: der.slice(36, 68) })
  expect(() => nobleBackend.privateKey(der.slice().fill(0, 36, 68))).toThrow(TypeError)
  expect(() => nobleBackend.privateKey(der.slice().fill(0xff, 36, 68))).toThrow(TypeError)
  const short = fromHex(`3028020100301306072a8648ce3d020106082a8648ce3d030107040e300c0201010407${'11'.repeat(7)}`)
  expect(() => decodePrivateKey(short)).toThrow('ECPrivateKey')
})

test('RFC 8410 §7 an Ed25519 private key has 32 bytes', () => {
  expect(() => decodePrivateKey(fromHex(`302d020100300506032b65700421041f${'11'.repeat(31)}`))).toThrow(TypeError)
})

test('RSA private keys say what to use instead', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  for (const type of ['pkcs1', 'pkcs8'] as const) {
    const pem = privateKey.export({ format: 'pem', type }) as string
    expect(() => nobleBackend.privateKey(pem)).toThrow('does not sign with RSA keys')
  }
})

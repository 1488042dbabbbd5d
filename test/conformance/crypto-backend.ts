// One suite for every CryptoBackend.

import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/hex.ts'
import { type CryptoBackend, NamedGroup as Group, type NamedGroup } from '../../src/crypto/backend.ts'
import { hkdfExpand, hkdfExpandLabel, hkdfExtract, noContext } from '../../src/crypto/hkdf.ts'
import * as rfc5869 from '../vectors/rfc5869.ts'
import * as rfc8448 from '../vectors/rfc8448-key-schedule.ts'
import { testPacketProtection } from './crypto-packets.ts'
import { testSignatures } from './crypto-signatures.ts'
import { testWycheproof } from './wycheproof.ts'

export function testCryptoBackend(backend: CryptoBackend): void {
  describe(`backend ${backend.name}`, () => {
    testMemory(backend)
    testHashes(backend)
    testHkdf(backend)
    testAead(backend)
    testKeyExchange(backend)
    testPacketProtection(backend)
    testSignatures(backend)
    testWycheproof(backend)
  })
}

function testMemory(backend: CryptoBackend): void {
  test('random gives as many bytes as asked for, and others each time', () => {
    expect(backend.random(0)).toHaveLength(0)
    expect(backend.random(20)).toHaveLength(20)
    expect(toHex(backend.random(16))).not.toBe(toHex(backend.random(16)))
  })

  test('packet buffers have the size asked for', () => {
    expect(backend.packetBuffer(1452)).toHaveLength(1452)
  })

  // `slice` of a Buffer is a view, and parsers copy with `slice`.
  test('what comes out is a plain Uint8Array', () => {
    const data = new Uint8Array(40)
    const aead = backend.aead('chacha20-poly1305', new Uint8Array(32))
    const sealed = aead.seal(new Uint8Array(12), data, data)
    const exchange = backend.keyExchange(Group.X25519)
    const results = [
      backend.random(8),
      backend.packetBuffer(8),
      backend.hash('sha256', data),
      backend.hasher('sha256').digest(),
      backend.hmac('sha256', data, data),
      sealed,
      aead.open(new Uint8Array(12), data, sealed),
      exchange.publicKey,
      exchange.agree(backend.keyExchange(Group.X25519).publicKey),
    ]
    for (const result of results) expect(result?.constructor).toBe(Uint8Array)
  })
}

function testHashes(backend: CryptoBackend): void {
  const abc = Uint8Array.of(0x61, 0x62, 0x63)
  const sha256OfAbc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  const sha384OfAbc = `cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7`

  test('hash', () => {
    expect(toHex(backend.hash('sha256', abc))).toBe(sha256OfAbc)
    expect(toHex(backend.hash('sha384', abc))).toBe(sha384OfAbc)
  })

  test('a hasher can be read many times', () => {
    const hasher = backend.hasher('sha384')
    expect(toHex(hasher.digest())).toBe(toHex(backend.hash('sha384', new Uint8Array(0))))
    hasher.update(abc.subarray(0, 1))
    expect(toHex(hasher.digest())).toBe(toHex(backend.hash('sha384', abc.subarray(0, 1))))
    hasher.update(abc.subarray(1))
    expect(toHex(hasher.digest())).toBe(sha384OfAbc)
    expect(toHex(hasher.digest())).toBe(sha384OfAbc)
  })

  test('RFC 4231 §4.3 HMAC', () => {
    const key = new TextEncoder().encode('Jefe')
    const data = new TextEncoder().encode('what do ya want for nothing?')
    expect(toHex(backend.hmac('sha256', key, data))).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    )
    expect(toHex(backend.hmac('sha384', key, data))).toBe(
      'af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649',
    )
  })
}

function testHkdf(backend: CryptoBackend): void {
  test.each(rfc5869.cases)('RFC 5869 $name', ({ ikm, salt, info, prk, okm }) => {
    const expected = fromHex(okm)
    const extracted = hkdfExtract(backend, 'sha256', fromHex(salt), fromHex(ikm))
    expect(toHex(extracted)).toBe(prk)
    expect(toHex(hkdfExpand(backend, 'sha256', extracted, fromHex(info), expected.length))).toBe(toHex(expected))
  })

  test('RFC 8448 §3 the key schedule', () => {
    const derive = (secret: Uint8Array, label: string, hash: Uint8Array): Uint8Array =>
      hkdfExpandLabel(backend, 'sha256', secret, label, hash, 32)
    const zeros = new Uint8Array(32)
    const emptyHash = backend.hash('sha256', noContext)
    const early = hkdfExtract(backend, 'sha256', noContext, zeros)
    expect(toHex(early)).toBe(rfc8448.earlySecret)
    const derived = derive(early, 'derived', emptyHash)
    expect(toHex(derived)).toBe(rfc8448.derivedFromEarly)
    const handshake = hkdfExtract(backend, 'sha256', derived, fromHex(rfc8448.sharedSecret))
    expect(toHex(handshake)).toBe(rfc8448.handshakeSecret)
    const derivedAgain = derive(handshake, 'derived', emptyHash)
    expect(toHex(derivedAgain)).toBe(rfc8448.derivedFromHandshake)
    const master = hkdfExtract(backend, 'sha256', derivedAgain, zeros)
    expect(toHex(master)).toBe(rfc8448.masterSecret)

    const helloHash = fromHex(rfc8448.helloHash)
    const server = derive(handshake, 's hs traffic', helloHash)
    expect(toHex(derive(handshake, 'c hs traffic', helloHash))).toBe(rfc8448.clientHandshakeTraffic)
    expect(toHex(server)).toBe(rfc8448.serverHandshakeTraffic)
    expect(toHex(hkdfExpandLabel(backend, 'sha256', server, 'key', noContext, 16))).toBe(rfc8448.serverHandshakeKey)
    expect(toHex(hkdfExpandLabel(backend, 'sha256', server, 'iv', noContext, 12))).toBe(rfc8448.serverHandshakeIv)

    const finishedHash = fromHex(rfc8448.serverFinishedHash)
    expect(toHex(derive(master, 'c ap traffic', finishedHash))).toBe(rfc8448.clientApplicationTraffic)
    expect(toHex(derive(master, 's ap traffic', finishedHash))).toBe(rfc8448.serverApplicationTraffic)
    expect(toHex(derive(master, 'exp master', finishedHash))).toBe(rfc8448.exporterSecret)
    const resumption = derive(master, 'res master', fromHex(rfc8448.clientFinishedHash))
    expect(toHex(resumption)).toBe(rfc8448.resumptionSecret)
    expect(toHex(derive(resumption, 'resumption', fromHex(rfc8448.ticketNonce)))).toBe(rfc8448.resumptionPsk)
  })
}

function testAead(backend: CryptoBackend): void {
  test('RFC 8439 §2.8.2 ChaCha20-Poly1305', () => {
    const key = Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i)
    const text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
    const plaintext = new TextEncoder().encode(text)
    const aad = fromHex('50515253c0c1c2c3c4c5c6c7')
    const sealed = backend.aead('chacha20-poly1305', key).seal(fromHex('070000004041424344454647'), aad, plaintext)
    expect(toHex(sealed.subarray(0, 16))).toBe('d31a8d34648e60db7b86afbc53ef7ec2')
    expect(toHex(sealed.subarray(-16))).toBe('1ae10b594f09e26a7e902ecbd0600691')
  })

  // The vectors of the paper that defined GCM (McGrew and Viega), cases 1, 4 and 16.
  test.each([
    {
      key: '00000000000000000000000000000000',
      nonce: '000000000000000000000000',
      aad: '',
      plain: '',
      sealed: '58e2fccefa7e3061367f1d57a4e7455a',
    },
    {
      key: 'feffe9928665731c6d6a8f9467308308',
      nonce: 'cafebabefacedbaddecaf888',
      aad: 'feedfacedeadbeeffeedfacedeadbeefabaddad2',
      plain:
        'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
      sealed:
        '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47',
    },
    {
      key: 'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308',
      nonce: 'cafebabefacedbaddecaf888',
      aad: 'feedfacedeadbeeffeedfacedeadbeefabaddad2',
      plain:
        'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
      sealed:
        '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b',
    },
  ])('AES-GCM with a key of $key.length digits', ({ key, nonce, aad, plain, sealed }) => {
    const aead = backend.aead(key.length === 32 ? 'aes-128-gcm' : 'aes-256-gcm', fromHex(key))
    expect(toHex(aead.seal(fromHex(nonce), fromHex(aad), fromHex(plain)))).toBe(sealed)
    expect(toHex(aead.open(fromHex(nonce), fromHex(aad), fromHex(sealed)) as Uint8Array)).toBe(plain)
  })

  test('an AEAD opens nothing that was changed or is too short', () => {
    for (const name of ['aes-128-gcm', 'aes-256-gcm', 'chacha20-poly1305'] as const) {
      const aead = backend.aead(name, backend.random(name === 'aes-128-gcm' ? 16 : 32))
      const nonce = backend.random(12)
      const sealed = aead.seal(nonce, Uint8Array.of(1), Uint8Array.of(2, 3))
      expect(aead.open(nonce, Uint8Array.of(1), sealed)).toEqual(Uint8Array.of(2, 3))
      for (let i = 0; i < sealed.length; i++) {
        const forged = sealed.slice()
        forged[i]! ^= 0x10
        expect(aead.open(nonce, Uint8Array.of(1), forged)).toBeUndefined()
        expect(aead.open(nonce, Uint8Array.of(1), sealed.subarray(0, i))).toBeUndefined()
      }
      expect(aead.open(nonce, Uint8Array.of(9), sealed)).toBeUndefined()
      expect(aead.open(backend.random(12), Uint8Array.of(1), sealed)).toBeUndefined()
    }
  })
}

function testKeyExchange(backend: CryptoBackend): void {
  const lengths = new Map<NamedGroup, { share: number; secret: number }>([
    [Group.X25519, { share: 32, secret: 32 }],
    [Group.P256, { share: 65, secret: 32 }],
    [Group.P384, { share: 97, secret: 48 }],
  ])

  test.each([...lengths.keys()])('RFC 8446 §4.2.8 both sides agree in group %i', group => {
    const alice = backend.keyExchange(group)
    const bob = backend.keyExchange(group)
    expect(alice.group).toBe(group)
    expect(alice.publicKey).toHaveLength(lengths.get(group)!.share)
    const secret = alice.agree(bob.publicKey) as Uint8Array
    expect(secret).toHaveLength(lengths.get(group)!.secret)
    expect(toHex(secret)).toBe(toHex(bob.agree(alice.publicKey) as Uint8Array))
    expect(toHex(alice.agree(backend.keyExchange(group).publicKey) as Uint8Array)).not.toBe(toHex(secret))
  })

  test('draft-ietf-tls-ecdhe-mlkem §4 X25519MLKEM768: shares of 1216 and 1120 bytes, a secret of 64, no other lengths', () => {
    const client = backend.keyExchange(Group.X25519MlKem768)
    expect(client.publicKey).toHaveLength(1216)
    expect(client.publicKey.subarray(1184)).toEqual(client.half?.publicKey)
    const server = backend.encapsulate(Group.X25519MlKem768, client.publicKey)!
    expect(server.publicKey).toHaveLength(1120)
    expect(server.sharedSecret).toHaveLength(64)
    expect(toHex(client.agree(server.publicKey)!)).toBe(toHex(server.sharedSecret))
    expect(toHex(client.half!.agree(server.publicKey.subarray(1088))!)).toBe(toHex(server.sharedSecret.subarray(32)))
    for (const change of [-1, 1, -32]) {
      expect(backend.encapsulate(Group.X25519MlKem768, resized(client.publicKey, change))).toBeUndefined()
      expect(client.agree(resized(server.publicKey, change))).toBeUndefined()
    }
  })

  test('FIPS 203 §7.2, RFC 8446 §7.4.2 X25519MLKEM768 refuses keys above the modulus and points of small order', () => {
    const client = backend.keyExchange(Group.X25519MlKem768)
    const server = backend.encapsulate(Group.X25519MlKem768, client.publicKey)!
    const above = client.publicKey.slice().fill(0xff, 0, 3)
    const smallOrder = client.publicKey.slice().fill(0, 1184)
    expect(backend.encapsulate(Group.X25519MlKem768, above)).toBeUndefined()
    expect(backend.encapsulate(Group.X25519MlKem768, smallOrder)).toBeUndefined()
    expect(client.agree(server.publicKey.slice().fill(0, 1088))).toBeUndefined()
    // FIPS 203 §6.3: a forged ciphertext gives a secret that the server does not have.
    const forged = server.publicKey.slice()
    forged[0]! ^= 1
    expect(toHex(client.agree(forged)!.subarray(0, 32))).not.toBe(toHex(server.sharedSecret.subarray(0, 32)))
  })

  test('RFC 8446 §7.4.2 X25519 refuses points of small order and wrong lengths', () => {
    const exchange = backend.keyExchange(Group.X25519)
    for (const share of [...smallOrderPoints.map(fromHex), new Uint8Array(0), new Uint8Array(31), new Uint8Array(33)]) {
      expect(exchange.agree(share)).toBeUndefined()
    }
  })

  test.each([['P-256', Group.P256, 32] as const, ['P-384', Group.P384, 48] as const])(
    'RFC 8446 §4.2.8.2 %s refuses what is not an uncompressed point on the curve',
    (_, group, length) => {
      const exchange = backend.keyExchange(group)
      const valid = backend.keyExchange(group).publicKey
      const last = 2 * length
      const offCurve = valid.slice()
      offCurve[last]! ^= 1
      const compressed = Uint8Array.of(2 + (valid[last]! & 1), ...valid.subarray(1, 1 + length))
      const hybrid = Uint8Array.of(6 + (valid[last]! & 1), ...valid.subarray(1))
      const tooLarge = Uint8Array.of(4, ...new Uint8Array(last).fill(0xff))
      const zeros = Uint8Array.of(4, ...new Uint8Array(last))
      const infinity = Uint8Array.of(0)
      for (const share of [offCurve, compressed, hybrid, tooLarge, zeros, infinity, valid.subarray(0, last)]) {
        expect(exchange.agree(share)).toBeUndefined()
      }
      expect(exchange.agree(valid)).toHaveLength(length)
    },
  )
}

function resized(bytes: Uint8Array, change: number): Uint8Array {
  const other = new Uint8Array(bytes.length + change)
  other.set(bytes.subarray(0, other.length))
  return other
}

/** Everything on Curve25519 and its twist whose order divides 8, with its encodings that are not canonical. */
const smallOrderPoints = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]

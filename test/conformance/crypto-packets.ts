// The part of the backend suite that seals and opens packets (RFC 9001 §5).

import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/hex.ts'
import type { CryptoBackend } from '../../src/crypto/backend.ts'
import {
  type CipherSuite,
  INITIAL_SUITE,
  TLS_AES_128_GCM_SHA256,
  TLS_AES_256_GCM_SHA384,
  TLS_CHACHA20_POLY1305_SHA256,
} from '../../src/crypto/cipher-suite.ts'
import { initialSecrets } from '../../src/crypto/initial-keys.ts'
import { directionKeys, nextSecret } from '../../src/crypto/packet-protection.ts'
import { isRetryTagValid, retryTag } from '../../src/crypto/retry-integrity.ts'
import * as rfc9001 from '../vectors/rfc9001.ts'
import * as rfc9369 from '../vectors/rfc9369.ts'

const suites = [TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256]

export function testPacketProtection(backend: CryptoBackend): void {
  describe('RFC 9001 Appendix A', () => testSamples(backend, rfc9001))
  describe('RFC 9369 Appendix A', () => testSamples(backend, rfc9369))
  describe.each(suites)('RFC 9001 §5 with $name', suite => testSuite(backend, suite))

  test('keys of another maker are refused', () => {
    const foreign = { unmask: () => 1, discard: () => {} }
    const suite = TLS_AES_128_GCM_SHA256
    expect(() => backend.packetKey(suite, new Uint8Array(16), new Uint8Array(12), foreign)).toThrow(TypeError)
  })

  // The sample is the block counter: a peer can send any.
  test('RFC 9001 §5.4.4 every value of the ChaCha20 counter makes a mask', () => {
    const header = backend.headerKey(TLS_CHACHA20_POLY1305_SHA256, new Uint8Array(32).fill(7))
    const packet = new Uint8Array(30).fill(0xff)
    const length = header.unmask(packet, 0, 1)
    expect(length).toBeGreaterThanOrEqual(1)
    expect(length).toBeLessThanOrEqual(4)
  })
}

function testSamples(backend: CryptoBackend, vectors: typeof rfc9001 | typeof rfc9369): void {
  const { version } = vectors
  const destination = fromHex(vectors.destinationConnectionId)
  const suite = INITIAL_SUITE

  test('A.1 Initial secrets', () => {
    const secrets = initialSecrets(backend, version, destination)
    expect(toHex(secrets.client)).toBe(vectors.client.secret)
    expect(toHex(secrets.server)).toBe(vectors.server.secret)
  })

  test('A.2 client Initial', () => {
    const keys = directionKeys(backend, version, suite, initialSecrets(backend, version, destination).client)
    const header = fromHex(vectors.clientInitial.header)
    const payload = new Uint8Array(1162)
    payload.set(fromHex(vectors.clientInitial.crypto))
    expect(toHex(sealed(keys, header, 4, payload, 2))).toBe(toHex(fromHex(vectors.clientInitial.packet)))
    expect(opened(keys, fromHex(vectors.clientInitial.packet), 18, 2)).toEqual(payload)
  })

  test('A.3 server Initial', () => {
    const keys = directionKeys(backend, version, suite, initialSecrets(backend, version, destination).server)
    const header = fromHex(vectors.serverInitial.header)
    const payload = fromHex(vectors.serverInitial.payload)
    expect(toHex(sealed(keys, header, 2, payload, 1))).toBe(toHex(fromHex(vectors.serverInitial.packet)))
    expect(opened(keys, fromHex(vectors.serverInitial.packet), 18, 1)).toEqual(payload)
  })

  test('A.4 Retry', () => {
    const packet = fromHex(vectors.retry)
    const [body, tag] = [packet.subarray(0, -16), packet.subarray(-16)]
    expect(toHex(retryTag(backend, version, destination, body))).toBe(toHex(tag))
    expect(isRetryTagValid(backend, version, destination, body, tag)).toBe(true)
    expect(isRetryTagValid(backend, version, destination, body, tag.subarray(1))).toBe(false)
    expect(isRetryTagValid(backend, version, destination.subarray(1), body, tag)).toBe(false)
    const changed = body.slice()
    changed[changed.length - 1]! ^= 1
    expect(isRetryTagValid(backend, version, destination, changed, tag)).toBe(false)
  })

  test('A.5 ChaCha20-Poly1305 short header', () => {
    const { secret, header, payload, packet, ku } = vectors.chachaShortHeader
    const keys = directionKeys(backend, version, TLS_CHACHA20_POLY1305_SHA256, fromHex(secret))
    expect(toHex(sealed(keys, fromHex(header), 3, fromHex(payload), 654360564))).toBe(packet)
    expect(opened(keys, fromHex(packet), 1, 654360564)).toEqual(fromHex(payload))
    expect(toHex(nextSecret(backend, version, TLS_CHACHA20_POLY1305_SHA256, fromHex(secret)))).toBe(ku)
  })
}

function testSuite(backend: CryptoBackend, suite: CipherSuite): void {
  const keys = directionKeys(backend, 1, suite, new Uint8Array(suite.hashLength).fill(0x5a))

  test('the key knows its suite', () => {
    expect(keys.packet.suite).toBe(suite)
  })

  test.each([1, 2, 3, 4])('packets with a number of %i bytes, anywhere in the buffer', numberLength => {
    for (const payloadLength of [4 - numberLength, 5, 40, 1200]) {
      for (const first of [0x40, 0xc0]) {
        const start = 11
        const buffer = new Uint8Array(1300).fill(0xee)
        const payload = backend.random(payloadLength)
        buffer[start] = first + numberLength - 1
        buffer.set(payload, start + 9 + numberLength)
        const header = buffer.slice(start, start + 9 + numberLength)
        const end = start + header.length + payloadLength
        const sealedEnd = keys.packet.seal(buffer, start, start + 9, numberLength, end, 77)

        expect(sealedEnd).toBe(end + 16)
        expect(buffer.subarray(0, start).every(byte => byte === 0xee)).toBe(true)
        expect(buffer.subarray(sealedEnd).every(byte => byte === 0xee)).toBe(true)
        expect(keys.header.unmask(buffer, start, start + 9)).toBe(numberLength)
        expect(buffer.slice(start, start + header.length)).toEqual(header)
        expect(keys.packet.open(buffer, start, start + header.length, sealedEnd, 77)).toEqual(payload)
      }
    }
  })

  test('RFC 9001 §5.3 the nonce is the IV with all 62 bits of the number laid over it', () => {
    const key = backend.random(suite.keyLength)
    const iv = backend.random(12)
    const packetKey = backend.packetKey(suite, key, iv, backend.headerKey(suite, key))
    for (const number of [0, 1, 255, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 3, 2 ** 53 - 1]) {
      const nonce = iv.slice()
      for (let i = 0, rest = BigInt(number); i < 12; i++, rest >>= 8n) nonce[11 - i]! ^= Number(rest & 0xffn)
      const header = Uint8Array.of(0x43, 1, 2, 3, 4)
      const packet = new Uint8Array([...header, ...backend.aead(suite.aead, key).seal(nonce, header, fromHex('aabb'))])
      expect(packetKey.open(packet, 0, 5, packet.length, number)).toEqual(fromHex('aabb'))
      expect(packetKey.open(packet, 0, 5, packet.length, number === 0 ? 1 : number - 1)).toBeUndefined()
    }
  })

  test('a change in any byte of the packet keeps it shut', () => {
    const packet = sealed(keys, fromHex('40 00'), 1, fromHex('010203'), 0)
    for (let i = 0; i < packet.length; i++) {
      const forged = packet.slice()
      forged[i]! ^= 1
      expect(opened(keys, forged, 1, 0)).toBeUndefined()
    }
    expect(opened(keys, packet, 1, 0)).toEqual(fromHex('010203'))
    expect(opened(keys, packet, 1, 1)).toBeUndefined()
  })

  test('what is shorter than a tag does not open', () => {
    const packet = new Uint8Array(30)
    expect(keys.packet.open(packet, 0, 10, 25, 0)).toBeUndefined()
    expect(keys.packet.open(packet, 0, 10, 10, 0)).toBeUndefined()
  })

  test('a copy of the plaintext is a copy', () => {
    const packet = sealed(keys, fromHex('40 00'), 1, fromHex('010203'), 0)
    keys.header.unmask(packet, 0, 1)
    const plaintext = keys.packet.open(packet, 0, 2, packet.length, 0) as Uint8Array
    const copy = plaintext.slice()
    plaintext.fill(9)
    expect(copy).toEqual(fromHex('010203'))
  })

  test('a packet that does not open stays as it was', () => {
    for (const length of [3, 300, 5000]) {
      const packet = sealed(keys, fromHex('40 00'), 1, backend.random(length), 0)
      keys.header.unmask(packet, 0, 1)
      packet[length]! ^= 1
      const before = packet.slice()
      expect(keys.packet.open(packet, 0, 2, packet.length, 0)).toBeUndefined()
      expect(packet).toEqual(before)
    }
  })

  test('RFC 9001 §5.4.2 there must be a whole sample', () => {
    const tooShort = new Uint8Array(100)
    expect(() => keys.packet.seal(tooShort, 0, 1, 1, 4, 0)).toThrow(RangeError)
    expect(() => keys.header.unmask(tooShort.subarray(0, 20), 0, 1)).toThrow(RangeError)
    // Nothing of what was refused is left in the cipher.
    const packet = sealed(keys, fromHex('40 00'), 1, fromHex('010203'), 0)
    expect(opened(keys, packet, 1, 0)).toEqual(fromHex('010203'))
  })

  test('a buffer without room for the tag is refused', () => {
    expect(() => keys.packet.seal(new Uint8Array(40), 0, 1, 1, 25, 0)).toThrow(RangeError)
    expect(keys.packet.seal(new Uint8Array(40), 0, 1, 1, 24, 0)).toBe(40)
  })
}

type Keys = ReturnType<typeof directionKeys>

function sealed(keys: Keys, header: Uint8Array, numberLength: number, payload: Uint8Array, number: number): Uint8Array {
  const end = header.length + payload.length
  const buffer = new Uint8Array(end + 16)
  buffer.set(header)
  buffer.set(payload, header.length)
  return buffer.subarray(0, keys.packet.seal(buffer, 0, header.length - numberLength, numberLength, end, number))
}

function opened(keys: Keys, packet: Uint8Array, numberOffset: number, number: number): Uint8Array | undefined {
  const copy = packet.slice()
  const numberLength = keys.header.unmask(copy, 0, numberOffset)
  return keys.packet.open(copy, 0, numberOffset + numberLength, copy.length, number)
}

import { expect, test } from 'vitest'
import { type CryptoBackend, NamedGroup } from '../../src/crypto/backend.ts'
import { nobleBackend } from '../../src/crypto/backend-noble.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { wasmBackend } from '../../src/crypto/backend-wasm.ts'
import { directionKeys } from '../../src/crypto/packet-protection.ts'

const backends = [nodeBackend, nobleBackend, wasmBackend as CryptoBackend]
const pairs = backends.flatMap(one => backends.map(other => ({ one, other, name: `${one.name} to ${other.name}` })))

test.each(pairs)('packets travel from $name', ({ one, other }) => {
  for (const suite of one.cipherSuites) {
    for (let i = 0; i < 40; i++) {
      const secret = one.random(suite.hashLength)
      const sender = directionKeys(one, 1, suite, secret)
      const receiver = directionKeys(other, 1, suite, secret)
      const numberLength = 1 + (i % 4)
      const payloadStart = 9 + numberLength
      const payload = one.random(3 + 37 * i)
      const buffer = new Uint8Array(payloadStart + payload.length + 16)
      buffer[0] = 0x40 | (numberLength - 1)
      buffer.set(payload, payloadStart)
      const end = sender.packet.seal(buffer, 0, 9, numberLength, buffer.length - 16, 2 ** i)
      expect(receiver.header.unmask(buffer, 0, 9)).toBe(numberLength)
      expect(receiver.packet.open(buffer, 0, payloadStart, end, 2 ** i)).toEqual(payload)
    }
  }
})

test.each(pairs)('keys are agreed upon from $name', ({ one, other }) => {
  for (const group of one.groups) {
    if (group === NamedGroup.X25519MlKem768) continue
    const alice = one.keyExchange(group)
    const bob = other.keyExchange(group)
    expect(alice.agree(bob.publicKey)).toEqual(bob.agree(alice.publicKey))
  }
})

test.each(pairs)('the hybrid: $name', ({ one, other }) => {
  const client = one.keyExchange(NamedGroup.X25519MlKem768)
  const server = other.encapsulate(NamedGroup.X25519MlKem768, client.publicKey)
  expect(client.agree(server?.publicKey as Uint8Array)).toEqual(server?.sharedSecret)
})

test('header masks are the same for every kind of sample', () => {
  for (const suite of nodeBackend.cipherSuites) {
    const key = nodeBackend.random(suite.keyLength)
    const [one, other] = [nodeBackend.headerKey(suite, key), nobleBackend.headerKey(suite, key)]
    for (let i = 0; i < 100; i++) {
      const packet = nodeBackend.random(30)
      // The first four bytes of the sample are the counter of ChaCha20: the last values are where it could overflow.
      if (i < 3) packet.set([255 - i, 255, 255, 255], 8)
      const copy = packet.slice()
      expect(one.unmask(packet, 0, 4)).toBe(other.unmask(copy, 0, 4))
      expect(copy).toEqual(packet)
    }
  }
})

test('HMAC is the same for keys and messages of every length', () => {
  for (const hash of ['sha256', 'sha384'] as const) {
    // Below, at and above the block lengths of both hashes, and messages that fit no scratch memory.
    for (const keyLength of [0, 1, 32, 48, 63, 64, 65, 127, 128, 129, 300]) {
      for (const length of [0, 1, 54, 400, 448, 449, 2000]) {
        const [key, data] = [nodeBackend.random(keyLength), nodeBackend.random(length)]
        expect(nodeBackend.hmac(hash, key, data)).toEqual(nobleBackend.hmac(hash, key, data))
      }
    }
  }
})

test('random bytes never come twice', () => {
  const seen = new Set<string>()
  const lengths = [8, 12, 16, 32, 255, 256, 257, 5000]
  for (let i = 0; i < 2000; i++) seen.add(nodeBackend.random(lengths[i % lengths.length] as number).toString())
  expect(seen.size).toBe(2000)
  expect(nodeBackend.random(0)).toEqual(new Uint8Array(0))
})

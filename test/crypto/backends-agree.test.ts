import { expect, test } from 'vitest'
import { nobleBackend } from '../../src/crypto/backend-noble.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { directionKeys } from '../../src/crypto/packet-protection.ts'

const backends = [nodeBackend, nobleBackend]
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
    const alice = one.keyExchange(group)
    const bob = other.keyExchange(group)
    expect(alice.agree(bob.publicKey)).toEqual(bob.agree(alice.publicKey))
  }
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

import { describe, expect, test } from 'vitest'
import type { CryptoBackend } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import {
  TLS_AES_128_GCM_SHA256,
  TLS_AES_256_GCM_SHA384,
  TLS_CHACHA20_POLY1305_SHA256,
} from '../../src/crypto/cipher-suite.ts'
import { OneRttKeys } from '../../src/crypto/key-update.ts'
import { aes, exchange, forge, Pair, payload, receive, type Sealed, send } from './one-rtt-pair.ts'

describe('without an update', () => {
  test.each([TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256])('$name', suite => {
    const { client, server } = new Pair(suite)
    for (let number = 0; number < 20; number++) {
      expect(receive(server, send(client, number))).toEqual(payload)
      expect(receive(client, send(server, number))).toEqual(payload)
    }
    expect([client.phase, client.generation, server.generation, server.failures]).toEqual([0, 0, 0, 0])
  })

  test('a server writes before it can read', () => {
    const one = new Uint8Array(32).fill(1)
    const two = new Uint8Array(32).fill(2)
    const server = new OneRttKeys(nodeBackend, 1, aes, undefined, two)
    const { client } = new Pair()
    for (let number = 0; number < 10; number++) expect(receive(client, send(server, number))).toEqual(payload)
    server.onAcked(9)

    expect(server.canOpen).toBe(false)
    expect(server.initiateUpdate(0)).toBe(false)
    expect(() => server.unmask(new Uint8Array(30), 0, 1)).toThrow(TypeError)
    expect(forge(server, 0, 0)).toBeUndefined()
    expect(forge(server, 1, 0)).toBeUndefined()
    expect(server.failures).toBe(0)

    server.setReadSecret(one)
    expect(server.canOpen).toBe(true)
    expect(receive(server, send(client, 0))).toEqual(payload)
    expect(() => server.setReadSecret(one)).toThrow(TypeError)
    expect(server.initiateUpdate(0)).toBe(true)
    expect(receive(client, send(server, 10))).toEqual(payload)
  })
})

describe('RFC 9001 §6.1 initiating an update', () => {
  test('both sides follow, and the next is permitted in turn', () => {
    const { client, server } = Pair.established()
    expect(client.initiateUpdate(0)).toBe(true)
    expect([client.phase, server.phase]).toEqual([1, 0])

    exchange(client, server, 1, 0)
    expect([client.phase, server.phase]).toEqual([1, 1])
    exchange(server, client, 1, 0)

    const later = 3 * 999
    expect(server.initiateUpdate(later)).toBe(true)
    exchange(server, client, 2, later)
    exchange(client, server, 2, later)
    expect([client.phase, server.phase, client.generation, server.generation]).toEqual([0, 0, 2, 2])
  })

  test('twenty updates one after the other, by turns', () => {
    const { client, server } = Pair.established()
    let now = 0
    for (let round = 1; round <= 20; round++) {
      const [one, other] = round % 2 === 0 ? [client, server] : [server, client]
      expect(one.initiateUpdate(now)).toBe(true)
      exchange(one, other, round, now)
      exchange(other, one, round, now)
      now += 3000
    }
    expect([client.generation, server.generation, client.failures, server.failures]).toEqual([20, 20, 0, 0])
  })

  test('nobody may before a packet in the current phase was acknowledged', () => {
    const { client, server } = new Pair()
    expect(receive(client, send(server, 0))).toEqual(payload)
    expect(client.initiateUpdate(0)).toBe(false)
    send(client, 5)
    expect(client.initiateUpdate(0)).toBe(false)
    // A number of 0-RTT, before any of these keys.
    client.onAcked(4)
    expect(client.initiateUpdate(0)).toBe(false)
    client.onAcked(5)
    expect(client.initiateUpdate(0)).toBe(true)
    expect(client.initiateUpdate(0)).toBe(false)

    exchange(client, server, 6, 0)
    // Acknowledged, but under the keys of before: the peer has not answered with new ones.
    expect(client.initiateUpdate(100_000)).toBe(false)
  })

  test('an acknowledgment for a packet of the phase before permits nothing', () => {
    const { client, server } = Pair.established()
    client.initiateUpdate(0)
    expect(receive(server, send(client, 1))).toEqual(payload)
    expect(receive(client, send(server, 1))).toEqual(payload)
    client.onAcked(0)
    expect(client.initiateUpdate(10_000)).toBe(false)
    client.onAcked(1)
    expect(client.initiateUpdate(10_000)).toBe(true)
  })

  test('RFC 9001 §6.5 not within three PTO after the last one, whoever began it', () => {
    const { client, server } = Pair.established()
    for (const side of [client, server]) side.setPto(100)
    client.initiateUpdate(1000)
    exchange(client, server, 1, 1010)
    exchange(server, client, 1, 1020)
    expect(client.initiateUpdate(1319)).toBe(false)
    expect(server.initiateUpdate(1309)).toBe(false)
    expect(server.initiateUpdate(1310)).toBe(true)
    expect(client.initiateUpdate(1320)).toBe(true)
  })

  test('both at once end in the same phase', () => {
    const { client, server } = Pair.established()
    expect(client.initiateUpdate(0)).toBe(true)
    expect(server.initiateUpdate(0)).toBe(true)
    exchange(client, server, 1, 0)
    exchange(server, client, 1, 0)
    expect([client.generation, server.generation, client.phase, server.phase]).toEqual([1, 1, 1, 1])
  })

  test('RFC 9369 §3.3.2 version 2 has a label of its own', () => {
    const [v1, v2] = [new Pair(aes, 1), new Pair(aes, 0x6b3343cf)]
    exchange(v2.client, v2.server, 0, 0)
    exchange(v2.server, v2.client, 0, 0)
    v2.client.initiateUpdate(0)
    exchange(v2.client, v2.server, 1, 0)
    expect(v2.server.generation).toBe(1)
    expect(receive(v1.server, send(v2.client, 2))).toBeUndefined()
  })
})

describe('RFC 9001 §6.2 responding to an update', () => {
  test('the first packet under the next keys moves the write keys too', () => {
    const { client, server } = Pair.established()
    client.initiateUpdate(0)
    expect(receive(server, send(client, 1))).toEqual(payload)
    const answer = send(server, 1)
    expect(receive(client, answer)).toEqual(payload)
    expect(client.generation).toBe(1)
  })

  test('an update is noticed by a side that has sent one packet and never had an acknowledgment', () => {
    const { client, server } = new Pair()
    exchange(client, server, 0, 0)
    expect(receive(client, send(server, 0))).toEqual(payload)
    client.initiateUpdate(0)
    exchange(client, server, 1, 0)
    expect(server.generation).toBe(1)
  })

  test('two updates without an answer between them: the second does not open', () => {
    const { client, server } = Pair.established()
    // Another server with the same keys, which stays silent.
    const { server: silent } = Pair.established()
    client.initiateUpdate(0)
    const first = send(client, 1)
    expect(receive(silent, first)).toEqual(payload)
    expect(receive(server, first)).toEqual(payload)
    exchange(server, client, 1, 0)
    client.onAcked(1)
    expect(client.initiateUpdate(10_000)).toBe(true)
    const second = send(client, 2)
    expect(receive(silent, second, 10_000)).toBeUndefined()
    expect([silent.generation, silent.failures]).toEqual([1, 1])
    expect(receive(server, second, 10_000)).toEqual(payload)
    expect(server.generation).toBe(2)
  })

  test('a packet that only looks like an update changes nothing', () => {
    const { client, server } = Pair.established()
    for (let number = 1; number < 50; number++) expect(forge(server, 1, number)).toBeUndefined()
    expect([server.phase, server.generation, server.failures]).toEqual([0, 0, 49])
    exchange(client, server, 1, 0)
    client.initiateUpdate(0)
    exchange(client, server, 2, 0)
    expect(server.generation).toBe(1)
  })

  test('RFC 9001 §6.3 forged updates derive keys at most once', () => {
    let derivations = 0
    const counting: CryptoBackend = {
      ...nodeBackend,
      packetKey: (suite, key, iv, header) => {
        derivations++
        return nodeBackend.packetKey(suite, key, iv, header)
      },
    }
    const { client, server } = new Pair(aes, 1, counting)
    expect(derivations).toBe(4)
    for (let number = 0; number < 10; number++) forge(server, 1, number)
    // Before its first packet the server cannot be followed by an update.
    expect(derivations).toBe(4)
    send(server, 0)
    for (let number = 0; number < 10; number++) forge(server, 1, number)
    expect(derivations).toBe(6)
    for (let number = 1; number < 10; number++) send(server, number)
    expect(derivations).toBe(6)
    // RFC 9001 §9.5: a busy sender has them ready before they are asked for.
    for (let number = 0; number < 10; number++) send(client, number)
    expect(derivations).toBe(8)
    client.onAcked(0)
    client.initiateUpdate(0)
    expect(derivations).toBe(8)
  })
})

describe('RFC 9001 §6.5 packets of two phases on the way', () => {
  test('older packets that come late open under the keys before', () => {
    const { client, server } = Pair.established()
    const late = [send(client, 1), send(client, 2), send(client, 3)] as const
    client.initiateUpdate(0)
    const newer = [send(client, 4), send(client, 5)] as const
    expect(receive(server, newer[1])).toEqual(payload)
    expect(receive(server, late[2])).toEqual(payload)
    expect(receive(server, newer[0])).toEqual(payload)
    expect(receive(server, late[0])).toEqual(payload)
    expect(receive(server, late[1])).toEqual(payload)
    expect([server.generation, server.failures]).toEqual([1, 0])
  })

  test('who updated reads the old phase until the peer answers, however long that takes', () => {
    const { client, server } = Pair.established()
    client.initiateUpdate(0)
    expect(client.previousDeadline).toBe(Number.POSITIVE_INFINITY)
    for (let number = 1; number < 5; number++) {
      expect(receive(client, send(server, number), number * 100_000)).toEqual(payload)
    }
    expect(client.generation).toBe(1)
    expect(receive(server, send(client, 1))).toEqual(payload)
    expect(receive(client, send(server, 5), 500_000)).toEqual(payload)
    expect(client.previousDeadline).toBe(500_000 + 3 * 999)
  })

  test('the keys before are gone three PTO after the first packet under the current ones', () => {
    const { client, server } = Pair.established()
    server.setPto(50)
    const late = [send(client, 1), send(client, 2)] as const
    client.initiateUpdate(0)
    expect(receive(server, send(client, 3), 1000)).toEqual(payload)
    // Later packets do not put it off.
    expect(receive(server, send(client, 4), 1100)).toEqual(payload)
    expect(server.previousDeadline).toBe(1150)
    expect(receive(server, late[0], 1149)).toEqual(payload)
    expect(receive(server, late[1], 1150)).toBeUndefined()
    expect([server.failures, server.previousDeadline]).toEqual([1, Number.POSITIVE_INFINITY])
  })

  test('a timer may discard them without a packet', () => {
    const { client, server } = Pair.established()
    const late = send(client, 1)
    client.initiateUpdate(0)
    expect(receive(server, send(client, 2), 0)).toEqual(payload)
    server.discardPrevious(2996)
    expect(server.previousDeadline).toBe(2997)
    server.discardPrevious(2997)
    expect(server.previousDeadline).toBe(Number.POSITIVE_INFINITY)
    expect(receive(server, late, 0)).toBeUndefined()
  })

  test('a packet of the phase before the one before does not open', () => {
    const { client, server } = Pair.established()
    const veryLate = send(client, 1)
    for (let round = 2; round < 4; round++) {
      expect(client.initiateUpdate(round * 10_000)).toBe(true)
      exchange(client, server, round, round * 10_000)
      exchange(server, client, round, round * 10_000)
    }
    expect(server.phase).toBe(0)
    expect(receive(server, veryLate, 30_000)).toBeUndefined()
  })
})

describe('RFC 9001 §6.4 numbers never go back to older keys', () => {
  test('an update under a lower number than a packet already received', () => {
    const { client, server } = Pair.established()
    exchange(client, server, 9, 0)
    client.initiateUpdate(0)
    const backwards = send(client, 5)
    receive(server, backwards)
    expect([server.violation, server.generation]).toEqual(['key update under a lower packet number', 0])
  })

  test('newer keys under a lower number than the last of the old ones', () => {
    const { client, server } = Pair.established()
    const late = send(client, 7)
    client.initiateUpdate(0)
    const [between, newer] = [send(client, 6), send(client, 8)]
    expect(receive(server, newer)).toEqual(payload)
    expect(receive(server, late)).toEqual(payload)
    expect(server.violation).toBeUndefined()
    receive(server, between)
    expect(server.violation).toBe('newer keys under a lower packet number')
  })

  test('after an update of its own a side knows what it received before', () => {
    const { client, server } = Pair.established()
    exchange(server, client, 9, 0)
    client.initiateUpdate(0)
    expect(receive(server, send(client, 1))).toEqual(payload)
    receive(client, send(server, 8))
    expect(client.violation).toBe('newer keys under a lower packet number')
  })

  test('older keys under a higher number do not open', () => {
    const { client, server } = Pair.established()
    const tooHigh = send(client, 9)
    client.initiateUpdate(0)
    expect(receive(server, send(client, 5))).toEqual(payload)
    expect(receive(server, tooHigh)).toBeUndefined()
  })

  test('a phase bit that changes without the keys', () => {
    const lie = (from: OneRttKeys, number: number): Sealed => {
      const buffer = new Uint8Array(40)
      buffer[0] = 0x40 | ((1 - from.phase) << 2)
      buffer[1] = number
      return { bytes: buffer.subarray(0, from.seal(buffer, 0, 1, 1, 6, number)), number }
    }
    const { client, server } = Pair.established()
    expect(receive(server, lie(client, 3))).toBeUndefined()
    client.initiateUpdate(0)
    expect(receive(server, send(client, 4))).toEqual(payload)
    // This server has not sent since the update; the current key is the only one it can try.
    receive(server, lie(client, 5))
    expect(server.violation).toBe('key phase changed without its keys')
  })
})

describe('RFC 9001 §6.6 limits', () => {
  const limited = { ...aes, confidentialityLimit: 64, integrityLimit: 10 }

  test('an update is due before the confidentiality limit, and starts the count again', () => {
    const { client, server } = Pair.established(limited)
    for (let number = 1; number < 55; number++) exchange(client, server, number, 0)
    expect(client.needsUpdate).toBe(false)
    exchange(client, server, 55, 0)
    expect([client.needsUpdate, client.isConfidentialityLimitReached]).toEqual([true, false])
    expect(client.initiateUpdate(0)).toBe(true)
    expect(client.needsUpdate).toBe(false)
    for (let number = 56; number < 100; number++) exchange(client, server, number, 0)
  })

  test('without an update the connection must close, and no packet is sealed past the limit', () => {
    const { client } = new Pair(limited)
    for (let number = 0; number < 62; number++) send(client, number)
    expect(client.isConfidentialityLimitReached).toBe(false)
    send(client, 62)
    expect(client.isConfidentialityLimitReached).toBe(true)
    send(client, 63)
    expect(() => send(client, 64)).toThrow(RangeError)
  })

  test('ChaCha20-Poly1305 has no confidentiality limit', () => {
    const { client } = Pair.established(TLS_CHACHA20_POLY1305_SHA256)
    expect([client.needsUpdate, client.isConfidentialityLimitReached]).toEqual([false, false])
  })

  test('forged packets are counted over all keys and updates', () => {
    const { client, server } = Pair.established(limited)
    for (let number = 1; number <= 4; number++) forge(server, 0, number)
    for (let number = 1; number <= 3; number++) forge(server, 1, number)
    client.initiateUpdate(0)
    exchange(client, server, 5, 0)
    forge(server, 1, 6)
    forge(server, 0, 2)
    forge(server, 0, 7)
    expect([server.failures, server.isIntegrityLimitReached]).toEqual([10, false])
    forge(server, 0, 8)
    expect([server.failures, server.isIntegrityLimitReached]).toEqual([11, true])
  })
})

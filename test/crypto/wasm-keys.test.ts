// What the WebAssembly backend does beyond what every backend does: its memory, and where node:crypto takes over.

import { expect, test } from 'vitest'
import type { CryptoBackend } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { wasmBackend } from '../../src/crypto/backend-wasm.ts'
import { INITIAL_SUITE, TLS_AES_128_GCM_SHA256, TLS_CHACHA20_POLY1305_SHA256 } from '../../src/crypto/cipher-suite.ts'
import { hkdfExpandLabel, noContext } from '../../src/crypto/hkdf.ts'
import { OneRttKeys } from '../../src/crypto/key-update.ts'
import { directionKeys } from '../../src/crypto/packet-protection.ts'
import { MAX_KEY_SLOTS } from '../../src/crypto/wasm-memory.ts'

const backend = wasmBackend as CryptoBackend
const chacha = TLS_CHACHA20_POLY1305_SHA256
const memory = new Uint8Array(backend.packetBuffer(1).buffer)

function newKeys(on = backend, secret = on.random(32), suite = chacha): ReturnType<typeof directionKeys> {
  return directionKeys(on, 1, suite, secret)
}

/** A packet with 2 bytes of number, sealed at `start` of a buffer. */
function seal(keys: ReturnType<typeof directionKeys>, buffer: Uint8Array, start: number, payload: Uint8Array): number {
  buffer.set([0x41, 7, 7, 0, 5], start)
  buffer.set(payload, start + 5)
  return keys.packet.seal(buffer, start, start + 3, 2, start + 5 + payload.length, 5)
}

function open(keys: ReturnType<typeof directionKeys>, packet: Uint8Array): Uint8Array | undefined {
  const length = keys.header.unmask(packet, 0, 3)
  return keys.packet.open(packet, 0, 3 + length, packet.length, 5)
}

test.each([
  ['ChaCha20-Poly1305', chacha, [40, 186, 187, 442, 443, 4070, 8900, 32_000]],
  ['Initial', INITIAL_SUITE, [15, 16, 17]],
])('%s packets of all lengths are those of node:crypto, wherever they lie', (_, suite, more) => {
  const secret = backend.random(32)
  const [here, there] = [newKeys(backend, secret, suite), newKeys(nodeBackend, secret, suite)]
  // Around 4,096 bytes the work changes hands.
  for (const length of [2, 1200, 4091, 4092, ...more]) {
    const payload = backend.random(length)
    const made = [backend.packetBuffer(length + 50), new Uint8Array(length + 50)].map(buffer =>
      buffer.slice(9, seal(here, buffer, 9, payload)),
    )
    const plain = new Uint8Array(length + 50)
    const expected = plain.slice(9, seal(there, plain, 9, payload))
    expect(made).toEqual([expected, expected])
    expect(open(here, made[0] as Uint8Array)).toEqual(payload)
    expect(open(there, made[1] as Uint8Array)).toEqual(payload)
    const forged = expected.slice()
    forged.set([(forged.at(-1) as number) ^ 1], forged.length - 1)
    expect(open(here, forged)).toBeUndefined()
  }
})

test('packet buffers lie in the memory of the module, apart from each other, until there is no more', () => {
  const buffers = Array.from({ length: 100 }, () => backend.packetBuffer(1500))
  expect(buffers.every(buffer => buffer.buffer === memory.buffer)).toBe(true)
  const starts = buffers.map(buffer => buffer.byteOffset).sort((a, b) => a - b)
  expect(starts.slice(1).every((start, i) => start - (starts[i] as number) >= 1500)).toBe(true)
  const large = Array.from({ length: 200 }, () => backend.packetBuffer(65_536))
  expect(large.filter(buffer => buffer.buffer === memory.buffer).length).toBeGreaterThan(50)
  expect(large.filter(buffer => buffer.buffer !== memory.buffer).length).toBeGreaterThan(50)
})

test('a discarded key is erased, and refuses to work', () => {
  // Its own secret: other tests may leave those of RFC 9001 in the same memory.
  const secret = backend.random(32)
  const keys = newKeys(backend, secret)
  const label = (name: string) => hkdfExpandLabel(nodeBackend, 'sha256', secret, name, noContext, 32)
  const [key, hp] = [label('quic key'), label('quic hp')]
  const packet = new Uint8Array(100)
  const end = seal(keys, packet, 0, new Uint8Array(20))
  expect([count(key), count(hp)]).toEqual([1, 1])
  keys.discard()
  expect([count(key), count(hp), count(secret)]).toEqual([0, 0, 0])
  expect(() => keys.packet.seal(packet, 0, 3, 2, 30, 6)).toThrow(TypeError)
  expect(() => keys.packet.open(packet, 0, 5, end, 5)).toThrow(TypeError)
  expect(() => keys.header.unmask(packet, 0, 3)).toThrow(TypeError)
  keys.discard()
})

test('RFC 9001 §6 keys of earlier phases are erased', () => {
  const [client, server] = [backend.random(32), backend.random(32)]
  const before = takenSlots()
  const keys = new OneRttKeys(backend, 1, chacha, server, client)
  const packet = new Uint8Array(100)
  for (let number = 0, now = 0; number < 10; number++, now += 10_000) {
    packet[0] = 0x41
    keys.seal(packet, 0, 3, 2, 30, number)
    keys.onAcked(number)
    keys.initiateUpdate(now)
  }
  // Two header keys, the current keys and at most those before and after.
  expect(takenSlots() - before).toBeLessThanOrEqual(7)
  keys.discard()
  expect(takenSlots()).toBe(before)
})

test('when all slots are taken keys are those of node:crypto, and come back when some are free', () => {
  const secret = backend.random(32)
  const header = backend.headerKey(chacha, backend.random(32))
  const taken: { discard(): void }[] = []
  for (let i = 0; i < MAX_KEY_SLOTS; i++) taken.push(backend.headerKey(chacha, secret))
  const keys = newKeys(backend, secret)
  const mixed = backend.packetKey(chacha, backend.random(32), backend.random(12), header)
  const packet = new Uint8Array(100)
  expect(open(newKeys(nodeBackend, secret), packet.slice(0, seal(keys, packet, 0, new Uint8Array(20))))).toHaveLength(
    20,
  )
  expect(mixed.seal(packet, 0, 3, 2, 30, 5)).toBe(46)
  expect(keys.header.constructor).not.toBe(header.constructor)
  for (const key of taken) key.discard()
  expect(newKeys(backend).header.constructor).toBe(header.constructor)
})

test('keys of AES that are secret are those of node:crypto', () => {
  const key = backend.headerKey(TLS_AES_128_GCM_SHA256, new Uint8Array(16))
  const other = nodeBackend.headerKey(TLS_AES_128_GCM_SHA256, new Uint8Array(16))
  expect(key.constructor).toBe(other.constructor)
})

test('hashes of every length, in pieces of every size, are those of node:crypto', () => {
  for (let length = 0; length < 5000; length = length * 1.1 + 1) {
    const data = backend.random(Math.floor(length))
    expect(backend.hash('sha256', data)).toEqual(nodeBackend.hash('sha256', data))
    for (const piece of [1, 63, 64, 65, 700, 2048, 2049, 5000]) {
      if (piece === 1 && length > 300) continue
      const hasher = backend.hasher('sha256')
      for (let at = 0; at < data.length; at += piece) hasher.update(data.subarray(at, at + piece))
      expect(hasher.digest()).toEqual(nodeBackend.hash('sha256', data))
    }
  }
})

test('the keys of an HMAC are told apart, also by their last byte and their length', () => {
  const data = backend.random(50)
  const key = new Uint8Array(64)
  for (const length of [64, 63, 64, 32, 33, 32, 0, 64]) {
    for (const last of [0, 1, 1, 0]) {
      key[length - 1] = last
      const used = key.subarray(0, length)
      expect(backend.hmac('sha256', used, data)).toEqual(nodeBackend.hmac('sha256', used, data))
    }
  }
})

/** How often these bytes stand in the memory of the module. */
function count(bytes: Uint8Array): number {
  const all = Buffer.from(memory.buffer)
  let found = 0
  for (let at = all.indexOf(bytes); at >= 0; at = all.indexOf(bytes, at + 1)) found++
  return found
}

/** Of those below the buffers that hold anything. */
function takenSlots(): number {
  let taken = 0
  for (let at = 16_384; at < 16_384 + MAX_KEY_SLOTS * 80; at += 80) {
    if (memory.subarray(at, at + 80).some(byte => byte !== 0)) taken++
  }
  return taken
}

// Two ends of a connection that have nothing but 1-RTT keys, for tests of key updates.

import { expect } from 'vitest'
import type { CryptoBackend } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { type CipherSuite, TLS_AES_128_GCM_SHA256 } from '../../src/crypto/cipher-suite.ts'
import { type KeyPhase, OneRttKeys } from '../../src/crypto/key-update.ts'

export const aes = TLS_AES_128_GCM_SHA256

/** A packet on its way: sealed bytes and the number the receiver will make of them. */
export interface Sealed {
  readonly bytes: Uint8Array
  readonly number: number
}

export class Pair {
  readonly client: OneRttKeys
  readonly server: OneRttKeys

  constructor(suite: CipherSuite = aes, version = 1, backend: CryptoBackend = nodeBackend) {
    const one = new Uint8Array(suite.hashLength).fill(1)
    const two = new Uint8Array(suite.hashLength).fill(2)
    this.client = new OneRttKeys(backend, version, suite, two, one)
    this.server = new OneRttKeys(backend, version, suite, one, two)
  }

  /** Both sides have exchanged number 0 and know it; a key update is permitted to either. */
  static established(suite: CipherSuite = aes): Pair {
    const pair = new Pair(suite)
    exchange(pair.client, pair.server, 0, 0)
    exchange(pair.server, pair.client, 0, 0)
    return pair
  }
}

export const payload = Uint8Array.of(1, 0, 0, 7)

export function send(from: OneRttKeys, number: number): Sealed {
  const buffer = new Uint8Array(40)
  buffer[0] = 0x40 | (from.phase << 2)
  buffer[1] = number
  buffer.set(payload, 2)
  return { bytes: buffer.subarray(0, from.seal(buffer, 0, 1, 1, 6, number)), number }
}

export function receive(to: OneRttKeys, packet: Sealed, now = 0): Uint8Array | undefined {
  const bytes = packet.bytes.slice()
  const numberLength = to.unmask(bytes, 0, 1)
  const phase = ((bytes[0]! >> 2) & 1) as KeyPhase
  return to.open(bytes, 0, 1 + numberLength, bytes.length, packet.number, phase, now)
}

/** One packet and its acknowledgment. */
export function exchange(from: OneRttKeys, to: OneRttKeys, number: number, now: number): void {
  expect(receive(to, send(from, number), now)).toEqual(payload)
  from.onAcked(number)
}

/** What someone on the path can send: right in all but its tag, in the phase asked for. */
export function forge(to: OneRttKeys, phase: KeyPhase, number: number, now = 0): Uint8Array | undefined {
  const bytes = new Uint8Array(30).fill(0x55)
  bytes[0] = 0x40 | (phase << 2)
  return to.open(bytes, 0, 2, 30, number, phase, now)
}

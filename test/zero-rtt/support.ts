// What the tests of this room share.

import { toHex } from '../../src/bytes/hex.ts'
import type { CryptoBackend } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { defaultTransportParameters, type TransportParameters } from '../../src/packet/transport-parameters.ts'
import type { EarlyDataAttempt, Psk } from '../../src/tls13/ports.ts'
import type { Resumption } from '../../src/zero-rtt/resumption.ts'

/** Random bytes that are the same in every run: SHA-256 of a counter. */
export function seededBackend(seed = 0): CryptoBackend {
  let counter = seed
  const random = (length: number): Uint8Array => {
    const out = new Uint8Array(length)
    for (let at = 0; at < length; at += 32) {
      const block = nodeBackend.hash('sha256', new TextEncoder().encode(`block ${counter++}`))
      out.set(block.subarray(0, Math.min(32, length - at)), at)
    }
    return out
  }
  return { ...nodeBackend, random }
}

/** 2026-11-20, a Friday. */
export const START = 1_795_000_000_000

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

export const parameters: TransportParameters = {
  ...defaultTransportParameters,
  initialMaxData: 1_000_000,
  initialMaxStreamDataBidiLocal: 100_000,
  initialMaxStreamDataBidiRemote: 100_000,
  initialMaxStreamDataUni: 100_000,
  initialMaxStreamsBidi: 100,
  initialMaxStreamsUni: 3,
  maxIdleTimeout: 30_000,
}

export function resumption(changes: Partial<Resumption> = {}): Resumption {
  return {
    kind: 'ticket',
    identity: bytesOf('a ticket'),
    secret: new Uint8Array(32).fill(7),
    hash: 'sha256',
    cipherSuite: 0x1301,
    version: 1,
    alpn: 'h3',
    serverName: 'example.com',
    issued: START,
    lifetime: 60_000,
    ageAdd: 0xfffffff0,
    allowsEarlyData: true,
    transportParameters: Uint8Array.of(4, 1, 9),
    appState: Uint8Array.of(1, 2),
    token: bytesOf('token'),
    pins: [new Uint8Array(32).fill(1)],
    initialRtt: 12,
    ...changes,
  }
}

/** What TLS would ask the gate, binder verified. */
export function attempt(psk: Psk, unixTime: number, changes: Partial<EarlyDataAttempt> = {}): EarlyDataAttempt {
  return {
    psk,
    identity: bytesOf('identity'),
    binder: new Uint8Array(32).fill(9),
    ticketAge: undefined,
    hello: { serverName: undefined, alpn: ['h3'], signatureSchemes: [], cipherSuites: [0x1301] },
    unixTime,
    ...changes,
  }
}

export { toHex }

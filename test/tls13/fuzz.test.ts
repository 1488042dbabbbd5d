// Mutated flights: whatever arrives, the only faults are TlsAlert and TransportError.

import { describe, expect, test } from 'vitest'
import { toHex } from '../../src/bytes/hex.ts'
import { type CryptoBackend, NamedGroup } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { Level } from '../../src/packet/level.ts'
import { insecureVerifier } from '../../src/tls13/certificate-policy.ts'
import type { OfferedPsk, Psk } from '../../src/tls13/ports.ts'
import {
  startClient,
  startServer,
  type TlsClientConfig,
  type TlsServerConfig,
  type TlsSession,
} from '../../src/tls13/session.ts'
import { ed25519, testTime } from '../support/certificates.ts'
import { certified, clientConfig, drain, failure, Pipe, psksBy, type Side, serverConfig } from './support.ts'

const MUTATIONS = 2000

/** mulberry32. */
function seeded(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

function mutate(original: Uint8Array, random: (below: number) => number): Uint8Array {
  let bytes = [...original]
  for (let rounds = 1 + random(3); rounds > 0 && bytes.length > 0; rounds--) {
    const at = random(bytes.length)
    const length = 1 + random(8)
    const kind = random(12)
    if (kind >= 8) bytes[at] = random(256)
    else if (kind >= 6) bytes[at] = (bytes[at] as number) ^ (1 << random(8))
    else if (kind >= 5) bytes[at] = [0, 1, 127, 128, 255][random(5)] as number
    else if (kind === 2) bytes.splice(at, length)
    else if (kind === 3) bytes.splice(at, 0, ...Array.from({ length }, () => random(256)))
    else if (kind === 4) bytes.splice(at, 0, ...bytes.slice(at, at + length))
    else if (kind === 0) bytes = bytes.slice(0, at)
    else bytes.copyWithin(at, random(bytes.length))
  }
  // Most of the time the length of the message is right, so that the faults are inside.
  if (random(8) > 0 && bytes.length >= 4) bytes.splice(1, 3, 0, (bytes.length - 4) >> 8, (bytes.length - 4) & 255)
  return Uint8Array.from(bytes)
}

/** Everything a client draws is the same each time, so that one recorded answer fits them all. */
function repeating(): CryptoBackend {
  const exchanges = new Map(nodeBackend.groups.map(group => [group, nodeBackend.keyExchange(group)]))
  const random = new Uint8Array(32).fill(7)
  return {
    ...nodeBackend,
    random: length => random.subarray(0, length),
    keyExchange: group => exchanges.get(group) ?? nodeBackend.keyExchange(group),
  }
}

const secret = new Uint8Array(32).fill(3)
const earlyData = { cipherSuite: 0x1301, alpn: 'h3', serverName: undefined, transportParameters: new Uint8Array(0) }
const offered: OfferedPsk = {
  kind: 'imported',
  identity: Uint8Array.of(1),
  secret,
  hash: 'sha256',
  obfuscatedAge: 0,
  earlyData,
}
const known: Psk = {
  kind: 'imported',
  secret,
  hash: 'sha256',
  earlyData,
  expires: Number.POSITIVE_INFINITY,
  appState: new Uint8Array(0),
}
const psks = psksBy({ [toHex(offered.identity)]: known })
const key = certified(ed25519)

interface Scene {
  client?: Partial<TlsClientConfig>
  server?: Partial<TlsServerConfig>
}

const scenes: Record<string, Scene> = {
  certificate: {},
  'PSK and early data': { client: { psk: offered }, server: { psks, earlyData: { admit: () => true } } },
  HelloRetryRequest: {
    client: { groups: [NamedGroup.X25519, NamedGroup.P256], psk: offered },
    server: { psks, groups: [NamedGroup.P256] },
  },
}

interface Received {
  readonly level: Level
  readonly bytes: Uint8Array
}

/** What one side receives in a good handshake, message by message. */
function record(scene: Scene, to: Side): Received[] {
  const received: Received[] = []
  const tickets = { issue: () => ({ ticket: Uint8Array.of(1, 2, 3), lifetimeSeconds: 60, ageAdd: 1 }) }
  new Pipe(scene.client, { ...scene.server, tickets, ticketTerms: true }).run((from, bytes, level) => {
    if (from !== to) received.push({ level, bytes })
    return [bytes]
  })
  return received
}

function fuzz(start: () => TlsSession, messages: readonly Received[], seed: number): Map<string, number> {
  // Unchanged, the recording makes a good handshake.
  const good = start()
  for (const { level, bytes } of messages) {
    good.receive(level, bytes, testTime)
    drain(good)
  }
  expect(good.isComplete).toBe(true)
  const random = seeded(seed)
  const ends = new Map<string, number>()
  for (let i = 0; i < MUTATIONS; i++) {
    const target = random(messages.length)
    const { level: changedLevel, bytes: original } = messages[target] as Received
    const changed = mutate(original, random)
    const session = start()
    const end = failure(() => {
      messages.forEach(({ level, bytes }, index) => {
        session.receive(level, index === target ? changed : bytes, testTime)
        drain(session)
      })
    })
    // What the Finished messages cover cannot be changed unnoticed.
    if (session.isComplete && changedLevel !== Level.OneRtt) expect(changed).toEqual(original)
    ends.set(end, (ends.get(end) ?? 0) + 1)
  }
  return ends
}

describe('2,000 mutations of each flight end in an alert, a transport error, or nothing', () => {
  let seed = 1
  for (const [name, scene] of Object.entries(scenes)) {
    const backend = repeating()
    const client = { backend, verifier: insecureVerifier, ...scene.client }
    const server = { backend, certificates: { select: () => key }, ...scene.server }

    test(`${name}: at the client`, () => {
      const messages = record({ client, server: { ...server, backend: nodeBackend } }, 'client')
      const ends = fuzz(() => startClient(clientConfig(client), testTime), messages, seed++)
      expect(ends.size).toBeGreaterThan(3)
    })

    test(`${name}: at the server`, () => {
      const messages = record({ client, server }, 'server')
      const ends = fuzz(() => startServer(serverConfig(server)), messages, seed++)
      expect(ends.size).toBeGreaterThan(3)
    })
  }
})

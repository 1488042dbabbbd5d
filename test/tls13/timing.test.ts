// RFC 8446 §E.6: a server that is shown a PSK takes as long, and says the same, whether it knows the identity or not.

import { describe, expect, test } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { Level } from '../../src/packet/level.ts'
import type { PskSource } from '../../src/tls13/ports.ts'
import { startServer } from '../../src/tls13/session.ts'
import { provision } from '../../src/zero-rtt/generator.ts'
import { ProvisionedClient } from '../../src/zero-rtt/provisioned-client.ts'
import { ProvisionedServer } from '../../src/zero-rtt/provisioned-server.ts'
import { TicketSealer } from '../../src/zero-rtt/ticket-sealer.ts'
import { testTime } from '../support/certificates.ts'
import { clientHello, neededExtensions, vector } from './hello-parts.ts'
import { failure, serverConfig } from './support.ts'

const TRIES = 10_000
const MOST = 0.05
/** Other work on the machine may spoil a measurement, but not each of so many; a leak spoils them all. */
const MEASUREMENTS = 10

const { schemes: _, ...withoutSchemes } = neededExtensions(nodeBackend.keyExchange(0x1d).publicKey)

/** A ClientHello that counts on this identity alone, its binder made up. */
function helloWith(identity: Uint8Array): Uint8Array {
  const identities = vector(2, vector(2, [...identity]), [0, 0, 3, 0xe8])
  const binders = vector(2, vector(1, [...nodeBackend.random(32)]))
  return clientHello({ extensions: [...Object.values(withoutSchemes), [41, [...identities, ...binders]]] })
}

/** Medians of the time in ns until a server refuses hellos of each kind, by chance one or the other. */
function medians(psks: PskSource, hellos: readonly (readonly Uint8Array[])[], tries: number): number[] {
  const times = hellos.map((): number[] => [])
  for (let i = 0; i < tries; i++) {
    const kind = Math.floor(Math.random() * hellos.length)
    const list = hellos[kind] as readonly Uint8Array[]
    const server = startServer(serverConfig({ psks }))
    const start = process.hrtime.bigint()
    const how = failure(() => server.receive(Level.Initial, list[i % list.length] as Uint8Array, testTime))
    times[kind]?.push(Number(process.hrtime.bigint() - start))
    if (how !== 'DecryptError') expect(how).toBe('DecryptError')
  }
  return times.map(list => list.sort((a, b) => a - b)[list.length >> 1] as number)
}

/** How much more the largest median is than the smallest. */
function spread(times: readonly number[]): number {
  return Math.max(...times) / Math.min(...times) - 1
}

/** `kinds` make identities. */
function expectAlike(psks: PskSource, ...kinds: readonly (() => Uint8Array)[]): void {
  const hellos = kinds.map(identity => Array.from({ length: 20 }, () => helloWith(identity())))
  // Until the optimizing compiler has nothing left to do.
  medians(psks, hellos, TRIES / 5)
  const measured: (readonly number[])[] = []
  do measured.push(medians(psks, hellos, TRIES))
  while (spread(measured.at(-1) as readonly number[]) >= MOST && measured.length < MEASUREMENTS)
  expect(Math.min(...measured.map(spread)), JSON.stringify(measured)).toBeLessThan(MOST)
}

describe(`RFC 8446 §E.6: over ${TRIES} tries medians differ by less than ${MOST * 100} %`, () => {
  test('a ticket of ours with a wrong binder, one of another server, and garbage', () => {
    const psks = new TicketSealer(nodeBackend)
    const other = new TicketSealer(nodeBackend)
    const state = {
      secret: nodeBackend.random(32),
      hash: 'sha256',
      issued: testTime - 1000,
      terms: undefined,
      appState: new Uint8Array(0),
    } as const
    const ticketOf = (sealer: TicketSealer): Uint8Array => sealer.issue(state)?.ticket as Uint8Array
    const { length } = ticketOf(psks)
    expectAlike(
      psks,
      () => ticketOf(psks),
      () => ticketOf(other),
      () => nodeBackend.random(length),
    )
  })

  test('a provisioned client with a wrong binder, and one of another worker', () => {
    const bundles = (clientId: string) =>
      provision({
        backend: nodeBackend,
        unixTime: testTime,
        clientId,
        addresses: ['worker:443'],
        alpn: 'h3',
        cipherSuite: 0x1301,
        transportParameters: new Uint8Array(0),
      })
    const [known, stranger] = [bundles('gateway'), bundles('gateway')]
    const psks = new ProvisionedServer(nodeBackend, known.worker)
    const clients = [known, stranger].map(({ client }) => new ProvisionedClient(nodeBackend, client, () => testTime))
    const identities = clients.map(client => () => client.take('worker:443')?.identity as Uint8Array)
    expectAlike(psks, ...identities)
  })
})

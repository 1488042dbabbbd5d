// Early data over many networks by seed: accepted, rejected, after a Retry, after a HelloRetryRequest, and all of it
// with loss. The server reads every byte once, whatever became of the first flight.

import { describe, expect, test } from 'vitest'
import { NamedGroup } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { AddressTokens } from '../../src/zero-rtt/address-token.ts'
import { provisioned } from '../connection/early.ts'
import { Transfer } from '../connection/support.ts'
import { integer, seededRandom } from '../reference/random.ts'
import { Pair, type PairOptions } from './pair.ts'

const SEEDS = Number(process.env['NETWORK_SEEDS'] ?? 200)

const outcomes = ['accepted', 'rejected', 'unknown identity'] as const

interface Case {
  readonly outcome: (typeof outcomes)[number]
  readonly options: PairOptions
  readonly size: number
  readonly hasRetryRequest: boolean
}

function makeCase(seed: number): Case {
  const random = seededRandom(seed * 7)
  const outcome = outcomes[seed % 3] as Case['outcome']
  const offer = provisioned()
  const server = outcome === 'unknown identity' ? provisioned().server : offer.server
  const hasRetryRequest = random() < 0.3
  const groups = [NamedGroup.P256, NamedGroup.X25519]
  const early = outcome === 'rejected' ? { earlyData: { admit: () => false } } : {}
  return {
    outcome,
    hasRetryRequest,
    size: 1 + integer(random, 30_000),
    options: {
      seed,
      link: {
        delay: 1 + random() * 100,
        loss: random() < 0.3 ? 0 : random() * 0.2,
        reorder: random() < 0.5 ? 0 : random() * 0.4,
        duplicate: random() < 0.5 ? 0 : random() * 0.2,
        corrupt: random() < 0.7 ? 0 : random() * 0.05,
      },
      client: {
        resumption: { ...offer.resumption, token: new Uint8Array(0) },
        earlyData: true,
        ...(hasRetryRequest && { groups }),
      },
      server: { ...server, ...early, ...(hasRetryRequest && { groups: [NamedGroup.X25519] }) },
      ...(random() < 0.3 && { retry: new AddressTokens(nodeBackend) }),
    },
  }
}

function run(seed: number): void {
  const { outcome, options, size, hasRetryRequest } = makeCase(seed)
  const pair = new Pair(options)
  const transfer = new Transfer(pair, size, 3000, 1 + (seed % 3))
  pair.start(client => transfer.writeAll(client))
  const isOver = transfer.run(300_000)
  expect(isOver, JSON.stringify(pair.client.find('closed') ?? pair.server.find('closed') ?? outcome)).toBe(true)
  pair.world.run(() => pair.client.has('handshakeConfirmed'), pair.world.now + 60_000)
  const isAccepted = outcome === 'accepted' && !hasRetryRequest
  expect(pair.client.connection.peer?.earlyData).toBe(isAccepted ? 'accepted' : 'rejected')
  expect(pair.client.events.filter(event => event.type === 'earlyRejected').length).toBe(isAccepted ? 0 : 1)
}

test('seed 285: the Initial after a Retry arrives with another id at first', () => run(285))

describe('early data by seed', () => {
  for (let first = 1; first <= SEEDS; first += 20) {
    test(`seeds ${first} to ${first + 19}`, () => {
      for (let seed = first; seed < first + 20 && seed <= SEEDS; seed++) {
        try {
          run(seed)
        } catch (error) {
          throw new Error(`seed ${seed}`, { cause: error })
        }
      }
    })
  }
})

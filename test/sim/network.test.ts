// Many networks by seed: whatever happens to datagrams on the way, the bytes arrive, and both sides agree on them.

import { describe, expect, test } from 'vitest'
import { Transfer } from '../connection/support.ts'
import { integer, seededRandom } from '../reference/random.ts'
import type { LinkOptions } from './link.ts'
import { Pair } from './pair.ts'

const SEEDS = Number(process.env['NETWORK_SEEDS'] ?? 200)

/** A direction of a path, good or bad, by seed. */
function randomLink(random: () => number): LinkOptions {
  const pick = (most: number): number => (random() < 0.4 ? 0 : random() * most)
  return {
    delay: 1 + random() * 150,
    loss: pick(0.15),
    duplicate: pick(0.1),
    corrupt: pick(0.05),
    reorder: pick(0.3),
    ...(random() < 0.3 && { rate: 50 + random() * 2000, queue: 12_000 + integer(random, 60_000) }),
  }
}

function transferOver(seed: number): void {
  const random = seededRandom(seed)
  const options = { seed, toServer: randomLink(random), toClient: randomLink(random) }
  // Small requests with large answers, uploads, and both.
  const sizes = [
    [200, integer(random, 60_000)],
    [integer(random, 60_000), 200],
    [integer(random, 20_000), integer(random, 20_000)],
  ] as const
  const [request, response] = sizes[seed % 3] as (typeof sizes)[number]
  const pair = new Pair(options)
  const transfer = new Transfer(pair, request, response, 1 + (seed % 5))
  pair.start()
  const isReady = pair.world.run(() => pair.client.has('handshakeComplete') || pair.client.has('closed'))
  expect(isReady && !pair.client.has('closed'), `no handshake: ${JSON.stringify(pair.client.events)}`).toBe(true)
  expect(transfer.begin().run(), JSON.stringify(pair.client.find('closed') ?? pair.server.find('closed'))).toBe(true)
}

describe('networks by seed', () => {
  for (let first = 1; first <= SEEDS; first += 20) {
    test(`seeds ${first} to ${first + 19}`, () => {
      for (let seed = first; seed < first + 20 && seed <= SEEDS; seed++) {
        try {
          transferOver(seed)
        } catch (error) {
          throw new Error(`seed ${seed}`, { cause: error })
        }
      }
    })
  }
})

// The simulation itself: time passes in order, every handshake case has its seed, and breaches are seen.

import { describe, expect, test } from 'vitest'
import { integer, seededRandom } from '../reference/random.ts'
import { elementsOf } from './elements.ts'
import type { Host } from './host.ts'
import { Invariants } from './invariants.ts'
import { Link } from './link.ts'
import { Pair } from './pair.ts'
import { runSeed } from './run-seed.ts'
import { HANDSHAKE_CASES, HANDSHAKE_LOSS, scenarioNames, scenarioOf, seedsFor, setupOf } from './scenarios.ts'
import { World } from './world.ts'

test('things happen in the order of their times, and of their planning at the same time', () => {
  const world = new World(3)
  const random = seededRandom(7)
  const seen: number[] = []
  const planned = Array.from({ length: 500 }, (_, i) => ({ at: integer(random, 40), i }))
  for (const { at, i } of planned) world.plan(at, () => seen.push(i))
  world.run()
  expect(seen).toEqual(planned.sort((a, b) => a.at - b.at || a.i - b.i).map(({ i }) => i))
})

describe('seeds', () => {
  test('5,000 have every subset of the first six datagrams each way, and every other scenario', () => {
    const seeds = seedsFor(5000)
    expect(new Set(seeds).size).toBe(5000)
    expect(seeds.filter(seed => scenarioOf(seed) === HANDSHAKE_LOSS).length).toBe(HANDSHAKE_CASES)
    expect(new Set(seeds.map(scenarioOf))).toEqual(new Set(scenarioNames))
  })

  test('one subset is one seed', () => {
    const lost = (seed: number): string => {
      const { topology } = setupOf(seed)
      const masks = (['toServer', 'toClient'] as const).map(direction => {
        const link = new Link(new World(seed), elementsOf(topology, direction))
        return Array.from({ length: 6 }, () => {
          const before = link.carried
          link.send(new Uint8Array(1), () => {})
          return link.carried === before ? 1 : 0
        }).join('')
      })
      return masks.join(' ')
    }
    expect(lost(1)).toBe('000000 000000')
    expect(lost(HANDSHAKE_CASES)).toBe('111111 111111')
    expect(new Set(Array.from({ length: HANDSHAKE_CASES }, (_, i) => lost(i + 1))).size).toBe(HANDSHAKE_CASES)
  })

  test('a few of one scenario', () => {
    expect(seedsFor(3, 'rebinding').map(scenarioOf)).toEqual(['rebinding', 'rebinding', 'rebinding'])
  })

  test('a seed repeats to the last happening', () => {
    const seed = seedsFor(1, 'everything')[0] as number
    expect(runSeed(seed)).toEqual(runSeed(seed))
  })
})

describe('invariants', () => {
  /** A host whose connection says of itself what the test wants. */
  function host(facts: {
    inFlight?: number
    window?: number
    timer?: number
    streams?: number
    memory?: number
  }): Host {
    const { inFlight = 0, window = 12_000, timer = 5, streams = 0, memory = 0 } = facts
    const connection = {
      diagnostics: { bytesInFlight: inFlight, congestionWindow: window, openStreams: streams },
      memoryUsed: memory,
      isTerminated: false,
      isAddressValidated: false,
    }
    return { world: { now: 1 }, hasConnection: true, connection, deadline: timer } as unknown as Host
  }

  const address = { host: '192.0.2.1', port: 1 }

  test('RFC 9000 §8.1: more than three times what came from an address', () => {
    const invariants = new Invariants(true, 1200)
    const server = host({})
    invariants.onReceived(server, 1200, address)
    for (let i = 0; i < 3; i++) invariants.onSent(server, 1200, address)
    expect(() => invariants.onSent(server, 1, address)).toThrow('3601 bytes sent')
    expect(() => invariants.onSent(server, 1, { ...address, port: 2 })).toThrow('that sent 0')
  })

  test.each([
    ['more in flight than the window and six probes', { inFlight: 12_000 + 7200 + 1 }, 'in flight'],
    ['a window below the minimum', { window: 2399 }, 'congestion window'],
    ['a timer that is no number', { timer: Number.NaN }, 'a timer at NaN'],
    ['no timer', { timer: Number.POSITIVE_INFINITY }, 'no timer'],
    ['too many streams', { streams: 3001 }, 'streams'],
    ['less memory than streams take', { streams: 2, memory: 4096 }, '4096 bytes counted as held by 2 streams'],
    ['memory below nothing', { memory: -1 }, '-1 bytes counted'],
  ])('%s', (_, facts, message) => {
    const invariants = new Invariants(false, 1200)
    invariants.beforeFlush(host({}))
    expect(() => invariants.afterFlush(host(facts))).toThrow(message)
  })

  test('a timer stuck in the past', () => {
    const invariants = new Invariants(false, 1200)
    const stuck = host({ timer: 0 })
    const turns = (count: number): void => {
      for (let i = 0; i < count; i++) invariants.afterFlush(stuck)
    }
    turns(50)
    expect(() => turns(5)).toThrow('stuck')
  })

  test('connections say what is asked of them', () => {
    const pair = new Pair().connect()
    const facts = pair.client.connection.diagnostics
    expect(facts.congestionWindow).toBeGreaterThanOrEqual(12_000)
    expect(facts.sendBudget).toBe(Number.POSITIVE_INFINITY)
    expect(facts).toMatchObject({ slowStartThreshold: Number.POSITIVE_INFINITY, openStreams: 0, packetsLost: 0 })
  })
})

// Which network and which traffic a seed stands for.

import { integer, seededRandom } from '../reference/random.ts'
import { between, chance, magnitude, type Random } from './chance.ts'
import {
  blackout,
  client,
  corrupt,
  delay,
  drop,
  duplicate,
  type Element,
  jitter,
  loss,
  mtu,
  queue,
  reorder,
  server,
  type Topology,
  toClient,
  toServer,
} from './elements.ts'
import type { StreamPlan } from './traffic.ts'

/** What is done to a connection while bytes flow, by chance. */
export interface Disturbances {
  /** The client's address changes this often, at random times. */
  readonly rebindings?: number
  /** The client goes on by another way this often. */
  readonly migrations?: number
  /** Either side goes on to its next keys this often. */
  readonly keyUpdates?: number
}

export interface Setup {
  readonly topology: Topology
  readonly streams: readonly StreamPlan[]
  readonly disturbances?: Disturbances
  /** Streams of each direction that a peer may open. */
  readonly maxStreams?: number
  /** What the interfaces of both are said to take; datagrams grow up to it. Default: nobody knows. */
  readonly interfacePayload?: number
  /** All that a side may hold and promise, bytes. Default: no limit. */
  readonly maxMemory?: number
  /** Datagrams can vanish: then one side may never hear why the other closed. */
  readonly isLossy: boolean
}

type Make = (random: Random) => Setup

/** The first six datagrams each way arrive or do not: 2^12 cases, seeds 1 to 4096. */
export const HANDSHAKE_CASES = 4096
export const HANDSHAKE_LOSS = 'handshakeLoss'

function stream(random: Random, most: number): StreamPlan {
  return {
    opener: chance(random, 0.7) ? 'client' : 'server',
    direction: chance(random, 0.7) ? 'bidi' : 'uni',
    up: integer(random, Math.floor(magnitude(random, 10, most))),
    down: integer(random, Math.floor(magnitude(random, 10, most))),
    isAtOnce: chance(random, 0.5),
  }
}

function streams(random: Random, most = 200_000, count = 1 + integer(random, 6)): StreamPlan[] {
  return Array.from({ length: count }, () => stream(random, most))
}

/** The same trouble each way, with a delay of its own. */
function both(
  random: Random,
  trouble: readonly Element[],
  plans: StreamPlan[] = streams(random),
  isLossy = true,
): Setup {
  const delays = [toServer(delay(between(random, 1, 100))), toClient(delay(between(random, 1, 100)))].flat()
  return { topology: [client, ...trouble, ...delays, server], streams: plans, isLossy }
}

function handshakeLoss(index: number, random: Random): Setup {
  const dropped = (mask: number) => drop(at => at < 6 && ((mask >> at) & 1) === 1)
  const losses = [...toServer(dropped(index & 63)), ...toClient(dropped(index >> 6))]
  return {
    topology: [client, ...losses, delay(between(random, 1, 80)), server],
    streams: [{ opener: 'client', direction: 'bidi', up: 500, down: 3000 }],
    isLossy: true,
  }
}

/** With that probability an element, else none. */
const perhaps = (random: Random, probability: number, element: Element): Element[] =>
  chance(random, probability) ? [element] : []

/** Queues of real routers hold at least a few datagrams. */
const bottleneck = (random: Random, rate: number): Element =>
  queue({ rate, bytes: Math.max(20_000, between(random, 0.5, 2) * rate * 50) })

/** UDP payloads: of jumbo frames, of what endpoints take on one machine, of the loopback interface. */
const INTERFACES = [8972, 16_000, 65_507] as const

const makers: Readonly<Record<string, Make>> = {
  calm: random => both(random, [], streams(random), false),
  loss: random => both(random, [loss(between(random, 0, 0.4))], streams(random, 20_000, 1 + integer(random, 3))),
  reorder: random => both(random, [reorder(between(random, 0.01, 1), between(random, 1, 100))], streams(random), false),
  duplicate: random => both(random, [duplicate(between(random, 0.01, 1))], streams(random), false),
  corruption: random => both(random, [corrupt(between(random, 0.001, 0.15))]),
  jitter: random => both(random, [jitter(magnitude(random, 1, 500))], streams(random), false),
  bandwidth: random => {
    // 64 kbit/s to 10 Gbit/s, in bytes per ms.
    const rate = magnitude(random, 8, 1_250_000)
    return both(random, [bottleneck(random, rate)], streams(random, Math.min(500_000, rate * 4000)))
  },
  delay: random => ({
    topology: [client, delay(between(random, 0, 1000)), server],
    streams: streams(random),
    isLossy: false,
  }),
  mtu: random => both(random, [mtu(1200 + integer(random, 200))], streams(random), false),
  interfaces: random => {
    const interfacePayload = INTERFACES[integer(random, INTERFACES.length)] as number
    // Half of them promise more than the way keeps.
    const size = chance(random, 0.5) ? interfacePayload : Math.floor(between(random, 1200, interfacePayload))
    const rate = magnitude(random, 200, 1_250_000)
    return { ...both(random, [mtu(size), bottleneck(random, rate)], streams(random, 2_000_000)), interfacePayload }
  },
  blackHole: random => {
    // Datagrams have grown, and then the way takes only small ones.
    const interfacePayload = chance(random, 0.5) ? 1452 : (INTERFACES[integer(random, INTERFACES.length)] as number)
    const hole = mtu(1200 + integer(random, 200), between(random, 200, 2000))
    const rate = magnitude(random, 100, 2000)
    const plans = [...streams(random, 200_000, 2), { ...stream(random, 1000), up: 300_000 + integer(random, 700_000) }]
    return { ...both(random, [hole, bottleneck(random, rate)], plans), interfacePayload }
  },
  blackout: random => {
    const from = between(random, 0, 1500)
    const dark = [blackout(from, from + 3000), queue({ rate: between(random, 20, 200) })]
    return both(random, dark, streams(random, 500_000))
  },
  rebinding: random => ({
    ...both(
      random,
      [...perhaps(random, 0.5, loss(0.03)), queue({ rate: between(random, 50, 500) })],
      streams(random, 500_000),
    ),
    disturbances: { rebindings: 1 + integer(random, 3) },
  }),
  migration: random => ({
    ...both(
      random,
      [...perhaps(random, 0.5, loss(0.05)), queue({ rate: between(random, 50, 500) })],
      streams(random, 500_000),
    ),
    disturbances: { migrations: 1 + integer(random, 4) },
  }),
  bothBusy: random => {
    const up = 50_000 + integer(random, 150_000)
    const down = 50_000 + integer(random, 150_000)
    const plans = (['client', 'server'] as const).flatMap(opener =>
      Array.from({ length: 3 }, (): StreamPlan => ({ opener, direction: 'bidi', up, down, isAtOnce: true })),
    )
    return both(random, [...perhaps(random, 0.5, loss(0.01)), queue({ rate: between(random, 200, 20_000) })], plans)
  },
  manyStreams: random => {
    const plans = Array.from(
      { length: 1000 },
      (): StreamPlan => ({
        opener: chance(random, 0.8) ? 'client' : 'server',
        direction: chance(random, 0.7) ? 'bidi' : 'uni',
        up: integer(random, 300),
        down: integer(random, 300),
      }),
    )
    return {
      ...both(random, perhaps(random, 0.5, loss(0.02)), plans),
      maxStreams: chance(random, 0.5) ? 1000 : 50,
    }
  },
  cutShort: random => {
    const plans = streams(random, 60_000, 5 + integer(random, 30)).map((plan): StreamPlan => {
      const at = integer(random, plan.up + 1)
      if (chance(random, 0.3)) return { ...plan, resetAt: at, reliableSize: integer(random, at + 1) }
      if (chance(random, 0.3)) return { ...plan, resetAt: at }
      return chance(random, 0.5) ? { ...plan, stopAt: at } : plan
    })
    return both(random, [...perhaps(random, 0.5, loss(0.05)), ...perhaps(random, 0.5, reorder(0.2, 50))], plans)
  },
  keyUpdates: random => ({
    ...both(
      random,
      [...perhaps(random, 0.5, loss(0.05)), queue({ rate: between(random, 20, 200) }), reorder(0.1, 50)],
      streams(random, 500_000),
    ),
    disturbances: { keyUpdates: 1 + integer(random, 5) },
  }),
  pressure: random => ({
    ...both(
      random,
      [...perhaps(random, 0.5, loss(0.02)), bottleneck(random, between(random, 200, 20_000))],
      [...streams(random, 200_000), ...streams(random, 2_000_000, 2)],
    ),
    // Less than the windows would like to grow to, and less than what they begin with.
    maxMemory: Math.floor(magnitude(random, 50_000, 5_000_000)),
  }),
  everything: random => ({
    ...both(random, [
      loss(between(random, 0, 0.1)),
      duplicate(between(random, 0, 0.1)),
      corrupt(between(random, 0, 0.02)),
      queue({ rate: magnitude(random, 50, 10_000) }),
      reorder(between(random, 0, 0.3), 50),
      jitter(between(random, 0, 50)),
    ]),
    disturbances: { rebindings: integer(random, 3), migrations: integer(random, 3), keyUpdates: integer(random, 3) },
  }),
}

export const scenarioNames: readonly string[] = [HANDSHAKE_LOSS, ...Object.keys(makers)]

/** The scenario of a seed: the handshakes first, then all others in turn. */
export function scenarioOf(seed: number): string {
  if (seed <= HANDSHAKE_CASES) return HANDSHAKE_LOSS
  const others = scenarioNames.length - 1
  return scenarioNames[1 + ((seed - HANDSHAKE_CASES - 1) % others)] as string
}

export function setupOf(seed: number): Setup {
  const random = seededRandom(seed * 31 + 5)
  const name = scenarioOf(seed)
  if (name === HANDSHAKE_LOSS) return handshakeLoss(seed - 1, random)
  return (makers[name] as Make)(random)
}

/** `count` seeds: all handshakes and then the rest, or half of each while there is no room for all. */
export function seedsFor(count: number, only?: string): number[] {
  const seeds: number[] = []
  if (only !== undefined) {
    for (let seed = 1; seeds.length < count && seed < 1e9; seed++) if (scenarioOf(seed) === only) seeds.push(seed)
    return seeds
  }
  const handshakes = count >= 5000 ? HANDSHAKE_CASES : Math.min(HANDSHAKE_CASES, Math.floor(count / 2))
  for (let i = 0; i < handshakes; i++) seeds.push(1 + Math.floor((i * HANDSHAKE_CASES) / handshakes))
  for (let i = 1; i <= count - handshakes; i++) seeds.push(HANDSHAKE_CASES + i)
  return seeds
}

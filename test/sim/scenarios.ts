// Which network and which traffic a seed stands for.

import { QUIC_V1, QUIC_V2 } from '../../src/packet/version.ts'
import { bbr } from '../../src/recovery/congestion/bbr.ts'
import type { CongestionFactory } from '../../src/recovery/congestion/controller.ts'
import { cubic } from '../../src/recovery/congestion/cubic.ts'
import { newReno } from '../../src/recovery/congestion/new-reno.ts'
import { integer, seededRandom } from '../reference/random.ts'
import type { LinkOptions } from './link.ts'
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
  readonly toServer: LinkOptions
  readonly toClient: LinkOptions
  readonly streams: readonly StreamPlan[]
  readonly disturbances?: Disturbances
  /** Streams of each direction that a peer may open. */
  readonly maxStreams?: number
  readonly datagramSize?: number
  /** ms of the simulated clock. */
  readonly limit?: number
  /** Datagrams can vanish: then one side may never hear why the other closed. */
  readonly isLossy: boolean
}

type Random = () => number
type Make = (random: Random) => Setup

/** The first six datagrams each way arrive or do not: 2^12 cases, seeds 1 to 4096. */
export const HANDSHAKE_CASES = 4096
export const HANDSHAKE_LOSS = 'handshakeLoss'

const between = (random: Random, low: number, high: number): number => low + random() * (high - low)
/** As many small values as large ones. */
const magnitude = (random: Random, low: number, high: number): number => low * (high / low) ** random()
const chance = (random: Random, probability: number): boolean => random() < probability

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
function both(random: Random, link: LinkOptions, plans: StreamPlan[] = streams(random), isLossy = true): Setup {
  const delay = (): number => between(random, 1, 100)
  return { toServer: { delay: delay(), ...link }, toClient: { delay: delay(), ...link }, streams: plans, isLossy }
}

function handshakeLoss(index: number, random: Random): Setup {
  const dropped =
    (mask: number) =>
    (at: number): boolean =>
      at < 6 && ((mask >> at) & 1) === 1
  const delay = between(random, 1, 80)
  return {
    toServer: { delay, drop: dropped(index & 63) },
    toClient: { delay, drop: dropped(index >> 6) },
    streams: [{ opener: 'client', direction: 'bidi', up: 500, down: 3000 }],
    isLossy: true,
  }
}

/** Queues of real routers hold at least a few datagrams. */
const queueFor = (random: Random, rate: number): number => Math.max(20_000, between(random, 0.5, 2) * rate * 50)

const makers: Readonly<Record<string, Make>> = {
  calm: random => both(random, {}, streams(random), false),
  loss: random => both(random, { loss: between(random, 0, 0.4) }, streams(random, 20_000, 1 + integer(random, 3))),
  reorder: random => both(random, { reorder: between(random, 0.01, 1) }, streams(random), false),
  duplicate: random => both(random, { duplicate: between(random, 0.01, 1) }, streams(random), false),
  corruption: random => both(random, { corrupt: between(random, 0.001, 0.15) }),
  jitter: random => both(random, { jitter: magnitude(random, 1, 500) }, streams(random), false),
  bandwidth: random => {
    // 64 kbit/s to 10 Gbit/s, in bytes per ms.
    const rate = magnitude(random, 8, 1_250_000)
    return both(random, { rate, queue: queueFor(random, rate) }, streams(random, Math.min(500_000, rate * 4000)))
  },
  delay: random => {
    const delay = between(random, 0, 1000)
    return both(random, { delay }, streams(random), false)
  },
  mtu: random => both(random, { mtu: 1200 + integer(random, 200) }, streams(random), false),
  blackout: random => {
    const from = between(random, 0, 1500)
    return both(random, { blackout: [from, from + 3000], rate: between(random, 20, 200) }, streams(random, 500_000))
  },
  rebinding: random => ({
    ...both(random, { loss: chance(random, 0.5) ? 0 : 0.03, rate: between(random, 50, 500) }, streams(random, 500_000)),
    disturbances: { rebindings: 1 + integer(random, 3) },
  }),
  migration: random => ({
    ...both(random, { loss: chance(random, 0.5) ? 0 : 0.05, rate: between(random, 50, 500) }, streams(random, 500_000)),
    disturbances: { migrations: 1 + integer(random, 4) },
  }),
  bothBusy: random => {
    const up = 50_000 + integer(random, 150_000)
    const down = 50_000 + integer(random, 150_000)
    const plans = (['client', 'server'] as const).flatMap(opener =>
      Array.from({ length: 3 }, (): StreamPlan => ({ opener, direction: 'bidi', up, down, isAtOnce: true })),
    )
    return both(random, { rate: between(random, 200, 20_000), loss: chance(random, 0.5) ? 0 : 0.01 }, plans)
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
      ...both(random, { loss: chance(random, 0.5) ? 0 : 0.02 }, plans),
      maxStreams: chance(random, 0.5) ? 1000 : 50,
    }
  },
  cutShort: random => {
    const plans = streams(random, 60_000, 5 + integer(random, 30)).map((plan): StreamPlan => {
      const at = integer(random, plan.up + 1)
      if (chance(random, 0.4)) return { ...plan, resetAt: at }
      return chance(random, 0.5) ? { ...plan, stopAt: at } : plan
    })
    return both(random, { loss: chance(random, 0.5) ? 0 : 0.05, reorder: chance(random, 0.5) ? 0 : 0.2 }, plans)
  },
  keyUpdates: random => ({
    ...both(
      random,
      { loss: chance(random, 0.5) ? 0 : 0.05, reorder: 0.1, rate: between(random, 20, 200) },
      streams(random, 500_000),
    ),
    disturbances: { keyUpdates: 1 + integer(random, 5) },
  }),
  everything: random => ({
    ...both(random, {
      loss: between(random, 0, 0.1),
      reorder: between(random, 0, 0.3),
      duplicate: between(random, 0, 0.1),
      corrupt: between(random, 0, 0.02),
      jitter: between(random, 0, 50),
      rate: magnitude(random, 50, 10_000),
    }),
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

/** What both ends are set to, whatever the network is: windows small and large, each congestion controller. */
export interface Settings {
  readonly initialMaxData: number
  readonly initialMaxStreamData: number
  readonly sendBufferSize: number
  readonly congestion: CongestionFactory
}

const controllers: readonly CongestionFactory[] = [cubic, cubic, newReno, bbr]

export function settingsOf(seed: number): Settings {
  const random = seededRandom(seed * 17 + 3)
  return {
    initialMaxData: Math.floor(magnitude(random, 1500, 4_000_000)),
    initialMaxStreamData: Math.floor(magnitude(random, 1000, 1_000_000)),
    sendBufferSize: Math.floor(magnitude(random, 2000, 500_000)),
    congestion: controllers[integer(random, controllers.length)] as CongestionFactory,
  }
}

/** How a connection begins: versions the client offers, best first, and whether the server sends a Retry. */
export interface Beginning {
  readonly versions: readonly number[]
  readonly hasRetry: boolean
}

const offers: readonly (readonly number[])[] = [[QUIC_V1], [QUIC_V1, QUIC_V2], [QUIC_V2, QUIC_V1], [QUIC_V2]]

export function beginningOf(seed: number): Beginning {
  const random = seededRandom(seed * 13 + 11)
  return { versions: offers[integer(random, offers.length)] as readonly number[], hasRetry: chance(random, 0.2) }
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

// Flows that fill a bottleneck for as long as they are let: who gets how much, and how the window moves.

import { randomBytes, seededRandom } from '../reference/random.ts'
import type { Host } from './host.ts'
import { Invariants } from './invariants.ts'
import { Link } from './link.ts'
import { Pair } from './pair.ts'
import { type Crypto, World } from './world.ts'

export interface CongestionScenario {
  readonly name: string
  /** Bytes per ms. */
  readonly rate: number
  /** One way, ms. */
  readonly delay: number
  /** Bytes; the bandwidth-delay product unless said otherwise. */
  readonly queue?: number
  readonly loss?: number
  /** When each flow begins, ms. */
  readonly starts: readonly number[]
  /** ms. */
  readonly duration: number
  /** What happened before is not judged, ms. */
  readonly judgedFrom?: number
  /** Least share of the rate that has to be used. */
  readonly leastUse?: number
  /** Least Jain's index. */
  readonly leastFairness?: number
  readonly datagramSize?: number
  /** Windows and buffers as they are unless somebody asks for others. Otherwise the path is the only limit. */
  readonly hasDefaults?: boolean
}

/** 100 Mbit/s in bytes per ms. */
const FAST = 12_500

export const congestionScenarios: readonly CongestionScenario[] = [
  {
    name: 'oneFlowWithLoss',
    rate: FAST,
    delay: 25,
    loss: 0.001,
    starts: [0],
    duration: 60_000,
    judgedFrom: 2000,
    // RFC 9438 §5.1-5.2: at this loss and RTT the Reno-friendly window is the larger one, sqrt(1.5 / p) datagrams: 7.4 %
    // of the link. Less a tenth.
    leastUse: 0.067,
  },
  {
    name: 'twoFlows',
    rate: 2500,
    delay: 25,
    starts: [0, 0],
    duration: 60_000,
    leastUse: 0.9,
    leastFairness: 0.95,
  },
  {
    name: 'lateComer',
    rate: 2500,
    delay: 25,
    starts: [0, 10_000],
    duration: 70_000,
    judgedFrom: 20_000,
    leastUse: 0.9,
  },
  {
    name: 'jumbo',
    rate: FAST,
    delay: 25,
    starts: [0],
    duration: 20_000,
    judgedFrom: 2000,
    leastUse: 0.9,
    datagramSize: 9000,
  },
  {
    name: 'defaults',
    rate: FAST,
    delay: 25,
    starts: [0],
    duration: 20_000,
    judgedFrom: 1000,
    leastUse: 0.9,
    hasDefaults: true,
  },
  {
    name: 'gigabit',
    rate: 10 * FAST,
    delay: 5,
    starts: [0],
    duration: 2000,
    judgedFrom: 300,
    leastUse: 0.9,
    hasDefaults: true,
  },
  { name: 'oneFlow', rate: FAST, delay: 25, starts: [0], duration: 20_000, judgedFrom: 2000, leastUse: 0.9 },
]

export interface Sample {
  readonly at: number
  readonly window: number
  readonly inFlight: number
  readonly rtt: number
  readonly queued: number
}

export interface CongestionResult {
  readonly name: string
  readonly error: string | undefined
  /** Share of the rate that arrived as stream data, headers not counted. */
  readonly use: number
  readonly fairness: number
  /** Of the wall clock. */
  readonly realTimeFactor: number
  readonly samples: readonly (readonly Sample[])[]
}

/** What every flow sends, over and over. */
const CHUNK = randomBytes(seededRandom(4711), 65_536)
/** One in so many reads is compared whole, of the others the first byte and the last. */
const COMPARED = 16
const SAMPLE_EVERY = 50
const MiB = 1024 * 1024
/** More than the window and the queue hold. */
const WIDE = { initialMaxData: 64 * MiB, initialMaxStreamData: 64 * MiB, sendBufferSize: 8 * MiB }

class Flow {
  readonly pair: Pair
  readonly samples: Sample[] = []
  received = 0
  judgedFrom = 0
  #offset = 0
  #reads = 0

  constructor(world: World, scenario: CongestionScenario, links: { toServer: Link; toClient: Link }) {
    const datagramSize = scenario.datagramSize ?? 1200
    const transport = scenario.hasDefaults ? {} : { ...WIDE, maxDatagramSize: datagramSize }
    const pair = new Pair({
      world,
      links,
      bufferSize: datagramSize,
      client: { transport },
      server: { transport },
    })
    for (const host of [pair.client, pair.server]) {
      host.keepsRecords = false
      host.observer = new Invariants(host === pair.server, datagramSize)
    }
    this.pair = pair
    this.#watch(pair.client, pair.server)
  }

  #watch(client: Host, server: Host): void {
    client.onEvent = event => {
      if (event.type === 'closed') throw new Error(`closed: ${event.errorCode} ${event.reason}`)
      if (event.type === 'handshakeComplete') fill(client, client.connection.openStream('uni') as number)
      if (event.type === 'writable') fill(client, event.id)
    }
    server.onEvent = event => {
      if (event.type !== 'readable') return
      const { connection } = server
      for (let chunk = connection.read(event.id); chunk; chunk = connection.read(event.id)) {
        this.#check(chunk.data)
        if (server.world.now >= this.judgedFrom) this.received += chunk.data.length
        server.world.memory.give(chunk.data)
      }
    }
  }

  /** Throws unless these are the next bytes. */
  #check(data: Uint8Array): void {
    const isWhole = this.#reads++ % COMPARED === 0
    for (let at = 0; at < data.length; ) {
      const from = (this.#offset + at) % CHUNK.length
      const length = Math.min(data.length - at, CHUNK.length - from)
      const last = length - 1
      const isSame = isWhole
        ? Buffer.compare(data.subarray(at, at + length), CHUNK.subarray(from, from + length)) === 0
        : data[at] === CHUNK[from] && data[at + last] === CHUNK[from + last]
      if (!isSame) throw new Error(`other bytes from ${this.#offset + at}`)
      at += length
    }
    this.#offset += data.length
  }
}

function fill(host: Host, id: number): void {
  while (host.connection.write(id, CHUNK, false) > 0);
}

export function runCongestion(scenario: CongestionScenario, crypto: Crypto = 'fast', seed = 1): CongestionResult {
  const world = new World(seed, crypto, 100_000_000)
  const { rate, delay, loss = 0, queue = rate * 2 * delay, duration, starts } = scenario
  const toServer = new Link(world, { rate, delay, loss, queue })
  const toClient = new Link(world, { delay })
  const judgedFrom = scenario.judgedFrom ?? 0
  const flows: Flow[] = []
  const begun = performance.now()
  let error: string | undefined
  try {
    for (const at of starts) {
      const flow = new Flow(world, scenario, { toServer, toClient })
      flow.judgedFrom = judgedFrom
      flows.push(flow)
      world.plan(at, () => flow.pair.start())
    }
    sample(world, flows, toServer)
    world.run(() => false, duration)
  } catch (cause) {
    error = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
  }
  const realTimeFactor = duration / (performance.now() - begun)
  const use = flows.reduce((sum, flow) => sum + flow.received, 0) / (rate * (duration - judgedFrom))
  const fairness = jain(flows.map(flow => flow.received))
  error ??= shortfall(scenario, use, fairness)
  return { name: scenario.name, error, use, fairness, realTimeFactor, samples: flows.map(flow => flow.samples) }
}

function shortfall({ leastUse = 0, leastFairness = 0 }: CongestionScenario, use: number, fairness: number) {
  if (use < leastUse) return `uses ${use.toFixed(3)} of the link, not ${leastUse}`
  return fairness < leastFairness ? `Jain's index ${fairness.toFixed(3)}, not ${leastFairness}` : undefined
}

function sample(world: World, flows: readonly Flow[], link: Link): void {
  for (const { pair, samples } of flows) {
    if (!pair.client.hasConnection) continue
    const { congestionWindow, bytesInFlight } = pair.client.connection.diagnostics
    const rtt = pair.client.connection.rtt.smoothed
    samples.push({ at: world.now, window: congestionWindow, inFlight: bytesInFlight, rtt, queued: link.queued })
  }
  world.plan(world.now + SAMPLE_EVERY, () => sample(world, flows, link))
}

/** 1: all get the same; 1/n: one gets everything. */
export function jain(shares: readonly number[]): number {
  const sum = shares.reduce((a, b) => a + b, 0)
  const squares = shares.reduce((a, b) => a + b * b, 0)
  return squares === 0 ? 0 : (sum * sum) / (shares.length * squares)
}

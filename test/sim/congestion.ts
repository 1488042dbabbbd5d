// Flows that fill a bottleneck for as long as they are let: who gets how much, and how the window moves.

import type { TransportOptions } from '../../src/connection/config.ts'
import { jain } from './congestion-model.ts'
import type { CongestionScenario, FlowPlan } from './congestion-scenarios.ts'
import { delay, drop, type Element, loss, queue } from './elements.ts'
import { Flow } from './flow.ts'
import { Link } from './link.ts'
import { type Series, watch } from './series.ts'
import { type Crypto, World } from './world.ts'

export interface CongestionResult {
  readonly name: string
  readonly about: string
  readonly error: string | undefined
  /** Share of the rate that arrived as stream data, headers not counted. */
  readonly use: number
  /** Of it, the part of each flow. */
  readonly shares: readonly number[]
  readonly fairness: number
  /** How the first flow left slow start: packets lost by then; undefined: it has not. */
  readonly lostInSlowStart: number | undefined
  /** The most bytes that a flow sent at one moment. */
  readonly largestBurst: number
  /** Of the wall clock. */
  readonly realTimeFactor: number
  readonly series: readonly Series[]
}

const MAX_HAPPENINGS = 100_000_000
/** Samples of each flow. */
const SAMPLES = 1200
const MiB = 1024 * 1024
/** More than the window and the queue hold. */
const WIDE = { initialMaxData: 64 * MiB, initialMaxStreamData: 64 * MiB, sendBufferSize: 32 * MiB }

export function runCongestion(scenario: CongestionScenario, crypto: Crypto = 'fast', seed = 1): CongestionResult {
  const world = new World(seed, crypto, MAX_HAPPENINGS)
  const { name, about, rate, duration, judgedFrom = 0 } = scenario
  const bottleneck = new Link(world, wayOf(scenario))
  const flows = scenario.flows.map(plan => flowOf(world, scenario, plan, bottleneck))
  const series = flows.map(({ pair }, i) => ({
    name: nameOf(scenario.flows[i] as FlowPlan, i),
    samples: watch(world, pair.client, () => bottleneck.queued, duration, SAMPLES),
  }))
  const begun = performance.now()
  let error: string | undefined
  try {
    world.run(() => false, duration)
  } catch (cause) {
    error = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
  }
  const realTimeFactor = duration / (performance.now() - begun)
  const shares = flows.map(({ received }) => received / (rate * (duration - judgedFrom)))
  const result = {
    name,
    about,
    use: shares.reduce((sum, share) => sum + share, 0),
    shares,
    fairness: jain(shares),
    lostInSlowStart: flows[0]?.invariants.exit?.packetsLost,
    largestBurst: Math.max(...flows.map(({ invariants }) => invariants.largestBurst)),
    realTimeFactor,
    series,
  }
  return { ...result, error: error ?? shortfall(scenario, result) }
}

/** To the server: everything that is scarce. */
function wayOf(scenario: CongestionScenario): Element[] {
  const { rate, lossPeriod } = scenario
  const way: Element[] = []
  if (scenario.loss) way.push(loss(scenario.loss))
  if (lossPeriod) way.push(drop(index => index % lossPeriod === lossPeriod - 1))
  return [...way, queue({ rate, bytes: scenario.queue ?? rate * 2 * scenario.delay }), delay(scenario.delay)]
}

function flowOf(world: World, scenario: CongestionScenario, plan: FlowPlan, toServer: Link): Flow {
  const { datagramSize = 1200, judgedFrom = 0, timerGrain = 0 } = scenario
  const { at = 0, congestion, farther = 0 } = plan
  const transport: TransportOptions = {
    ...(!scenario.hasDefaults && { ...WIDE, maxDatagramSize: datagramSize }),
    ...(congestion && { congestion }),
  }
  const toClient = new Link(world, [delay(scenario.delay + farther)])
  const flow = new Flow(world, { transport, datagramSize, judgedFrom, timerGrain }, { toServer, toClient })
  world.plan(at, () => flow.pair.start())
  return flow
}

function nameOf({ congestion, farther, at }: FlowPlan, index: number): string {
  const kind = congestion?.name ? ` ${congestion.name}` : ''
  return `flow ${index + 1}${kind === ' congestion' ? '' : kind}${farther ? ` +${farther} ms` : ''}${at ? ` from ${at / 1000} s` : ''}`
}

function shortfall(scenario: CongestionScenario, result: Omit<CongestionResult, 'error'>): string | undefined {
  const { leastUse = 0, leastFairness = 0, leavesBeforeLoss, mostBurst = Number.POSITIVE_INFINITY, rate } = scenario
  const { use, fairness, lostInSlowStart, largestBurst } = result
  if (use < leastUse) return `uses ${use.toFixed(3)} of the link, not ${leastUse.toFixed(3)}`
  if (fairness < leastFairness) return `Jain's index ${fairness.toFixed(3)}, not ${leastFairness}`
  if (leavesBeforeLoss !== undefined && (lostInSlowStart === 0) !== leavesBeforeLoss) {
    return `${lostInSlowStart ?? 'no'} packets lost when slow start was left`
  }
  const burst = largestBurst / rate
  return burst > mostBurst ? `${burst.toFixed(2)} ms of the link leave at once, not ${mostBurst}` : undefined
}

// Flows at a bottleneck: how much of it they must use, how they must share it, how slow start must end.

import { bbr } from '../../src/recovery/congestion/bbr.ts'
import type { CongestionFactory } from '../../src/recovery/congestion/controller.ts'
import { Cubic, cubic } from '../../src/recovery/congestion/cubic.ts'
import { newReno } from '../../src/recovery/congestion/new-reno.ts'
import { expectedUse } from './congestion-model.ts'

export interface FlowPlan {
  /** When it begins, ms. Default 0. */
  readonly at?: number
  /** Default CUBIC. */
  readonly congestion?: CongestionFactory
  /** ms that its ACKs take longer than those of others. Default 0. */
  readonly farther?: number
}

export interface CongestionScenario {
  readonly name: string
  /** What it shows. */
  readonly about: string
  /** Bytes per ms. */
  readonly rate: number
  /** One way, ms. */
  readonly delay: number
  /** Bytes; the bandwidth-delay product unless said otherwise. */
  readonly queue?: number
  /** By chance; `lossPeriod`: one in so many. */
  readonly loss?: number
  readonly lossPeriod?: number
  readonly flows: readonly FlowPlan[]
  /** ms. */
  readonly duration: number
  /** What happened before is not judged, ms. */
  readonly judgedFrom?: number
  /** Least share of the rate that has to be used. */
  readonly leastUse?: number
  /** Least Jain's index. */
  readonly leastFairness?: number
  /** Slow start has to be left before anything is lost; false: it must not be. */
  readonly leavesBeforeLoss?: boolean
  /** The most that may leave at one moment, in ms of the rate. */
  readonly mostBurst?: number
  readonly datagramSize?: number
  /** Windows and buffers as they are unless somebody asks for others. Otherwise the path is the only limit. */
  readonly hasDefaults?: boolean
  /** Timers of both hosts go by so many ms. Default: they are exact. */
  readonly timerGrain?: number
}

/** 100 Mbit/s in bytes per ms. */
const FAST = 12_500
/** Of theory, so much may be missing. */
const TOLERANCE = 0.9
const DATAGRAM = 1200

/** CUBIC as it would be without HyStart++, for comparison. */
class PlainCubic extends Cubic {
  override onAck(): void {}
}

const one: readonly FlowPlan[] = [{}]

export const congestionScenarios: readonly CongestionScenario[] = [
  {
    name: 'oneFlow',
    about: '100 Mbit/s x 50 ms, a queue of one bandwidth-delay product',
    rate: FAST,
    delay: 25,
    flows: one,
    duration: 20_000,
    judgedFrom: 2000,
    leastUse: 0.9,
    leavesBeforeLoss: true,
  },
  {
    name: 'slowStart',
    about: 'HyStart++ leaves slow start before the queue overflows (RFC 9406)',
    rate: FAST,
    delay: 25,
    flows: one,
    duration: 2000,
    leavesBeforeLoss: true,
  },
  {
    name: 'slowStartPlain',
    about: 'the same without HyStart++: the queue overflows',
    rate: FAST,
    delay: 25,
    flows: [{ congestion: size => new PlainCubic(size) }],
    duration: 2000,
    leavesBeforeLoss: false,
  },
  {
    name: 'defaults',
    about: 'one stream with the windows and buffers everybody has',
    rate: FAST,
    delay: 25,
    flows: one,
    duration: 20_000,
    judgedFrom: 1000,
    leastUse: 0.9,
    leavesBeforeLoss: true,
    hasDefaults: true,
  },
  {
    name: 'oneFlowWithLoss',
    about: 'one datagram in a thousand is lost: the Reno-friendly region (RFC 9438 §4.3)',
    rate: FAST,
    delay: 25,
    loss: 0.001,
    flows: one,
    duration: 60_000,
    judgedFrom: 2000,
    leastUse: TOLERANCE * expectedUse({ rate: FAST, rtt: 50, loss: 0.001, datagramSize: DATAGRAM }),
  },
  {
    name: 'longWithLoss',
    about: 'one datagram in ten thousand is lost, 200 ms: the region of CUBIC alone (RFC 9438 §5.1)',
    rate: FAST,
    delay: 100,
    lossPeriod: 10_000,
    flows: one,
    duration: 120_000,
    judgedFrom: 20_000,
    // Theory leaves out fast convergence (RFC 9438 §4.7): whoever lost a little earlier than before expects less.
    leastUse: 0.8 * expectedUse({ rate: FAST, rtt: 200, loss: 0.0001, datagramSize: DATAGRAM }),
  },
  {
    name: 'bbrWithLoss',
    about: 'BBR, one datagram in a hundred is lost',
    rate: FAST,
    delay: 25,
    loss: 0.01,
    flows: [{ congestion: bbr }],
    duration: 20_000,
    judgedFrom: 2000,
    leastUse: 0.9,
  },
  {
    name: 'twoFlows',
    about: 'two CUBIC flows, 20 Mbit/s x 50 ms',
    rate: 2500,
    delay: 25,
    flows: [{}, {}],
    duration: 60_000,
    leastUse: 0.9,
    leastFairness: 0.95,
  },
  {
    name: 'twoReno',
    about: 'two NewReno flows',
    rate: 2500,
    delay: 25,
    flows: [{ congestion: newReno }, { congestion: newReno }],
    duration: 60_000,
    leastUse: 0.9,
    leastFairness: 0.95,
  },
  {
    name: 'cubicAndReno',
    about: 'CUBIC beside NewReno',
    rate: 2500,
    delay: 25,
    flows: [{ congestion: cubic }, { congestion: newReno }],
    duration: 60_000,
    leastUse: 0.9,
  },
  {
    name: 'cubicAndBbr',
    about: 'CUBIC beside BBR',
    rate: 2500,
    delay: 25,
    flows: [{ congestion: cubic }, { congestion: bbr }],
    duration: 60_000,
    leastUse: 0.9,
  },
  {
    name: 'nearAndFar',
    about: 'two CUBIC flows, 50 and 150 ms',
    rate: 2500,
    delay: 25,
    flows: [{}, { farther: 100 }],
    duration: 60_000,
    leastUse: 0.9,
  },
  {
    name: 'lateComer',
    about: 'the second flow begins after 10 s',
    rate: 2500,
    delay: 25,
    flows: [{}, { at: 10_000 }],
    duration: 70_000,
    judgedFrom: 20_000,
    leastUse: 0.9,
  },
  {
    name: 'coarseTimers',
    about: '1 Gbit/s x 10 ms with timers of whole milliseconds',
    rate: 10 * FAST,
    delay: 5,
    flows: one,
    duration: 2000,
    judgedFrom: 300,
    leastUse: 0.9,
    // The pacer saves up to twice as much for timers that are late (src/recovery/pacer.ts).
    mostBurst: 1.25,
    timerGrain: 1,
  },
  {
    name: 'coarseTimersBbr',
    about: 'the same by BBR, whose pace is all that holds it back',
    rate: 10 * FAST,
    delay: 5,
    flows: [{ congestion: bbr }],
    duration: 2000,
    judgedFrom: 300,
    leastUse: 0.9,
    mostBurst: 1.25,
    timerGrain: 1,
  },
  {
    name: 'jumbo',
    about: '100 Mbit/s x 50 ms in datagrams of 9,000 bytes',
    rate: FAST,
    delay: 25,
    flows: one,
    duration: 20_000,
    judgedFrom: 2000,
    leastUse: 0.9,
    datagramSize: 9000,
  },
  {
    name: 'gigabit',
    about: '1 Gbit/s x 10 ms, one stream with the windows and buffers everybody has',
    rate: 10 * FAST,
    delay: 5,
    flows: one,
    duration: 2000,
    judgedFrom: 300,
    leastUse: 0.9,
    hasDefaults: true,
  },
  {
    name: 'tenGigabit',
    about: '10 Gbit/s x 5 ms in datagrams of 9,000 bytes',
    rate: 100 * FAST,
    delay: 2.5,
    flows: one,
    duration: 1000,
    judgedFrom: 200,
    leastUse: 0.9,
    datagramSize: 9000,
  },
]

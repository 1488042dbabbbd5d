// What a seed draws for any scenario: how both ends are set, how a connection begins, what else is said, how it ends.

import type { TransportOptions } from '../../src/connection/config.ts'
import { QUIC_V1, QUIC_V2 } from '../../src/packet/version.ts'
import { bbr } from '../../src/recovery/congestion/bbr.ts'
import type { CongestionFactory } from '../../src/recovery/congestion/controller.ts'
import { cubic } from '../../src/recovery/congestion/cubic.ts'
import { newReno } from '../../src/recovery/congestion/new-reno.ts'
import { integer, seededRandom } from '../reference/random.ts'
import { between, chance, magnitude } from './chance.ts'

const controllers: readonly CongestionFactory[] = [cubic, cubic, newReno, bbr]

/** Of one end: windows small and large, each congestion controller, extensions or none. */
export function settingsOf(seed: number): TransportOptions {
  const random = seededRandom(seed * 17 + 3)
  return {
    initialMaxData: Math.floor(magnitude(random, 1500, 4_000_000)),
    initialMaxStreamData: Math.floor(magnitude(random, 1000, 1_000_000)),
    congestion: controllers[integer(random, controllers.length)] as CongestionFactory,
    ackFrequency: chance(random, 0.7),
    greaseQuicBit: chance(random, 0.7),
    maxAckDelay: chance(random, 0.7) ? 25 : integer(random, 200),
    // Else it follows the window.
    ...(chance(random, 0.7) && { sendBufferSize: Math.floor(magnitude(random, 2000, 500_000)) }),
  }
}

export type EarlyOutcome = 'accepted' | 'rejected' | 'unknown identity'

/** Versions the client offers, best first, whether the server sends a Retry, and what becomes of early data. */
export interface Beginning {
  readonly versions: readonly [number, ...number[]]
  readonly hasRetry: boolean
  readonly early: EarlyOutcome | undefined
}

const offers: readonly Beginning['versions'][] = [[QUIC_V1], [QUIC_V1, QUIC_V2], [QUIC_V2, QUIC_V1], [QUIC_V2]]
const outcomes: readonly EarlyOutcome[] = ['accepted', 'accepted', 'rejected', 'unknown identity']

export function beginningOf(seed: number): Beginning {
  const random = seededRandom(seed * 13 + 11)
  return {
    versions: offers[integer(random, offers.length)] as Beginning['versions'],
    hasRetry: chance(random, 0.2),
    early: chance(random, 0.3) ? outcomes[integer(random, outcomes.length)] : undefined,
  }
}

/** How many DATAGRAM frames each side sends beside the streams. */
export function messagesOf(seed: number): number {
  const random = seededRandom(seed * 7 + 1)
  return chance(random, 0.3) ? 1 + integer(random, 40) : 0
}

/** One side says goodbye, or both fall asleep after so many ms without a word. */
export function idleTimeoutOf(seed: number): number | undefined {
  const random = seededRandom(seed * 5 + 2)
  return chance(random, 0.1) ? Math.floor(between(random, 60_000, 600_000)) : undefined
}

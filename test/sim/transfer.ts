// How fast the simulation itself is: one transfer at 100 Mbit/s, in datagrams of several sizes.
//
// Measured in time of the processor, all threads of the process together: what else runs on the machine does not change
// that much. On an idle one it is what the wall clock says, which is told too.

import { runCongestion } from './congestion.ts'
import { type CongestionScenario, congestionScenarios } from './congestion-scenarios.ts'
import type { Crypto } from './world.ts'

export const TRANSFER = 'transfer'

/** What the loopback interface carries over IPv4: an MTU of 65,535 less the headers. */
export const LOOPBACK_DATAGRAM = 65_507

/** What every path carries, Ethernet, jumbo frames; up to which endpoints search on one machine; the most. With ms each. */
const SIZES: readonly (readonly [datagramSize: number, duration: number])[] = [
  [1200, 4000],
  [1452, 4000],
  [9000, 12_000],
  [16_000, 12_000],
  [LOOPBACK_DATAGRAM, 24_000],
]

/** Of these the fastest counts, since other programs only ever slow one down; the one before is for the compiler. */
export const PASSES = 10

export interface TransferResult {
  readonly datagramSize: number
  /** Seconds simulated in a second of the processor. */
  readonly realTimeFactor: number
  /** The same by the wall clock. */
  readonly byWallClock: number
  readonly error: string | undefined
}

/** `progress` is told what is being measured. */
export function measureTransfers(crypto: Crypto, progress: (text: string) => void): TransferResult[] {
  const oneFlow = congestionScenarios.find(({ name }) => name === 'oneFlow') as CongestionScenario
  return SIZES.map(([datagramSize, duration]) => {
    progress(`${TRANSFER} in datagrams of ${datagramSize} bytes`)
    const scenario = { ...oneFlow, name: TRANSFER, datagramSize, duration }
    let { error } = runCongestion(scenario, crypto)
    let realTimeFactor = 0
    let byWallClock = 0
    for (let pass = 0; pass < PASSES; pass++) {
      const begun = process.cpuUsage()
      const result = runCongestion(scenario, crypto)
      const { user, system } = process.cpuUsage(begun)
      realTimeFactor = Math.max(realTimeFactor, (1000 * duration) / (user + system))
      byWallClock = Math.max(byWallClock, result.realTimeFactor)
      error ??= result.error
    }
    return { datagramSize, realTimeFactor, byWallClock, error }
  })
}

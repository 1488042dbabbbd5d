// What a look at a connection from outside finds: for simulations, logs and people. Nothing here is on the packet path.

import type { Parts } from './parts.ts'
import type { Address } from './path.ts'

export interface Diagnostics {
  /** Bytes (RFC 9002 §B.2). */
  readonly congestionWindow: number
  readonly bytesInFlight: number
  /** Infinity before the first loss. */
  readonly slowStartThreshold: number
  /** Probe timeouts in a row without an acknowledgment. */
  readonly ptoCount: number
  readonly congestionEvents: number
  readonly packetsLost: number
  /** Bytes that may go to an address that is not validated; Infinity when it is (RFC 9000 §8.1). */
  readonly sendBudget: number
  /** While the peer's address is not validated: the one before, which was. */
  readonly formerRemote: Address | undefined
  /** Streams in the table. */
  readonly openStreams: number
}

export function diagnose({ recovery, path, streams }: Parts): Diagnostics {
  const { congestion, stats } = recovery
  return {
    congestionWindow: congestion.window,
    bytesInFlight: recovery.bytesInFlight,
    slowStartThreshold: congestion.slowStartThreshold,
    ptoCount: recovery.ptoCount,
    congestionEvents: stats.congestionEvents,
    packetsLost: stats.packetsLost,
    sendBudget: path.budget,
    formerRemote: path.former,
    openStreams: streams.openCount,
  }
}

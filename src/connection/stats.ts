// Plain counters of one connection, written where things happen. statistics.ts makes the picture that is shown.

import type { DropCause } from '../qlog/recorder.ts'

/** Packets dropped, by cause. */
export type DropCounts = { [Cause in DropCause]: number }

export class Stats {
  datagramsReceived = 0
  datagramsSent = 0
  bytesReceived = 0
  bytesSent = 0
  packetsReceived = 0
  packetsSent = 0
  /** Undecryptable, duplicate, unexpected or malformed before authentication. */
  packetsDropped = 0
  packetsLost = 0
  packetsParked = 0
  /** 0-RTT packets received (server) or sent (client), and their bytes. */
  earlyPackets = 0
  earlyBytes = 0
  /** Packets whose frames had to be repeated, lost or not, and the STREAM and CRYPTO data in them. */
  packetsRepeated = 0
  bytesRepeated = 0
  mtuProbesSent = 0
  readonly dropped: DropCounts = {
    invalid: 0,
    unsupported: 0,
    rejected: 0,
    duplicate: 0,
    connection_unknown: 0,
    decryption_failure: 0,
    key_unavailable: 0,
  }
  /** When the connection began, in the time of `now`. */
  readonly startedAt: number
  /** From then to the end of the handshake, ms; undefined before. */
  handshakeTime: number | undefined = undefined

  constructor(now: number) {
    this.startedAt = now
  }
}

export function countEarly(stats: Stats, bytes: number): void {
  stats.earlyPackets++
  stats.earlyBytes += bytes
}

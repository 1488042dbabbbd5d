// A connection over time: what pictures are drawn from.

import type { Host } from './host.ts'
import type { World } from './world.ts'

export interface Sample {
  /** ms. */
  readonly at: number
  /** Bytes. */
  readonly window: number
  readonly inFlight: number
  /** Bytes; Infinity before slow start has ended. */
  readonly threshold: number
  /** ms, smoothed and of the latest sample. */
  readonly rtt: number
  readonly latestRtt: number
  /** Bytes that wait at the bottleneck. */
  readonly queued: number
  /** So far. */
  readonly packetsLost: number
  readonly probeTimeouts: number
}

export interface Series {
  readonly name: string
  readonly samples: readonly Sample[]
}

/** Looks at `host` so many times within `duration` ms. `queued`: what waits on its way out. */
export function watch(world: World, host: Host, queued: () => number, duration: number, count: number): Sample[] {
  const samples: Sample[] = []
  const look = (): void => {
    if (host.hasConnection && !host.connection.isTerminated) samples.push(sampleOf(host, queued()))
    if (world.now < duration) world.plan(world.now + Math.max(duration, 1) / count, look)
  }
  look()
  return samples
}

function sampleOf({ world, connection }: Host, queued: number): Sample {
  const numbers = connection.statistics()
  return {
    at: world.now,
    window: numbers.congestionWindow,
    inFlight: numbers.bytesInFlight,
    threshold: numbers.slowStartThreshold,
    rtt: numbers.rtt.smoothed,
    latestRtt: numbers.rtt.latest,
    queued,
    packetsLost: numbers.packetsLost,
    probeTimeouts: numbers.probeTimeouts,
  }
}

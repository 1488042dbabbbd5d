// Early data that several servers may take, because they share their ticket keys: a guard that all of them ask, whose
// answer comes later (RFC 8446 §8.1-2). It costs its round trip before the request runs; until then nothing is read.

import { limits } from '../limits.ts'
import type { EarlyDataGate, EarlyDataRefusal } from '../tls13/ports.ts'
import { expectedArrival, type ReplayAnswer } from '../zero-rtt/anti-replay.ts'

export interface SharedReplayGuard {
  /** `fresh` exactly once for each key, whoever asks, until `expires` (Unix ms). */
  check(key: Uint8Array, expires: number, unixTime: number): Promise<ReplayAnswer>
}

export interface SharedGateOptions {
  /** ms between the time a ticket claims and ours. Default 10,000. RFC 8446 §8.3. */
  readonly window?: number
  /** ms that the guard has; then early data is refused, and the request comes in 1-RTT. Default 50. */
  readonly deadline?: number
}

/** For `earlyData` of a server whose tickets other servers take as well. A guard that fails or is late has said no. */
export function sharedGate(guard: SharedReplayGuard, options: SharedGateOptions = {}): EarlyDataGate {
  const { window = limits.earlyDataAge, deadline = DEADLINE } = options
  return {
    later(attempt) {
      const arrival = expectedArrival(attempt, window)
      if (arrival === undefined) return undefined
      return inTime(guard.check(attempt.binder, arrival + window, attempt.unixTime), deadline, 'unknown').then(verdict)
    },
    admit(attempt) {
      attempt.refusal ??= 'undecided'
      return false
    },
  }
}

function verdict(answer: ReplayAnswer): true | EarlyDataRefusal {
  if (answer === 'fresh') return true
  return answer === 'seen' ? 'replayed' : 'undecided'
}

/** What `work` comes to within `deadline` ms; `otherwise` when it is late or fails. */
export async function inTime<T>(work: Promise<T>, deadline: number, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<T>(resolve => {
    timer = setTimeout(resolve, deadline, otherwise)
  })
  try {
    return await Promise.race([work, late])
  } catch {
    return otherwise
  } finally {
    clearTimeout(timer)
  }
}

const DEADLINE = 50

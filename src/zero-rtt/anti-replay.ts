// Keeping early data from being replayed (RFC 8446 §8). A guard says whether something was seen before; a gate, which
// is what TLS asks, is made of one.

import { limits } from '../limits.ts'
import type { EarlyDataAttempt, EarlyDataGate, EarlyDataRefusal, Psk } from '../tls13/ports.ts'
import { TicketPsk } from './ticket-sealer.ts'

/** `unknown`: it cannot be said, which refuses just as `seen` does. */
export type ReplayAnswer = 'fresh' | 'seen' | 'unknown'

export interface ReplayGuard {
  /** `fresh` exactly once for each key until `expires` (Unix ms), after which the key is worthless by itself. */
  check(key: Uint8Array, expires: number, unixTime: number): ReplayAnswer
}

/** The null object: knows nothing, so that nothing is fresh. */
export const RefuseEarlyData: ReplayGuard = { check: () => 'unknown' }

/** Keys a SingleUse guard remembers; about 100 bytes each. */
export const MAX_RECORDED: number = limits.recordedKeys

/**
 * Remembers every key until it expires (RFC 8446 §8.2, recording). When full it says `unknown`: forgetting one early
 * would let its replay in.
 */
export class SingleUse implements ReplayGuard {
  readonly #limit: number
  readonly #seen = new Set<string>()
  /** The same keys by the step of time in which they expire. */
  readonly #byExpiry = new Map<number, string[]>()
  /** Keys that expire before this are forgotten already. */
  #forgottenBefore = 0

  constructor(limit: number = MAX_RECORDED) {
    if (!Number.isInteger(limit) || limit < 1) throw new RangeError(`a limit of ${limit} is not a positive integer`)
    this.#limit = limit
  }

  get size(): number {
    return this.#seen.size
  }

  check(key: Uint8Array, expires: number, unixTime: number): ReplayAnswer {
    this.#forgetExpired(unixTime)
    const name = keyName(key)
    if (this.#seen.has(name)) return 'seen'
    // Also when the clock was set back: what was forgotten must not become fresh again.
    if (expires < this.#forgottenBefore || this.#seen.size >= this.#limit) return 'unknown'
    this.#seen.add(name)
    const step = Math.floor(expires / EXPIRY_STEP)
    const others = this.#byExpiry.get(step)
    if (others === undefined) this.#byExpiry.set(step, [name])
    else others.push(name)
    return 'fresh'
  }

  /** Once for each step of time, whatever the traffic. */
  #forgetExpired(unixTime: number): void {
    const now = Math.floor(unixTime / EXPIRY_STEP)
    if (now * EXPIRY_STEP <= this.#forgottenBefore) return
    this.#forgottenBefore = now * EXPIRY_STEP
    for (const [step, names] of this.#byExpiry) {
      if (step >= now) continue
      for (const name of names) this.#seen.delete(name)
      this.#byExpiry.delete(step)
    }
  }
}

/** ms between the time a client claims and ours. RFC 8446 §8.3 speaks of ten seconds on the Internet. */
export const STRIKE_WINDOW: number = limits.earlyDataAge

export interface StrikeWindowOptions {
  /** ms, both ways. Default STRIKE_WINDOW. */
  readonly window?: number
  /** Keys remembered at a time. Default MAX_RECORDED. */
  readonly limit?: number
  /**
   * Unix ms. With ticket keys that are older than this process: early data is refused while the window reaches back to
   * before the start (RFC 8446 §8.2). Default: not needed, the keys were born with the process.
   */
  readonly startedAt?: number
}

/**
 * Fresh by the age its ticket claims, and not seen within the window (RFC 8446 §8.2-3): remembers seconds instead of
 * the life of a ticket.
 */
export class StrikeWindow implements EarlyDataGate {
  readonly #window: number
  readonly #refusesUntil: number
  readonly #startedAt: number | undefined
  readonly #recorded: SingleUse

  constructor(options: StrikeWindowOptions = {}) {
    this.#window = options.window ?? STRIKE_WINDOW
    this.#recorded = new SingleUse(options.limit)
    this.#startedAt = options.startedAt
    // A hello accepted just before the start may be dated one window ahead, and stays fresh for another.
    this.#refusesUntil = (options.startedAt ?? Number.NEGATIVE_INFINITY) + 2 * this.#window
  }

  admit(attempt: EarlyDataAttempt): boolean {
    const { psk, binder, unixTime } = attempt
    const arrival = expectedArrival(attempt, this.#window)
    if (arrival === undefined) return false
    // Of other PSKs no age is known, so that it is a ticket here.
    if (unixTime <= this.#refusesUntil || !isJudgedHere(psk, this.#startedAt)) return refuse(attempt, 'undecided')
    return isFresh(attempt, this.#recorded.check(binder, arrival + this.#window, unixTime))
  }
}

/**
 * When a ClientHello should have come by the age its ticket claims (RFC 8446 §8.3), Unix ms. Undefined, and remarked: that
 * is more than `window` ms away from now, or no age is claimed.
 */
export function expectedArrival(attempt: EarlyDataAttempt, window: number): number | undefined {
  const { psk, unixTime } = attempt
  if (!(psk instanceof TicketPsk)) {
    attempt.refusal = 'unknown'
    return undefined
  }
  const arrival = psk.issued + psk.claimedAge
  attempt.skew = unixTime - arrival
  if (Math.abs(attempt.skew) <= window) return arrival
  attempt.refusal = 'expired'
  return undefined
}

export interface GateOptions {
  /**
   * Unix ms. Needed with ticket keys that were handed in: tickets of before the guard began to remember get no early data
   * (RFC 8446 §8.2). Default: not needed, the keys were born with the process.
   */
  readonly startedAt?: number
}

/**
 * Admits a ClientHello whose binder the guard calls fresh (RFC 8446 §8.2). A ticket whose early data other servers would
 * take as well is none for a guard that remembers in this process alone.
 */
export function gateFrom(guard: ReplayGuard, { startedAt }: GateOptions = {}): EarlyDataGate {
  return {
    admit: attempt => {
      const { psk, binder, unixTime } = attempt
      const isOlder = psk instanceof TicketPsk && startedAt !== undefined && psk.issued < startedAt
      if (isOlder || !isJudgedHere(psk, startedAt)) return refuse(attempt, 'undecided')
      return isFresh(attempt, guard.check(binder, psk.expires, unixTime))
    },
  }
}

/** RFC 8446 §8: one place alone may judge a ticket, and no place that may have forgotten. */
function isJudgedHere(psk: Psk, startedAt: number | undefined): boolean {
  if (!(psk instanceof TicketPsk) || !psk.isKeyShared) return true
  return startedAt !== undefined && !psk.isAnywhereGood
}

function isFresh(attempt: EarlyDataAttempt, answer: ReplayAnswer): boolean {
  if (answer === 'fresh') return true
  return refuse(attempt, answer === 'seen' ? 'replayed' : 'undecided')
}

function refuse(attempt: EarlyDataAttempt, refusal: EarlyDataRefusal): false {
  attempt.refusal = refusal
  return false
}

/** A key as text, one character for each byte. */
function keyName(key: Uint8Array): string {
  return String.fromCharCode(...key)
}

/** ms. */
const EXPIRY_STEP = 1000

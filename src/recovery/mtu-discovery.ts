// Datagram Packetization Layer PMTU Discovery (RFC 8899, RFC 9000 §14.3): how large datagrams may be on a path.
//
//                 handshake confirmed
//        Base ──────────────────────────► Search ◄──────── raise timer ────────┐
//         ▲                               │  │ ▲ │                              │
//         │                        probe sent  acked: larger                    │
//         │                               └────┘ └─── nothing larger gets through ──► Complete
//         └──────────── black hole: nothing of this size arrives any more ──────────────┘
//
// Base is Search from BASE_PLPMTU on: QUIC does not work below it, so that there is nothing to confirm (§14.3.1).

import { limits } from '../limits.ts'

/** BASE_PLPMTU and MIN_PLPMTU (RFC 9000 §14.3): every path carries this much. */
export const BASE_DATAGRAM_SIZE: number = limits.leastDatagramSize

/** The largest payload of UDP over IPv4 or IPv6 (RFC 9000 §18.2). */
export const MAX_DATAGRAM_SIZE = 65_527

/** MAX_PROBES (RFC 8899 §5.1.2): so many probes of a size are lost before it counts as too large. */
export const MAX_PROBES = 3

/** PMTU_RAISE_TIMER (RFC 8899 §5.1.1), ms: the path may have become wider. */
export const RAISE_INTERVAL = 600_000

/** RFC 8899 §5.3.2: a gain smaller than this is not worth another probe. */
export const SEARCH_GRANULARITY = 20

/** So many times packets of the present size were lost, and none arrived since: they do not fit any more. */
export const BLACK_HOLE_EPISODES = 3

/** So many probe timeouts in a row, and the size is suspected instead of the peer. */
export const BLACK_HOLE_TIMEOUTS = 3

/**
 * RFC 8899 §5.3.2: UDP payloads that fit common networks: tunnels, Ethernet under IPv6 and IPv4, and jumbo frames under
 * both. What lies between is searched by halves once one of them failed, and the ceiling is tried last.
 */
const COMMON_SIZES: readonly number[] = [1400, 1452, 1472, 8952, 8972]

/**
 * One for each path. Probes are packets of the size `nextProbe` asks for, marked as `isMtuProbe`: their loss is no sign
 * of congestion. Of all other packets of the application space it is told as well, to notice when they get lost.
 */
export class MtuDiscovery {
  /** What may be sent: the largest size that has arrived. */
  current: number
  /** When `nextProbe` asks for a probe without having been told anything: Infinity unless the search is complete. */
  deadline: number = Number.POSITIVE_INFINITY
  readonly #base: number
  /** `bound` was called. */
  isBounded = false
  #ceiling: number
  /** The first hop is said to take as much, and may well be the only one. */
  #isLikely = false
  /** Everything above is too large. */
  #limit: number
  /** The size that is being tried; 0: to be chosen. */
  #size = 0
  /** Probes of this size that were lost. */
  #failures = 0
  /** Number of the probe under way; -1 for none. */
  #probe = -1
  #probeSize = 0
  /** The largest packet number with more than the base size that arrived. */
  #largestArrived = -1
  /** At how many different times such packets were lost, while none arrived that was sent later; and when last. */
  #episodes = 0
  #lastEpisodeAt = Number.NEGATIVE_INFINITY

  /** `ceiling` is the least of what the peer receives, what the local interface sends, and what the caller wants. */
  constructor(ceiling: number = COMMON_SIZES[2] as number, base: number = BASE_DATAGRAM_SIZE) {
    this.#base = base
    this.#ceiling = Math.min(Math.max(ceiling, base), MAX_DATAGRAM_SIZE)
    this.#limit = this.#ceiling
    this.current = base
  }

  /**
   * What is known by now of where the search ends; `isLikely`: it is tried first. Before the first probe.
   */
  bound(ceiling: number, isLikely: boolean): void {
    this.isBounded = true
    this.#isLikely = isLikely
    this.#ceiling = Math.min(Math.max(ceiling, this.#base), MAX_DATAGRAM_SIZE)
    this.#restart()
  }

  /** The size of the probe to be sent now; undefined when there is none. Asked again until `onProbeSent`. */
  nextProbe(now: number): number | undefined {
    if (this.#probe !== -1) return undefined
    if (now >= this.deadline) this.#restart()
    if (this.deadline !== Number.POSITIVE_INFINITY) return undefined
    if (this.#size === 0) this.#size = this.#choose()
    if (this.#size > 0) return this.#size
    this.deadline = now + RAISE_INTERVAL
    return undefined
  }

  onProbeSent(number: number, size: number): void {
    this.#probe = number
    this.#probeSize = size
  }

  /** A packet arrived, of the size of its datagram. True when `current` has changed. */
  onAcked(number: number, size: number): boolean {
    if (size > this.#base && number > this.#largestArrived) {
      this.#largestArrived = number
      this.#episodes = 0
    }
    if (number !== this.#probe) return false
    this.#probe = -1
    this.#size = 0
    this.#failures = 0
    if (size <= this.current) return false
    this.current = size
    return true
  }

  /** A packet was lost. True when `current` has changed. */
  onLost(number: number, size: number, now: number): boolean {
    if (number === this.#probe) {
      this.#probe = -1
      // A search that began anew meanwhile is about another size.
      if (this.#probeSize === this.#size && ++this.#failures >= MAX_PROBES) this.#exclude(this.#size)
      return false
    }
    // RFC 8899 §4.3. Losses next to larger packets that arrive are congestion.
    if (size <= this.#base || number < this.#largestArrived || now === this.#lastEpisodeAt) return false
    this.#lastEpisodeAt = now
    return ++this.#episodes >= BLACK_HOLE_EPISODES && this.#fallBack()
  }

  /** The probe timer fired so many times in a row. True when `current` has changed. */
  onProbeTimeout(count: number): boolean {
    return count >= BLACK_HOLE_TIMEOUTS && this.#fallBack()
  }

  /**
   * The local interface refused to send this much: no need to try again. What has got through before does not any more.
   * True when `current` has changed.
   */
  onRefused(size: number): boolean {
    if (size <= this.#base) return false
    const hasChanged = this.current >= size && this.#fallBack()
    this.#exclude(size)
    return hasChanged
  }

  /** The largest size that may fit, and is worth trying next; -1 when there is none. */
  #choose(): number {
    if (this.#isLikely && this.#limit === this.#ceiling) return this.#limit > this.current ? this.#limit : -1
    // A common size, as long as none above the current one failed.
    for (let i = 0; i < COMMON_SIZES.length; i++) {
      const size = COMMON_SIZES[i] as number
      if (size > this.current && size <= this.#limit) return size
    }
    if (this.#limit === this.#ceiling) return this.#limit > this.current ? this.#limit : -1
    if (this.#limit - this.current < SEARCH_GRANULARITY) return -1
    return this.current + Math.ceil((this.#limit - this.current) / 2)
  }

  #exclude(size: number): void {
    this.#limit = Math.max(Math.min(this.#limit, size - 1), this.#base)
    this.#size = 0
    this.#failures = 0
  }

  /** RFC 8899 §5.2: back to the base, and from there another search. */
  #fallBack(): boolean {
    this.#episodes = 0
    if (this.current === this.#base) return false
    this.current = this.#base
    this.#restart()
    return true
  }

  #restart(): void {
    this.deadline = Number.POSITIVE_INFINITY
    this.#limit = this.#ceiling
    this.#size = 0
    this.#failures = 0
  }
}

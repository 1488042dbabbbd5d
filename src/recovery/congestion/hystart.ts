// HyStart++ (RFC 9406): slow start ends when the delay grows, which is before the queue at the bottleneck overflows.
//
// Two departures, without which it would come too late for a queue of one bandwidth-delay product. The least of *any*
// eight samples in a row is compared with the last round, and not only that of all since the round began: what the
// first packets of a round saw is a round trip old, and the window doubles meanwhile. And conservative slow start ends
// early when the delay grows on meanwhile, to twice the threshold.

/** RFC 9406 §4.3, milliseconds: by how much the delay must have grown, at least ... */
export const MIN_RTT_THRESHOLD = 4

/** ... and at most. */
export const MAX_RTT_THRESHOLD = 16

/** RFC 9406 §4.3: between the two, the last round's delay divided by this. */
export const MIN_RTT_DIVISOR = 8

/** RFC 9406 §4.3: samples of which the least counts. */
export const RTT_SAMPLES = 4

/** RFC 9406 §4.3: how much slower the window grows in conservative slow start. */
export const GROWTH_DIVISOR = 4

/** RFC 9406 §4.3: how many rounds conservative slow start lasts. */
export const CONSERVATIVE_ROUNDS = 5

/** Conservative slow start is over when the delay has grown by so many thresholds. */
export const DEEP_QUEUE = 2

const NONE: number = Number.POSITIVE_INFINITY

/** Rounds are counted in packet numbers, so that they last one round trip whatever the application does. */
export class HyStart {
  /** Conservative slow start: the delay grew, and it is being found out whether it stays so. */
  isConservative = false
  /** The round ends when this number is acknowledged. */
  #windowEnd = 0
  #lastRoundMin = NONE
  #roundMin = NONE
  /** The least of the samples since the last eight were looked at, and how many they are. */
  #groupMin = NONE
  #samples = 0
  /** The least of all rounds. */
  #least = NONE
  /** cssBaselineMinRtt: the delay that ended slow start. */
  #baseline = NONE
  #conservativeRounds = 0
  #conservativeSince = 0

  /**
   * RFC 9406 §4.2, for each ACK in slow start: up to which number it goes, what will be sent next, and the RTT it
   * measured (negative: none). True when slow start is over.
   */
  onAck(largestAcknowledged: number, next: number, rtt: number, now: number): boolean {
    if (largestAcknowledged >= this.#windowEnd && this.#endRound(next)) return true
    if (rtt < 0) return false
    if (rtt < this.#roundMin) this.#roundMin = rtt
    if (rtt < this.#groupMin) this.#groupMin = rtt
    if (++this.#samples < RTT_SAMPLES) return false
    const isOver = this.#judge(this.#groupMin, now)
    this.#beginGroup()
    return isOver
  }

  /** What acknowledged bytes add to the window. No limit per ACK: what leaves is paced (RFC 9406 §4.3). */
  growth(size: number): number {
    return this.isConservative ? size / GROWTH_DIVISOR : size
  }

  /** A loss says more than any delay. Slow starts after it are plain ones. */
  onLoss(): void {
    this.isConservative = false
  }

  /** True when it was the last round of conservative slow start. The one in which it began counts. */
  #endRound(next: number): boolean {
    this.#windowEnd = next
    this.#lastRoundMin = this.#roundMin
    this.#least = Math.min(this.#least, this.#roundMin)
    this.#roundMin = NONE
    this.#beginGroup()
    return this.isConservative && ++this.#conservativeRounds >= CONSERVATIVE_ROUNDS
  }

  #beginGroup(): void {
    this.#groupMin = NONE
    this.#samples = 0
  }

  #judge(rtt: number, now: number): boolean {
    if (this.isConservative) {
      // The growth was jitter.
      if (rtt < this.#baseline) this.isConservative = false
      const threshold = rttThreshold(this.#least)
      return rtt >= this.#least + DEEP_QUEUE * threshold && now >= this.#conservativeSince + threshold
    }
    if (this.#lastRoundMin === NONE || rtt < this.#lastRoundMin + rttThreshold(this.#lastRoundMin)) return false
    this.isConservative = true
    this.#baseline = rtt
    this.#conservativeRounds = 0
    this.#conservativeSince = now
    return false
  }
}

function rttThreshold(lastRoundMin: number): number {
  return Math.max(MIN_RTT_THRESHOLD, Math.min(lastRoundMin / MIN_RTT_DIVISOR, MAX_RTT_THRESHOLD))
}

// Estimating the round-trip time (RFC 9002 §5).

/** RFC 9002 §6.2.2: used before there is a sample. */
export const INITIAL_RTT = 333

/** RFC 9002 §6.1.2: no timer is finer than this. */
export const GRANULARITY = 1

export class Rtt {
  /** The newest sample; 0 before the first. */
  latest = 0
  smoothed: number
  /** "rttvar": the mean deviation. */
  variance: number
  /** The smallest sample, acknowledgment delays not subtracted; 0 before the first. */
  min = 0
  hasSample = false
  /** When the first sample was taken: persistent congestion counts only packets sent later (RFC 9002 §7.6.2). */
  firstSampleAt: number = Number.POSITIVE_INFINITY

  constructor(initialRtt: number = INITIAL_RTT) {
    this.smoothed = initialRtt
    this.variance = initialRtt / 2
  }

  /** RFC 9002 §5.3. `ackDelay` is what the peer reported, already limited to its max_ack_delay where that applies. */
  update(latest: number, ackDelay: number, now: number): void {
    this.latest = latest
    if (!this.hasSample) {
      this.#start(latest, now)
      return
    }
    // RFC 9002 §5.2: min_rtt ignores acknowledgment delays, and so bounds what a lying peer can make of them.
    if (latest < this.min) this.min = latest
    const adjusted = latest >= this.min + ackDelay ? latest - ackDelay : latest
    this.variance = (3 * this.variance + Math.abs(this.smoothed - adjusted)) / 4
    this.smoothed = (7 * this.smoothed + adjusted) / 8
  }

  /** RFC 9002 §5.2: after persistent congestion the path may be another one, with a longer minimum. */
  forgetMin(): void {
    this.min = this.latest
  }

  /** For a new path or after Retry: no history, as at the beginning. */
  reset(initialRtt: number): void {
    this.latest = 0
    this.smoothed = initialRtt
    this.variance = initialRtt / 2
    this.min = 0
    this.hasSample = false
    this.firstSampleAt = Number.POSITIVE_INFINITY
  }

  /** smoothed_rtt + max(4*rttvar, kGranularity): the PTO without the peer's delay and without backoff (RFC 9002 §6.2.1). */
  get probePeriod(): number {
    return this.smoothed + Math.max(4 * this.variance, GRANULARITY)
  }

  #start(latest: number, now: number): void {
    this.min = latest
    this.smoothed = latest
    this.variance = latest / 2
    this.hasSample = true
    this.firstSampleAt = now
  }
}

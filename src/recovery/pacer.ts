// Pacing (RFC 9002 §7.7): a bucket of bytes that fills at the rate of the window.

/** The bucket holds this many datagrams at least: the initial window, which RFC 9002 §7.7 allows as a burst. */
export const BURST_PACKETS = 10

/** Timers fire late by a millisecond or so: the bucket holds what this long is worth, or a fast path would starve. */
const TIMER_SLACK = 2

/** No wait is shorter: finer timers do not exist, and a wait of one packet each would be all timers. */
const SHORTEST_WAIT = 1

export class Pacer {
  #maxDatagramSize: number
  #bytes: number
  #filledAt: number = Number.NEGATIVE_INFINITY

  constructor(maxDatagramSize: number) {
    this.#maxDatagramSize = maxDatagramSize
    this.#bytes = BURST_PACKETS * maxDatagramSize
  }

  /** `rate` is in bytes per millisecond. Probes are not held back, but count: the bucket never owes anything. */
  onPacketSent(size: number, rate: number, now: number): void {
    this.#bytes = Math.max(this.#available(rate, now) - size, 0)
    this.#filledAt = now
  }

  /** When a full datagram may be sent: `now` or later. */
  nextSendTime(rate: number, now: number): number {
    const missing = this.#maxDatagramSize - this.#available(rate, now)
    // One byte of tolerance: a bucket that fills exactly by the time promised must not be short by rounding.
    return missing < 1 ? now : now + Math.max(missing / rate, SHORTEST_WAIT)
  }

  setMaxDatagramSize(size: number): void {
    this.#maxDatagramSize = size
  }

  /** A new path may get a burst again. */
  reset(): void {
    this.#bytes = BURST_PACKETS * this.#maxDatagramSize
    this.#filledAt = Number.NEGATIVE_INFINITY
  }

  #available(rate: number, now: number): number {
    const capacity = Math.max(BURST_PACKETS * this.#maxDatagramSize, rate * TIMER_SLACK)
    return Math.min(capacity, this.#bytes + rate * Math.max(now - this.#filledAt, 0))
  }
}

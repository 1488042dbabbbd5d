// Whether more in flight still brings more bandwidth (BBR §4.3.1.2): in Startup, and in each probe for bandwidth.

import type { RateSample } from './delivery-rate.ts'

/** A round trip with less growth than this ... */
const GROWTH = 1.25

/** ... counts, and after so many in a row the pipe is full. */
const ROUNDS = 3

export class FullPipe {
  /** BBR.filled_pipe: the pipe was full once. */
  isFilled = false
  /** BBR.full_bw_now: no growth since `restart`. */
  isFullNow = false
  #baseline = 0
  #rounds = 0

  /** BBRCheckStartupFullBandwidth, in every state. */
  update(sample: RateSample, isRoundStart: boolean): void {
    if (this.isFullNow || !isRoundStart || sample.isAppLimited) return
    if (sample.rate >= this.#baseline * GROWTH) this.restart(sample.rate)
    else if (++this.#rounds >= ROUNDS) {
      this.isFullNow = true
      this.isFilled = true
    }
  }

  /** BBRResetFullBW, with a new baseline. */
  restart(rate: number): void {
    this.isFullNow = false
    this.#rounds = 0
    this.#baseline = rate
  }
}

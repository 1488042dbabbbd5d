// BBR's model of the path (BBR §4.5): bandwidth, round-trip time, and how much the path holds.

import { TwoWindowMax } from './bbr-filters.ts'
import type { DeliveryRate, RateSample } from './delivery-rate.ts'

/** BBRLossThresh (§2.8): the share of losses in a round trip beyond which too much is in flight. */
export const LOSS_THRESHOLD = 0.02

/** BBRBeta (§2.8). */
export const BETA = 0.7

/** BBRHeadroom (§2.8): the share of inflight_hi that is left to others while cruising. */
const HEADROOM = 0.15

/** ProbeRTTInterval (§2.14.2) and MinRTTFilterLen (§2.9.2), in ms. */
const PROBE_RTT_INTERVAL = 5000
const MIN_RTT_WINDOW = 10_000

/** BBRExtraAckedFilterLen (§2.12) is ten round trips: two windows of these many. */
const EXTRA_ACKED_WINDOW = 5

const UNKNOWN: number = Number.POSITIVE_INFINITY

export class BbrModel {
  /** BBR.max_bw, bytes per millisecond. */
  maxBandwidth = 0
  /** BBR.bw_lo and BBR.inflight_lo: what recent losses suggest. Infinity: nothing. */
  bandwidthLow: number = UNKNOWN
  inflightLow: number = UNKNOWN
  /** BBR.inflight_hi: what losses while probing suggested. */
  inflightHigh: number = UNKNOWN
  /** BBR.min_rtt. */
  minRtt: number = UNKNOWN
  /** BBR.probe_rtt_min_stamp. */
  probeRttMinAt = 0
  isProbeRttExpired = false
  isRoundStart = false
  /** BBR.rounds_since_bw_probe. */
  roundsSinceProbe = 0
  /** The end of a round trip by which losses are counted; it does not begin anew with each phase. */
  isLossRoundStart = false
  inflightLatest = 0
  /** Losses in this round by that count, packets next to each other counted once. */
  lossEvents = 0
  extraAcked = 0
  readonly #rate: DeliveryRate
  readonly #bandwidths = new TwoWindowMax()
  readonly #extras = new TwoWindowMax()
  #nextRoundDelivered = 0
  #roundCount = 0
  #bandwidthLatest = 0
  #lossRoundDelivered = 0
  #hasLossInRound = false
  #probeRttMin: number = UNKNOWN
  #minRttAt = 0
  #extraAckedSince = 0
  #extraAckedDelivered = 0

  constructor(rate: DeliveryRate) {
    this.#rate = rate
  }

  /** BBR.bw: what the path is believed to carry now. */
  get bandwidth(): number {
    return Math.min(this.maxBandwidth, this.bandwidthLow)
  }

  /** BBR.bdp, in bytes; Infinity before the first samples. */
  get bdp(): number {
    return this.minRtt === UNKNOWN ? UNKNOWN : this.bandwidth * this.minRtt
  }

  /** BBRInflightWithHeadroom. */
  inflightWithHeadroom(minimum: number): number {
    return Math.max(this.inflightHigh * (1 - HEADROOM), minimum)
  }

  /** BBRStartRound. */
  startRound(): void {
    this.#nextRoundDelivered = this.#rate.delivered
  }

  onLoss(isNextToLast: boolean): void {
    this.#hasLossInRound = true
    if (!isNextToLast) this.lossEvents++
  }

  /** Before the state machine: rounds, bandwidth, losses of the round that ended, aggregation. */
  update(sample: RateSample, window: number, isProbing: boolean, now: number): void {
    this.#updateLatest(sample)
    this.#updateRound(sample)
    if (sample.rate >= this.maxBandwidth || !sample.isAppLimited) this.#bandwidths.update(sample.rate)
    this.maxBandwidth = this.#bandwidths.max
    if (this.isLossRoundStart) {
      // §4.5.6.3 lowers the bounds after any loss, by what was lost and by the pacing margin: at a loss of 1 % to half of
      // the bandwidth until the next probe. Losses within what §2.8 tolerates change nothing here, as in §4.5.6.2.
      if (this.#hasLossInRound && !isProbing && isInflightTooHigh(sample.lost, sample.inFlight))
        this.#lowerBounds(window)
      this.#hasLossInRound = false
    }
    this.#updateAggregation(sample.newlyAcked, window, now)
  }

  /** BBRUpdateMinRTT. */
  updateMinRtt(rtt: number, now: number): void {
    this.isProbeRttExpired = this.#probeRttMin !== UNKNOWN && now > this.probeRttMinAt + PROBE_RTT_INTERVAL
    if (rtt >= 0 && (rtt < this.#probeRttMin || this.isProbeRttExpired)) {
      this.#probeRttMin = rtt
      this.probeRttMinAt = now
    }
    if (this.#probeRttMin < this.minRtt || now > this.#minRttAt + MIN_RTT_WINDOW) {
      this.minRtt = this.#probeRttMin
      this.#minRttAt = this.probeRttMinAt
    }
  }

  /** BBRAdvanceLatestDeliverySignals: after the state machine. */
  advanceLatest(sample: RateSample): void {
    if (!this.isLossRoundStart) return
    this.#bandwidthLatest = sample.rate
    this.inflightLatest = sample.delivered
    this.lossEvents = 0
  }

  /** BBRAdvanceMaxBwFilter. A cycle without a sample does not count. */
  advanceBandwidths(): void {
    if (this.#bandwidths.hasSample) this.#bandwidths.advance()
  }

  /** BBRResetCongestionSignals. */
  resetSignals(): void {
    this.#hasLossInRound = false
    this.#bandwidthLatest = 0
    this.inflightLatest = 0
  }

  /** BBRResetLowerBounds. */
  resetLowerBounds(): void {
    this.bandwidthLow = UNKNOWN
    this.inflightLow = UNKNOWN
  }

  /** The pause is no time in which more should have been acknowledged. */
  onRestart(now: number): void {
    this.#extraAckedSince = now
    this.#extraAckedDelivered = 0
  }

  /** BBRUpdateLatestDeliverySignals. */
  #updateLatest(sample: RateSample): void {
    this.#bandwidthLatest = Math.max(this.#bandwidthLatest, sample.rate)
    this.inflightLatest = Math.max(this.inflightLatest, sample.delivered)
    this.isLossRoundStart = sample.priorDelivered >= this.#lossRoundDelivered
    if (this.isLossRoundStart) this.#lossRoundDelivered = this.#rate.delivered
  }

  /** BBRUpdateRound. */
  #updateRound(sample: RateSample): void {
    this.isRoundStart = sample.priorDelivered >= this.#nextRoundDelivered
    if (!this.isRoundStart) return
    this.startRound()
    this.#roundCount++
    this.roundsSinceProbe++
    if (this.#roundCount % EXTRA_ACKED_WINDOW === 0) this.#extras.advance()
  }

  /** BBRInitLowerBounds, BBRLossLowerBounds: once per round trip with losses, towards what it delivered. */
  #lowerBounds(window: number): void {
    if (this.bandwidthLow === UNKNOWN) this.bandwidthLow = this.maxBandwidth
    if (this.inflightLow === UNKNOWN) this.inflightLow = window
    this.bandwidthLow = Math.max(this.#bandwidthLatest, BETA * this.bandwidthLow)
    this.inflightLow = Math.max(this.inflightLatest, BETA * this.inflightLow)
  }

  /** BBRUpdateACKAggregation: how much more arrives at once than the bandwidth explains. */
  #updateAggregation(newlyAcked: number, window: number, now: number): void {
    let expected = this.bandwidth * (now - this.#extraAckedSince)
    if (this.#extraAckedDelivered <= expected) {
      this.#extraAckedDelivered = 0
      this.#extraAckedSince = now
      expected = 0
    }
    this.#extraAckedDelivered += newlyAcked
    this.#extras.update(Math.min(this.#extraAckedDelivered - expected, window))
    this.extraAcked = this.#extras.max
  }
}

/** IsInflightTooHigh (§4.5.6.2): more was lost of what was in flight than is tolerated. */
export function isInflightTooHigh(lost: number, inFlight: number): boolean {
  return lost > inFlight * LOSS_THRESHOLD
}

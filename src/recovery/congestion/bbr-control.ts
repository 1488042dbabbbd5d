// What BBR makes of its model (BBR §4.6): the pacing rate and the window.

import type { BbrModel } from './bbr-model.ts'
import { BbrState, cwndGain, isProbingState, pacingGain, STARTUP_PACING_GAIN } from './bbr-state.ts'
import { initialWindow, minimumWindow } from './controller.ts'
import type { DeliveryRate, RateSample } from './delivery-rate.ts'

/** BBRPacingMarginPercent (§2.5): a little less than the path carries, so that queues drain. */
const PACING_MARGIN = 0.99

/** BBRMinPipeCwnd (§2.8), in datagrams. */
const MIN_PIPE = 4

/** BBRInitPacingRate (§4.6.2): the RTT before there is a sample, in ms. */
const NOMINAL_RTT = 1

/** §4.6.3: at most so much is scheduled at once, and no less than two datagrams. */
const MAX_QUANTUM = 65_536
const MIN_QUANTUM_PACKETS = 2

/** §4.5.4: quanta that hosts may hold back at either end. */
const OFFLOAD_QUANTA = 3

export class BbrControl {
  window: number
  /** Bytes per millisecond. */
  pacingRate: number
  /** Set once the pipe was full (BBR.filled_pipe): the model is to be believed, also when it says less than before. */
  hasFilledPipe = false
  readonly #model: BbrModel
  readonly #rate: DeliveryRate
  #maxDatagramSize: number
  /** BBR.prior_cwnd: before ProbeRTT reduced it. */
  #priorWindow = 0
  #hasRttForPacing = false

  constructor(maxDatagramSize: number, model: BbrModel, rate: DeliveryRate) {
    this.#maxDatagramSize = maxDatagramSize
    this.#model = model
    this.#rate = rate
    this.window = initialWindow(maxDatagramSize)
    this.pacingRate = (STARTUP_PACING_GAIN * this.window) / NOMINAL_RTT
  }

  get maxDatagramSize(): number {
    return this.#maxDatagramSize
  }

  /** BBRMinPipeCwnd. */
  get minPipe(): number {
    return MIN_PIPE * this.#maxDatagramSize
  }

  /** BBRInflight: so much in flight fills the path `gain` times at its highest bandwidth. */
  inflight(gain: number): number {
    const model = this.#model
    if (model.minRtt === Number.POSITIVE_INFINITY) return initialWindow(this.#maxDatagramSize)
    return this.#quantized(gain * model.maxBandwidth * model.minRtt)
  }

  /** BBRTargetInflight. */
  get targetInflight(): number {
    return Math.min(this.#model.bdp, this.window)
  }

  /** BBRUpdateControlParameters. */
  update(state: BbrState, sample: RateSample): void {
    this.#updatePacing(state)
    this.#updateWindow(state, sample)
  }

  /** BBRSetPacingRateWithGain. */
  setPacingGain(gain: number): void {
    const rate = gain * this.#model.bandwidth * PACING_MARGIN
    if (rate > 0 && (this.hasFilledPipe || rate > this.pacingRate)) this.pacingRate = rate
  }

  /** BBRSaveCwnd. */
  saveWindow(): void {
    this.#priorWindow = this.window
  }

  /** BBRRestoreCwnd. */
  restoreWindow(): void {
    this.window = Math.max(this.window, this.#priorWindow)
  }

  /** RFC 9002 §7.6.2. What was is reached again as fast as packets are acknowledged. */
  onPersistentCongestion(): void {
    this.window = minimumWindow(this.#maxDatagramSize)
  }

  setMaxDatagramSize(size: number): void {
    if (this.window === initialWindow(this.#maxDatagramSize)) this.window = initialWindow(size)
    this.#maxDatagramSize = size
  }

  #updatePacing(state: BbrState): void {
    const { minRtt } = this.#model
    if (!this.#hasRttForPacing && minRtt !== Number.POSITIVE_INFINITY) {
      this.#hasRttForPacing = true
      this.pacingRate = (STARTUP_PACING_GAIN * initialWindow(this.#maxDatagramSize)) / Math.max(minRtt, 0.01)
    }
    this.setPacingGain(pacingGain(state))
  }

  /** BBRSetCwnd. */
  #updateWindow(state: BbrState, sample: RateSample): void {
    const maxInflight = this.#maxInflight(state)
    // BBRModulateCwndForRecovery, without packet conservation: losses are repaired at the pace of everything else.
    this.window -= sample.newlyLost
    if (this.hasFilledPipe) this.window = Math.min(this.window + sample.newlyAcked, maxInflight)
    else if (this.window < maxInflight || this.#rate.delivered < initialWindow(this.#maxDatagramSize)) {
      this.window += sample.newlyAcked
    }
    this.window = Math.max(this.window, this.minPipe)
    if (state === BbrState.ProbeRtt) this.window = Math.min(this.window, this.probeRttWindow)
    this.window = Math.min(this.window, this.#cap(state))
  }

  /** BBRProbeRTTCwnd. */
  get probeRttWindow(): number {
    const { bdp } = this.#model
    return bdp === Number.POSITIVE_INFINITY ? this.minPipe : Math.max(cwndGain(BbrState.ProbeRtt) * bdp, this.minPipe)
  }

  /** BBRUpdateMaxInflight. */
  #maxInflight(state: BbrState): number {
    const { bdp, extraAcked } = this.#model
    if (bdp === Number.POSITIVE_INFINITY) return initialWindow(this.#maxDatagramSize)
    const inflight = this.#quantized(cwndGain(state) * bdp + extraAcked)
    return state === BbrState.Up ? inflight + 2 * this.#maxDatagramSize : inflight
  }

  /** BBRBoundCwndForModel (§4.6.4.7). */
  #cap(state: BbrState): number {
    const model = this.#model
    let cap = Number.POSITIVE_INFINITY
    if (state === BbrState.Cruise || state === BbrState.ProbeRtt) cap = model.inflightWithHeadroom(this.minPipe)
    else if (isProbingState(state)) cap = model.inflightHigh
    return Math.max(Math.min(cap, model.inflightLow), this.minPipe)
  }

  /** BBRQuantizationBudget, BBRSetSendQuantum. */
  #quantized(inflight: number): number {
    const quantum = Math.max(Math.min(this.pacingRate, MAX_QUANTUM), MIN_QUANTUM_PACKETS * this.#maxDatagramSize)
    return Math.max(inflight, OFFLOAD_QUANTA * quantum, this.minPipe)
  }
}

// CUBIC (RFC 9438). Windows are bytes here and segments there; times are milliseconds here and seconds there.

import { type CongestionController, initialWindow, minimumWindow, resizedWindow } from './controller.ts'
import { HyStart } from './hystart.ts'

/** RFC 9438 §5.1: C, in segments per second cubed. */
const C = 0.4

/** RFC 9438 §4.6: beta_cubic. */
const BETA = 0.7

/** RFC 9438 §4.3: alpha_cubic, with which an additive increase is as fast as Reno's in spite of the gentler decrease. */
const ALPHA: number = (3 * (1 - BETA)) / (1 + BETA)

/** No time yet. */
const NONE: number = Number.NEGATIVE_INFINITY

/** RFC 9438 §4.9: what a congestion event changes. */
interface PriorState {
  readonly window: number
  readonly slowStartThreshold: number
  readonly recoveryStart: number
  readonly epochStart: number
  readonly maxWindow: number
  readonly priorWindow: number
  readonly plateau: number
  readonly renoWindow: number
}

export class Cubic implements CongestionController {
  window: number
  slowStartThreshold: number = Number.POSITIVE_INFINITY
  #maxDatagramSize: number
  #recoveryStart = NONE
  /** epoch_start: when this congestion avoidance began; moved on over times in which the window was not used. */
  #epochStart = NONE
  /** W_max: where the last loss was; 0 when there is no such place. */
  #maxWindow = 0
  /** cwnd_prior: the window before its last reduction. */
  #priorWindow = 0
  /** K, in seconds: how long the cubic takes to come back to W_max. */
  #plateau = 0
  /** W_est: what Reno would have by now. */
  #renoWindow = 0
  /** Since when the window has not been used in full; NONE while it is. */
  #limitedSince = NONE
  #lastAckedAt = NONE
  readonly #hystart = new HyStart()
  /** As it was before the last congestion event, in case that was none. */
  #prior: PriorState | undefined

  constructor(maxDatagramSize: number) {
    this.#maxDatagramSize = maxDatagramSize
    this.window = initialWindow(maxDatagramSize)
  }

  get isInSlowStart(): boolean {
    return this.window < this.slowStartThreshold
  }

  /** RFC 9438 §5.8: silence is not time in which the window may grow. */
  onPacketSent(_size: number, bytesInFlight: number, now: number): void {
    if (bytesInFlight > 0 || this.#epochStart === NONE || this.#limitedSince !== NONE) return
    this.#epochStart += now - this.#lastAckedAt
    this.#lastAckedAt = now
  }

  onPacketAcked(size: number, sentAt: number, smoothedRtt: number, now: number): void {
    this.#lastAckedAt = now
    if (sentAt <= this.#recoveryStart) return
    if (this.isInSlowStart) this.window += this.#hystart.growth(size)
    else this.#avoidCongestion(size, smoothedRtt, now)
    this.#limitedSince = NONE
  }

  /** RFC 9406 §4.3: only in the first slow start; later ones know where to stop. */
  onAck(largestAcknowledged: number, next: number, rtt: number, now: number): void {
    if (this.slowStartThreshold !== Number.POSITIVE_INFINITY) return
    if (this.#hystart.onAck(largestAcknowledged, next, rtt, now)) this.slowStartThreshold = this.window
  }

  onApplicationLimited(now: number): void {
    this.#lastAckedAt = now
    if (this.#limitedSince === NONE) this.#limitedSince = now
  }

  /** RFC 9438 §4.6, §4.7. */
  onCongestionEvent(sentAt: number, now: number): boolean {
    if (sentAt <= this.#recoveryStart) return false
    this.#prior = this.#state()
    this.#recoveryStart = now
    this.#hystart.onLoss()
    this.#epochStart = NONE
    // Fast convergence: a loss below the last one says that others want a share, so leave them more room.
    this.#maxWindow = this.window < this.#maxWindow ? (this.window * (1 + BETA)) / 2 : this.window
    this.#priorWindow = this.window
    this.slowStartThreshold = Math.max(this.window * BETA, minimumWindow(this.#maxDatagramSize))
    this.window = this.slowStartThreshold
    return true
  }

  /** RFC 9438 §4.9: as if it had not happened, unless the window has outgrown it already. */
  onSpuriousCongestion(): void {
    const prior = this.#prior
    this.#prior = undefined
    if (prior === undefined || this.window >= prior.window) return
    this.window = prior.window
    this.slowStartThreshold = prior.slowStartThreshold
    this.#recoveryStart = prior.recoveryStart
    this.#epochStart = prior.epochStart
    this.#maxWindow = prior.maxWindow
    this.#priorWindow = prior.priorWindow
    this.#plateau = prior.plateau
    this.#renoWindow = prior.renoWindow
  }

  /** RFC 9438 §4.8: W_max is forgotten, so that the next congestion avoidance begins with K = 0. */
  onPersistentCongestion(): void {
    this.window = minimumWindow(this.#maxDatagramSize)
    this.#recoveryStart = NONE
    this.#epochStart = NONE
    this.#maxWindow = 0
    this.#prior = undefined
  }

  setMaxDatagramSize(size: number): void {
    this.window = resizedWindow(this.window, this.#maxDatagramSize, size)
    this.#maxDatagramSize = size
  }

  #avoidCongestion(size: number, smoothedRtt: number, now: number): void {
    if (this.#epochStart === NONE) this.#beginEpoch(now)
    else if (this.#limitedSince !== NONE) this.#epochStart += now - Math.max(this.#limitedSince, this.#epochStart)
    const elapsed = (now - this.#epochStart) / 1000
    // RFC 9438 §4.3: as fast as Reno from where the last reduction happened.
    const alpha = this.#renoWindow >= this.#priorWindow ? 1 : ALPHA
    this.#renoWindow += (alpha * this.#maxDatagramSize * size) / this.window
    if (this.#cubicWindow(elapsed) < this.#renoWindow) {
      this.window = Math.max(this.window, this.#renoWindow)
      return
    }
    // RFC 9438 §4.2, §4.4, §4.5: towards where the cubic is one round trip from now, at most half the window further.
    const ahead = this.#cubicWindow(elapsed + smoothedRtt / 1000)
    const target = Math.min(Math.max(ahead, this.window), 1.5 * this.window)
    this.window += ((target - this.window) * size) / this.window
  }

  #beginEpoch(now: number): void {
    this.#epochStart = now
    this.#renoWindow = this.window
    // RFC 9438 §4.2, §4.8, §4.10: beyond W_max, or without one, the cubic starts on its plateau.
    if (this.#maxWindow <= this.window) {
      this.#maxWindow = this.window
      this.#plateau = 0
    } else this.#plateau = Math.cbrt((this.#maxWindow - this.window) / (C * this.#maxDatagramSize))
  }

  #state(): PriorState {
    return {
      window: this.window,
      slowStartThreshold: this.slowStartThreshold,
      recoveryStart: this.#recoveryStart,
      epochStart: this.#epochStart,
      maxWindow: this.#maxWindow,
      priorWindow: this.#priorWindow,
      plateau: this.#plateau,
      renoWindow: this.#renoWindow,
    }
  }

  /** W_cubic(t), RFC 9438 §4.2. */
  #cubicWindow(seconds: number): number {
    const t = seconds - this.#plateau
    return C * this.#maxDatagramSize * t * t * t + this.#maxWindow
  }
}

/** The controller used unless another is asked for. */
export function cubic(maxDatagramSize: number): CongestionController {
  return new Cubic(maxDatagramSize)
}

// NewReno (RFC 9002 §7, §B).

import { type CongestionController, initialWindow, minimumWindow, resizedWindow } from './controller.ts'
import { HyStart } from './hystart.ts'

/** RFC 9002 §B.1. */
const LOSS_REDUCTION_FACTOR = 0.5

export class NewReno implements CongestionController {
  window: number
  slowStartThreshold: number = Number.POSITIVE_INFINITY
  #maxDatagramSize: number
  /** When the recovery period began. Never unset but by persistent congestion: it is over for packets sent later. */
  #recoveryStart: number = Number.NEGATIVE_INFINITY
  readonly #hystart = new HyStart()
  // As they were before the last congestion event.
  #priorWindow = 0
  #priorThreshold: number = Number.POSITIVE_INFINITY
  #priorRecoveryStart: number = Number.NEGATIVE_INFINITY

  constructor(maxDatagramSize: number) {
    this.#maxDatagramSize = maxDatagramSize
    this.window = initialWindow(maxDatagramSize)
  }

  get isInSlowStart(): boolean {
    return this.window < this.slowStartThreshold
  }

  onPacketSent(): void {}

  onPacketAcked(size: number, sentAt: number): void {
    if (sentAt <= this.#recoveryStart) return
    // RFC 9002 §7.3.1, §7.3.3: by what was acknowledged, then by one datagram per window.
    this.window += this.isInSlowStart ? this.#hystart.growth(size) : (this.#maxDatagramSize * size) / this.window
  }

  /** RFC 9406 §4.3: only in the first slow start; later ones know where to stop. */
  onAck(largestAcknowledged: number, next: number, rtt: number, now: number): void {
    if (this.slowStartThreshold !== Number.POSITIVE_INFINITY) return
    if (this.#hystart.onAck(largestAcknowledged, next, rtt, now)) this.slowStartThreshold = this.window
  }

  onApplicationLimited(): void {}

  onCongestionEvent(sentAt: number, now: number): boolean {
    // RFC 9002 §7.3.2: once per round trip.
    if (sentAt <= this.#recoveryStart) return false
    this.#priorWindow = this.window
    this.#priorThreshold = this.slowStartThreshold
    this.#priorRecoveryStart = this.#recoveryStart
    this.#recoveryStart = now
    this.#hystart.onLoss()
    this.slowStartThreshold = this.window * LOSS_REDUCTION_FACTOR
    this.window = Math.max(this.slowStartThreshold, minimumWindow(this.#maxDatagramSize))
    return true
  }

  onSpuriousCongestion(): void {
    if (this.window >= this.#priorWindow) return
    this.window = this.#priorWindow
    this.slowStartThreshold = this.#priorThreshold
    this.#recoveryStart = this.#priorRecoveryStart
  }

  onPersistentCongestion(): void {
    this.window = minimumWindow(this.#maxDatagramSize)
    this.#recoveryStart = Number.NEGATIVE_INFINITY
  }

  setMaxDatagramSize(size: number): void {
    this.window = resizedWindow(this.window, this.#maxDatagramSize, size)
    this.#maxDatagramSize = size
  }
}

export function newReno(maxDatagramSize: number): CongestionController {
  return new NewReno(maxDatagramSize)
}

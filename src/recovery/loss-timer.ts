// The loss detection timer (RFC 9002 §A.8): one timer, for lost packets first and for probes otherwise.

import { Space } from '../packet/level.ts'
import type { NumberSpace } from './number-space.ts'
import { ProbeTimeout } from './probe-timeout.ts'
import type { Rtt } from './rtt.ts'

export class LossTimer {
  /** When it fires; Infinity when there is nothing to wait for. */
  at: number = Number.POSITIVE_INFINITY
  readonly probe: ProbeTimeout = new ProbeTimeout()
  /** RFC 9002 §6.2.2.1: a server that may not send has nothing to do when the timer fires. */
  isAmplificationLimited = false
  /** A Handshake packet was acknowledged: by one who has read it, and so has validated our address. */
  hasHandshakeAck = false
  readonly #spaces: readonly NumberSpace[]
  readonly #rtt: Rtt
  readonly #isServer: boolean

  constructor(spaces: readonly NumberSpace[], rtt: Rtt, isServer: boolean) {
    this.#spaces = spaces
    this.#rtt = rtt
    this.#isServer = isServer
  }

  /** PeerCompletedAddressValidation: clients validate servers implicitly, and learn late of their own validation. */
  get hasPeerCompletedAddressValidation(): boolean {
    return this.#isServer || this.hasHandshakeAck || this.probe.isHandshakeConfirmed
  }

  /** SetLossDetectionTimer. */
  set(now: number): void {
    const space = this.earliestLoss()
    if (space !== undefined) this.at = space.lossTime
    else if (this.isAmplificationLimited) this.at = Number.POSITIVE_INFINITY
    else {
      this.#locateProbe(now)
      this.at = this.probe.at
    }
  }

  /** GetLossTimeAndSpace: the space in which a packet will be lost next; undefined when none waits for that. */
  earliestLoss(): NumberSpace | undefined {
    let earliest: NumberSpace | undefined
    let time = Number.POSITIVE_INFINITY
    for (let i = 0; i < this.#spaces.length; i++) {
      const space = this.#spaces[i] as NumberSpace
      if (space.lossTime >= time) continue
      time = space.lossTime
      earliest = space
    }
    return earliest
  }

  /** RFC 9002 §6.2.4: two probes where the timer fired, one wherever else something is in flight. */
  requestProbes(now: number): void {
    this.#locateProbe(now)
    for (let i = 0; i < this.#spaces.length; i++) {
      const space = this.#spaces[i] as NumberSpace
      if (space.sent.ackElicitingInFlight > 0) space.pendingProbes = Math.max(space.pendingProbes, 1)
    }
    const space = this.#spaces[this.probe.space] as NumberSpace
    space.pendingProbes = this.probe.isAntiDeadlock ? 1 : 2
    this.probe.count++
  }

  /** RFC 9002 §6.2.1: the backoff ends with an acknowledgment, unless the peer may still be validating our address. */
  onAcknowledged(space: NumberSpace): void {
    if (space.space === Space.Handshake) this.hasHandshakeAck = true
    if (!this.hasPeerCompletedAddressValidation) return
    this.probe.count = 0
    space.pendingProbes = 0
  }

  #locateProbe(now: number): void {
    this.probe.locate(this.#spaces, this.#rtt, !this.hasPeerCompletedAddressValidation, now)
  }
}

// Probe timeout (RFC 9002 §6.2): when to provoke an acknowledgment, and in which space.

import { Space } from '../packet/level.ts'
import type { NumberSpace } from './number-space.ts'
import type { Rtt } from './rtt.ts'

/** RFC 9000 §18.2: the peer's max_ack_delay until its transport parameters are known. */
export const DEFAULT_MAX_ACK_DELAY = 25

/** The backoff stops growing here: 2^16 PTOs outlast every idle timeout, and numbers stay finite. */
const MAX_BACKOFF_EXPONENT = 16

export class ProbeTimeout {
  /** How often the timer fired since the last acknowledgment: the exponent of the backoff. */
  count = 0
  maxAckDelay: number = DEFAULT_MAX_ACK_DELAY
  isHandshakeConfirmed = false
  hasHandshakeKeys = false
  /** Set by `locate`: when the timer fires ... */
  at: number = Number.POSITIVE_INFINITY
  /** ... where the probe goes ... */
  space: Space = Space.Initial
  /** ... and that nothing is in flight there: the probe only lets a blocked server go on. */
  isAntiDeadlock = false

  /** RFC 9002 §6.2.1: one period of a space, without backoff. */
  period(space: Space, rtt: Rtt): number {
    return space === Space.Application ? rtt.probePeriod + this.maxAckDelay : rtt.probePeriod
  }

  /** Finds the earliest timeout: GetPtoTimeAndSpace of RFC 9002 §A.8. */
  locate(spaces: readonly NumberSpace[], rtt: Rtt, mustUnblockPeer: boolean, now: number): void {
    this.at = Number.POSITIVE_INFINITY
    this.isAntiDeadlock = false
    for (let i = 0; i < spaces.length; i++) {
      const space = spaces[i] as NumberSpace
      if (space.sent.ackElicitingInFlight === 0) continue
      // RFC 9002 §6.2.1: not before the peer is known to have the keys.
      if (space.space === Space.Application && !this.isHandshakeConfirmed) continue
      const at = space.lastAckElicitingSentAt + this.#backedOff(this.period(space.space, rtt))
      if (at < this.at) {
        this.at = at
        this.space = space.space
      }
    }
    // RFC 9002 §6.2.2.1. The appendix looks whether *anything* is in flight, and would leave a client with nothing but
    // unacknowledged 0-RTT packets without a timer.
    if (this.at === Number.POSITIVE_INFINITY && mustUnblockPeer) {
      this.isAntiDeadlock = true
      this.space = this.hasHandshakeKeys ? Space.Handshake : Space.Initial
      this.at = now + this.#backedOff(rtt.probePeriod)
    }
  }

  #backedOff(period: number): number {
    return period * (1 << Math.min(this.count, MAX_BACKOFF_EXPONENT))
  }
}

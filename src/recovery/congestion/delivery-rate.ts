// Delivery rate estimation (draft-cheng-iccrg-delivery-rate-estimation): how fast the network delivers, per ACK.

import { SendSnapshot } from '../send-snapshot.ts'
import type { SentPacket } from '../sent-packets.ts'

/** What one ACK says ("rs"). One object per connection: it holds until the next ACK. */
export class RateSample {
  /** Bytes per millisecond; 0 when it could not be measured. */
  rate = 0
  /** Bytes delivered while the newest acknowledged packet was under way. */
  delivered = 0
  /** Bytes lost meanwhile. */
  lost = 0
  /** Bytes in flight when that packet left, it included. */
  inFlight = 0
  isAppLimited = false
  /** P.delivered of that packet; -1 when nothing was acknowledged. */
  priorDelivered = -1
  /** RTT of that packet; -1 when nothing was acknowledged. */
  rtt = -1
  newlyAcked = 0
  newlyLost = 0
}

/** Timers and floating point: an interval this much shorter than the shortest RTT is still believed. */
const TOLERANCE = 0.001

export class DeliveryRate {
  /** C.delivered: bytes acknowledged so far. */
  delivered = 0
  /** C.lost: bytes declared lost so far. */
  lost = 0
  readonly #sample = new RateSample()
  /** C.delivered_time. */
  #deliveredAt = 0
  /** C.first_sent_time. */
  #firstSentAt = 0
  /** C.app_limited: once more than this is delivered, the pause is over; 0 when there was none. */
  #appLimitedUntil = 0
  #sendElapsed = 0
  #ackElapsed = 0

  /** The sender had nothing to send, and what it has sent since may show less than the path can carry. */
  get isAppLimited(): boolean {
    return this.#appLimitedUntil > 0
  }

  onSent(packet: SentPacket, bytesInFlight: number): void {
    if (bytesInFlight === 0) {
      this.#firstSentAt = packet.sentAt
      this.#deliveredAt = packet.sentAt
    }
    packet.snapshot = new SendSnapshot(
      this.delivered,
      this.#deliveredAt,
      this.#firstSentAt,
      this.isAppLimited,
      bytesInFlight + packet.size,
      this.lost,
    )
  }

  onAcked(packet: SentPacket, now: number): void {
    const snapshot = packet.snapshot
    if (snapshot === undefined) return
    const sample = this.#sample
    this.delivered += packet.size
    this.#deliveredAt = now
    sample.newlyAcked += packet.size
    // The newest packet counts: the least time has passed since it was sent.
    if (snapshot.delivered < sample.priorDelivered) return
    sample.priorDelivered = snapshot.delivered
    sample.isAppLimited = snapshot.isAppLimited
    sample.inFlight = snapshot.inFlight
    sample.lost = this.lost - snapshot.lost
    sample.rtt = now - packet.sentAt
    this.#sendElapsed = packet.sentAt - snapshot.firstSentAt
    this.#ackElapsed = now - snapshot.deliveredAt
    this.#firstSentAt = packet.sentAt
  }

  onLost(packet: SentPacket): void {
    this.lost += packet.size
    this.#sample.newlyLost += packet.size
  }

  /** The sample of the ACK of which all packets were shown. `minRtt` is the shortest RTT known, Infinity for none. */
  finish(minRtt: number): RateSample {
    const sample = this.#sample
    if (this.delivered > this.#appLimitedUntil) this.#appLimitedUntil = 0
    sample.delivered = sample.priorDelivered === -1 ? 0 : this.delivered - sample.priorDelivered
    // The slower of the two: neither what was sent in a burst nor ACKs that arrive in one show a fast path.
    const interval = Math.max(this.#sendElapsed, this.#ackElapsed)
    const isMeasured = interval > 0 && (minRtt === Number.POSITIVE_INFINITY || interval >= minRtt - TOLERANCE)
    sample.rate = isMeasured ? sample.delivered / interval : 0
    return sample
  }

  /** To be called when the sample has been used. */
  clear(): void {
    const sample = this.#sample
    sample.priorDelivered = -1
    sample.rtt = -1
    sample.newlyAcked = 0
    sample.newlyLost = 0
  }

  onSendingStopped(bytesInFlight: number): void {
    this.#appLimitedUntil = Math.max(this.delivered + bytesInFlight, 1)
  }
}

// What a packet remembers for the estimate of the delivery rate (draft-cheng-iccrg-delivery-rate-estimation §3.1).

/** How far delivery was when a packet left. */
export class SendSnapshot {
  /** P.delivered: bytes delivered by then. */
  readonly delivered: number
  /** P.delivered_time: when the last of them was. */
  readonly deliveredAt: number
  /** P.first_sent_time: when the flight began of which the packet is one of the last. */
  readonly firstSentAt: number
  /** P.is_app_limited: the sender had paused for want of data. */
  readonly isAppLimited: boolean
  /** P.tx_in_flight: bytes in flight, this packet included. */
  readonly inFlight: number
  /** P.lost: bytes lost by then. */
  readonly lost: number

  constructor(
    delivered: number,
    deliveredAt: number,
    firstSentAt: number,
    isAppLimited: boolean,
    inFlight: number,
    lost: number,
  ) {
    this.delivered = delivered
    this.deliveredAt = deliveredAt
    this.firstSentAt = firstSentAt
    this.isAppLimited = isAppLimited
    this.inFlight = inFlight
    this.lost = lost
  }
}

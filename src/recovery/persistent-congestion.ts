// Persistent congestion (RFC 9002 §7.6): everything sent over a long time was lost.

import type { Rtt } from './rtt.ts'
import type { SentPacket } from './sent-packets.ts'

/** RFC 9002 §7.6.1: as many probe timeouts. */
export const PERSISTENT_CONGESTION_THRESHOLD = 3

/** RFC 9002 §7.6.1: the peer's delay counts here in every packet number space. */
export function persistentCongestionDuration(rtt: Rtt, maxAckDelay: number): number {
  return (rtt.probePeriod + maxAckDelay) * PERSISTENT_CONGESTION_THRESHOLD
}

/**
 * RFC 9002 §7.6.2: whether two ack-eliciting packets of `lost` (ascending, of one space) were sent further apart than
 * `duration`, after the first RTT sample, with no acknowledged packet of any space between them. A number missing
 * between two lost ones was acknowledged, or lost earlier; unless it is `skipped`, which we never sent. MTU probes say
 * nothing.
 */
export function isPersistentCongestion(
  lost: readonly SentPacket[],
  firstSampleAt: number,
  duration: number,
  skipped: number,
): boolean {
  let start = Number.POSITIVE_INFINITY
  let expected = -1
  for (let i = 0; i < lost.length; i++) {
    const packet = lost[i] as SentPacket
    if (expected === skipped) expected++
    if (packet.number !== expected || packet.isAfterAcknowledged) start = Number.POSITIVE_INFINITY
    expected = packet.number + 1
    if (!packet.isAckEliciting || packet.isMtuProbe || packet.sentAt <= firstSampleAt) continue
    if (packet.sentAt - start > duration) return true
    if (packet.sentAt < start) start = packet.sentAt
  }
  return false
}

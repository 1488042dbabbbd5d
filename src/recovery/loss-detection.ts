// Acknowledgment-based loss detection (RFC 9002 §6.1, §A.10).

import { type LossThresholds, TIME_THRESHOLD } from './loss-thresholds.ts'
import type { NumberSpace } from './number-space.ts'
import { GRANULARITY, type Rtt } from './rtt.ts'
import type { SentPacket } from './sent-packets.ts'

/** RFC 9002 §6.1.2: how long after it was sent a packet is lost, once a later one is acknowledged. */
export function lossDelay(rtt: Rtt, timeThreshold: number = TIME_THRESHOLD): number {
  return Math.max(timeThreshold * Math.max(rtt.smoothed, rtt.latest), GRANULARITY)
}

/**
 * Removes the packets that are lost by now, appends them to `lost`, oldest first, and sets the time at which the next
 * one will be. Packets leave in the order they were sent in, so the first survivor in flight ends the search.
 */
export function detectLost(
  space: NumberSpace,
  rtt: Rtt,
  thresholds: LossThresholds,
  now: number,
  lost: SentPacket[],
): void {
  const sent = space.sent
  const delay = lossDelay(rtt, thresholds.time)
  space.lossTime = Number.POSITIVE_INFINITY
  for (let n = sent.first; n !== -1 && n < space.largestAcknowledged; n = sent.next(n)) {
    const packet = sent.get(n) as SentPacket
    // Written as the timer is set below: `sentAt <= now - delay` may be false by rounding when the timer fires.
    const isOvertaken = reordering(space, n) >= thresholds.packets
    if (isOvertaken || packet.sentAt + delay <= now) {
      packet.lostBy = isOvertaken ? 'reordering_threshold' : 'time_threshold'
      sent.remove(n)
      lost.push(packet)
    } else if (packet.isInFlight) {
      space.lossTime = packet.sentAt + delay
      return
    }
  }
}

/**
 * By how many packets this one was overtaken. RFC 9002 §A.10 assumes numbers without gaps; a number we skipped ourselves
 * is not a packet that overtook.
 */
export function reordering(space: NumberSpace, number: number): number {
  const skipped = space.lastSkipped
  const hasSkipped = skipped > number && skipped < space.largestAcknowledged
  return space.largestAcknowledged - number - (hasSkipped ? 1 : 0)
}

// What recovery asks of a congestion controller (RFC 9002 §7).

import type { SentPacket } from '../sent-packets.ts'

export interface CongestionController {
  /** congestion_window, in bytes. */
  readonly window: number
  /** ssthresh, in bytes: Infinity before the first loss. */
  readonly slowStartThreshold: number
  readonly isInSlowStart: boolean
  /** `bytesInFlight` is what was in flight before this packet. */
  onPacketSent(size: number, bytesInFlight: number, now: number): void
  /** A packet in flight was acknowledged that was sent while the window was used in full. */
  onPacketAcked(size: number, sentAt: number, smoothedRtt: number, now: number): void
  /** RFC 9002 §7.8: a packet was acknowledged that says nothing about the window, which was not used in full. */
  onApplicationLimited(now: number): void
  /** Packets were lost, the last of them sent at `sentAt`. True when that begins a recovery period (RFC 9002 §7.3.2). */
  onCongestionEvent(sentAt: number, now: number): boolean
  /** RFC 9002 §7.6.2. */
  onPersistentCongestion(): void
  setMaxDatagramSize(size: number): void
  /**
   * Application packets were newly acknowledged, up to this number, while `next` is the next to be sent. `rtt` is the
   * sample taken from it, -1 for none. Called before the packets are. May be left out.
   */
  onAck?(largestAcknowledged: number, next: number, rtt: number, now: number): void
  /** Whatever was lost since the last recovery period began has arrived after all. May be left out. */
  onSpuriousCongestion?(): void
}

/**
 * A controller that models the path from the rate at which it delivers. It is shown packets in place of `onPacketSent`,
 * `onPacketAcked` and `onApplicationLimited`, and sets the pace itself.
 */
export interface RateController extends CongestionController {
  /** Bytes per millisecond. */
  readonly pacingRate: number
  /** `bytesInFlight` is what was in flight before this packet. */
  onSent(packet: SentPacket, bytesInFlight: number): void
  onAcked(packet: SentPacket, now: number): void
  onLost(packet: SentPacket, now: number): void
  /** All packets of an ACK frame were shown, the lost ones first. */
  onAckEnd(bytesInFlight: number, now: number): void
  /** There was no more to send, although window and pacer would have allowed it. */
  onSendingStopped(bytesInFlight: number): void
}

export function isRateController(controller: CongestionController): controller is RateController {
  return 'pacingRate' in controller
}

export type CongestionFactory = (maxDatagramSize: number) => CongestionController

/** RFC 9002 §7.2: ten datagrams, but no more than 14,720 bytes or two datagrams. */
export function initialWindow(maxDatagramSize: number): number {
  return Math.min(10 * maxDatagramSize, Math.max(14_720, 2 * maxDatagramSize))
}

/** RFC 9002 §7.2. */
export function minimumWindow(maxDatagramSize: number): number {
  return 2 * maxDatagramSize
}

/** RFC 9002 §7.2: the window after the datagram size changed; recalculated as long as it is still the initial one. */
export function resizedWindow(window: number, oldSize: number, newSize: number): number {
  return window === initialWindow(oldSize) ? initialWindow(newSize) : Math.max(window, minimumWindow(newSize))
}

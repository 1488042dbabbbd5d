// Packets declared lost that may yet be acknowledged (RFC 9002 §6.1): the memory that shows a loss to be spurious.

import { limits } from '../limits.ts'
import type { SentPacket } from './sent-packets.ts'

/** How many are remembered for each packet number space; beyond, the oldest are forgotten. */
export const MAX_LOST_REMEMBERED: number = limits.lostPackets

export class LostPackets {
  /** Ascending: what is declared lost was sent after everything that was declared lost before. */
  readonly #packets: SentPacket[] = []
  /** When each was declared lost. */
  readonly #times: number[] = []

  get size(): number {
    return this.#packets.length
  }

  /** `lost` is ascending. */
  remember(lost: readonly SentPacket[], now: number): void {
    const packets = this.#packets
    const from = Math.max(lost.length - MAX_LOST_REMEMBERED, 0)
    const excess = packets.length + lost.length - from - MAX_LOST_REMEMBERED
    if (excess > 0) this.#forget(excess)
    for (let i = from; i < lost.length; i++) {
      packets.push(lost[i] as SentPacket)
      this.#times.push(now)
    }
  }

  /** Removes what the ranges of an ACK frame cover (flat, descending, inclusive pairs) and appends it to `into`. */
  takeAcknowledged(ranges: readonly number[], into: SentPacket[]): void {
    const packets = this.#packets
    let range = 0
    for (let i = packets.length - 1; i >= 0 && range < ranges.length; i--) {
      const packet = packets[i] as SentPacket
      while (range < ranges.length && (ranges[range + 1] as number) > packet.number) range += 2
      if (range < ranges.length && packet.number <= (ranges[range] as number)) {
        packets.splice(i, 1)
        this.#times.splice(i, 1)
        into.push(packet)
      }
    }
  }

  /** What was lost before `time` is not waited for any more. */
  forgetBefore(time: number): void {
    let count = 0
    while (count < this.#times.length && (this.#times[count] as number) < time) count++
    if (count > 0) this.#forget(count)
  }

  clear(): void {
    this.#packets.length = 0
    this.#times.length = 0
  }

  #forget(count: number): void {
    this.#packets.splice(0, count)
    this.#times.splice(0, count)
  }
}

// Packets that arrived before their keys (RFC 9001 §5.7): kept for a moment, bounded, taken up by the same loop.

import { limits } from '../limits.ts'
import type { Level } from '../packet/level.ts'
import type { Address } from './path.ts'

/** Packets kept at most; later ones are dropped, the peer sends them again. */
export const MAX_PARKED_PACKETS: number = limits.parkedPackets
/** And their bytes: anybody can send what nobody can check yet. */
export const MAX_PARKED_BYTES: number = limits.parkedBytes

export interface ParkedPacket {
  readonly level: Level
  /** A copy: the datagram's memory is used again. */
  readonly bytes: Uint8Array
  readonly from: Address
  readonly arrivedAt: number
}

export class Parked {
  #packets: ParkedPacket[] = []
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  get isEmpty(): boolean {
    return this.#packets.length === 0
  }

  /** False: no room. */
  park(level: Level, packet: Uint8Array, from: Address, now: number): boolean {
    if (this.#packets.length >= MAX_PARKED_PACKETS || this.#bytes + packet.length > MAX_PARKED_BYTES) return false
    this.#bytes += packet.length
    this.#packets.push({ level, bytes: packet.slice(), from, arrivedAt: now })
    return true
  }

  /** The oldest packet that `isReady`, taken out. */
  take(isReady: (level: Level) => boolean): ParkedPacket | undefined {
    if (this.#packets.length === 0) return undefined
    const at = this.#packets.findIndex(packet => isReady(packet.level))
    if (at < 0) return undefined
    const [packet] = this.#packets.splice(at, 1)
    this.#bytes -= packet?.bytes.length ?? 0
    return packet
  }

  /** The keys for this level will never come. */
  drop(level: Level): void {
    this.#packets = this.#packets.filter(packet => packet.level !== level)
    this.#bytes = this.#packets.reduce((sum, packet) => sum + packet.bytes.length, 0)
  }
}

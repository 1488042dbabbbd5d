// What is sent only to be ignored, so that nobody comes to rely on its absence: reserved transport parameters (RFC 9000
// §18.1), a QUIC bit of any value (RFC 9287), a spin bit that nobody turns (RFC 9000 §17.4).

import type { CryptoBackend } from '../crypto/backend.ts'
import { clearQuicBit } from '../packet/header.ts'
import type { ReservedParameter } from '../packet/transport-parameters.ts'

/** Random bits are taken so many bytes at a time. */
const BITS_AHEAD = 32
/** The longest value of a reserved parameter. */
const MOST_BYTES = 16

/** Of the first byte of packets: RFC 9287's bit, as soon as the peer is known not to look at it, and the spin bit. */
export class FirstByteBits {
  /** The peer takes packets with either value. */
  isFree = false
  readonly #backend: CryptoBackend
  #random: Uint8Array = new Uint8Array(0)
  /** Of the next bit in `#random`. */
  #at = 0
  #spin: 0 | 1 = 0
  /** The id that goes with `#spin`. */
  #spinOf: Uint8Array | undefined

  constructor(backend: CryptoBackend) {
    this.#backend = backend
  }

  /** RFC 9287 §3.1: a fresh random value for each packet; this one has its first byte at `start`. */
  grease(datagram: Uint8Array, start: number): void {
    if (this.isFree && this.#next() === 0) clearQuicBit(datagram, start)
  }

  /** RFC 9000 §17.4: disabled, the bit is random, chosen for each connection id of the peer. */
  spin(destination: Uint8Array): 0 | 1 {
    if (destination !== this.#spinOf) {
      this.#spinOf = destination
      this.#spin = this.#next()
    }
    return this.#spin
  }

  #next(): 0 | 1 {
    if (this.#at === 8 * this.#random.length) {
      this.#random = this.#backend.random(BITS_AHEAD)
      this.#at = 0
    }
    const byte = this.#random[this.#at >> 3] as number
    return ((byte >> (this.#at++ & 7)) & 1) as 0 | 1
  }
}

/** RFC 9000 §18.1: one of the ids of the form 31 * N + 27, with any value. */
export function reservedParameter(backend: CryptoBackend): ReservedParameter {
  const random = backend.random(3 + MOST_BYTES)
  const n = (random[0] as number) * 256 + (random[1] as number)
  const length = (random[2] as number) % (MOST_BYTES + 1)
  return { id: 31 * n + 27, value: random.slice(3, 3 + length) }
}

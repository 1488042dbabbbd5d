// The nonce of a packet: its number laid over the IV (RFC 9001 §5.3).

import { IV_LENGTH } from './cipher-suite.ts'

/** Computes nonces into one array, which is overwritten by the next call, of whatever connection. */
export class PacketNonce {
  readonly #iv: Uint8Array

  constructor(iv: Uint8Array) {
    this.#iv = iv.slice()
  }

  at(packetNumber: number): Uint8Array {
    const bytes = nonce
    const iv = this.#iv
    bytes[0] = iv[0] as number
    bytes[1] = iv[1] as number
    bytes[2] = iv[2] as number
    bytes[3] = iv[3] as number
    // Two halves: bit operators see 32 bits, a packet number has up to 62.
    const high = Math.floor(packetNumber / 0x100000000)
    const low = packetNumber >>> 0
    bytes[4] = (iv[4] as number) ^ (high >>> 24)
    bytes[5] = (iv[5] as number) ^ (high >>> 16)
    bytes[6] = (iv[6] as number) ^ (high >>> 8)
    bytes[7] = (iv[7] as number) ^ high
    bytes[8] = (iv[8] as number) ^ (low >>> 24)
    bytes[9] = (iv[9] as number) ^ (low >>> 16)
    bytes[10] = (iv[10] as number) ^ (low >>> 8)
    bytes[11] = (iv[11] as number) ^ low
    return bytes
  }
}

const nonce = new Uint8Array(IV_LENGTH)

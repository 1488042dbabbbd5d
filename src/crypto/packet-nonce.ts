// The nonce of a packet: its number laid over the IV (RFC 9001 §5.3).

/** Computes nonces into one array, which is overwritten by the next call. */
export class PacketNonce {
  readonly #bytes: Uint8Array
  readonly #iv: Uint8Array

  constructor(iv: Uint8Array) {
    this.#iv = iv.slice()
    this.#bytes = iv.slice()
  }

  at(packetNumber: number): Uint8Array {
    const bytes = this.#bytes
    const iv = this.#iv
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

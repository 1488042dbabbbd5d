// Where a header mask goes (RFC 9001 §5.4.1); how it is computed is each backend's own.

import type { HeaderKey } from './backend.ts'
import { TAG_LENGTH } from './cipher-suite.ts'

/** The least that must follow the start of the packet number: 4 bytes of number at most, and the sample. */
export const SAMPLE_REACH: number = 20

/** What every `seal` demands of its caller before it touches the buffer. */
export function checkSealable(buffer: Uint8Array, numberOffset: number, end: number): void {
  if (end + TAG_LENGTH > buffer.length) throw new RangeError('the buffer has no room for the tag')
  // RFC 9001 §5.4.2: number and payload of less than 4 bytes leave no complete sample.
  if (end + TAG_LENGTH < numberOffset + SAMPLE_REACH) throw new RangeError('the payload is too short to be sampled')
}

export abstract class MaskedHeader implements HeaderKey {
  /** At least 5 bytes of mask, valid until the next call, for the 16 bytes of sample at `packet[at]`. */
  protected abstract mask(packet: Uint8Array, at: number): Uint8Array

  unmask(packet: Uint8Array, start: number, numberOffset: number): number {
    const mask = this.#maskFor(packet, numberOffset)
    const first = unmaskedFirst(packet[start] as number, mask)
    const numberLength = (first & 0x03) + 1
    packet[start] = first
    applyToNumber(packet, numberOffset, numberLength, mask)
    return numberLength
  }

  protect(packet: Uint8Array, start: number, numberOffset: number, numberLength: number): void {
    const mask = this.#maskFor(packet, numberOffset)
    packet[start] = unmaskedFirst(packet[start] as number, mask)
    applyToNumber(packet, numberOffset, numberLength, mask)
  }

  /** Keys in the memory of OpenSSL or of the garbage collector are theirs to forget. */
  discard(): void {}

  // A short sample would leave half a block inside a long-lived cipher and spoil every mask after it.
  #maskFor(packet: Uint8Array, numberOffset: number): Uint8Array {
    if (numberOffset + SAMPLE_REACH > packet.length) throw new RangeError('the packet is too short for a sample')
    return this.mask(packet, numberOffset + 4)
  }
}

/** A long header hides its four low bits, a short one five: the key phase too. Masking twice restores. */
function unmaskedFirst(first: number, mask: Uint8Array): number {
  return first ^ ((mask[0] as number) & (first & 0x80 ? 0x0f : 0x1f))
}

function applyToNumber(packet: Uint8Array, at: number, length: number, mask: Uint8Array): void {
  for (let i = 0; i < length; i++) packet[at + i] = (packet[at + i] as number) ^ (mask[i + 1] as number)
}

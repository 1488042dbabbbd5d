// The peer's decoder stream (RFC 9204 §4.4): what became of the sections and insertions of our encoder.

import { Http3Error, Http3ErrorCode } from '../error-codes.ts'
import type { QpackEncoder } from './encoder.ts'

export class DecoderStream {
  readonly #encoder: QpackEncoder
  /** The instruction whose integer goes on; -1 between instructions. */
  #kind = -1
  #value = 0
  #scale = 1

  constructor(encoder: QpackEncoder) {
    this.#encoder = encoder
  }

  /** Returns how many instructions said nothing new. Throws QPACK_DECODER_STREAM_ERROR. */
  receive(bytes: Uint8Array): number {
    let useless = 0
    for (const byte of bytes) {
      if (this.#kind === -1 ? !this.#begin(byte) : !this.#continue(byte)) continue
      if (!this.#follow(this.#kind, this.#value)) useless++
      this.#kind = -1
    }
    return useless
  }

  /** False: the integer goes on. */
  #begin(byte: number): boolean {
    this.#kind = byte >= 0x80 ? SECTION_ACKNOWLEDGMENT : byte >= 0x40 ? STREAM_CANCELLATION : INSERT_COUNT_INCREMENT
    const mask = byte >= 0x80 ? 0x7f : 0x3f
    this.#value = byte & mask
    this.#scale = 1
    return this.#value !== mask
  }

  #continue(byte: number): boolean {
    this.#value += (byte & 0x7f) * this.#scale
    this.#scale *= 128
    if (byte < 0x80) return true
    // RFC 9204 §4.1.1: no more than 62 bits.
    if (this.#scale > 2 ** 56) throw new Http3Error(Http3ErrorCode.QpackDecoderStreamError, 'an integer without end')
    return false
  }

  #follow(kind: number, value: number): boolean {
    const { sections, insertCount } = this.#encoder
    if (kind === STREAM_CANCELLATION) return sections.onCancelled(value)
    if (kind === SECTION_ACKNOWLEDGMENT) sections.onAcknowledged(value)
    else sections.onIncrement(value, insertCount)
    return true
  }
}

const SECTION_ACKNOWLEDGMENT = 0
const STREAM_CANCELLATION = 1
const INSERT_COUNT_INCREMENT = 2

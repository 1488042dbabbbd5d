// Encoder and decoder streams (RFC 9204 §4.3-4.4), as far as they may say anything while our dynamic table has
// capacity 0 and our encoder never inserts.

import { Http3Error, Http3ErrorCode } from '../error-codes.ts'

/**
 * The peer's encoder stream. The only instruction that is legal is Set Dynamic Table Capacity to 0, one byte; inserts
 * and duplicates do not fit, larger capacities exceed the limit (RFC 9204 §3.2.3, §4.3.1).
 * Returns how many instructions there were.
 */
export function readEncoderInstructions(bytes: Uint8Array): number {
  for (const byte of bytes) {
    if (byte !== SET_CAPACITY_0) {
      throw new Http3Error(Http3ErrorCode.QpackEncoderStreamError, 'instruction for a dynamic table of capacity 0')
    }
  }
  return bytes.length
}

/**
 * The peer's decoder stream. Stream Cancellation is legal at any time; there is nothing to acknowledge and nothing to
 * count (RFC 9204 §4.4.1, §4.4.3).
 */
export class DecoderInstructions {
  /** Continuation bytes seen of the stream id being read; -1 between instructions. */
  #continuation = -1

  /** Returns how many instructions ended in `bytes`. */
  receive(bytes: Uint8Array): number {
    let count = 0
    for (const byte of bytes) {
      if (this.#continuation >= 0) {
        if (++this.#continuation > MAX_CONTINUATION) throw wrong('stream id of more than 62 bits')
        if (byte >= 0x80) continue
      } else {
        if (byte >= 0x80) throw wrong('acknowledgment of a field section that refers to nothing')
        if (byte < 0x40) throw wrong('insert count increment without inserts')
        if ((byte & 0x3f) === 0x3f) {
          this.#continuation = 0
          continue
        }
      }
      this.#continuation = -1
      count++
    }
    return count
  }
}

function wrong(reason: string): Http3Error {
  return new Http3Error(Http3ErrorCode.QpackDecoderStreamError, reason)
}

const SET_CAPACITY_0 = 0x20
const MAX_CONTINUATION = 9

// Stateless Reset (RFC 9000 §10.3): a datagram that looks like any short packet and ends in a token.

import { constantTimeEqual } from '../bytes/equal.ts'
import type { Writer } from '../bytes/writer.ts'

export const STATELESS_RESET_TOKEN_LENGTH: number = 16
/** RFC 9000 §10.3: 5 bytes of header and number, 16 of token. */
export const MIN_STATELESS_RESET_LENGTH: number = 21

/**
 * Writes a reset of `length` bytes: unpredictable bytes, of which `random` holds `length - 16` at least, then the
 * token. The caller keeps it shorter than what it answers (RFC 9000 §10.3.3).
 */
export function writeStatelessReset(w: Writer, token: Uint8Array, random: Uint8Array, length: number): void {
  const unpredictable = length - STATELESS_RESET_TOKEN_LENGTH
  if (length < MIN_STATELESS_RESET_LENGTH || random.length < unpredictable) {
    throw new RangeError(`a stateless reset of ${length} bytes, with ${random.length} random ones`)
  }
  if (token.length !== STATELESS_RESET_TOKEN_LENGTH) throw new RangeError(`a token of ${token.length} bytes`)
  w.u8(0x40 | ((random[0] as number) & 0x3f))
  w.put(random.subarray(1, unpredictable))
  w.put(token)
}

/**
 * Whether the datagram ends in `token`, in time that does not depend on how much of it matches (RFC 9000 §10.3.1).
 * Of any form: a reset of another version may look like a long header.
 */
export function hasStatelessResetToken(datagram: Uint8Array, token: Uint8Array): boolean {
  if (datagram.length < MIN_STATELESS_RESET_LENGTH) return false
  return constantTimeEqual(datagram.subarray(datagram.length - STATELESS_RESET_TOKEN_LENGTH), token)
}

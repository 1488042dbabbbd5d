// Packet numbers and their truncated form (RFC 9000 §17.1, Appendix A).

import type { Writer } from '../bytes/writer.ts'

/** How many bytes `number` needs, so that a peer whose acknowledgements stopped at `largestAcknowledged` (-1: none) can restore it. */
export function packetNumberLength(number: number, largestAcknowledged: number): 1 | 2 | 3 | 4 {
  // RFC 9000 §17.1: able to represent more than twice the distance.
  const unacknowledged = number - largestAcknowledged
  if (unacknowledged < 0x80) return 1
  if (unacknowledged < 0x8000) return 2
  if (unacknowledged < 0x800000) return 3
  if (unacknowledged < 0x80000000) return 4
  throw new RangeError(`packet number ${number} is too far from ${largestAcknowledged}`)
}

/** Writes the low `length` bytes of `number`. */
export function writePacketNumber(w: Writer, number: number, length: number): void {
  // The low 32 bits of any exact integer.
  const low = number >>> 0
  if (length === 1) w.u8(low)
  else if (length === 2) w.u16(low)
  else if (length === 3) w.u24(low)
  else w.u32(low)
}

/** The 1 to 4 bytes of a packet number, header protection removed. */
export function readTruncated(bytes: Uint8Array, at: number, length: number): number {
  let value = 0
  for (let i = 0; i < length; i++) value = value * 0x100 + (bytes[at + i] as number)
  return value
}

/** RFC 9000 §A.3: the number nearest to the one expected next. `largestReceived` is -1 when there is none. */
export function decodePacketNumber(truncated: number, length: number, largestReceived: number): number {
  const expected = largestReceived + 1
  const window = length === 4 ? 0x100000000 : 1 << (8 * length)
  const half = window / 2
  // Bit operators see the low 32 bits of any exact integer, which is all the remainder needs.
  const remainder = length === 4 ? expected >>> 0 : expected & (window - 1)
  const candidate = expected - remainder + truncated
  if (candidate <= expected - half && candidate <= Number.MAX_SAFE_INTEGER - window) return candidate + window
  if (candidate > expected + half && candidate >= window) return candidate - window
  return candidate
}

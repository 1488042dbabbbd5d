// Variable-length integers (RFC 9000 §16).

import { limits } from '../limits.ts'

/** The largest value a varint on the wire can hold is 2^62-1; numbers here are exact up to this one. */
export const MAX_EXACT: number = limits.exactInteger

/** How many bytes `value` takes: 1, 2, 4 or 8. */
export function varintSize(value: number): 1 | 2 | 4 | 8 {
  if (value < 0x40) return 1
  if (value < 0x4000) return 2
  if (value < 0x40000000) return 4
  return 8
}

/**
 * Joins two 32-bit halves of a 62-bit value. Above 2^53 the result is rounded *up*, never down, so that a limit
 * that was exceeded on the wire is exceeded here too. Such values are ids we do not know, limits we cannot reach,
 * or faults that an ordinary comparison catches.
 */
export function joinHalves(high: number, low: number): number {
  if (high < 0x200000) return high * 0x100000000 + low
  // One step of a double is 2^(e-52): round the low half up to a multiple of the step before adding.
  const step = 2 ** (Math.floor(Math.log2(high)) + 32 - 52)
  return high * 0x100000000 + Math.ceil(low / step) * step
}

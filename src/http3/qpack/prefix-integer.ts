// Prefixed integers (RFC 9204 §4.1.1, RFC 7541 §5.1).

import { OutOfBytes, type Reader } from '../../bytes/reader.ts'
import type { Writer } from '../../bytes/writer.ts'

/** No more bytes would make an integer of it. */
export class EndlessInteger extends OutOfBytes {}

/** A varint never has more continuation bytes: 62 bits are 9 of them, and padding is nobody's need. */
const MAX_CONTINUATION = 9

/**
 * The integer in the low `bits` bits of the next byte and what follows it; the caller has looked at the bits above.
 * Throws OutOfBytes when it does not end, EndlessInteger when it has more than 62 bits and so cannot be meant.
 */
export function readPrefixInteger(reader: Reader, bits: number): number {
  const mask = (1 << bits) - 1
  let value = reader.u8() & mask
  if (value < mask) return value
  let scale = 1
  for (let i = 0; i < MAX_CONTINUATION; i++) {
    const byte = reader.u8()
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return value
    scale *= 128
  }
  throw new EndlessInteger('a prefixed integer of more than 62 bits')
}

/** Writes `value` behind the bits of `flags`, which lie above the prefix. */
export function writePrefixInteger(writer: Writer, flags: number, bits: number, value: number): void {
  const mask = (1 << bits) - 1
  if (value < mask) {
    writer.u8(flags | value)
    return
  }
  writer.u8(flags | mask)
  let rest = value - mask
  while (rest >= 0x80) {
    writer.u8(0x80 | (rest % 0x80))
    rest = Math.floor(rest / 0x80)
  }
  writer.u8(rest)
}

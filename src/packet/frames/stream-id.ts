// Stream ids and application error codes as frames carry them: 62 bits, of which numbers hold 53 exactly (RFC 9000 §16).

import type { Reader } from '../../bytes/reader.ts'
import { MAX_EXACT } from '../../bytes/varint.ts'

/**
 * An id beyond exact numbers is beyond every limit we grant. It becomes the largest exact one of the same kind, for the
 * two lowest bits (RFC 9000 §2.1) decide which rule it breaks.
 */
export function readStreamId(reader: Reader): number {
  const id = reader.varint()
  return id <= MAX_EXACT ? id : MAX_EXACT - 3 + ((reader.bytes[reader.pos - 1] as number) & 3)
}

/** A code that can be told to the application, and written again to answer STOP_SENDING. */
export function readErrorCode(reader: Reader): number {
  return Math.min(reader.varint(), MAX_EXACT)
}

// The Retry packet (RFC 9000 §17.2.5). Its integrity tag (RFC 9001 §5.8) is computed elsewhere.

import type { Writer } from '../bytes/writer.ts'
import { type PacketHeader, retryTypeBits } from './header.ts'

export const RETRY_TAG_LENGTH: number = 16

export interface Retry {
  readonly token: Uint8Array
  readonly tag: Uint8Array
  /** The packet without its tag: what the tag covers, behind the original destination id. */
  readonly pseudo: Uint8Array
}

/** Everything but the tag. `source` is the new id the client is to use (RFC 9000 §17.2.5.1). */
export function writeRetry(
  w: Writer,
  version: number,
  destination: Uint8Array,
  source: Uint8Array,
  token: Uint8Array,
  firstByteRandom: number,
): void {
  w.u8(0xc0 | (retryTypeBits(version) << 4) | (firstByteRandom & 0x0f))
  w.u32(version)
  w.u8(destination.length)
  w.put(destination)
  w.u8(source.length)
  w.put(source)
  w.put(token)
}

/** Undefined when there is no room for a tag, or no token (RFC 9000 §17.2.5.2: a client discards that). All views. */
export function readRetry(datagram: Uint8Array, header: PacketHeader): Retry | undefined {
  const tagOffset = header.end - RETRY_TAG_LENGTH
  if (tagOffset <= header.numberOffset) return undefined
  return {
    token: datagram.subarray(header.numberOffset, tagOffset),
    tag: datagram.subarray(tagOffset, header.end),
    pseudo: datagram.subarray(header.start, tagOffset),
  }
}

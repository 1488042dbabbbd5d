// CRYPTO frames (RFC 9000 §19.6).

import type { Reader } from '../../bytes/reader.ts'
import { MAX_EXACT, varintSize } from '../../bytes/varint.ts'
import type { Writer } from '../../bytes/writer.ts'
import { ErrorCode, TransportError } from '../transport-error.ts'
import { type CryptoFrame, FrameType } from './frame.ts'
import { lengthPrefixedRoom } from './length.ts'

/** Reads a CRYPTO behind its type. */
export function readCrypto(reader: Reader): CryptoFrame {
  const offset = reader.varint()
  const data = reader.view(reader.varint())
  // RFC 9000 §19.6 leaves the choice of the code; no buffer reaches so far.
  if (offset + data.length > MAX_EXACT) {
    throw new TransportError(ErrorCode.CryptoBufferExceeded, 'CRYPTO offset too large', FrameType.Crypto)
  }
  return { type: FrameType.Crypto, offset, data }
}

/** What `writeCryptoHeader` takes: everything but the data. */
export function cryptoFrameOverhead(offset: number, length: number): number {
  return 1 + varintSize(offset) + varintSize(length)
}

/** The most data a CRYPTO frame of `room` bytes can hold; negative when not even an empty one fits. */
export function cryptoDataRoom(offset: number, room: number): number {
  return lengthPrefixedRoom(room - 1 - varintSize(offset))
}

/** Everything up to the data, of which `length` bytes must follow: by `Writer.put`, in as many pieces as there are. */
export function writeCryptoHeader(w: Writer, offset: number, length: number): void {
  w.u8(FrameType.Crypto)
  w.varint(offset)
  w.varint(length)
}

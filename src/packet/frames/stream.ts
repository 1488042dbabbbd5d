// STREAM frames (RFC 9000 §19.8).

import type { Reader } from '../../bytes/reader.ts'
import { MAX_EXACT, varintSize } from '../../bytes/varint.ts'
import type { Writer } from '../../bytes/writer.ts'
import { ErrorCode, TransportError } from '../transport-error.ts'
import { FrameType, type StreamFrame } from './frame.ts'
import { lengthPrefixedRoom } from './length.ts'
import { readStreamId } from './stream-id.ts'

const FIN = 0x01
const LENGTH = 0x02
const OFFSET = 0x04

/** Reads a STREAM behind its type, 0x08 to 0x0f. Without the length bit the data goes on to the end of the packet. */
export function readStream(reader: Reader, type: number): StreamFrame {
  const id = readStreamId(reader)
  const offset = type & OFFSET ? reader.varint() : 0
  const data = reader.view(type & LENGTH ? reader.varint() : reader.remaining)
  // RFC 9000 §19.8 forbids offsets above 2^62-1. No window here ever reaches 2^53, so the lower bound says the same,
  // and everything that passes is exact.
  if (offset + data.length > MAX_EXACT) {
    throw new TransportError(ErrorCode.FlowControlError, 'stream offset too large', type)
  }
  return { type: FrameType.Stream, id, offset, data, fin: (type & FIN) !== 0 }
}

/** What `writeStreamHeader` takes: everything but the data. */
export function streamFrameOverhead(id: number, offset: number, length: number): number {
  return 1 + varintSize(id) + (offset > 0 ? varintSize(offset) : 0) + varintSize(length)
}

/** The most data a STREAM frame of `room` bytes can hold; negative when not even an empty one fits. */
export function streamDataRoom(id: number, offset: number, room: number): number {
  return lengthPrefixedRoom(room - 1 - varintSize(id) - (offset > 0 ? varintSize(offset) : 0))
}

/** Everything up to the data, of which `length` bytes must follow: by `Writer.put`, in as many pieces as there are. */
export function writeStreamHeader(w: Writer, id: number, offset: number, length: number, fin: boolean): void {
  w.u8(FrameType.Stream | LENGTH | (offset > 0 ? OFFSET : 0) | (fin ? FIN : 0))
  w.varint(id)
  if (offset > 0) w.varint(offset)
  w.varint(length)
}

/** A whole frame with its data in one piece. */
export function writeStream(w: Writer, id: number, offset: number, data: Uint8Array, fin: boolean): void {
  writeStreamHeader(w, id, offset, data.length, fin)
  w.put(data)
}

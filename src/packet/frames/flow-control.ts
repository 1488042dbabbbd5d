// MAX_DATA, MAX_STREAM_DATA, MAX_STREAMS and the three *_BLOCKED frames (RFC 9000 §19.9-14).

import type { Reader } from '../../bytes/reader.ts'
import { varintSize } from '../../bytes/varint.ts'
import type { Writer } from '../../bytes/writer.ts'
import { ErrorCode, TransportError } from '../transport-error.ts'
import {
  type DataBlockedFrame,
  FrameType,
  type MaxDataFrame,
  type MaxStreamDataFrame,
  type MaxStreamsFrame,
  type StreamDataBlockedFrame,
  type StreamsBlockedFrame,
} from './frame.ts'
import { readStreamId } from './stream-id.ts'

/** RFC 9000 §4.6: with more streams than this, ids would not fit a varint. */
export const MAX_STREAM_COUNT: number = 2 ** 60

/** The most bytes a MAX_DATA, MAX_STREAMS, DATA_BLOCKED or STREAMS_BLOCKED takes. */
export const LIMIT_FRAME_MAX_SIZE: number = 9
/** The most bytes a MAX_STREAM_DATA or STREAM_DATA_BLOCKED takes. */
export const STREAM_LIMIT_FRAME_MAX_SIZE: number = 17

export function readMaxData(reader: Reader): MaxDataFrame {
  return { type: FrameType.MaxData, maximum: reader.varint() }
}

export function readMaxStreamData(reader: Reader): MaxStreamDataFrame {
  return { type: FrameType.MaxStreamData, id: readStreamId(reader), maximum: reader.varint() }
}

export function readMaxStreams(reader: Reader, type: MaxStreamsFrame['type']): MaxStreamsFrame {
  return { type, maximum: readStreamCount(reader, type) }
}

export function readDataBlocked(reader: Reader): DataBlockedFrame {
  return { type: FrameType.DataBlocked, limit: reader.varint() }
}

export function readStreamDataBlocked(reader: Reader): StreamDataBlockedFrame {
  return { type: FrameType.StreamDataBlocked, id: readStreamId(reader), limit: reader.varint() }
}

export function readStreamsBlocked(reader: Reader, type: StreamsBlockedFrame['type']): StreamsBlockedFrame {
  return { type, limit: readStreamCount(reader, type) }
}

/** The size of MAX_DATA, MAX_STREAMS, DATA_BLOCKED and STREAMS_BLOCKED. */
export function limitFrameSize(limit: number): number {
  return 1 + varintSize(limit)
}

/** The size of MAX_STREAM_DATA and STREAM_DATA_BLOCKED. */
export function streamLimitFrameSize(id: number, limit: number): number {
  return 1 + varintSize(id) + varintSize(limit)
}

export function writeMaxData(w: Writer, maximum: number): void {
  writeLimit(w, FrameType.MaxData, maximum)
}

export function writeMaxStreamData(w: Writer, id: number, maximum: number): void {
  writeStreamLimit(w, FrameType.MaxStreamData, id, maximum)
}

export function writeMaxStreams(w: Writer, isBidi: boolean, maximum: number): void {
  writeLimit(w, isBidi ? FrameType.MaxStreamsBidi : FrameType.MaxStreamsUni, maximum)
}

export function writeDataBlocked(w: Writer, limit: number): void {
  writeLimit(w, FrameType.DataBlocked, limit)
}

export function writeStreamDataBlocked(w: Writer, id: number, limit: number): void {
  writeStreamLimit(w, FrameType.StreamDataBlocked, id, limit)
}

export function writeStreamsBlocked(w: Writer, isBidi: boolean, limit: number): void {
  writeLimit(w, isBidi ? FrameType.StreamsBlockedBidi : FrameType.StreamsBlockedUni, limit)
}

/** RFC 9000 §19.11, §19.14: a count above 2^60 is malformed. Rounding up keeps 2^60+1 above. */
function readStreamCount(reader: Reader, type: number): number {
  const count = reader.varint()
  if (count > MAX_STREAM_COUNT) throw new TransportError(ErrorCode.FrameEncodingError, 'more than 2^60 streams', type)
  return count
}

function writeLimit(w: Writer, type: number, limit: number): void {
  w.u8(type)
  w.varint(limit)
}

function writeStreamLimit(w: Writer, type: number, id: number, limit: number): void {
  w.u8(type)
  w.varint(id)
  w.varint(limit)
}

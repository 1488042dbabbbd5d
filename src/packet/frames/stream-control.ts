// RESET_STREAM and STOP_SENDING (RFC 9000 §19.4-5), RESET_STREAM_AT (QUIC Stream Resets with Partial Delivery §4).

import type { Reader } from '../../bytes/reader.ts'
import { varintSize } from '../../bytes/varint.ts'
import type { Writer } from '../../bytes/writer.ts'
import { ErrorCode, TransportError } from '../transport-error.ts'
import { FrameType, type ResetStreamAtFrame, type ResetStreamFrame, type StopSendingFrame } from './frame.ts'
import { readErrorCode, readStreamId } from './stream-id.ts'

export function readResetStream(reader: Reader): ResetStreamFrame {
  return {
    type: FrameType.ResetStream,
    id: readStreamId(reader),
    errorCode: readErrorCode(reader),
    finalSize: reader.varint(),
  }
}

export function resetStreamSize(id: number, errorCode: number, finalSize: number): number {
  return 1 + varintSize(id) + varintSize(errorCode) + varintSize(finalSize)
}

export function writeResetStream(w: Writer, id: number, errorCode: number, finalSize: number): void {
  w.u8(FrameType.ResetStream)
  w.varint(id)
  w.varint(errorCode)
  w.varint(finalSize)
}

export function readResetStreamAt(reader: Reader): ResetStreamAtFrame {
  const id = readStreamId(reader)
  const errorCode = readErrorCode(reader)
  const finalSize = reader.varint()
  const reliableSize = reader.varint()
  if (reliableSize > finalSize) {
    const reason = `${reliableSize} bytes of a stream of ${finalSize}`
    throw new TransportError(ErrorCode.FrameEncodingError, reason, FrameType.ResetStreamAt)
  }
  return { type: FrameType.ResetStreamAt, id, errorCode, finalSize, reliableSize }
}

export function resetStreamAtSize(id: number, errorCode: number, finalSize: number, reliableSize: number): number {
  return resetStreamSize(id, errorCode, finalSize) + varintSize(reliableSize)
}

export function writeResetStreamAt(
  w: Writer,
  id: number,
  errorCode: number,
  finalSize: number,
  reliableSize: number,
): void {
  w.u8(FrameType.ResetStreamAt)
  w.varint(id)
  w.varint(errorCode)
  w.varint(finalSize)
  w.varint(reliableSize)
}

export function readStopSending(reader: Reader): StopSendingFrame {
  return { type: FrameType.StopSending, id: readStreamId(reader), errorCode: readErrorCode(reader) }
}

export function stopSendingSize(id: number, errorCode: number): number {
  return 1 + varintSize(id) + varintSize(errorCode)
}

export function writeStopSending(w: Writer, id: number, errorCode: number): void {
  w.u8(FrameType.StopSending)
  w.varint(id)
  w.varint(errorCode)
}

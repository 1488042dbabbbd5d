// RESET_STREAM and STOP_SENDING (RFC 9000 §19.4-5).

import type { Reader } from '../../bytes/reader.ts'
import { varintSize } from '../../bytes/varint.ts'
import type { Writer } from '../../bytes/writer.ts'
import { FrameType, type ResetStreamFrame, type StopSendingFrame } from './frame.ts'
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

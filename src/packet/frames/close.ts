// CONNECTION_CLOSE frames, of the transport and of the application (RFC 9000 §19.19).

import type { Reader } from '../../bytes/reader.ts'
import { varintSize } from '../../bytes/varint.ts'
import type { Writer } from '../../bytes/writer.ts'
import { type ConnectionCloseFrame, FrameType } from './frame.ts'
import { lengthPrefixedRoom } from './length.ts'

/** Reads either behind its type. The reason may be anything: what is not UTF-8 shows as U+FFFD. */
export function readClose(reader: Reader, type: ConnectionCloseFrame['type']): ConnectionCloseFrame {
  const errorCode = reader.varint()
  const frameType = type === FrameType.ConnectionClose ? reader.varint() : 0
  const reason = decoder.decode(reader.view(reader.varint()))
  return { type, errorCode, frameType, reason }
}

/** The most bytes a CONNECTION_CLOSE with this reason takes, whatever its codes. */
export function closeSize(reason: string): number {
  const length = encoder.encode(reason).length
  return 1 + 8 + 8 + varintSize(length) + length
}

/** The transport's own close. The reason is cut to what fits. */
export function writeConnectionClose(w: Writer, errorCode: number, frameType: number, reason: string): void {
  w.u8(FrameType.ConnectionClose)
  w.varint(errorCode)
  w.varint(frameType)
  putReason(w, reason)
}

/** The application's close. The reason is cut to what fits. */
export function writeApplicationClose(w: Writer, errorCode: number, reason: string): void {
  w.u8(FrameType.ApplicationClose)
  w.varint(errorCode)
  putReason(w, reason)
}

function putReason(w: Writer, reason: string): void {
  const bytes = encoder.encode(reason)
  const length = characterBoundary(bytes, Math.max(0, lengthPrefixedRoom(w.remaining)))
  w.varint(length)
  w.put(bytes.subarray(0, length))
}

/** The largest length up to `limit` that does not cut a character: those go on with bytes 10xxxxxx. */
function characterBoundary(bytes: Uint8Array, limit: number): number {
  if (limit >= bytes.length) return bytes.length
  let length = limit
  while (length > 0 && ((bytes[length] as number) & 0xc0) === 0x80) length--
  return length
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

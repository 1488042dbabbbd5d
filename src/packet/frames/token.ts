// NEW_TOKEN frames (RFC 9000 §19.7).

import type { Reader } from '../../bytes/reader.ts'
import { varintSize } from '../../bytes/varint.ts'
import type { Writer } from '../../bytes/writer.ts'
import { ErrorCode, TransportError } from '../transport-error.ts'
import { FrameType, type NewTokenFrame } from './frame.ts'

/** Reads a NEW_TOKEN behind its type. The token is a copy: it is kept for the next connection. */
export function readNewToken(reader: Reader): NewTokenFrame {
  const token = reader.copy(reader.varint())
  if (token.length === 0) throw new TransportError(ErrorCode.FrameEncodingError, 'empty token', FrameType.NewToken)
  return { type: FrameType.NewToken, token }
}

export function newTokenSize(token: Uint8Array): number {
  return 1 + varintSize(token.length) + token.length
}

export function writeNewToken(w: Writer, token: Uint8Array): void {
  w.u8(FrameType.NewToken)
  w.varint(token.length)
  w.put(token)
}

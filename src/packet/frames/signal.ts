// Frames without fields: PADDING, PING and HANDSHAKE_DONE (RFC 9000 §19.1-2, §19.20), and IMMEDIATE_ACK (QUIC
// Acknowledgment Frequency §5).

import type { Reader } from '../../bytes/reader.ts'
import type { Writer } from '../../bytes/writer.ts'
import {
  FrameType,
  type HandshakeDoneFrame,
  type ImmediateAckFrame,
  type PaddingFrame,
  type PingFrame,
} from './frame.ts'

/** The size of a PING, a HANDSHAKE_DONE or an IMMEDIATE_ACK. */
export const SIGNAL_FRAME_SIZE: number = 1

export const pingFrame: PingFrame = { type: FrameType.Ping }
export const handshakeDoneFrame: HandshakeDoneFrame = { type: FrameType.HandshakeDone }
export const immediateAckFrame: ImmediateAckFrame = { type: FrameType.ImmediateAck }

/** Reads a row of PADDING whose first byte was read already. */
export function readPadding(reader: Reader): PaddingFrame {
  const start = reader.pos - 1
  while (!reader.isDone && reader.peek() === FrameType.Padding) reader.skip(1)
  return { type: FrameType.Padding, length: reader.pos - start }
}

export function writePadding(w: Writer, length: number): void {
  w.zeros(length)
}

export function writePing(w: Writer): void {
  w.u8(FrameType.Ping)
}

export function writeHandshakeDone(w: Writer): void {
  w.u8(FrameType.HandshakeDone)
}

export function writeImmediateAck(w: Writer): void {
  w.u8(FrameType.ImmediateAck)
}

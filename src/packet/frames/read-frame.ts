// One frame from the bytes of a decrypted packet (RFC 9000 §12.4): its type, where it may stand, and its reader.

import { OutOfBytes, type Reader } from '../../bytes/reader.ts'
import { MAX_EXACT, varintSize } from '../../bytes/varint.ts'
import { type Level, levelNames } from '../level.ts'
import { ErrorCode, TransportError } from '../transport-error.ts'
import { readAck } from './ack.ts'
import { readAckFrequency } from './ack-frequency.ts'
import { readClose } from './close.ts'
import { readNewConnectionId, readRetireConnectionId } from './connection-id.ts'
import { readCrypto } from './crypto.ts'
import { readDatagram } from './datagram.ts'
import {
  readDataBlocked,
  readMaxData,
  readMaxStreamData,
  readMaxStreams,
  readStreamDataBlocked,
  readStreamsBlocked,
} from './flow-control.ts'
import { type Frame, FrameType } from './frame.ts'
import { readPath } from './path.ts'
import { handshakeDoneFrame, immediateAckFrame, pingFrame, readPadding } from './signal.ts'
import { readStream } from './stream.ts'
import { readResetStream, readResetStreamAt, readStopSending } from './stream-control.ts'
import { readNewToken } from './token.ts'

/**
 * Reads the next frame of a packet of `level`. Data of STREAM, CRYPTO and DATAGRAM frames are views into the packet.
 * Which side may send a frame, and whether those of extensions were agreed on, is for the caller to check.
 *
 * Throws a TransportError: FRAME_ENCODING_ERROR for what is malformed or unknown, PROTOCOL_VIOLATION for what does not
 * belong into such a packet, and the codes that single frames ask for.
 */
export function readFrame(reader: Reader, level: Level): Frame {
  let type = 0
  try {
    type = readType(reader)
    checkLevel(type, level)
    return readBody(reader, type)
  } catch (error) {
    if (!(error instanceof OutOfBytes)) throw error
    throw new TransportError(ErrorCode.FrameEncodingError, `frame cut off: ${error.message}`, type)
  }
}

/** RFC 9002 §2: whether a packet with this frame must be acknowledged. */
export function isAckEliciting(frame: Frame): boolean {
  switch (frame.type) {
    case FrameType.Padding:
    case FrameType.Ack:
    case FrameType.ConnectionClose:
    case FrameType.ApplicationClose:
      return false
    default:
      return true
  }
}

/** RFC 9000 §9.1: whether a packet of such frames alone only probes a path, and is no migration. */
export function isProbing(frame: Frame): boolean {
  switch (frame.type) {
    case FrameType.Padding:
    case FrameType.NewConnectionId:
    case FrameType.PathChallenge:
    case FrameType.PathResponse:
      return true
    default:
      return false
  }
}

function readType(reader: Reader): number {
  const start = reader.pos
  const type = reader.varint()
  // RFC 9000 §12.4: frame types are encoded in the fewest bytes.
  if (reader.pos - start !== varintSize(type)) {
    throw new TransportError(ErrorCode.ProtocolViolation, 'frame type not in its shortest form', type)
  }
  return type
}

function checkLevel(type: number, level: Level): void {
  const levels = allowedLevels[type]
  if (levels === undefined) {
    // A type beyond exact numbers cannot be reported back.
    throw new TransportError(ErrorCode.FrameEncodingError, 'unknown frame type', type > MAX_EXACT ? 0 : type)
  }
  if (levels[level] === '_') {
    const where = levelNames[level]
    throw new TransportError(ErrorCode.ProtocolViolation, `frame 0x${type.toString(16)} in a ${where} packet`, type)
  }
}

function readBody(reader: Reader, type: number): Frame {
  switch (type) {
    case FrameType.Padding:
      return readPadding(reader)
    case FrameType.Ping:
      return pingFrame
    case FrameType.Ack:
    case FrameType.AckEcn:
      return readAck(reader, type)
    case FrameType.ResetStream:
      return readResetStream(reader)
    case FrameType.StopSending:
      return readStopSending(reader)
    case FrameType.Crypto:
      return readCrypto(reader)
    case FrameType.NewToken:
      return readNewToken(reader)
    case FrameType.MaxData:
      return readMaxData(reader)
    case FrameType.MaxStreamData:
      return readMaxStreamData(reader)
    case FrameType.MaxStreamsBidi:
    case FrameType.MaxStreamsUni:
      return readMaxStreams(reader, type)
    case FrameType.DataBlocked:
      return readDataBlocked(reader)
    case FrameType.StreamDataBlocked:
      return readStreamDataBlocked(reader)
    case FrameType.StreamsBlockedBidi:
    case FrameType.StreamsBlockedUni:
      return readStreamsBlocked(reader, type)
    case FrameType.NewConnectionId:
      return readNewConnectionId(reader)
    case FrameType.RetireConnectionId:
      return readRetireConnectionId(reader)
    case FrameType.PathChallenge:
    case FrameType.PathResponse:
      return readPath(reader, type)
    case FrameType.ConnectionClose:
    case FrameType.ApplicationClose:
      return readClose(reader, type)
    case FrameType.HandshakeDone:
      return handshakeDoneFrame
    case FrameType.ImmediateAck:
      return immediateAckFrame
    case FrameType.ResetStreamAt:
      return readResetStreamAt(reader)
    case FrameType.AckFrequency:
      return readAckFrequency(reader)
    default:
      return type < FrameType.Datagram ? readStream(reader, type) : readDatagram(reader, type)
  }
}

/**
 * RFC 9000 §12.4, Table 3, RFC 9221 §4, QUIC Acknowledgment Frequency §3 and QUIC Stream Resets with Partial Delivery §3:
 * by type, the levels in the order of `Level` (Initial, 0-RTT, Handshake, 1-RTT).
 */
const allowedLevels: readonly (string | undefined)[] = (() => {
  const table: (string | undefined)[] = new Array<string | undefined>(FrameType.AckFrequency + 1).fill(undefined)
  const set = (levels: string, first: number, last = first): void => {
    for (let type = first; type <= last; type++) table[type] = levels
  }
  set('I0H1', FrameType.Padding)
  set('I0H1', FrameType.Ping)
  set('I_H1', FrameType.Ack, FrameType.AckEcn)
  set('_0_1', FrameType.ResetStream)
  set('_0_1', FrameType.StopSending)
  set('I_H1', FrameType.Crypto)
  set('___1', FrameType.NewToken)
  set('_0_1', FrameType.Stream, FrameType.Stream + 7)
  set('_0_1', FrameType.MaxData)
  set('_0_1', FrameType.MaxStreamData)
  set('_0_1', FrameType.MaxStreamsBidi, FrameType.MaxStreamsUni)
  set('_0_1', FrameType.DataBlocked)
  set('_0_1', FrameType.StreamDataBlocked)
  set('_0_1', FrameType.StreamsBlockedBidi, FrameType.StreamsBlockedUni)
  set('_0_1', FrameType.NewConnectionId)
  set('_0_1', FrameType.RetireConnectionId)
  set('_0_1', FrameType.PathChallenge)
  set('___1', FrameType.PathResponse)
  set('I0H1', FrameType.ConnectionClose)
  set('_0_1', FrameType.ApplicationClose)
  set('___1', FrameType.HandshakeDone)
  set('___1', FrameType.ImmediateAck)
  set('_0_1', FrameType.ResetStreamAt)
  set('_0_1', FrameType.Datagram, FrameType.Datagram + 1)
  set('___1', FrameType.AckFrequency)
  return table
})()

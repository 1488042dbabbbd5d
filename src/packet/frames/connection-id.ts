// NEW_CONNECTION_ID and RETIRE_CONNECTION_ID (RFC 9000 §19.15-16).

import type { Reader } from '../../bytes/reader.ts'
import { MAX_EXACT, varintSize } from '../../bytes/varint.ts'
import type { Writer } from '../../bytes/writer.ts'
import { MAX_CONNECTION_ID_LENGTH } from '../connection-id.ts'
import { STATELESS_RESET_TOKEN_LENGTH } from '../stateless-reset.ts'
import { ErrorCode, TransportError } from '../transport-error.ts'
import { FrameType, type NewConnectionIdFrame, type RetireConnectionIdFrame } from './frame.ts'

/** Reads a NEW_CONNECTION_ID behind its type. Id and token are copies: they outlive the packet. */
export function readNewConnectionId(reader: Reader): NewConnectionIdFrame {
  const sequence = reader.varint()
  const retirePriorTo = reader.varint()
  const length = reader.u8()
  // RFC 9000 §19.15.
  if (length < 1 || length > MAX_CONNECTION_ID_LENGTH) throw malformed(`connection id of ${length} bytes`)
  const id = reader.copy(length)
  const statelessResetToken = reader.copy(STATELESS_RESET_TOKEN_LENGTH)
  if (retirePriorTo > sequence) throw malformed('Retire Prior To above the sequence number')
  // RFC 9000 §5.1.1: sequence numbers grow by one. Nobody gets as far as where ours are no longer exact.
  if (sequence > MAX_EXACT) {
    throw new TransportError(ErrorCode.ProtocolViolation, 'sequence number too large', FrameType.NewConnectionId)
  }
  return { type: FrameType.NewConnectionId, sequence, retirePriorTo, id, statelessResetToken }
}

export function newConnectionIdSize(sequence: number, retirePriorTo: number, id: Uint8Array): number {
  return 1 + varintSize(sequence) + varintSize(retirePriorTo) + 1 + id.length + STATELESS_RESET_TOKEN_LENGTH
}

export function writeNewConnectionId(
  w: Writer,
  sequence: number,
  retirePriorTo: number,
  id: Uint8Array,
  statelessResetToken: Uint8Array,
): void {
  w.u8(FrameType.NewConnectionId)
  w.varint(sequence)
  w.varint(retirePriorTo)
  w.u8(id.length)
  w.put(id)
  w.put(statelessResetToken)
}

export function readRetireConnectionId(reader: Reader): RetireConnectionIdFrame {
  return { type: FrameType.RetireConnectionId, sequence: reader.varint() }
}

export function retireConnectionIdSize(sequence: number): number {
  return 1 + varintSize(sequence)
}

export function writeRetireConnectionId(w: Writer, sequence: number): void {
  w.u8(FrameType.RetireConnectionId)
  w.varint(sequence)
}

function malformed(reason: string): TransportError {
  return new TransportError(ErrorCode.FrameEncodingError, reason, FrameType.NewConnectionId)
}

// NewSessionTicket (RFC 8446 §4.6.1, RFC 9001 §4.6.1).

import { Writer } from '../../bytes/writer.ts'
import { limits } from '../../limits.ts'
import { ErrorCode, TransportError } from '../../packet/transport-error.ts'
import {
  beginExtension,
  checkPlace,
  type Extensions,
  ExtensionType,
  endExtension,
  QUIC_MAX_EARLY_DATA,
  readBody,
  readExtensions,
} from '../extensions.ts'
import { beginMessage, endMessage, expectDone, HandshakeType, type Message, opaque, writeOpaque } from './handshake.ts'

/** Seven days: no ticket lives longer (RFC 8446 §4.6.1). */
export const MAX_TICKET_LIFETIME_SECONDS: number = limits.ticketLifetime / 1000

export interface NewSessionTicket {
  readonly lifetimeSeconds: number
  readonly ageAdd: number
  readonly nonce: Uint8Array
  readonly ticket: Uint8Array
  readonly allowsEarlyData: boolean
}

export function readNewSessionTicket(message: Message): NewSessionTicket {
  const reader = message.body()
  const lifetimeSeconds = reader.u32()
  const ageAdd = reader.u32()
  const nonce = opaque(reader, 1, 0, 255)
  const ticket = opaque(reader, 2, 1, 0xffff)
  const extensions = readExtensions(reader)
  expectDone(reader, 'NewSessionTicket')
  checkPlace(extensions, ALLOWED)
  return {
    // A client keeps no ticket longer, whatever it says (RFC 8446 §4.6.1).
    lifetimeSeconds: Math.min(lifetimeSeconds, MAX_TICKET_LIFETIME_SECONDS),
    ageAdd,
    nonce,
    ticket,
    allowsEarlyData: allowsEarlyData(extensions),
  }
}

const ALLOWED: readonly number[] = [ExtensionType.EarlyData]

/** RFC 9001 §4.6.1: the size is a mark that means yes; anything else is a violation of the transport. */
function allowsEarlyData(extensions: Extensions): boolean {
  const body = extensions.get(ExtensionType.EarlyData)
  if (body === undefined) return false
  if (readBody(body, reader => reader.u32()) !== QUIC_MAX_EARLY_DATA) {
    throw new TransportError(ErrorCode.ProtocolViolation, 'max_early_data_size is not 0xffffffff')
  }
  return true
}

export function writeNewSessionTicket(fields: NewSessionTicket): Uint8Array {
  const w = Writer.allocate(32 + fields.nonce.length + fields.ticket.length)
  const start = beginMessage(w, HandshakeType.NewSessionTicket)
  w.u32(fields.lifetimeSeconds)
  w.u32(fields.ageAdd)
  writeOpaque(w, 1, fields.nonce)
  writeOpaque(w, 2, fields.ticket)
  const extensions = w.beginVector(2)
  if (fields.allowsEarlyData) {
    const extension = beginExtension(w, ExtensionType.EarlyData)
    w.u32(QUIC_MAX_EARLY_DATA)
    endExtension(w, extension)
  }
  w.endVector(extensions, 2)
  return endMessage(w, start)
}

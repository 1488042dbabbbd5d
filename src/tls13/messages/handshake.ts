// The frame around every handshake message (RFC 8446 §4) and the vectors inside it (§3.4).

import { OutOfBytes, Reader } from '../../bytes/reader.ts'
import type { Writer } from '../../bytes/writer.ts'
import { Alert, TlsAlert } from '../alert.ts'

export const HandshakeType = {
  ClientHello: 1,
  ServerHello: 2,
  NewSessionTicket: 4,
  EndOfEarlyData: 5,
  EncryptedExtensions: 8,
  Certificate: 11,
  CertificateRequest: 13,
  CertificateVerify: 15,
  Finished: 20,
  KeyUpdate: 24,
  /** RFC 8879 §4. */
  CompressedCertificate: 25,
  MessageHash: 254,
} as const
export type HandshakeType = (typeof HandshakeType)[keyof typeof HandshakeType]

/** Type and 24-bit length. */
export const MESSAGE_HEADER_LENGTH = 4

/** One whole message as received: memory of its own, so that parts of it may be kept. */
export class Message {
  readonly type: number
  /** With the header: what goes into the transcript. */
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.type = bytes[0] as number
    this.bytes = bytes
  }

  /** A reader over the body. */
  body(): Reader {
    return new Reader(this.bytes, MESSAGE_HEADER_LENGTH)
  }
}

/** Starts a message; `endMessage` fills its length in. Returns where the body starts. */
export function beginMessage(w: Writer, type: HandshakeType): number {
  w.u8(type)
  return w.beginVector(3)
}

export function endMessage(w: Writer, start: number): Uint8Array {
  w.endVector(start, 3)
  return w.finish()
}

/** A reader confined to the vector that starts here, with a length of `size` bytes. */
export function vector(reader: Reader, size: 1 | 2 | 3): Reader {
  const length = size === 1 ? reader.u8() : size === 2 ? reader.u16() : reader.u24()
  return reader.sub(length)
}

/** A vector of bytes between `min` and `max` long, as a view. */
export function opaque(reader: Reader, size: 1 | 2 | 3, min: number, max: number): Uint8Array {
  const bytes = vector(reader, size).rest()
  if (bytes.length < min || bytes.length > max) throw decodeError(`a vector of ${bytes.length} bytes`)
  return bytes
}

/** A vector of uint16 values, at least one. */
export function u16List(reader: Reader, size: 1 | 2): number[] {
  const list = vector(reader, size)
  if (list.remaining === 0 || list.remaining % 2 !== 0) throw decodeError(`a list of ${list.remaining} bytes`)
  const values: number[] = []
  while (!list.isDone) values.push(list.u16())
  return values
}

export function writeOpaque(w: Writer, size: 1 | 2 | 3, bytes: Uint8Array): void {
  const at = w.beginVector(size)
  w.put(bytes)
  w.endVector(at, size)
}

export function writeU16List(w: Writer, size: 1 | 2, values: readonly number[]): void {
  const at = w.beginVector(size)
  for (const value of values) w.u16(value)
  w.endVector(at, size)
}

/** Nothing may follow: a message or an extension is exactly as long as it says (RFC 8446 §6.2 decode_error). */
export function expectDone(reader: Reader, what: string): void {
  if (!reader.isDone) throw decodeError(`${reader.remaining} bytes behind ${what}`)
}

export function decodeError(reason: string): TlsAlert {
  return new TlsAlert(Alert.DecodeError, reason)
}

export function illegalParameter(reason: string): TlsAlert {
  return new TlsAlert(Alert.IllegalParameter, reason)
}

/** What a handler of messages throws to the outside: running out of bytes is a decode_error (RFC 8446 §6.2). */
export function asAlert(error: unknown): unknown {
  return error instanceof OutOfBytes ? decodeError(`truncated message: ${error.message}`) : error
}

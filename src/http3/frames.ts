// HTTP/3 frames (RFC 9114 §7): reading them from a stream in pieces of any size, and writing them.

import { Reader } from '../bytes/reader.ts'
import { varintSize } from '../bytes/varint.ts'
import { Writer } from '../bytes/writer.ts'
import { Http3Error, Http3ErrorCode } from './error-codes.ts'

export const FrameType = {
  Data: 0x00,
  Headers: 0x01,
  CancelPush: 0x03,
  Settings: 0x04,
  PushPromise: 0x05,
  Goaway: 0x07,
  MaxPushId: 0x0d,
  PriorityUpdateRequest: 0xf0700,
  PriorityUpdatePush: 0xf0701,
} as const
export type FrameType = (typeof FrameType)[keyof typeof FrameType]

/** RFC 9114 §7.2.8: frame types of HTTP/2 without a meaning here must not be sent: H3_FRAME_UNEXPECTED. */
export function isForbiddenFrameType(type: number): boolean {
  return type === 0x02 || type === 0x06 || type === 0x08 || type === 0x09
}

/**
 * Cuts a stream into frames. Push chunks in; `readHeader`, then take the payload by `collect` (all of it, for small
 * frames), `piece` (as it comes, for DATA) or `skip`. Holds one chunk, and the payload being collected.
 */
export class FrameReader {
  /** Type of the frame whose payload comes next; good while `isInFrame`. */
  type = 0
  /** Length of its payload. */
  length = 0
  /** Bytes of the payload not yet taken. */
  remaining = 0
  isInFrame = false
  #chunk: Uint8Array = empty
  #pos = 0
  /** A frame header cut by the end of a chunk: at most 16 bytes. */
  #partial: Uint8Array = empty
  #partialLength = 0
  #collected: Uint8Array = empty

  /** Only when everything pushed before was taken. */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk
    this.#pos = 0
  }

  get hasBytes(): boolean {
    return this.#pos < this.#chunk.length
  }

  /** True when the stream may end here without cutting a frame (RFC 9114 §7.1). */
  get isAtBoundary(): boolean {
    return !this.isInFrame && this.#partialLength === 0
  }

  /** False when more bytes are needed. */
  readHeader(): boolean {
    if (this.#partialLength > 0) return this.#finishHeader()
    const size = headerSize(this.#chunk, this.#pos, this.#chunk.length)
    if (size < 0) {
      this.#keepPartial()
      return false
    }
    this.#enter(this.#chunk, this.#pos)
    this.#pos += size
    return true
  }

  /** The whole payload, which ends the frame; undefined when more bytes are needed. A view if it came in one chunk. */
  collect(): Uint8Array | undefined {
    const start = this.length - this.remaining
    const piece = this.#take()
    if (start === 0 && this.remaining === 0) return this.#leave(piece)
    if (start + piece.length > this.#collected.length) {
      // Grows with what came, not with what was promised.
      const grown = new Uint8Array(Math.min(this.length, 2 * (start + piece.length)))
      grown.set(this.#collected.subarray(0, start))
      this.#collected = grown
    }
    this.#collected.set(piece, start)
    if (this.remaining > 0) return undefined
    const payload = this.#collected.subarray(0, this.length)
    this.#collected = empty
    return this.#leave(payload)
  }

  /** The next bytes of the payload, a view; empty when more are needed. Ends the frame with its last byte. */
  piece(): Uint8Array {
    const piece = this.#take()
    if (this.remaining === 0) this.isInFrame = false
    return piece
  }

  /** What was pushed and is no part of a frame: a view. */
  rest(): Uint8Array {
    const rest = this.#chunk.subarray(this.#pos)
    this.#pos = this.#chunk.length
    return rest
  }

  /** False when more bytes are needed to pass over the frame. */
  skip(): boolean {
    this.piece()
    return !this.isInFrame
  }

  #take(): Uint8Array {
    const length = Math.min(this.remaining, this.#chunk.length - this.#pos)
    const piece = this.#chunk.subarray(this.#pos, this.#pos + length)
    this.#pos += length
    this.remaining -= length
    return piece
  }

  #leave(payload: Uint8Array): Uint8Array {
    this.isInFrame = false
    return payload
  }

  #enter(bytes: Uint8Array, at: number): void {
    this.type = varintAt(bytes, at)
    this.length = varintAt(bytes, at + varintLength(bytes[at] as number))
    this.remaining = this.length
    this.isInFrame = true
  }

  #keepPartial(): void {
    const rest = this.#chunk.subarray(this.#pos)
    if (rest.length === 0) return
    this.#partial = new Uint8Array(16)
    this.#partial.set(rest)
    this.#partialLength = rest.length
    this.#pos = this.#chunk.length
  }

  #finishHeader(): boolean {
    while (this.#pos < this.#chunk.length) {
      this.#partial[this.#partialLength++] = this.#chunk[this.#pos++] as number
      if (headerSize(this.#partial, 0, this.#partialLength) < 0) continue
      this.#enter(this.#partial, 0)
      this.#partialLength = 0
      return true
    }
    return false
  }
}

export function frameHeaderSize(type: number, length: number): number {
  return varintSize(type) + varintSize(length)
}

export function writeFrameHeader(writer: Writer, type: number, length: number): void {
  writer.varint(type)
  writer.varint(length)
}

/** A frame whose payload is one varint: GOAWAY, CANCEL_PUSH, MAX_PUSH_ID. */
export function idFrame(type: number, id: number): Uint8Array {
  const size = varintSize(id)
  const writer = Writer.allocate(frameHeaderSize(type, size) + size)
  writeFrameHeader(writer, type, size)
  writer.varint(id)
  return writer.bytes
}

/** The varint that must be all of a payload (RFC 9114 §7.1). */
export function readOnlyId(reader: Reader): number {
  if (reader.isDone || reader.remaining < varintLength(reader.peek())) throw frameError('frame too short')
  const id = reader.varint()
  if (!reader.isDone) throw frameError('frame too long')
  return id
}

export function frameError(reason: string): Http3Error {
  return new Http3Error(Http3ErrorCode.FrameError, reason)
}

/** Bytes of a varint, told by its first byte. */
export function varintLength(first: number): number {
  return 1 << (first >> 6)
}

/** Size of the frame header at `at`, -1 when it does not end before `end`. */
function headerSize(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return -1
  const type = varintLength(bytes[at] as number)
  if (at + type >= end) return -1
  const size = type + varintLength(bytes[at + type] as number)
  return at + size <= end ? size : -1
}

function varintAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number
  // Nearly every type and most lengths have one or two bytes.
  if (first < 0x40) return first
  if (first < 0x80) return ((first & 0x3f) << 8) | (bytes[at + 1] as number)
  return new Reader(bytes, at).varint()
}

const empty = new Uint8Array(0)

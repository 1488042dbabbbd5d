// The capsule protocol (RFC 9297 §3): what is said reliably on the stream of a request that became a tunnel.

import { varintSize } from '../bytes/varint.ts'
import { Writer } from '../bytes/writer.ts'
import { Http3ErrorCode, Http3StreamError } from './error-codes.ts'
import { FrameReader, writeFrameHeader } from './frames.ts'

export interface Capsule {
  readonly type: number
  readonly value: Uint8Array
}

/** Cuts content into capsules, which have the shape of frames. Those that are not known are passed over, never held. */
export class CapsuleReader {
  readonly #frames = new FrameReader()
  /** By type: the most bytes a value can have. */
  readonly #known: ReadonlyMap<number, number>

  constructor(known: ReadonlyMap<number, number>) {
    this.#known = known
  }

  /** Then call `next` until it is undefined. */
  push(content: Uint8Array): void {
    this.#frames.push(content)
  }

  /** The next capsule that is known. Throws H3_MESSAGE_ERROR for one that is too long. */
  next(): Capsule | undefined {
    const frames = this.#frames
    for (;;) {
      if (!frames.isInFrame && !frames.readHeader()) return undefined
      const most = this.#known.get(frames.type)
      if (most === undefined) {
        if (!frames.skip()) return undefined
        continue
      }
      if (frames.length > most) throw malformedCapsule('a capsule that is too long')
      const value = frames.collect()
      return value && { type: frames.type, value }
    }
  }

  /** RFC 9297 §3.3: the stream may end here. */
  get isAtBoundary(): boolean {
    return this.#frames.isAtBoundary
  }
}

export function writeCapsule(type: number, value: Uint8Array): Uint8Array {
  const writer = Writer.allocate(varintSize(type) + varintSize(value.length) + value.length)
  writeFrameHeader(writer, type, value.length)
  writer.put(value)
  return writer.bytes
}

/** RFC 9297 §3.3: as if the message were malformed. */
export function malformedCapsule(reason: string): Http3StreamError {
  return new Http3StreamError(Http3ErrorCode.MessageError, reason)
}

// Bodies that fetch takes, as a session sends them: bytes where they are known, else a stream, and what that says of itself.

import type { SendableBody } from '../http3/fetch.ts'
import { type BodyPieces, bodyOf } from './client/request-body.ts'

/** What `fetch` takes as a body: of WHATWG, and whatever can be iterated over, such as a Readable of node. */
export type FetchBody = NonNullable<RequestInit['body']> | SendableBody | AsyncIterable<Uint8Array | string>

interface SessionBody {
  readonly body: SendableBody
  /** `content-type`, unless the caller says another. */
  readonly type?: string | undefined
  /** Bytes of a stream, where they are known. */
  readonly length?: number
}

/** Throws a TypeError for what cannot be a body. */
export function sessionBody(body: FetchBody | null | undefined): SessionBody {
  if (typeof body === 'string') return { body, type: 'text/plain;charset=UTF-8' }
  if (body instanceof ReadableStream) return { body }
  const { bytes, pieces, type, length } = bodyOf(body)
  if (pieces === undefined) return { body: bytes }
  return { body: streamOf(pieces), type, ...(length >= 0 && { length }) }
}

function streamOf(pieces: BodyPieces): ReadableStream<Uint8Array> {
  let next = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = await pieces.piece(next++)
        if (piece === undefined) controller.close()
        else controller.enqueue(piece)
      },
      cancel: () => pieces.cancel(),
    },
    { highWaterMark: 0 },
  )
}

// A request on its way to somebody else.

import { type Field, FieldList, type MutableFields } from './fields.ts'
import { hopByHop, hostOf, namedByConnection, targetOf } from './handler.ts'
import type { IncomingRequest } from './incoming-request.ts'
import { isSmall } from './whole-body.ts'
import { inTime, within } from './within.ts'

export interface Call {
  readonly method: string
  /** Path and query. */
  readonly target: string
  /** As the caller named it. */
  readonly host: string
  readonly headers: MutableFields
  /** A stream can be sent once. */
  readonly body: Uint8Array | ReadableStream<Uint8Array> | undefined
}

/**
 * `buffers`: whatever its size, the request is read whole first. A body that has not come within `readTimeout` ms is a
 * TimeoutError, of this or of the stream.
 */
export async function callOf(
  request: Omit<IncomingRequest, 'early'> & { readonly early?: boolean },
  buffers: boolean,
  readTimeout?: number,
): Promise<Call> {
  const list: Field[] = []
  const named = namedByConnection(request.headers.get('connection'))
  for (const field of request.headers) {
    const [name] = field
    if (name !== 'host' && !hopByHop.has(name) && !named.has(name)) list.push(field)
  }
  const headers = new FieldList(list)
  // RFC 8470 §5.1.
  if (request.early) headers.set('early-data', '1')
  const { method } = request
  return {
    method,
    target: targetOf(request),
    host: hostOf(request),
    headers,
    body: await bodyOf(request, buffers, readTimeout),
  }
}

type Read = Pick<IncomingRequest, 'arrayBuffer' | 'bytes'>

async function bodyOf(
  request: Read & Pick<IncomingRequest, 'method' | 'headers' | 'body'>,
  buffers: boolean,
  readTimeout: number | undefined,
): Promise<Call['body']> {
  const isWhole = buffers || isSmall(request.headers.get('content-length'))
  if (isWhole && request.method !== 'GET' && request.method !== 'HEAD') return bytesOf(request, readTimeout)
  return request.body === null ? undefined : within(request.body, readTimeout, READ_TOO_LONG)
}

/** The body, whole; rejects with a TimeoutError when it takes longer than `readTimeout` ms. */
export async function bytesOf(request: Read, readTimeout: number | undefined): Promise<Uint8Array> {
  return inTime(request.bytes?.() ?? request.arrayBuffer().then(asBytes), readTimeout, READ_TOO_LONG)
}

function asBytes(buffer: ArrayBuffer): Uint8Array {
  return new Uint8Array(buffer)
}

export const READ_TOO_LONG = 'the request did not come within read_timeout'

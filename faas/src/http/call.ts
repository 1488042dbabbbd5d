// A request on its way to somebody else.

import { orAborted } from './abort.ts'
import { hopByHop, namedByConnection, targetOf } from './handler.ts'
import { isSmall } from './whole-body.ts'
import { within } from './within.ts'

export interface Call {
  readonly method: string
  /** Path and query. */
  readonly target: string
  /** As the caller named it. */
  readonly host: string
  readonly headers: Headers
  /** A stream can be sent once. */
  readonly body: Uint8Array | ReadableStream<Uint8Array> | undefined
}

/**
 * `buffers`: whatever its size, the request is read whole first. A body that has not come within `readTimeout` ms is a
 * TimeoutError, of this or of the stream.
 */
export async function callOf(
  request: Request & { readonly early?: boolean },
  buffers: boolean,
  readTimeout?: number,
): Promise<Call> {
  const headers = new Headers()
  const named = namedByConnection(request.headers.get('connection'))
  for (const [name, value] of request.headers) {
    if (name !== 'host' && !hopByHop.has(name) && !named.has(name)) headers.append(name, value)
  }
  // RFC 8470 §5.1.
  if (request.early) headers.set('early-data', '1')
  const { method } = request
  return {
    method,
    target: targetOf(request),
    host: new URL(request.url).host,
    headers,
    body: await bodyOf(request, buffers, readTimeout),
  }
}

async function bodyOf(request: Request, buffers: boolean, readTimeout: number | undefined): Promise<Call['body']> {
  if (request.body === null) return undefined
  const isWhole = buffers || isSmall(request.headers.get('content-length'))
  return isWhole ? bytesOf(request, readTimeout) : within(request.body, readTimeout, READ_TOO_LONG)
}

/** The body, whole; rejects with a TimeoutError when it takes longer than `readTimeout` ms. */
export async function bytesOf(request: Request, readTimeout: number | undefined): Promise<Uint8Array> {
  const bytes = request.arrayBuffer()
  const isEndless = readTimeout === undefined || readTimeout === Number.POSITIVE_INFINITY
  return new Uint8Array(await (isEndless ? bytes : orAborted(bytes, AbortSignal.timeout(readTimeout))))
}

export const READ_TOO_LONG = 'the request did not come within read_timeout'

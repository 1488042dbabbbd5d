// A request on its way to somebody else.

import { hopByHop, namedByConnection, targetOf } from './handler.ts'
import { isSmall } from './whole-body.ts'

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

/** `buffers`: whatever its size, the request is read whole first. */
export async function callOf(request: Request & { readonly early?: boolean }, buffers: boolean): Promise<Call> {
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
    body: await bodyOf(request, buffers),
  }
}

async function bodyOf(request: Request, buffers: boolean): Promise<Call['body']> {
  if (request.body === null) return undefined
  return buffers || isSmall(request.headers.get('content-length'))
    ? new Uint8Array(await request.arrayBuffer())
    : request.body
}

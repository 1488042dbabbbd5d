// Answers of others on their way to whoever asked: content is there whole, or a stream of node, which takes what comes at
// once as one piece.

import { finished, Readable } from 'node:stream'
import type { FunctionResponse, Headers } from './handler.ts'

export interface PassedResponse {
  readonly status: number
  readonly headers: Headers
  readonly body?: Readable | Uint8Array | string | null | undefined
}

/** What whoever listens may be answered. */
export type Answer = FunctionResponse | PassedResponse

/** Tells, once, when an answer that is no web stream has been taken or given up. */
export function whenPassed<T extends Answer>(response: T, done: () => void): T {
  if (response.body instanceof Readable) finished(response.body, { writable: false }, done)
  else done()
  return response
}

/** For those who take streams of the web. */
export function webBody({ body }: PassedResponse): FunctionResponse['body'] {
  return body instanceof Readable ? (Readable.toWeb(body) as ReadableStream<Uint8Array>) : body
}

/** A stream that is not taken within `ms` fails, with `message`. Undefined `ms`: it may take any time. */
export function passedWithin(
  { body }: PassedResponse,
  ms: number | undefined,
  message: string,
): PassedResponse['body'] {
  if (!(body instanceof Readable) || ms === undefined || ms === Number.POSITIVE_INFINITY) return body
  const timer = setTimeout(() => body.destroy(new DOMException(message, 'TimeoutError')), ms)
  finished(body, { writable: false }, () => clearTimeout(timer))
  return body
}

// Clients that keep a server waiting for a request: since when, and when that is too long.

import type { Http3Connection } from './connection.ts'
import { Http3ErrorCode, Http3StreamError } from './error-codes.ts'
import type { Field } from './field.ts'
import type { RequestStream } from './request-stream.ts'

/** How long is too long, ms; 0: nothing is. */
export interface Patience {
  /** For the whole request to arrive. */
  readonly requestTimeout: number
  /** For its header section. */
  readonly headersTimeout: number
}

export class RequestWatch {
  #since = new Map<RequestStream, number>()

  /** Gives up the requests that are late at `now`, in ms of any clock: 408 where it can be said, H3_REQUEST_INCOMPLETE. */
  look({ requests, transport }: Http3Connection, now: number, { requestTimeout, headersTimeout }: Patience): void {
    const seen = new Map<RequestStream, number>()
    for (const stream of requests) {
      if (stream.isEnded || stream.request?.method === 'CONNECT') continue
      const since = this.#since.get(stream) ?? now
      const timeout = stream.hasHead ? requestTimeout : headersTimeout
      const isLate = timeout > 0 && now - since >= timeout
      // What has arrived is not late when nobody reads it.
      if (isLate && transport.count(stream.id)?.isFinal === false) giveUp(stream)
      else seen.set(stream, since)
    }
    this.#since = seen
  }
}

/** As node:http does it: who has not been answered is told. */
function giveUp(stream: RequestStream): void {
  const { hasHead } = stream
  if (hasHead && stream.isWritable && !stream.hasSentHead) stream.send(requestTimeout, undefined, true)
  const what = hasHead ? 'request' : 'header section'
  stream.abort(new Http3StreamError(Http3ErrorCode.RequestIncomplete, `the ${what} did not arrive in time`))
}

/** RFC 9110 §15.5.9. */
const requestTimeout: readonly Field[] = [[':status', '408']]

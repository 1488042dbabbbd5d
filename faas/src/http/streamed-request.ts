// The same as a HopRequest for a call whose body is a stream.

import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import type { Http3Session } from 'zerotrip/http3'
import type { Call } from './call.ts'
import type { HopRequestOptions } from './hop-request.ts'
import type { PassedResponse } from './passed.ts'
import { isSmall } from './whole-body.ts'

export class StreamedRequest {
  /** Rejects with what ended it. */
  readonly answer: Promise<PassedResponse>
  readonly #given = new AbortController()

  constructor(session: Http3Session, { method, target, headers, body }: Call, { early, signal }: HopRequestOptions) {
    const given = AbortSignal.any([signal, this.#given.signal])
    this.answer = session
      .fetch(target, { method, headers: [...headers] as [string, string][], body: body ?? null, early, signal: given })
      .then(passed)
  }

  fail(error: Error): void {
    this.#given.abort(error)
  }
}

async function passed(response: Response): Promise<PassedResponse> {
  const { status, headers, body } = response
  const isWhole = body === null || isSmall(headers.get('content-length'))
  return {
    status,
    headers: [...headers],
    body: isWhole ? new Uint8Array(await response.arrayBuffer()) : Readable.fromWeb(body as NodeReadableStream),
  }
}

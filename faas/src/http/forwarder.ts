// Passes a call on over HTTP/1.1 and its answer back: what goes from hop to hop is dropped, redirects are the caller's
// business.

import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { Agent as HttpsAgent, request as secureRequest } from 'node:https'
import { pipeline, Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import type { Call } from './call.ts'
import type { Fields } from './fields.ts'
import { hopByHop, namedByConnection } from './handler.ts'
import type { PassedResponse } from './passed.ts'
import { isSmall } from './whole-body.ts'

/** ms an idle connection is kept, as of-watchdog has it. */
export const IDLE = 500

export class Forwarder {
  readonly #base: URL
  readonly #options: RequestOptions
  readonly #send: typeof request

  /** `base`: http: or https:. `agent`: whose connections are used, default one that keeps them for half a second. */
  constructor(base: URL, agent?: HttpAgent | HttpsAgent) {
    this.#base = base
    const isSecure = base.protocol === 'https:'
    this.#send = isSecure ? secureRequest : request
    this.#options = {
      host: base.hostname,
      port: base.port,
      agent: agent ?? new (isSecure ? HttpsAgent : HttpAgent)({ keepAlive: true, timeout: IDLE }),
      setHost: false,
    }
  }

  async forward(call: Call, signal: AbortSignal): Promise<PassedResponse> {
    try {
      return await answerOf(await this.#exchange(call, signal))
    } catch (error) {
      // An idle connection that the other side closed in the same moment: nothing of the request has been read.
      if (!(error instanceof StaleConnection) || call.body instanceof ReadableStream) throw error
      return answerOf(await this.#exchange(call, signal))
    }
  }

  #exchange({ method, target, host, headers, body }: Call, signal: AbortSignal): Promise<IncomingMessage> {
    const path = this.#base.pathname.replace(/\/$/, '') + target
    const list = ['host', host, ...framing(body, headers)]
    for (const [name, value] of headers) if (name !== 'content-length') list.push(name, value)
    return new Promise((resolve, reject) => {
      const outgoing = this.#send({ ...this.#options, path, method, headers: list, signal })
      outgoing.once('response', resolve)
      outgoing.once('error', error => reject(isStale(outgoing, error) ? new StaleConnection() : error))
      if (!(body instanceof ReadableStream)) return outgoing.end(body)
      return pipeline(Readable.fromWeb(body as NodeReadableStream), outgoing, error => error && reject(error))
    })
  }
}

class StaleConnection extends Error {}

function isStale(request: ClientRequest, error: NodeJS.ErrnoException): boolean {
  return request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
}

function framing(body: Call['body'], headers: Fields): string[] {
  const length = body instanceof ReadableStream ? headers.get('content-length') : body && String(body.length)
  if (length) return ['content-length', length]
  return body === undefined ? [] : ['transfer-encoding', 'chunked']
}

async function answerOf(incoming: IncomingMessage): Promise<PassedResponse> {
  const { rawHeaders } = incoming
  const headers: [string, string][] = []
  const named = namedByConnection(incoming.headers.connection)
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase()
    if (!hopByHop.has(name) && !named.has(name)) headers.push([name, rawHeaders[i + 1] as string])
  }
  const body = isSmall(incoming.headers['content-length']) ? await whole(incoming) : incoming
  return { status: incoming.statusCode ?? 502, headers, body }
}

async function whole(incoming: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
}

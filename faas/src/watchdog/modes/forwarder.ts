// Passes a request on over HTTP/1.1 and its answer back: what goes from hop to hop is dropped, redirects are the
// caller's business.

import { Agent, type ClientRequest, type IncomingMessage, request as send } from 'node:http'
import { pipeline, Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { type FunctionRequest, type FunctionResponse, targetOf } from '../handler.ts'

/** ms an idle connection is kept, as upstream has it. */
const IDLE = 500

/** Bytes that are read whole: a stream costs more than they do. */
const SMALL = 65_536

export class Forwarder {
  readonly #base: URL
  readonly #buffers: boolean
  readonly #agent: Agent = new Agent({ keepAlive: true, timeout: IDLE, maxSockets: Number.POSITIVE_INFINITY })

  /** `buffers`: requests are read whole first, so that they have a length. */
  constructor(base: URL, buffers: boolean) {
    this.#base = base
    this.#buffers = buffers
  }

  async forward(request: FunctionRequest, signal: AbortSignal): Promise<FunctionResponse> {
    const body = await this.#bodyOf(request)
    const headers = onward(request, body)
    try {
      return await answerOf(await this.#exchange(request, headers, body, signal))
    } catch (error) {
      // An idle connection that the function closed in the same moment: nothing of the request has been read.
      if (!(error instanceof StaleConnection) || body instanceof ReadableStream) throw error
      return answerOf(await this.#exchange(request, headers, body, signal))
    }
  }

  async #bodyOf(request: FunctionRequest): Promise<Uint8Array | ReadableStream<Uint8Array> | undefined> {
    if (request.body === null) return undefined
    const length = Number(request.headers.get('content-length') ?? Number.POSITIVE_INFINITY)
    if (this.#buffers || length <= SMALL) return new Uint8Array(await request.arrayBuffer())
    return request.body
  }

  #exchange(
    request: FunctionRequest,
    headers: string[],
    body: Uint8Array | ReadableStream<Uint8Array> | undefined,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const { hostname, port, pathname } = this.#base
    const path = pathname.replace(/\/$/, '') + targetOf(request)
    const { method } = request
    return new Promise((resolve, reject) => {
      const outgoing = send({ host: hostname, port, path, method, headers, agent: this.#agent, signal, setHost: false })
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

function onward(request: FunctionRequest, body: Uint8Array | ReadableStream<Uint8Array> | undefined): string[] {
  const headers = ['host', new URL(request.url).host]
  for (const [name, value] of request.headers) {
    if (name !== 'host' && name !== 'content-length' && !hopByHop.has(name)) headers.push(name, value)
  }
  // RFC 8470 §5.1.
  if (request.early && !request.headers.has('early-data')) headers.push('early-data', '1')
  const length = body instanceof ReadableStream ? request.headers.get('content-length') : body && String(body.length)
  if (length) headers.push('content-length', length)
  else if (body) headers.push('transfer-encoding', 'chunked')
  return headers
}

async function answerOf(incoming: IncomingMessage): Promise<FunctionResponse> {
  const { rawHeaders } = incoming
  const headers: [string, string][] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase()
    if (!hopByHop.has(name)) headers.push([name, rawHeaders[i + 1] as string])
  }
  const isSmall = Number(incoming.headers['content-length'] ?? Number.POSITIVE_INFINITY) <= SMALL
  const body = isSmall ? await whole(incoming) : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>)
  return { status: incoming.statusCode ?? 502, headers, body }
}

async function whole(incoming: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
}

/** RFC 9110 §7.6.1. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

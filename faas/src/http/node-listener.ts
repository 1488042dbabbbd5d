// A handler as a listener of node's servers: HTTP/1.1 and HTTP/2 by TCP, and whatever else looks like them.

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import type { FunctionRequest } from './handler.ts'
import type { Answer } from './passed.ts'

/** Answers a request. */
export type AnswerHandler = (request: FunctionRequest) => Answer | Promise<Answer>

/** What the (req, res) door of zerotrip adds. */
interface MaybeEarly {
  readonly early?: boolean
  readonly confirmed?: Promise<void>
}

/** Nothing that comes by TCP is early. */
class NodeRequest extends Request {
  readonly early: boolean
  readonly confirmed: Promise<void>
  readonly remote: string | undefined

  constructor(incoming: IncomingMessage & MaybeEarly, url: string, init: ConstructorParameters<typeof Request>[1]) {
    super(url, init)
    const { early, confirmed, socket } = incoming
    this.early = early ?? false
    this.confirmed = confirmed ?? Promise.resolve()
    this.remote = socket.remoteAddress === undefined ? undefined : `${socket.remoteAddress}:${socket.remotePort}`
  }
}

export function listenerOf(handler: AnswerHandler, onError: (error: unknown) => void): RequestListener {
  return (incoming, outgoing) => {
    answer(handler, incoming, outgoing).catch(error => {
      if (!outgoing.destroyed) onError(error)
      if (outgoing.headersSent) outgoing.destroy()
      else outgoing.writeHead(500).end()
    })
  }
}

async function answer(handler: AnswerHandler, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const gone = new AbortController()
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) gone.abort(new DOMException('The client lost interest', 'AbortError'))
  })
  const { status, headers, body } = await handler(requestOf(incoming, gone.signal))
  outgoing.writeHead(status ?? 200, [...(headers ?? [])].flat())
  if (body instanceof Readable) await pass(body, outgoing)
  else if (body instanceof ReadableStream) await pass(Readable.fromWeb(body as NodeReadableStream), outgoing)
  else outgoing.end(body)
}

/** What comes in one turn of the loop leaves in one write: content that came in datagrams is in many small pieces. */
function pass(body: Readable, outgoing: ServerResponse): Promise<void> {
  let isGathering = false
  body.on('data', () => {
    if (isGathering) return
    isGathering = true
    outgoing.cork()
    setImmediate(() => {
      isGathering = false
      outgoing.uncork()
    })
  })
  return pipeline(body, outgoing)
}

function requestOf(incoming: IncomingMessage, signal: AbortSignal): NodeRequest {
  const method = incoming.method ?? 'GET'
  const hasBody = method !== 'GET' && method !== 'HEAD'
  // What nobody will read must not be waited for.
  if (!hasBody) incoming.resume()
  const scheme = 'encrypted' in incoming.socket ? 'https' : 'http'
  const { rawHeaders } = incoming
  const headers = rawHeaders.flatMap((name, i) =>
    i % 2 === 0 && !name.startsWith(':') ? [[name, rawHeaders[i + 1]] as [string, string]] : [],
  )
  const { url = '/' } = incoming
  // RFC 9112 §3.2.2: what is sent to a proxy is a whole URL.
  const whole = url.startsWith('/') ? `${scheme}://${incoming.headers.host ?? 'localhost'}${url}` : url
  return new NodeRequest(incoming, whole, {
    method,
    headers,
    signal,
    ...(hasBody && { body: Readable.toWeb(incoming) as never, duplex: 'half' as const }),
  })
}

// A handler as a listener of node's servers: HTTP/1.1 and HTTP/2 by TCP, and whatever else looks like them.

import type { RequestListener, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import type { FunctionHandler } from './handler.ts'
import {
  hasBody,
  type IncomingRequest,
  NodeIncomingRequest,
  type NodeMessage,
  remoteOf,
  urlOf,
} from './incoming-request.ts'
import type { Answer } from './passed.ts'

type OnError = (error: unknown) => void

/** For functions, which take a `Request`. */
export function listenerOf(handler: FunctionHandler, onError: OnError): RequestListener {
  return listening((incoming, outgoing) => handler(new NodeRequest(incoming, signalOf(outgoing))), onError)
}

/** For those who pass on what they are asked. */
export function passingListenerOf(
  handler: (request: IncomingRequest) => Answer | Promise<Answer>,
  onError: OnError,
): RequestListener {
  return listening((incoming, outgoing) => {
    let signal: AbortSignal | undefined
    return handler(
      new NodeIncomingRequest(incoming, () => {
        signal ??= signalOf(outgoing)
        return signal
      }),
    )
  }, onError)
}

/** Nothing that comes by TCP is early. */
class NodeRequest extends Request {
  readonly early: boolean
  readonly confirmed: Promise<void>
  readonly remote: string | undefined

  constructor(incoming: NodeMessage, signal: AbortSignal) {
    const { method = 'GET', rawHeaders } = incoming
    // What nobody will read must not be waited for.
    if (!hasBody(incoming)) incoming.resume()
    const headers = rawHeaders.flatMap((name, i) =>
      i % 2 === 0 && !name.startsWith(':') ? [[name, rawHeaders[i + 1]] as [string, string]] : [],
    )
    super(urlOf(incoming), {
      method,
      headers,
      signal,
      ...(hasBody(incoming) && { body: Readable.toWeb(incoming) as never, duplex: 'half' as const }),
    })
    this.early = incoming.early ?? false
    this.confirmed = incoming.confirmed ?? Promise.resolve()
    this.remote = remoteOf(incoming)
  }
}

function listening(
  answer: (incoming: NodeMessage, outgoing: ServerResponse) => Answer | Promise<Answer>,
  onError: OnError,
): RequestListener {
  return (incoming, outgoing) => {
    respond(incoming, outgoing, answer).catch(error => {
      if (!outgoing.destroyed) onError(error)
      if (outgoing.headersSent) outgoing.destroy()
      else outgoing.writeHead(500).end()
    })
  }
}

async function respond(
  incoming: NodeMessage,
  outgoing: ServerResponse,
  answer: (incoming: NodeMessage, outgoing: ServerResponse) => Answer | Promise<Answer>,
): Promise<void> {
  const { status, headers, body } = await answer(incoming, outgoing)
  outgoing.writeHead(status ?? 200, [...(headers ?? [])].flat())
  const stream = body instanceof ReadableStream ? Readable.fromWeb(body as NodeReadableStream) : body
  if (!(stream instanceof Readable)) return void outgoing.end(stream)
  return pass(stream, outgoing, hasLength(headers ?? []))
}

function hasLength(headers: Iterable<readonly [string, string]>): boolean {
  for (const [name] of headers) if (name === 'content-length') return true
  return false
}

/** Aborted when the client loses interest. */
function signalOf(outgoing: ServerResponse): AbortSignal {
  const gone = new AbortController()
  const onClose = (): void => {
    if (!outgoing.writableFinished) gone.abort(new DOMException('The client lost interest', 'AbortError'))
  }
  if (outgoing.destroyed) onClose()
  else outgoing.once('close', onClose)
  return gone.signal
}

/** ms that a part of what has a length is kept back: nobody is served by it alone. */
const GATHERED = 2

/** What comes soon after each other leaves in one write: content that came in datagrams is in many small pieces. */
function pass(body: Readable, outgoing: ServerResponse, isKnown: boolean): Promise<void> {
  let timer: NodeJS.Timeout | NodeJS.Immediate | undefined
  const leave = (): void => {
    timer = undefined
    outgoing.uncork()
  }
  const done = pipeline(body, outgoing)
  // After it was written.
  body.on('data', () => {
    const isFull = outgoing.writableNeedDrain
    if (timer === undefined && !isFull) {
      outgoing.cork()
      timer = isKnown ? setTimeout(leave, GATHERED) : setImmediate(leave)
    } else if (timer !== undefined && isFull && isKnown) {
      clearTimeout(timer as NodeJS.Timeout)
      leave()
    }
  })
  return done
}

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
  if (body instanceof Readable) await pass(body, outgoing)
  else if (body instanceof ReadableStream) await pass(Readable.fromWeb(body as NodeReadableStream), outgoing)
  else outgoing.end(body)
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

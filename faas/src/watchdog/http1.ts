// The same function over HTTP/1.1: callers that cannot speak HTTP/3, and health checks, come by TCP.

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'

/** Nothing that comes by TCP is early. */
export class Http1Request extends Request {
  readonly early: boolean = false
  readonly confirmed: Promise<void> = Promise.resolve()
}

export function listenerOf(
  fetch: (request: Http1Request) => Response | Promise<Response>,
  onError: (error: unknown) => void,
): RequestListener {
  return (incoming, outgoing) => {
    answer(fetch, incoming, outgoing).catch(error => {
      onError(error)
      if (outgoing.headersSent) outgoing.destroy()
      else outgoing.writeHead(500).end()
    })
  }
}

async function answer(
  fetch: (request: Http1Request) => Response | Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const response = await fetch(requestOf(incoming))
  outgoing.writeHead(response.status, [...response.headers].flat())
  if (response.body === null) outgoing.end()
  else await pipeline(Readable.fromWeb(response.body as ReadableStream), outgoing)
}

function requestOf(incoming: IncomingMessage): Http1Request {
  const method = incoming.method ?? 'GET'
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const scheme = 'encrypted' in incoming.socket ? 'https' : 'http'
  const { rawHeaders } = incoming
  const headers = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name, rawHeaders[i + 1]] as [string, string]] : []))
  return new Http1Request(`${scheme}://${incoming.headers.host ?? 'localhost'}${incoming.url}`, {
    method,
    headers,
    ...(hasBody && { body: Readable.toWeb(incoming) as never, duplex: 'half' as const }),
  })
}

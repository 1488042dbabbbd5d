// Requests at a server, for whoever listens to node:diagnostics_channel: begun, answered, failed. Named after node's
// `http.server.request.start` and `http.server.response.finish`. A message is made only when somebody has subscribed.

import { type Channel, channel } from 'node:diagnostics_channel'
import type { QuicSession } from '../endpoint/quic-session.ts'
import { Http3ErrorCode, Http3StreamError } from '../http3/error-codes.ts'
import type { RequestHead } from '../http3/fields.ts'
import type { RequestStream } from '../http3/request-stream.ts'
import type { ServerObserver } from '../http3/server.ts'
import type { ObservedResponse } from './channels.ts'
import { type HeaderMap, headersOf } from './messages/header-map.ts'

/** A request, as an observer sees it; the same object in all messages about it. */
export interface ObservedServerRequest {
  readonly method: string
  readonly scheme: string
  readonly authority: string
  readonly path: string
  readonly headers: HeaderMap
  /** It came as 0-RTT data. */
  readonly early: boolean
}

/** Channels and what they carry. */
export interface ServerRequestMessages {
  /** Its header section is there; somebody is about to answer it. */
  'zerotrip:server:request:start': { readonly request: ObservedServerRequest; readonly session: QuicSession }
  /** The whole answer was handed to the connection. */
  'zerotrip:server:response:finish': { readonly request: ObservedServerRequest; readonly response: ObservedResponse }
  /** It has no answer, or not all of one: the client or the server gave it up. */
  'zerotrip:server:request:error': { readonly request: ObservedServerRequest; readonly error: Error }
}

export type ServerRequestChannelName = keyof ServerRequestMessages

function topic<N extends ServerRequestChannelName>(
  name: N,
): Pick<Channel<unknown, ServerRequestMessages[N]>, 'hasSubscribers' | 'publish'> {
  return channel(name) as Channel<unknown, ServerRequestMessages[N]>
}

const started = topic('zerotrip:server:request:start')
const finished = topic('zerotrip:server:response:finish')
const failed = topic('zerotrip:server:request:error')

const observed = new WeakMap<RequestStream, ObservedServerRequest>()

/** Of the requests of one session. */
export class ServerChannels implements ServerObserver {
  readonly #session: QuicSession

  constructor(session: QuicSession) {
    this.#session = session
  }

  onRequest(stream: RequestStream): void {
    if (!started.hasSubscribers && !finished.hasSubscribers && !failed.hasSubscribers) return
    const { method, scheme, authority, path, fields } = stream.request as RequestHead
    const request = { method, scheme, authority, path, headers: headersOf(fields), early: stream.isEarly }
    observed.set(stream, request)
    if (started.hasSubscribers) started.publish({ request, session: this.#session })
  }

  onDone(stream: RequestStream): void {
    const request = observed.get(stream)
    if (request === undefined) return
    const { head, isEnded } = stream.outgoing
    if (isEnded && head !== undefined) {
      if (finished.hasSubscribers) finished.publish({ request, response: responseOf(head) })
    } else if (failed.hasSubscribers) failed.publish({ request, error: stream.error ?? unanswered() })
  }
}

/** What node:http publishes of a request; `response` is a ServerResponse. */
interface NodeMessage {
  readonly request: unknown
  readonly response: { once(event: 'finish', listener: () => void): unknown }
  readonly socket: unknown
  readonly server: unknown
}

const nodeStarted = channel('http.server.request.start')
const nodeFinished = channel('http.server.response.finish')

/** The (req, res) door, on node's own channels: for whoever watches node:http. */
export function tellNode(message: NodeMessage): void {
  if (nodeStarted.hasSubscribers) nodeStarted.publish(message)
  if (nodeFinished.hasSubscribers) message.response.once('finish', () => nodeFinished.publish(message))
}

function responseOf(head: readonly (readonly [string, string])[]): ObservedResponse {
  const { ':status': status, ...headers } = headersOf(head)
  return { statusCode: Number(status), headers }
}

function unanswered(): Error {
  return new Http3StreamError(Http3ErrorCode.RequestCancelled, 'the answer was given up')
}

// fetch(url) by HTTP/3: the algorithm is node's own, the connections are ours.

import type { Http3ConnectOptions, Http3FetchInit, Http3Session } from '../session.ts'
import { Http3Agent } from './agent.ts'

/** What WHATWG fetch takes, what a connection takes, and `session`, to ask on that one. */
export interface FetchInit
  extends Omit<RequestInit, 'body' | 'headers' | 'method' | 'signal'>,
    Http3FetchInit,
    Omit<Http3ConnectOptions, 'signal'> {
  readonly session?: Http3Session
  /** `half`: required by fetch for a body that is a stream. Default where it is one. */
  readonly duplex?: 'half'
}

let common: Http3Agent | undefined

/**
 * WHATWG fetch by HTTP/3 alone: redirects, decompression, streams, abort signals, all as global `fetch` does it.
 * Connections are kept for a while and shared by all calls without options of a connection; a call with some (`ca`, `pins`,
 * `tickets`...) has its own, which ends with the response: read its body, or cancel it.
 * Rejects with a TypeError whose `cause` says why, as fetch does.
 */
export async function fetch(input: string | URL | Request, init: FetchInit = {}): Promise<Response> {
  const { session, ...rest } = init
  if (session !== undefined) return session.fetch(input, init)
  const { request, connection } = split(rest)
  if (Object.keys(connection).length === 0) {
    common ??= new Http3Agent({ discovery: 'only' })
    return common.fetch(input, request)
  }
  const { endpoint, ...options } = connection
  const agent = new Http3Agent({ discovery: 'only', connect: { ...options, ...(endpoint && { endpoint }) } })
  try {
    return await agent.fetch(input, request)
  } finally {
    agent.close().catch(() => {})
  }
}

/** What is fetch's and what the connection's. */
function split(init: Omit<FetchInit, 'session'>): { request: RequestInit; connection: Http3ConnectOptions } {
  const request: Record<string, unknown> = {}
  const connection: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(init)) {
    if (ofFetch.has(name)) request[name] = value
    else if (value !== undefined) connection[name] = value
  }
  if (init.body instanceof ReadableStream) request['duplex'] ??= 'half'
  return { request, connection }
}

const ofFetch: ReadonlySet<string> = new Set([
  'method',
  'headers',
  'body',
  'signal',
  'redirect',
  'duplex',
  'cache',
  'credentials',
  'integrity',
  'keepalive',
  'mode',
  'referrer',
  'referrerPolicy',
  'window',
  'priority',
])

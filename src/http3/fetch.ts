// Between fetch's Request and Response and plain lists of fields.

import type { Field } from './field.ts'
import { isConnectionSpecific, type RequestHead } from './fields.ts'

/** A body that can be sent: bytes and strings leave in one write, streams with back-pressure. */
export type SendableBody = ReadableStream<Uint8Array> | Uint8Array | string | null | undefined

/** What a handler may answer. A `Response` is one; a plain object with a string or bytes is the fastest one. */
export interface ResponseLike {
  readonly status?: number
  readonly headers?: Iterable<readonly [string, string]> | undefined
  readonly body?: SendableBody | ReadableStream<unknown>
}

/** What a client may ask. A `Request` is one. */
export interface RequestLike {
  /** Absolute, or a path: then the authority of the client's options is meant. */
  readonly url: string
  /** Default GET. */
  readonly method?: string
  readonly headers?: Iterable<readonly [string, string]> | undefined
  readonly body?: SendableBody | ReadableStream<unknown>
  readonly signal?: AbortSignal | null | undefined
}

/** The header section of a request. Throws a TypeError for a URL without authority. */
export function requestFields(request: RequestLike, authority: string | undefined, length: number): Field[] {
  const fields: Field[] = [[':method', request.method ?? 'GET']]
  const isPath = request.url.startsWith('/')
  if (isPath) {
    if (authority === undefined) throw new TypeError('a path needs the authority of the client')
    fields.push([':scheme', 'https'], [':authority', authority], [':path', request.url])
  } else {
    const url = new URL(request.url)
    if (url.host === '') throw new TypeError(`a URL without authority: ${request.url}`)
    fields.push([':scheme', url.protocol.slice(0, -1)], [':authority', url.host], [':path', url.pathname + url.search])
  }
  // RFC 9114 §4.3.1: :authority instead of Host.
  addFields(fields, request.headers, 'host')
  return withLength(fields, length)
}

/** The header section of a response. `length` -1: not known. */
export function responseFields(response: ResponseLike, length: number): Field[] {
  const status = response.status ?? 200
  if (!Number.isInteger(status) || status < 200 || status > 999) throw new RangeError(`not a final status: ${status}`)
  const fields: Field[] = [[':status', String(status)]]
  addFields(fields, response.headers, '')
  return withLength(fields, length)
}

/** What `new Headers` and `new Request` take. RFC 9114 §4.2.1: cookies were split for compression, join them. */
export function headerPairs(fields: readonly Field[]): [string, string][] {
  const pairs: [string, string][] = []
  let cookie: [string, string] | undefined
  for (const [name, value] of fields) {
    if (name === 'cookie' && cookie !== undefined) cookie[1] += `; ${value}`
    else {
      const pair: [string, string] = [name, value]
      if (name === 'cookie') cookie = pair
      pairs.push(pair)
    }
  }
  return pairs
}

export function requestUrl(head: RequestHead): string {
  // OPTIONS * asks about the server as a whole, for which URLs have no word.
  const path = head.path === '*' ? '/*' : head.path
  return `${head.scheme}://${head.authority}${path}`
}

/** The bytes of a body that is known; undefined for streams and for none. */
export function bodyBytes(body: SendableBody | ReadableStream<unknown>): Uint8Array | undefined {
  if (typeof body === 'string') return encoder.encode(body)
  return body instanceof Uint8Array ? body : undefined
}

/** RFC 9110 §6.4.1, and what `new Response` takes no body for. */
export function hasNoContent(status: number): boolean {
  return status === 204 || status === 205 || status === 304
}

function addFields(fields: Field[], from: Iterable<readonly [string, string]> | undefined, dropped: string): void {
  if (from === undefined) return
  for (const [name, value] of from) {
    const lower = name.toLowerCase()
    // A message that came by HTTP/1.1 may still have them (RFC 9114 §4.2).
    if (lower === dropped || isConnectionSpecific(lower)) continue
    fields.push([lower, value])
  }
}

/** RFC 9110 §8.6: said where it is known. */
function withLength(fields: Field[], length: number): Field[] {
  if (length >= 0 && !fields.some(field => field[0] === 'content-length')) {
    fields.push(['content-length', String(length)])
  }
  return fields
}

const encoder = new TextEncoder()

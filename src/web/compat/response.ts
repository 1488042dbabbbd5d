// `res`: node's own ServerResponse, whose bytes go to a request stream. All of its rules about headers, order, callbacks
// and events stay node's; only what would become bytes of HTTP/1.1 is replaced, on each object, for Express's sake.

import type { Socket } from 'node:net'
import type { Field } from '../../http3/field.ts'
import { isConnectionSpecific } from '../../http3/fields.ts'
import type { OutgoingHeaders } from '../messages/header-map.ts'
import { fieldsOf } from '../messages/header-map.ts'
import { type IncomingMessage, ServerResponse } from '../node-http.ts'
import type { StreamSocket } from './stream-socket.ts'

/** Where a response goes. */
export interface ResponseSink {
  readonly date: () => string
  /** The header section, to be sent with what comes next. */
  onHead(fields: Field[]): void
  /** Content; false: wait for room. */
  onBytes(bytes: Uint8Array | undefined, sent: (() => void) | undefined): boolean
  onInterim(fields: Field[]): void
  onTrailers(fields: Field[]): void
  /** `end` was called, and comes back. */
  onEnding(): void
  onEnd(): void
}

type Callback = (error?: Error | null) => void

/** What node keeps in a response and its types do not say: names that have been the same since Node 0.10. */
interface Insides {
  [sink]: ResponseSink
  _header: string | null
  _headerSent: boolean
  _hasBody: boolean
  _contentLength: number | null
  _removedContLen: boolean
  _sent100: boolean
  _storeHeader: (firstLine: string, headers: unknown) => void
  _send: (data: string | Uint8Array, encoding?: BufferEncoding | null, callback?: Callback) => boolean
  _flushOutput: () => boolean
}

type Response = ServerResponse<IncomingMessage> & Insides

const sink = Symbol('sink')

export function compatResponse(
  request: IncomingMessage,
  socket: StreamSocket,
  to: ResponseSink,
): ServerResponse<IncomingMessage> {
  const response = new ServerResponse(request) as Response
  response[sink] = to
  response._storeHeader = storeHeader
  response._send = send
  response._flushOutput = yes
  response.end = end as typeof response.end
  response.addTrailers = addTrailers as typeof response.addTrailers
  response.writeContinue = writeContinue
  response.writeProcessing = writeProcessing
  response.writeEarlyHints = writeEarlyHints as typeof response.writeEarlyHints
  socket._httpMessage = response
  ;(response as { socket: unknown }).socket = socket as unknown as Socket
  return response
}

/** There is room again: as node does it when a socket drains. */
export function drain(response: ServerResponse<IncomingMessage>): void {
  if (!response.writableEnded) (response as unknown as { _flush(): void })._flush()
}

function storeHeader(this: Response, _firstLine: string, headers: unknown): void {
  const fields: Field[] = [[':status', String(this.statusCode)]]
  let hasDate = false
  let hasLength = false
  const add = (key: string, value: string | number | readonly string[] | undefined): void => {
    const name = key.toLowerCase()
    if (value === undefined || isConnectionSpecific(name)) return
    if (name === 'date') hasDate = true
    else if (name === 'content-length') hasLength = true
    if (Array.isArray(value)) for (const each of value) fields.push([name, String(each)])
    else fields.push([name, String(value)])
  }
  eachHeader(this, headers, add)
  // `writeHead(200, undefined)` and 1xx have no date of their own.
  if (this.sendDate && !hasDate) fields.push(['date', this[sink].date()])
  if (!hasLength && this._hasBody && !this._removedContLen && typeof this._contentLength === 'number') {
    fields.push(['content-length', String(this._contentLength)])
  }
  this._header = HEADER
  this[sink].onHead(fields)
}

/** What `writeHead` hands over: what was set before, or an object, pairs, or a flat list of its own. */
function eachHeader(
  response: Response,
  headers: unknown,
  add: (name: string, value: string | number | readonly string[] | undefined) => void,
): void {
  const names = response.getHeaderNames()
  if (names.length > 0) {
    for (const name of names) add(name, response.getHeader(name))
  } else if (!Array.isArray(headers)) {
    const own = (headers ?? {}) as OutgoingHeaders
    for (const name of Object.keys(own)) add(name, own[name])
  } else if (Array.isArray(headers[0])) {
    for (const [name, value] of headers) add(name, value)
  } else {
    for (let at = 0; at + 1 < headers.length; at += 2) add(headers[at], headers[at + 1])
  }
}

function send(
  this: Response,
  data: string | Uint8Array,
  encoding?: BufferEncoding | null,
  callback?: Callback,
): boolean {
  this._headerSent = true
  const bytes = typeof data === 'string' ? Buffer.from(data, encoding ?? 'utf8') : data
  return this[sink].onBytes(bytes.length === 0 ? undefined : bytes, callback ?? undefined)
}

/** What `end` writes leaves in one piece with the end itself. */
function end(this: Response, ...args: unknown[]): Response {
  if (this.writableEnded) return ServerResponse.prototype.end.apply(this, args as never) as Response
  this[sink].onEnding()
  try {
    ServerResponse.prototype.end.apply(this, args as never)
  } finally {
    if (this.writableEnded) this[sink].onEnd()
  }
  return this
}

function addTrailers(this: Response, headers: OutgoingHeaders | readonly (readonly [string, string])[]): void {
  const trailers = Array.isArray(headers) ? Object.fromEntries(headers) : headers
  this[sink].onTrailers(fieldsOf(trailers as OutgoingHeaders, []))
}

function writeContinue(this: Response, callback?: () => void): void {
  this._sent100 = true
  interim(this, [[':status', '100']], callback)
}

function writeProcessing(this: Response, callback?: () => void): void {
  interim(this, [[':status', '102']], callback)
}

/** RFC 8297. */
function writeEarlyHints(this: Response, hints: OutgoingHeaders, callback?: () => void): void {
  if (hints['link'] === undefined) return
  const link = Array.isArray(hints['link']) ? hints['link'].join(', ') : hints['link']
  interim(this, fieldsOf({ ...hints, link }, [[':status', '103']]), callback)
}

function interim(response: Response, fields: Field[], callback: (() => void) | undefined): void {
  if (!response.headersSent) response[sink].onInterim(fields)
  if (callback) process.nextTick(callback)
}

function yes(): boolean {
  return true
}

/** Anything: that it is there says that headers were sent. */
const HEADER = 'HTTP/3\r\n\r\n'

// `req`: node's own IncomingMessage, fed from a request stream. What has to differ is a property of each object and not of
// a class, because Express gives requests another prototype.

import type { Socket } from 'node:net'
import type { Field } from '../../http3/field.ts'
import type { RequestHead } from '../../http3/fields.ts'
import { rawHeadersOf } from '../messages/header-map.ts'
import { IncomingMessage } from '../node-http.ts'
import type { StreamSocket } from './stream-socket.ts'

/** A request as frameworks for node:http take it. */
export interface CompatRequest extends IncomingMessage {
  /** It came as 0-RTT data and may be a replay (RFC 8470). */
  readonly early: boolean
  /** Resolves when the request is known to be no replay. */
  readonly confirmed: Promise<void>
}

/** Who feeds a request. */
export interface RequestSource {
  readonly isEarly: boolean
  readonly hasContent: boolean
  readonly confirmed: Promise<void>
  /** Somebody reads. */
  pull(): void
  /** Nobody will. */
  onRequestDestroyed(): void
}

/** What node keeps in a request and its types do not say. */
interface Insides {
  [source]: RequestSource
  _addHeaderLines: (raw: string[], count: number) => void
  _read: () => void
  _destroy: (error: Error | null, callback: (error?: Error | null) => void) => void
}

const source = Symbol('source')

export function compatRequest(
  head: RequestHead,
  version: readonly [major: number, minor: number],
  socket: StreamSocket,
  from: RequestSource,
): CompatRequest {
  const request = new IncomingMessage(socket as unknown as Socket)
  const insides = request as unknown as Insides & { early: boolean }
  insides[source] = from
  insides._read = read
  insides._destroy = destroy
  insides.early = from.isEarly
  request.httpVersionMajor = version[0]
  request.httpVersionMinor = version[1]
  request.httpVersion = `${version[0]}.${version[1]}`
  request.method = head.method
  request.url = head.path === '' ? head.authority : head.path
  const raw = rawHeadersOf(head.fields)
  // RFC 9114 §4.3.1: :authority is what Host was.
  if (head.authority !== '' && head.field('host') === undefined) raw.push('host', head.authority)
  // Frameworks tell by one of two fields whether there is content, and HTTP/2 and 3 need neither.
  if (from.hasContent && head.field('content-length') === undefined) raw.push('transfer-encoding', 'chunked')
  insides._addHeaderLines(raw, raw.length)
  Object.defineProperty(request, 'confirmed', confirmed)
  return request as CompatRequest
}

/** The end of the request was read. */
export function completeRequest(request: CompatRequest, trailers: readonly Field[] | undefined): void {
  request.complete = true
  if (trailers !== undefined) {
    const raw = rawHeadersOf(trailers)
    ;(request as unknown as Insides)._addHeaderLines(raw, raw.length)
  }
  request.push(null)
}

/** Promises are made when they are asked for. */
const confirmed: PropertyDescriptor = {
  configurable: true,
  get(this: Insides): Promise<void> {
    return this[source].confirmed
  },
}

function read(this: Insides): void {
  this[source].pull()
}

/** As node's own does it, but for the socket, which is of this request alone. */
function destroy(this: IncomingMessage & Insides, error: Error | null, callback: (error?: Error | null) => void): void {
  if (!this.readableEnded || !this.complete) {
    this.aborted = true
    this.emit('aborted')
  }
  this[source].onRequestDestroyed()
  // An error nobody listens for is not one.
  process.nextTick(() => callback(this.listenerCount('error') === 0 ? null : error))
}

// What a request is to the (req, res) door, whichever version of HTTP it came by. `RequestStream` is one by shape.

import type { Field } from '../../http3/field.ts'
import type { RequestHead } from '../../http3/fields.ts'

export interface RequestChannel {
  readonly request: RequestHead | undefined
  readonly trailers: readonly Field[] | undefined
  /** Everything the client had to say was received and taken. */
  readonly isEnded: boolean
  /** Why the request will not be complete. */
  readonly error: Error | undefined
  readonly isWritable: boolean
  /** The next piece of content; undefined when there is none now. */
  read(): Uint8Array | undefined
  /** Header section, content and end; returns the room left, zero or less: wait. */
  send(fields: readonly Field[] | undefined, data: Uint8Array | undefined, end: boolean): number
  writeTrailers(fields: readonly Field[]): number
  /** Gives up the answer. */
  reset(errorCode: number): void
  /** Wants no more of the request. */
  stop(errorCode: number): void
}

/** The connection a request came by, as far as `req.socket` shows it. */
export interface ChannelPeer {
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly localAddress: string | undefined
  readonly localPort: number | undefined
  readonly alpnProtocol: string
  readonly servername: string | undefined
  /** A client certificate was shown and is trusted. */
  readonly authorized: boolean
  /** DER of the client's certificate; undefined without. */
  readonly certificate: Uint8Array | undefined
}

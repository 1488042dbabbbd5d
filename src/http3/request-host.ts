// What a request stream needs of its connection, and what it tells.

import type { Http3Error } from './error-codes.ts'
import type { Field } from './field.ts'
import type { ResponseHead } from './fields.ts'
import type { MessageHost } from './incoming-message.ts'
import type { Priority } from './priority.ts'

/** What a request stream needs of its connection. */
export interface RequestHost<RequestStream extends object> extends MessageHost {
  /** The encoded section: a view that is good until the next call. */
  encodeSection(fields: readonly Field[], streamId: number): Uint8Array
  /** The section encoded last went nowhere. */
  onSectionUnsent(streamId: number): void
  /** No more is read of a stream, and not all of it was. */
  onReadAbandoned(streamId: number): void
  /** SETTINGS_MAX_FIELD_SECTION_SIZE of the peer. */
  readonly peerMaxFieldSectionSize: number
  readonly events: { push(event: StreamEvent<RequestStream>): unknown }
  /** Both ends take datagrams of requests. */
  readonly hasDatagrams: boolean
  /** Datagrams of this request that came before anybody wanted them. */
  takeEarlyDatagrams(streamId: number): readonly Uint8Array[]
  /** In which order this is to be sent; a client tells its server. */
  onPriority(stream: RequestStream, priority: Priority): void
  /** It is no request: its first bytes say whose it is. `data` came behind them. */
  onForeignStream(stream: RequestStream, owner: number, data: Uint8Array, isFinished: boolean): void
  /** All that will be sent was handed to the transport. */
  onSendEnded(stream: RequestStream): void
  /** Both directions are done with. */
  onStreamClosed(stream: RequestStream): void
  /** A connection error. */
  fail(error: Http3Error): void
}

/** What happened on a request stream. */
export type StreamEvent<RequestStream> =
  /** `stream.request` (server) or `stream.response` (client, the final one) is there. */
  | { readonly type: 'head'; readonly stream: RequestStream }
  | { readonly type: 'interim'; readonly stream: RequestStream; readonly response: ResponseHead }
  /** `read` has something new: content, the end, or an error. */
  | { readonly type: 'content'; readonly stream: RequestStream }
  /** After `write` returned zero or less: more may be written. */
  | { readonly type: 'writable'; readonly stream: RequestStream }
  /** The peer does not want what we send (STOP_SENDING). */
  | { readonly type: 'stopped'; readonly stream: RequestStream; readonly errorCode: number }
  /** `stream.error` says why nothing more will come. */
  | { readonly type: 'failed'; readonly stream: RequestStream }

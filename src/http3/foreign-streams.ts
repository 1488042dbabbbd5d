// Streams of a connection that are not HTTP/3's own: the first bytes say to which session they belong (WebTransport).

import type { Http3TransportEvent } from './transport.ts'

/** Who owns them. Events of a stream go here while `has` says so, and to nobody else. */
export interface ForeignStreams {
  has(id: number): boolean
  /** The peer opened a stream of session `owner`; `data` came behind what says so. */
  adopt(id: number, owner: number, data: Uint8Array, isFinished: boolean): void
  /** Client: the server opened a bidirectional stream, of which nothing was read. */
  open(id: number): void
  onReadable(id: number): void
  onWritable(id: number): void
  onReset(id: number, errorCode: number): void
  /** So many bytes came by now, whether they can be read or not; the last time for `isFinal`. */
  onCounted(id: number, length: number, isFinal: boolean): void
  onStopped(id: number, errorCode: number): void
  /** All that was sent has arrived. */
  onFinished(id: number): void
  onStreamsAvailable(): void
  onDatagramsWritable(): void
  /** The peer's SETTINGS came. */
  onSettings(): void
  /** The peer takes no new requests. */
  onGoaway(): void
  onClosed(error: Error | undefined): void
}

/** Tells the owner what happened to one of its streams. */
export function tellForeign(foreign: ForeignStreams, event: Extract<Http3TransportEvent, { id: number }>): void {
  if (event.type === 'readable') foreign.onReadable(event.id)
  else if (event.type === 'writable') foreign.onWritable(event.id)
  else if (event.type === 'streamReset') foreign.onReset(event.id, event.errorCode)
  else if (event.type === 'streamCounted') foreign.onCounted(event.id, event.length, event.isFinal)
  else if (event.type === 'streamStopped') foreign.onStopped(event.id, event.errorCode)
  else if (event.type === 'streamFinished') foreign.onFinished(event.id)
}

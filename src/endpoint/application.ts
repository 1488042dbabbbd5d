// The seat above a session: HTTP/3, HTTP/0.9 or the raw streams of quic-streams.ts take it.

import type { ConnectionEvent } from '../connection/events.ts'

export interface Application {
  /** Facts in the order they happened. Must not throw. */
  onEvent(event: ConnectionEvent): void
  /**
   * What is to be remembered with a ticket, such as the peer's HTTP/3 SETTINGS; undefined while it is not known:
   * tickets wait for it.
   */
  readonly sessionState?: Uint8Array | undefined
  /** Takes nothing new, and resolves when what was begun is done. Default: nothing is waited for. */
  close?(): Promise<void>
}

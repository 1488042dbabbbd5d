// Receive windows that follow the delay-bandwidth product (RFC 9000 §4.2): limits are raised for bytes consumed, never
// for what a peer sends or says it wants, and windows grow for the pace of consumption alone.

import type { ReceiveWindow } from './flow-control.ts'

/** Several streams share the window of the connection: it is never less than this many times that of a stream. */
const CONNECTION_PER_STREAM = 1.5

export class WindowTuner {
  now = 0
  /** Smoothed, ms; 0 while none is known: then nothing grows. */
  rtt = 0
  readonly #connection: ReceiveWindow

  constructor(connection: ReceiveWindow) {
    this.#connection = connection
  }

  /** MAX_DATA is about to be sent. */
  tuneConnection(): void {
    const window = this.#connection
    this.#resize(window, window.tune(this.rtt, this.now))
  }

  /** MAX_STREAM_DATA is about to be sent. */
  tuneStream(window: ReceiveWindow): void {
    this.#resize(window, window.tune(this.rtt, this.now))
    const connection = this.#connection
    this.#resize(connection, Math.min(Math.ceil(CONNECTION_PER_STREAM * window.size), connection.max))
  }

  #resize(window: ReceiveWindow, size: number): void {
    if (size > window.size) window.resize(size)
  }
}

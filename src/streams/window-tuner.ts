// Receive windows that follow the delay-bandwidth product (RFC 9000 §4.2): limits are raised for bytes consumed, never
// for what a peer sends or says it wants, and windows grow for the pace of consumption alone.

import type { ReceiveWindow } from './flow-control.ts'
import type { StreamMemory } from './stream-memory.ts'

/** Several streams share the window of the connection: it is never less than this many times that of a stream. */
const CONNECTION_PER_STREAM = 1.5

export class WindowTuner {
  now = 0
  /** Smoothed, ms; 0 while none is known: then nothing grows. */
  rtt = 0
  readonly #connection: ReceiveWindow
  readonly #memory: StreamMemory

  constructor(connection: ReceiveWindow, memory: StreamMemory) {
    this.#connection = connection
    this.#memory = memory
  }

  /** MAX_DATA is about to be sent. False: not after all. */
  tuneConnection(): boolean {
    this.#tune(this.#connection)
    return this.#connection.isDue
  }

  /** MAX_STREAM_DATA is about to be sent. False: not after all. */
  tuneStream(window: ReceiveWindow): boolean {
    this.#tune(window)
    this.#grow(Math.min(Math.ceil(CONNECTION_PER_STREAM * window.size), this.#connection.max))
    return window.isDue
  }

  /** Where memory is short a window goes back to where it began: credit that is out stays, more comes when it is used. */
  #tune(window: ReceiveWindow): void {
    const size = window.tune(this.rtt, this.now)
    if (this.#memory.account.isShort) window.resize(window.initial)
    else if (window === this.#connection) this.#grow(size)
    else window.resize(size)
  }

  /** The connection's window is what all streams can make us hold: it grows as far as there is memory for it. */
  #grow(size: number): void {
    const window = this.#connection
    if (size <= window.size || !this.#memory.account.canPromise(size - window.size)) return
    window.resize(size)
    this.#memory.promise()
  }
}

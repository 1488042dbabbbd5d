// Facts on their way up: pushed by the parts, polled by the endpoint. A queue and not an emitter, so that nothing can
// re-enter a connection half way through a packet.

import type { ConnectionEvent } from './events.ts'

export class EventQueue {
  #events: ConnectionEvent[] = []
  #head = 0

  push(event: ConnectionEvent): void {
    this.#events.push(event)
  }

  shift(): ConnectionEvent | undefined {
    if (this.#head === this.#events.length) return undefined
    const event = this.#events[this.#head++]
    if (this.#head === this.#events.length) {
      this.#events.length = 0
      this.#head = 0
    }
    return event
  }
}

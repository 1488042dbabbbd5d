// Facts on their way up: pushed by the parts, polled by the endpoint. A queue and not an emitter, so that nothing can
// re-enter a connection half way through a packet.

import { limits } from '../limits.ts'
import type { ConnectionEvent } from './events.ts'

/** Datagrams received and not polled for; the oldest is dropped when another comes (RFC 9221 §5.3). */
export const MAX_UNREAD_DATAGRAMS: number = limits.receivedDatagrams

/** Stands in the queue for the oldest unread datagram. */
const DATAGRAM: ConnectionEvent = { type: 'datagram', data: new Uint8Array(0) }

export class EventQueue {
  #events: ConnectionEvent[] = []
  #head = 0
  readonly #datagrams: Uint8Array[] = []

  push(event: ConnectionEvent): void {
    this.#events.push(event)
  }

  /** False: an older one was dropped for it. */
  pushDatagram(data: Uint8Array): boolean {
    const hasRoom = this.#datagrams.length < MAX_UNREAD_DATAGRAMS
    if (hasRoom) this.#events.push(DATAGRAM)
    else this.#datagrams.shift()
    this.#datagrams.push(data)
    return hasRoom
  }

  shift(): ConnectionEvent | undefined {
    if (this.#head === this.#events.length) return undefined
    const event = this.#events[this.#head++]
    if (this.#head === this.#events.length) {
      this.#events.length = 0
      this.#head = 0
    }
    return event === DATAGRAM ? { type: 'datagram', data: this.#datagrams.shift() as Uint8Array } : event
  }
}

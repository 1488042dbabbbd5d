// Facts on their way up: pushed by the parts, polled by the endpoint. A queue and not an emitter, so that nothing can
// re-enter a connection half way through a packet.

import type { MemoryAccount } from '../bytes/memory-budget.ts'
import { limits } from '../limits.ts'
import type { ConnectionEvent } from './events.ts'

/** Datagrams received and not polled for; the oldest is dropped when another comes (RFC 9221 §5.3). */
export const MAX_UNREAD_DATAGRAMS: number = limits.receivedDatagrams

/** Stands in the queue for the oldest unread datagram. */
const DATAGRAM: ConnectionEvent = { type: 'datagram', data: new Uint8Array(0) }

export class EventQueue {
  /** Slots are used again from the first one whenever all events are told: to shorten an array costs more. */
  readonly #events: (ConnectionEvent | undefined)[] = []
  #head = 0
  #tail = 0
  readonly #datagrams: Uint8Array[] = []
  readonly #memory: MemoryAccount

  /** `memory` counts the datagrams. */
  constructor(memory: MemoryAccount) {
    this.#memory = memory
  }

  push(event: ConnectionEvent): void {
    this.#events[this.#tail++] = event
  }

  /** False: an older one was dropped for it. */
  pushDatagram(data: Uint8Array): boolean {
    const hasRoom = this.#datagrams.length < MAX_UNREAD_DATAGRAMS
    if (hasRoom) this.push(DATAGRAM)
    else this.#shiftDatagram()
    this.#datagrams.push(data)
    this.#memory.add(data.buffer.byteLength)
    return hasRoom
  }

  shift(): ConnectionEvent | undefined {
    if (this.#head === this.#tail) return undefined
    const event = this.#events[this.#head]
    this.#events[this.#head++] = undefined
    if (this.#head === this.#tail) this.#head = this.#tail = 0
    return event === DATAGRAM ? { type: 'datagram', data: this.#shiftDatagram() } : event
  }

  #shiftDatagram(): Uint8Array {
    const data = this.#datagrams.shift() as Uint8Array
    this.#memory.add(-data.buffer.byteLength)
    return data
  }
}

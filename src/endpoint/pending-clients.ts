// Clients whose admission is being thought about: their datagrams wait, bounded.

import type { Address } from '../connection/path.ts'
import { connectionIdKey } from '../packet/connection-id.ts'
import { MAX_PENDING_BYTES, MAX_PENDING_DATAGRAMS } from './incoming.ts'

export class PendingClients {
  readonly #limit: number
  readonly #waiting = new Map<string, Uint8Array[]>()
  #bytes = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#waiting.size
  }

  /** Name of a client: where it is, and the id it chose. */
  key(from: Address, destination: Uint8Array): string {
    return `${from.host} ${from.port} ${connectionIdKey(destination)}`
  }

  /** Keeps the first datagram of a client; false when there are too many of them. */
  add(key: string, datagram: Uint8Array): boolean {
    if (this.#waiting.size >= this.#limit || this.#bytes + datagram.length > MAX_PENDING_BYTES) return false
    this.#waiting.set(key, [datagram])
    this.#bytes += datagram.length
    return true
  }

  /** Keeps or drops a further datagram; false when the client is not waiting. */
  append(key: string, datagram: Uint8Array): boolean {
    const datagrams = this.#waiting.get(key)
    if (datagrams === undefined) return false
    if (datagrams.length < MAX_PENDING_DATAGRAMS && this.#bytes + datagram.length <= MAX_PENDING_BYTES) {
      datagrams.push(datagram)
      this.#bytes += datagram.length
    }
    return true
  }

  /** The wait is over: what came meanwhile, oldest first. */
  take(key: string): readonly Uint8Array[] {
    const datagrams = this.#waiting.get(key) ?? []
    this.#waiting.delete(key)
    for (const datagram of datagrams) this.#bytes -= datagram.length
    return datagrams
  }

  clear(): void {
    this.#waiting.clear()
    this.#bytes = 0
  }
}

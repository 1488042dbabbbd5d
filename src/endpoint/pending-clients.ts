// Clients whose admission is being thought about: their datagrams wait, bounded.

import type { Address } from '../connection/path.ts'
import { connectionIdKey } from '../packet/connection-id.ts'
import { networkOf } from './admission.ts'
import { MAX_PENDING_BYTES, MAX_PENDING_BYTES_PER_HOST, MAX_PENDING_DATAGRAMS } from './incoming.ts'

export class PendingClients {
  readonly #limit: number
  readonly #waiting = new Map<string, Uint8Array[]>()
  readonly #bytesByHost = new Map<string, number>()
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
    if (this.#waiting.size >= this.#limit || !this.#hasRoom(key, datagram.length)) return false
    this.#waiting.set(key, [datagram])
    this.#count(key, datagram.length)
    return true
  }

  /** Keeps or drops a further datagram; false when the client is not waiting. */
  append(key: string, datagram: Uint8Array): boolean {
    const datagrams = this.#waiting.get(key)
    if (datagrams === undefined) return false
    if (datagrams.length < MAX_PENDING_DATAGRAMS && this.#hasRoom(key, datagram.length)) {
      datagrams.push(datagram)
      this.#count(key, datagram.length)
    }
    return true
  }

  /** The wait is over: what came meanwhile, oldest first. */
  take(key: string): readonly Uint8Array[] {
    const datagrams = this.#waiting.get(key) ?? []
    this.#waiting.delete(key)
    for (const datagram of datagrams) this.#count(key, -datagram.length)
    return datagrams
  }

  clear(): void {
    this.#waiting.clear()
    this.#bytesByHost.clear()
    this.#bytes = 0
  }

  #hasRoom(key: string, bytes: number): boolean {
    const ofHost = this.#bytesByHost.get(hostOf(key)) ?? 0
    return this.#bytes + bytes <= MAX_PENDING_BYTES && ofHost + bytes <= MAX_PENDING_BYTES_PER_HOST
  }

  #count(key: string, bytes: number): void {
    const host = hostOf(key)
    const ofHost = (this.#bytesByHost.get(host) ?? 0) + bytes
    if (ofHost === 0) this.#bytesByHost.delete(host)
    else this.#bytesByHost.set(host, ofHost)
    this.#bytes += bytes
  }
}

function hostOf(key: string): string {
  return networkOf(key.slice(0, key.indexOf(' ')))
}

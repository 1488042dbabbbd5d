// Who talks to an address: for stateless resets, whose destination ids lead nowhere (RFC 9000 §10.3.1).

import type { Address } from '../connection/path.ts'
import { limits } from '../limits.ts'
import type { QuicSession } from './quic-session.ts'

/** Sessions with one address that a stray datagram from there is compared with: 16 bytes each. */
export const MAX_NEIGHBOURS: number = limits.neighbours

export class Neighbours {
  readonly #byAddress = new Map<string, Set<QuicSession>>()
  readonly #addresses = new Map<QuicSession, string>()

  add(session: QuicSession, address: Address): void {
    const key = keyOf(address)
    this.#addresses.set(session, key)
    const others = this.#byAddress.get(key)
    if (others === undefined) this.#byAddress.set(key, new Set([session]))
    else if (others.size < MAX_NEIGHBOURS) others.add(session)
  }

  remove(session: QuicSession): void {
    const key = this.#addresses.get(session)
    if (key === undefined) return
    this.#addresses.delete(session)
    const others = this.#byAddress.get(key)
    others?.delete(session)
    if (others?.size === 0) this.#byAddress.delete(key)
  }

  /** The session there for which the datagram is a stateless reset; it has been told. */
  receiveReset(datagram: Uint8Array, from: Address, now: number): QuicSession | undefined {
    for (const session of this.#byAddress.get(keyOf(from)) ?? []) {
      if (session.connection.receiveStray(datagram, now)) return session
    }
    return undefined
  }

  get size(): number {
    return this.#addresses.size
  }
}

function keyOf({ host, port }: Address): string {
  return `${host} ${port}`
}

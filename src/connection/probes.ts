// Addresses that ask, or are asked, without being the peer's: a few words to each (RFC 9000 §8.2, §9.1, §9.3.3).

import { equal } from '../bytes/equal.ts'
import { limits } from '../limits.ts'
import { type Address, AMPLIFICATION_FACTOR, isSameAddress, MAX_QUEUED_RESPONSES } from './path.ts'

/** Addresses remembered besides the peer's. */
export const MAX_PROBED: number = limits.probedAddresses

export class Probe {
  readonly to: Address
  /** It was validated, or we chose it: RFC 9000 §8.1 does not bind us there. */
  readonly isTrusted: boolean
  /** RFC 9000 §9.5: it was reached under the id of the peer's path, and may be answered under ours. */
  sharesId = false
  readonly responses: Uint8Array[] = []
  question: Uint8Array | undefined
  /** The last question that was sent, in a full datagram, and not answered yet. */
  asked: Uint8Array | undefined
  /** It was answered: the path is good. */
  isProven = false
  received = 0
  sent = 0

  constructor(to: Address, isTrusted: boolean) {
    this.to = to
    this.isTrusted = isTrusted
  }

  get isDue(): boolean {
    return this.responses.length > 0 || this.question !== undefined
  }

  /** Bytes that may go there now. */
  get budget(): number {
    return this.isTrusted ? Number.POSITIVE_INFINITY : this.received * AMPLIFICATION_FACTOR - this.sent
  }

  /** What cannot be said now is not said later: the other side asks again. */
  drop(): void {
    this.responses.length = 0
    this.question = undefined
  }
}

export class Probes {
  /** Oldest first. */
  readonly #all: Probe[] = []

  get hasDue(): boolean {
    return this.#all.length > 0 && this.#all.some(probe => probe.isDue)
  }

  get size(): number {
    return this.#all.length
  }

  /** RFC 9000 §8.2.2: the answer goes where the question came from. `size` is that of its datagram. */
  onChallenge(data: Uint8Array, from: Address, size: number, isTrusted: boolean, sharesId: boolean): void {
    const probe = this.#at(from, isTrusted)
    // The first of a datagram counts for all of it.
    if (probe.responses.length === 0) probe.received += size
    probe.sharesId = sharesId
    if (probe.responses.length === MAX_QUEUED_RESPONSES) probe.responses.shift()
    probe.responses.push(data)
  }

  /** A datagram came from there. */
  onReceived(from: Address, size: number): void {
    this.#at(from, false).received += size
  }

  ask(to: Address, challenge: Uint8Array, isTrusted: boolean, sharesId: boolean): void {
    const probe = this.#at(to, isTrusted)
    probe.question = challenge
    probe.sharesId = sharesId
  }

  /** The same of an address that asked us, unless it has proven itself. */
  askBack(to: Address, challenge: Uint8Array): void {
    const probe = this.#at(to, false)
    if (!probe.isProven) probe.question = challenge
  }

  /** RFC 9000 §8.2.3. */
  onResponse(data: Uint8Array): void {
    const probe = this.#all.find(({ asked }) => asked !== undefined && equal(asked, data))
    if (probe === undefined) return
    probe.asked = undefined
    probe.isProven = true
  }

  /** One that has something due. */
  next(): Probe | undefined {
    return this.#all.find(probe => probe.isDue)
  }

  /** The peer is there now. What was sent and received is its path's from now on. */
  remove(to: Address): Probe | undefined {
    const at = this.#all.findIndex(probe => isSameAddress(probe.to, to))
    return at < 0 ? undefined : this.#all.splice(at, 1)[0]
  }

  #at(to: Address, isTrusted: boolean): Probe {
    const known = this.#all.find(probe => isSameAddress(probe.to, to))
    if (known !== undefined && (known.isTrusted || !isTrusted)) return known
    if (known !== undefined) this.remove(to)
    else if (this.#all.length === MAX_PROBED) this.#all.shift()
    const probe = new Probe(to, isTrusted)
    this.#all.push(probe)
    return probe
  }
}

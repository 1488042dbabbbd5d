// Which QUIC version a connection speaks, and how both sides come to agree on it (RFC 9368, RFC 9369 §4).

import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import { QUIC_V1 } from '../packet/version.ts'
import type { VersionInformation } from '../packet/version-information.ts'

/** RFC 9368 §8: a server of version 1 that says nothing may know nothing of all this. */
const ONLY_V1: VersionInformation = { chosen: QUIC_V1, available: [QUIC_V1] }

export class Versions {
  /** Ours, best first. */
  readonly own: readonly number[]
  /** Of the client's first flight: 0-RTT packets keep it. */
  original: number
  /** The negotiated one, as far as it is known. */
  current: number
  /** The client began again because of a Version Negotiation packet. */
  hasBegunAgain = false
  /** Client: the server has said which version it is to be. */
  #isSettled = false

  constructor(own: readonly number[], original: number) {
    this.own = own
    this.original = original
    this.current = original
  }

  /** RFC 9369 §4.1: a server may go over to another version that the client offers, until it has chosen. */
  mayBecome(version: number): boolean {
    return !this.#isSettled && this.own.includes(version)
  }

  settle(version: number): void {
    this.current = version
    this.#isSettled = true
  }

  /** Client: goes on with what a Version Negotiation packet offers; undefined: nothing of ours (RFC 9368 §2.1). */
  choose(offered: readonly number[]): number | undefined {
    return this.own.find(version => offered.includes(version))
  }

  beginAgain(version: number): void {
    this.original = version
    this.current = version
    this.hasBegunAgain = true
  }

  /** Server: the first of ours that the client can go over to. Throws for one that contradicts its packets. */
  answer(client: VersionInformation | undefined): number {
    if (client === undefined) return this.original
    // RFC 9368 §4.
    if (client.chosen !== this.original) throw disagreement('the client chose another version than its packets have')
    return this.choose(client.available) ?? this.original
  }

  /** Client: nobody on the way had a hand in it (RFC 9368 §4). */
  check(said: VersionInformation | undefined): void {
    const server = said ?? (this.hasBegunAgain && this.current === QUIC_V1 ? ONLY_V1 : undefined)
    if (server === undefined) {
      if (this.hasBegunAgain || this.current !== this.original) throw disagreement('the server does not confirm it')
      return
    }
    if (server.chosen !== this.current) throw disagreement('the server chose another version than its packets have')
    if (!this.hasBegunAgain) return
    // What it would have begun with, had it known: else somebody wanted it to take a lesser one.
    const available = server.available.length === 0 ? [] : [...server.available, this.current]
    if (this.choose(available) !== this.original) throw disagreement('the server speaks a version we like better')
  }
}

function disagreement(reason: string): TransportError {
  return new TransportError(ErrorCode.VersionNegotiationError, reason)
}

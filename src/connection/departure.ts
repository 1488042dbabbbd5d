// A client that moves on purpose: the new path is asked first, and used once it answers (RFC 9000 §8.2, §9.2, §9.6).

import { equal } from '../bytes/equal.ts'
import { type Address, isSameAddress } from './path.ts'

/** PATH_CHALLENGE frames sent on a new path before it is given up; each with its own data (RFC 9000 §8.2.1). */
export const MAX_CHALLENGES = 8

export class Departure {
  #to: Address | undefined
  readonly #challenges: Uint8Array[] = []
  #interval = 0
  #askAt = Number.POSITIVE_INFINITY
  #giveUpAt = Number.POSITIVE_INFINITY

  /** Where to; undefined: no move is under way. */
  get to(): Address | undefined {
    return this.#to
  }

  get deadline(): number {
    return Math.min(this.#askAt, this.#giveUpAt)
  }

  begin(to: Address, interval: number, giveUpAt: number, now: number): void {
    this.#to = to
    this.#interval = interval
    this.#askAt = now
    this.#giveUpAt = giveUpAt
  }

  isFrom(address: Address): boolean {
    return this.#to !== undefined && isSameAddress(address, this.#to)
  }

  isAskDue(now: number): boolean {
    return now >= this.#askAt
  }

  isOver(now: number): boolean {
    return now >= this.#giveUpAt
  }

  /** A challenge leaves; the next one waits twice as long. */
  asked(challenge: Uint8Array, now: number): void {
    this.#challenges.push(challenge)
    this.#askAt = this.#challenges.length < MAX_CHALLENGES ? now + this.#interval : Number.POSITIVE_INFINITY
    this.#interval *= 2
  }

  isAnswer(data: Uint8Array): boolean {
    return this.#challenges.some(challenge => equal(challenge, data))
  }

  /** It has come to an end, whichever. */
  end(): void {
    this.#to = undefined
    this.#challenges.length = 0
    this.#askAt = Number.POSITIVE_INFINITY
    this.#giveUpAt = Number.POSITIVE_INFINITY
  }
}

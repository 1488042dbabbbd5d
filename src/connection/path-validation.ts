// Is a path good? Questions until one of them is answered, or for too long none is (RFC 9000 §8.2).

import { equal } from '../bytes/equal.ts'

/** PATH_CHALLENGE frames sent on one path before it is given up; each with its own data (RFC 9000 §8.2.1). */
export const MAX_CHALLENGES = 8
export const CHALLENGE_LENGTH = 8

export type Verdict =
  /** An answer to no question. */
  | 'none'
  /** The peer is there; whether the path takes 1,200 bytes is still to be seen (§8.2.3). */
  | 'address'
  /** It takes what QUIC needs. */
  | 'path'

export class PathValidation {
  /** Something is to be asked, now. */
  isDue = false
  readonly #challenges: Uint8Array[] = []
  /** Which of them went in datagrams of 1,200 bytes. */
  readonly #isFull: boolean[] = []
  #interval = 0
  #duration = 0
  #askAt = Number.POSITIVE_INFINITY
  #giveUpAt = Number.POSITIVE_INFINITY

  /** No longer than `duration`; `interval` is from the first question to the second, then twice as long each time. */
  begin(interval: number, duration: number, now: number): void {
    this.end()
    this.#interval = interval
    this.#duration = duration
    this.#giveUpAt = now + duration
    this.isDue = true
  }

  get isUnderWay(): boolean {
    return this.#giveUpAt !== Number.POSITIVE_INFINITY
  }

  get deadline(): number {
    return Math.min(this.#askAt, this.#giveUpAt)
  }

  /** Time has passed. True: nobody has answered, the path is given up (RFC 9000 §8.2.4). */
  onTimeout(now: number): boolean {
    if (now >= this.#giveUpAt) return true
    if (now < this.#askAt) return false
    this.#askAt = Number.POSITIVE_INFINITY
    this.isDue = true
    return false
  }

  /** A challenge leaves. RFC 9000 §13.3: what is repeated is another question. */
  asked(challenge: Uint8Array, isFull: boolean, now: number): void {
    this.isDue = false
    this.#challenges.push(challenge)
    this.#isFull.push(isFull)
    if (this.#challenges.length >= MAX_CHALLENGES) return
    this.#askAt = now + this.#interval
    this.#interval *= 2
  }

  /** RFC 9000 §8.2.1: a path that answered to a small datagram is asked again, with a full one. */
  onResponse(data: Uint8Array, now: number): Verdict {
    const at = this.#challenges.findIndex(challenge => equal(challenge, data))
    if (at < 0) return 'none'
    if (!this.#isFull[at]) {
      this.begin(this.#interval, this.#duration, now)
      return 'address'
    }
    this.end()
    return 'path'
  }

  end(): void {
    this.isDue = false
    this.#challenges.length = 0
    this.#isFull.length = 0
    this.#askAt = Number.POSITIVE_INFINITY
    this.#giveUpAt = Number.POSITIVE_INFINITY
  }
}

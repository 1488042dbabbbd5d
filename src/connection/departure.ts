// A path that is asked before it is used: that of a client that moves on purpose (RFC 9000 §9.2), or one to the
// preferred address of a server (§9.6).

import { type Address, isSameAddress } from './path.ts'
import { PathValidation } from './path-validation.ts'

export class Departure {
  readonly validation: PathValidation = new PathValidation()
  #to: Address | undefined
  /** Server: the client has begun to speak from there (§9.6.2). */
  isWanted = false
  /** The path is good. */
  isAnswered = false
  /** Client: it goes where the server prefers to be reached. */
  isPreferred = false
  /** Client: it went there, and disable_active_migration does not bind it any more (§18.2). */
  hasActedOnPreferred = false

  /** Where to; undefined: no move is under way. */
  get to(): Address | undefined {
    return this.#to
  }

  get deadline(): number {
    return this.validation.deadline
  }

  begin(to: Address, interval: number, duration: number, now: number): void {
    this.end()
    this.#to = to
    this.validation.begin(interval, duration, now)
  }

  isFrom(address: Address): boolean {
    return this.#to !== undefined && isSameAddress(address, this.#to)
  }

  /** It has come to an end, whichever. */
  end(): void {
    this.#to = undefined
    this.isWanted = false
    this.isAnswered = false
    this.isPreferred = false
    this.validation.end()
  }
}

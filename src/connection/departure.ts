// A path that is asked before it is used: that of a client that moves on purpose (RFC 9000 §9.2), or one to the
// preferred address of a server (§9.6).

import { type Address, isSameAddress } from './path.ts'
import { PathValidation } from './path-validation.ts'

export class Departure {
  readonly validation: PathValidation = new PathValidation()
  #to: Address | undefined
  /** Server: the client has begun to speak from there (§9.6.2). */
  isWanted = false
  /** Server: it did so under another id, as nobody does who merely forwards its packets (§9.5). */
  isOnPurpose = false
  /** The path is good. */
  isAnswered = false
  /** Client: it goes where the server prefers to be reached. */
  isPreferred = false
  /** Client: it went there, and disable_active_migration does not bind it any more (§18.2). */
  hasActedOnPreferred = false

  /** Server with a preferred address: the socket its clients begin at and are to leave; -1: none. */
  firstSocket = -1
  /** The newest packet that may come by the first socket: Infinity until it is left. */
  #newestThere: number = Number.POSITIVE_INFINITY

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

  /** Server: its client goes on purpose from the socket where it began. */
  isLeaving(from: Address): boolean {
    return this.isOnPurpose && (from.via ?? 0) === this.firstSocket
  }

  /** RFC 9000 §9.6.2: what is newer than `largest` is dropped where the client was; what is delayed is not. */
  leave(largest: number): void {
    this.#newestThere = largest
  }

  /** This packet came, too late, by the socket that was left. */
  hasLeft(from: Address, number: number): boolean {
    return number > this.#newestThere && (from.via ?? 0) === this.firstSocket
  }

  /** It has come to an end, whichever. */
  end(): void {
    this.#to = undefined
    this.isWanted = false
    this.isOnPurpose = false
    this.isAnswered = false
    this.isPreferred = false
    this.validation.end()
  }
}

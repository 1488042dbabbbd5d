// A session made while nobody waits: the next request begins it, and its keys and ClientHello are there already.

import type { Http3Session } from 'zerotrip/http3'

/** ms: by then the answer of the one before has left. */
const AFTER = 3

/** ms. What it proves itself with has the time in it, and is taken for early data for ten seconds. */
const FRESH = 4000

/** One that nobody takes is made again so often: for a minute. */
const AGAIN = 15

export class SpareSession {
  readonly #make: () => Http3Session
  #session: Http3Session | undefined = undefined
  #timer: NodeJS.Timeout | undefined = undefined
  #left = 0

  /** `make`: one that sends nothing before its first request. */
  constructor(make: () => Http3Session) {
    this.#make = make
  }

  /** There will be one soon. */
  prepare(): void {
    this.#left = AGAIN
    this.#timer ??= this.#later(AFTER)
  }

  /** If there is one, it is the caller's; none is made before `prepare`. */
  take(): Http3Session | undefined {
    const session = this.#session
    this.#session = undefined
    clearTimeout(this.#timer)
    this.#timer = undefined
    return session
  }

  drop(): void {
    this.take()?.close().catch(ignore)
  }

  #later(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#renew(), ms).unref()
  }

  #renew(): void {
    this.drop()
    if (this.#left-- <= 0) return
    try {
      this.#session = this.#make()
    } catch {
      // Whoever needs one is told why.
      return
    }
    this.#session.opened.catch(ignore)
    this.#session.closed.catch(ignore)
    this.#timer = this.#later(FRESH)
  }
}

function ignore(): void {}

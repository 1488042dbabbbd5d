// Once and no more: a call that may have come as early data can come again, from a client that had no answer or from
// somebody who kept its packets. The gateway gives each call an id and a time; those that ran are remembered as long as
// their packets are of use.

import { isEarlyRequestAllowed } from 'zerotrip/zero-rtt'
import { type FunctionHandler, type FunctionRequest, plain } from '../http/handler.ts'

/** ms: early data is taken for ten seconds before and after the time it claims (RFC 8446 §8.3). */
const WINDOW = 20_000

/** Calls remembered at a time. */
const MAX_CALLS = 65_536

/** An id is a UUID, or what somebody likes better. */
const MAX_ID = 128

export class SingleExecution {
  readonly #limit: number
  readonly #clock: () => number
  /** Those that ran, oldest first: until when. */
  readonly #calls = new Map<string, number>()
  /** Until then something may have been forgotten too soon. */
  #blindUntil = 0

  /** `clock`: ms. */
  constructor(clock: () => number = () => performance.now(), limit: number = MAX_CALLS) {
    this.#clock = clock
    this.#limit = limit
  }

  get size(): number {
    return this.#calls.size
  }

  /** 425: it can only be run when it is no replay, which the client finds out; 409: it has been run. */
  around(run: FunctionHandler): FunctionHandler {
    return request => {
      // Those of safe methods may run as often as they like.
      if (isEarlyRequestAllowed('safe', request.method)) return run(request)
      const verdict = this.#admit(request)
      return verdict === undefined ? run(request) : plain(verdict.status, verdict.why)
    }
  }

  #admit(request: FunctionRequest): { status: number; why: string } | undefined {
    const now = this.#clock()
    this.#forget(now)
    const isEarly = request.early || request.headers.has('early-data')
    const id = idOf(request)
    if (isEarly && (id === undefined || now < this.#blindUntil)) return { status: 425, why: '' }
    if (id === undefined) return undefined
    if (this.#calls.has(id)) return { status: 409, why: 'this call has been run before\n' }
    this.#calls.set(id, now + WINDOW)
    if (this.#calls.size > this.#limit) this.#forgetOldest()
    return undefined
  }

  #forget(now: number): void {
    for (const [id, until] of this.#calls) {
      if (until > now) return
      this.#calls.delete(id)
    }
  }

  #forgetOldest(): void {
    for (const [id, until] of this.#calls) {
      this.#calls.delete(id)
      this.#blindUntil = until
      return
    }
  }
}

/** One id may be that of a whole chain of calls: only with the time at which the gateway took it is it one call's. */
function idOf({ headers }: Request): string | undefined {
  const callId = headers.get('x-call-id')
  const started = headers.get('x-start-time') ?? ''
  if (callId === null || callId.length > MAX_ID || started.length > MAX_ID) return undefined
  return `${callId} ${started}`
}

// Where a client keeps what it may resume with. A store is asked to *take*: what was handed out is gone, because a
// ticket used twice links two connections to an observer (RFC 8446 §C.4) and is refused by a single-use server.

import { limits } from '../limits.ts'
import { isExpired, type Resumption } from './resumption.ts'

/** Answers at once or later; a client whose store hesitates sends nothing until it has answered, or failed. */
export interface TicketStore {
  /**
   * Removes and returns something to resume with, or undefined; never the same to two who ask. `origin` is as `originOf`
   * writes it, or names an instance.
   */
  take(origin: string): Resumption | undefined | PromiseLike<Resumption | undefined>
  /** What it returns is waited for by nobody; a promise that rejects is shown as a warning. */
  put(origin: string, resumption: Resumption): unknown
}

/** The null object: nothing is remembered, every handshake is a full one. */
export const NoTickets: TicketStore = { take: () => undefined, put: () => {} }

/** Defaults of MemoryTickets. */
export const MAX_ORIGINS: number = limits.ticketOrigins
export const MAX_TICKETS_PER_ORIGIN: number = limits.ticketsPerOrigin

export interface MemoryTicketsOptions {
  /** Origins remembered; the one used longest ago is forgotten first. Default MAX_ORIGINS. */
  readonly maxOrigins?: number
  /** Tickets of one origin; the oldest goes first. Default MAX_TICKETS_PER_ORIGIN, what parallel connections need. */
  readonly maxPerOrigin?: number
}

export class MemoryTickets implements TicketStore {
  readonly #clock: () => number
  readonly #maxOrigins: number
  readonly #maxPerOrigin: number
  /** In the order of last use. */
  readonly #origins = new Map<string, Resumption[]>()

  /** `clock` gives Unix ms. */
  constructor(clock: () => number, options: MemoryTicketsOptions = {}) {
    if (typeof clock !== 'function')
      throw new TypeError('MemoryTickets needs a clock that gives Unix ms, such as Date.now')
    this.#clock = clock
    this.#maxOrigins = positive(options.maxOrigins ?? MAX_ORIGINS)
    this.#maxPerOrigin = positive(options.maxPerOrigin ?? MAX_TICKETS_PER_ORIGIN)
  }

  /** The newest one that is still valid. */
  take(origin: string): Resumption | undefined {
    const kept = this.#origins.get(origin)
    if (kept === undefined) return undefined
    const unixTime = this.#clock()
    let found = kept.pop()
    while (found !== undefined && isExpired(found, unixTime)) found = kept.pop()
    this.#origins.delete(origin)
    if (kept.length > 0) this.#origins.set(origin, kept)
    return found
  }

  put(origin: string, resumption: Resumption): void {
    const kept = this.#origins.get(origin) ?? []
    kept.push(resumption)
    if (kept.length > this.#maxPerOrigin) kept.shift()
    this.#origins.delete(origin)
    this.#origins.set(origin, kept)
    if (this.#origins.size > this.#maxOrigins) this.#forgetOldest()
  }

  #forgetOldest(): void {
    for (const origin of this.#origins.keys()) {
      this.#origins.delete(origin)
      return
    }
  }
}

/** Takes from the first store that has something; puts into the last. */
export function firstTickets(...stores: readonly [TicketStore, ...TicketStore[]]): TicketStore {
  return {
    take: origin => takeFrom(stores, origin),
    put: (origin, resumption) => (stores.at(-1) as TicketStore).put(origin, resumption),
  }
}

function takeFrom(stores: readonly TicketStore[], origin: string): ReturnType<TicketStore['take']> {
  const [first, ...others] = stores
  const found = first?.take(origin)
  if (first === undefined) return undefined
  if (isLater(found)) return found.then(late => late ?? takeFrom(others, origin))
  return found ?? takeFrom(others, origin)
}

/** Whether a store has yet to answer. */
export function isLater<T>(answer: T | PromiseLike<T>): answer is PromiseLike<T> {
  return typeof answer === 'object' && answer !== null && 'then' in answer
}

/** The key of an origin: `example.com:443`, `[::1]:443`. */
export function originOf(host: string, port: number): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`
}

function positive(limit: number): number {
  if (!Number.isInteger(limit) || limit < 1) throw new RangeError(`a limit of ${limit} is not a positive integer`)
  return limit
}

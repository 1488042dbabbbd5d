// A client's tickets in Redis: shared by the replicas of a gateway, sealed, each taken once.

import { unixTime } from '../endpoint/clock.ts'
import { limits } from '../limits.ts'
import type { Resumption } from '../zero-rtt/resumption.ts'
import type { TicketStore } from '../zero-rtt/ticket-store.ts'
import { REDIS_PREFIX, type RedisCommands } from './redis.ts'
import { SealedTickets } from './sealed-tickets.ts'
import { inTime } from './shared-gate.ts'

export interface RedisTicketsOptions {
  /** 32 random bytes: what is in Redis is of no use without them. */
  readonly key: Uint8Array
  /** Default `zerotrip`. */
  readonly prefix?: string
  /** Tickets of one origin; the oldest goes first. Default 4. */
  readonly maxPerOrigin?: number
  /** ms that Redis has to answer; then the connection begins without a ticket. Default 50. */
  readonly deadline?: number
}

export class RedisTickets implements TicketStore {
  readonly #redis: RedisCommands
  readonly #sealed: SealedTickets
  readonly #prefix: string
  readonly #maxPerOrigin: number
  readonly #deadline: number

  /** Throws a RangeError for a key that is none. */
  constructor(redis: RedisCommands, options: RedisTicketsOptions) {
    this.#redis = redis
    this.#sealed = new SealedTickets(options.key)
    this.#prefix = options.prefix ?? REDIS_PREFIX
    this.#maxPerOrigin = options.maxPerOrigin ?? limits.ticketsPerOrigin
    this.#deadline = options.deadline ?? 50
  }

  /** The newest that is still good. RPOP gives each to one who asks. Undefined, too, when Redis fails or is late. */
  take(origin: string): Promise<Resumption | undefined> {
    return inTime(this.#take(origin), this.#deadline, undefined)
  }

  /** Rejects when Redis does. */
  async put(origin: string, resumption: Resumption): Promise<void> {
    const life = resumption.issued + resumption.lifetime - Math.floor(unixTime())
    if (life <= 0) return
    const key = this.#keyOf(origin)
    const sealed = Buffer.from(this.#sealed.seal(origin, resumption)).toString('base64')
    await Promise.all([
      this.#redis.sendCommand(['RPUSH', key, sealed]),
      this.#redis.sendCommand(['LTRIM', key, String(-this.#maxPerOrigin), '-1']),
      // Of a Redis that knows GT the longest life counts; here it is that of the newest.
      this.#redis.sendCommand(['PEXPIRE', key, String(life)]),
    ])
  }

  async #take(origin: string): Promise<Resumption | undefined> {
    for (let left = this.#maxPerOrigin; left > 0; left--) {
      const sealed = await this.#redis.sendCommand(['RPOP', this.#keyOf(origin)])
      if (sealed === null || sealed === undefined) return undefined
      const found = this.#sealed.open(origin, Buffer.from(String(sealed), 'base64'), unixTime())
      if (found !== undefined) return found
    }
    return undefined
  }

  #keyOf(origin: string): string {
    return `${this.#prefix}:tickets:${origin}`
  }
}

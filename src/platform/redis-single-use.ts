// Single use across a fleet: one Redis remembers every key (RFC 8446 §8.2, recording). Give it `maxmemory-policy
// noeviction`: one that forgets to make room lets replays in. One that lost its memory is noticed, and not believed until
// whatever it forgot has expired.

import { toHex } from '../bytes/hex.ts'
import { limits } from '../limits.ts'
import type { ReplayAnswer } from '../zero-rtt/anti-replay.ts'
import { REDIS_PREFIX, type RedisCommands } from './redis.ts'
import type { SharedReplayGuard } from './shared-gate.ts'

export interface RedisSingleUseOptions {
  /** Default `zerotrip`. */
  readonly prefix?: string
  /** ms: the longest that a key has between its check and its end; so long a Redis must have remembered. Default 20,000. */
  readonly memory?: number
}

export class RedisSingleUse implements SharedReplayGuard {
  readonly #redis: RedisCommands
  readonly #prefix: string
  readonly #memory: number

  /** `redis`: a client that is connected; best one that does not queue commands while it is not. */
  constructor(redis: RedisCommands, options: RedisSingleUseOptions = {}) {
    this.#redis = redis
    this.#prefix = options.prefix ?? REDIS_PREFIX
    this.#memory = options.memory ?? 2 * limits.earlyDataAge
  }

  /** Three commands, one round trip. Rejects when Redis does. */
  async check(key: Uint8Array, expires: number, unixTime: number): Promise<ReplayAnswer> {
    const life = Math.ceil(expires - unixTime)
    if (life <= 0 || life > this.#memory) return 'unknown'
    const now = String(Math.floor(unixTime))
    const birthday = `${this.#prefix}:guard-born`
    const [, born, isNew] = await Promise.all([
      this.#redis.sendCommand(['SET', birthday, now, 'NX']),
      this.#redis.sendCommand(['GET', birthday]),
      // Clocks of the fleet may differ: it is remembered for longer than it is good.
      this.#redis.sendCommand([
        'SET',
        `${this.#prefix}:used:${toHex(key)}`,
        '1',
        'NX',
        'PX',
        String(life + this.#memory),
      ]),
    ])
    if (isNew === null) return 'seen'
    const isOldEnough = Number(born) + this.#memory < unixTime
    return isNew === 'OK' && isOldEnough ? 'fresh' : 'unknown'
  }
}

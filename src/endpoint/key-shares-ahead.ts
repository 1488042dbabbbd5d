// Key shares made while nobody waits, for handshakes to come.

import type { CryptoBackend, KeyExchange } from '../crypto/backend.ts'

/** Each costs its maker's time (node:crypto 80 µs, noble 600 µs) and some memory. */
export const MAX_KEY_SHARES_AHEAD: number = 1024

/** ms: by then the flight that took a share has left. */
const REFILL_DELAY = 2

/**
 * The same backend with `count` key shares of its first group ready, made at once and replaced when they are taken. Each
 * is handed out once. Not for a process that may be restored from a snapshot: every copy would use the same ones.
 */
export function withKeySharesAhead(backend: CryptoBackend, count: number): CryptoBackend {
  const group = backend.groups[0]
  if (group === undefined) throw new TypeError(`the backend ${backend.name} has no key exchange`)
  const shares = new KeySharesAhead(() => backend.keyExchange(group), count)
  return { ...backend, keyExchange: wanted => (wanted === group ? shares.take() : backend.keyExchange(wanted)) }
}

class KeySharesAhead {
  readonly #make: () => KeyExchange
  readonly #count: number
  readonly #ready: KeyExchange[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(make: () => KeyExchange, count: number) {
    if (!Number.isInteger(count) || count < 1 || count > MAX_KEY_SHARES_AHEAD) {
      throw new RangeError(`${count} key shares ahead are not 1 to ${MAX_KEY_SHARES_AHEAD}`)
    }
    this.#make = make
    this.#count = count
    while (this.#ready.length < count) this.#ready.push(make())
  }

  /** The oldest; when all are gone, one that is made now. */
  take(): KeyExchange {
    this.#timer ??= this.#later()
    return this.#ready.shift() ?? this.#make()
  }

  /** One in a turn, so that nobody waits for several. */
  #refill(): void {
    this.#ready.push(this.#make())
    this.#timer = this.#ready.length < this.#count ? this.#later() : undefined
  }

  #later(): NodeJS.Timeout {
    return setTimeout(() => this.#refill(), REFILL_DELAY).unref()
  }
}

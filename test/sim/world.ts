// A world with its own clock: things happen at times, in order, by seed. No real time passes.

import type { CryptoBackend } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { seededRandom } from '../reference/random.ts'

interface Happening {
  readonly at: number
  readonly order: number
  readonly act: () => void
}

/** More than this happens in no test: something spins. */
export const MAX_HAPPENINGS = 400_000

export class World {
  readonly random: () => number
  #now = 0
  #order = 0
  #count = 0
  #happenings: Happening[] = []

  constructor(seed = 1) {
    this.random = seededRandom(seed)
  }

  get now(): number {
    return this.#now
  }

  /** `act` happens at time `at`, after whatever was planned for that time before. */
  plan(at: number, act: () => void): void {
    const happening = { at: Math.max(at, this.#now), order: this.#order++, act }
    let low = 0
    let high = this.#happenings.length
    while (low < high) {
      const middle = (low + high) >> 1
      const other = this.#happenings[middle] as Happening
      if (other.at < happening.at || (other.at === happening.at && other.order < happening.order)) low = middle + 1
      else high = middle
    }
    this.#happenings.splice(low, 0, happening)
  }

  /**
   * Lets time pass until `isDone`, or until the clock shows `limit` ms. Returns whether it was done. A limit leaves the
   * clock at the limit.
   */
  run(isDone: () => boolean = () => false, limit = 600_000): boolean {
    while (!isDone()) {
      const next = this.#happenings[0]
      if (next === undefined || next.at > limit) {
        if (Number.isFinite(limit)) this.#now = Math.max(this.#now, limit)
        return isDone()
      }
      if (++this.#count > MAX_HAPPENINGS) throw new Error(`the world spins at ${this.#now} ms`)
      this.#happenings.shift()
      this.#now = next.at
      next.act()
    }
    return true
  }

  /** Lets `ms` pass. */
  pass(ms: number): void {
    this.run(() => false, this.#now + ms)
  }

  /** A crypto backend whose randomness comes from the seed. Key shares stay random: nothing depends on them. */
  backend(): CryptoBackend {
    const random = (length: number): Uint8Array => {
      const bytes = new Uint8Array(length)
      for (let i = 0; i < length; i++) bytes[i] = Math.floor(this.random() * 256)
      return bytes
    }
    return { ...nodeBackend, random }
  }
}

// A sliding window over the counter of one client: each number is accepted once, in any order within the window.
// What fell out of the window counts as used, so forgetting never lets a replay in.

import { limits } from '../limits.ts'

/** Counters kept, counted down from the highest accepted. */
export const REPLAY_WINDOW_SIZE: number = limits.replayWindow

export type WindowAnswer = 'fresh' | 'seen' | 'old'

export class ReplayWindow {
  readonly #size: number
  /** Bit `counter % size`, for counters in (highest - size, highest]. */
  readonly #words: Int32Array
  /** Where ours begin. */
  readonly #at: number
  #highest = -1

  /** `size` is a multiple of 32. `words`, if they are given, are zeros, and `size` / 32 of them from `at` on are used. */
  constructor(size: number = REPLAY_WINDOW_SIZE, words?: Int32Array, at = 0) {
    if (!Number.isInteger(size) || size < 32 || size % 32 !== 0) {
      throw new RangeError(`a window of ${size} is not a positive multiple of 32`)
    }
    this.#size = size
    this.#words = words ?? new Int32Array(size / 32)
    this.#at = at
  }

  /** The highest counter accepted so far; -1 when none was. */
  get highest(): number {
    return this.#highest
  }

  /** What `accept` would find; changes nothing. */
  check(counter: number): WindowAnswer {
    if (counter > this.#highest) return 'fresh'
    if (counter <= this.#highest - this.#size) return 'old'
    return this.#isSet(counter) ? 'seen' : 'fresh'
  }

  /** True exactly once for each counter that is not too old. */
  accept(counter: number): boolean {
    if (!Number.isSafeInteger(counter) || counter < 0) return false
    if (this.check(counter) !== 'fresh') return false
    if (counter > this.#highest) this.#slideTo(counter)
    this.#set(counter)
    return true
  }

  /** The bits of the counters skipped over still belong to counters one window ago. */
  #slideTo(counter: number): void {
    if (counter - this.#highest >= this.#size) this.#words.fill(0, this.#at, this.#at + this.#size / 32)
    else for (let skipped = this.#highest + 1; skipped <= counter; skipped++) this.#clear(skipped)
    this.#highest = counter
  }

  #isSet(counter: number): boolean {
    return ((this.#word(counter) >>> (counter & 31)) & 1) === 1
  }

  #set(counter: number): void {
    this.#words[this.#index(counter)] = this.#word(counter) | (1 << (counter & 31))
  }

  #clear(counter: number): void {
    this.#words[this.#index(counter)] = this.#word(counter) & ~(1 << (counter & 31))
  }

  /** The size is a multiple of 32: the low bits of a counter are those of its place. */
  #index(counter: number): number {
    return this.#at + Math.floor((counter % this.#size) / 32)
  }

  #word(counter: number): number {
    return this.#words[this.#index(counter)] as number
  }
}

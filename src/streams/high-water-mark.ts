// How much may be written ahead of the network before writers are asked to wait.

import type { MemoryAccount } from '../bytes/memory-budget.ts'
import { limits } from '../limits.ts'

/** What a stream may hold whatever the others do, so that each of them has something to be acknowledged. */
export const DEFAULT_SEND_BUFFER: number = 256 * 1024
/** The same where memory is short. */
export const MIN_SEND_BUFFER: number = 64 * 1024
/** What one stream, and beyond `DEFAULT_SEND_BUFFER` each all together, may come to hold. */
export const MAX_SEND_BUFFER: number = limits.sendBuffer
/**
 * One window is on its way, and writers are called when half of the mark is left: with three there is always half a
 * window that an ACK can let out at once, while they take their time.
 */
const MARK_PER_WINDOW = 3

export class HighWaterMark {
  /** Written on all streams and not acknowledged, bytes. */
  held = 0
  readonly #fixed: number | undefined
  readonly #memory: MemoryAccount
  #mark: number = DEFAULT_SEND_BUFFER

  /** `fixed`: the mark of every stream, when it is not to follow the path. */
  constructor(fixed: number | undefined, memory: MemoryAccount) {
    this.#fixed = fixed
    this.#memory = memory
  }

  /** The path can carry this much: the congestion window, which all streams share. */
  adapt(congestionWindow: number): void {
    this.#mark = Math.min(MARK_PER_WINDOW * congestionWindow, MAX_SEND_BUFFER)
  }

  /** The mark of a stream of whose bytes `sent` are in `held`. */
  of(sent: number): number {
    if (this.#fixed !== undefined) return this.#fixed
    return this.#memory.isShort ? MIN_SEND_BUFFER : Math.max(DEFAULT_SEND_BUFFER, this.#mark - (this.held - sent))
  }
}

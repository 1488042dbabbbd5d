// A world with its own clock: things happen at times, in order, by seed. No real time passes.

import type { CryptoBackend } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { seededRandom } from '../reference/random.ts'
import { fastBackend } from './fast-backend.ts'
import { Memory } from './memory.ts'

type Act = (bytes: Uint8Array) => void

export class Happening {
  readonly at: number
  readonly order: number
  readonly act: Act
  readonly bytes: Uint8Array
  /** What was planned to follow: it takes this one's place in the heap. */
  next: Happening | undefined = undefined
  isOver = false

  constructor(at: number, order: number, act: Act, bytes: Uint8Array) {
    this.at = at
    this.order = order
    this.act = act
    this.bytes = bytes
  }
}

/** `node`: the real thing. `fast`: packets are sealed by a checksum alone (fast-backend.ts). */
export type Crypto = 'node' | 'fast'

/** More than this happens in no test: something spins. */
export const MAX_HAPPENINGS = 400_000

export class World {
  readonly random: () => number
  /** One for all worlds: what is in it never tells. */
  readonly memory: Memory = memory
  readonly #crypto: Crypto
  readonly #maxHappenings: number
  #now = 0
  #order = 0
  #count = 0
  /** A binary heap: the earliest first. */
  readonly #heap: Happening[] = []

  constructor(seed = 1, crypto: Crypto = 'node', maxHappenings: number = MAX_HAPPENINGS) {
    this.random = seededRandom(seed)
    this.#crypto = crypto
    this.#maxHappenings = maxHappenings
  }

  get now(): number {
    return this.#now
  }

  /** How many things have happened. */
  get happened(): number {
    return this.#count
  }

  /**
   * `act` happens at time `at`, after whatever was planned for that time before. It is given `bytes`, so that a datagram
   * on its way needs no closure of its own.
   *
   * What is likely to happen after `previous` stands in line behind it, and not in the heap: a path delivers thousands
   * of datagrams in the order they were sent in.
   */
  plan(at: number, act: Act, bytes: Uint8Array = nothing, previous?: Happening): Happening {
    const happening = new Happening(Math.max(at, this.#now), this.#order++, act, bytes)
    const isInLine =
      previous !== undefined && !previous.isOver && previous.next === undefined && previous.at <= happening.at
    if (isInLine) previous.next = happening
    else this.#insert(happening)
    return happening
  }

  #insert(happening: Happening): void {
    const heap = this.#heap
    let index = heap.length
    while (index > 0) {
      const above = (index - 1) >> 1
      const other = heap[above] as Happening
      if (!isBefore(happening, other)) break
      heap[index] = other
      index = above
    }
    heap[index] = happening
  }

  /**
   * Lets time pass until `isDone`, or until the clock shows `limit` ms. Returns whether it was done. A limit leaves the
   * clock at the limit.
   */
  run(isDone: () => boolean = () => false, limit = 600_000): boolean {
    while (!isDone()) {
      const next = this.#heap[0]
      if (next === undefined || next.at > limit) {
        if (Number.isFinite(limit)) this.#now = Math.max(this.#now, limit)
        return isDone()
      }
      if (++this.#count > this.#maxHappenings) throw new Error(`the world spins at ${this.#now} ms`)
      this.#removeFirst(next)
      this.#now = next.at
      next.act(next.bytes)
    }
    return true
  }

  /** Lets `ms` pass. */
  pass(ms: number): void {
    this.run(() => false, this.#now + ms)
  }

  /**
   * A crypto backend whose randomness comes from the seed. Real key shares stay random: nothing depends on them.
   * `isThorough`: datagrams may be damaged anywhere (fast-backend.ts).
   */
  backend(isThorough = true): CryptoBackend {
    const random = (length: number): Uint8Array => {
      const bytes = new Uint8Array(length)
      for (let i = 0; i < length; i++) bytes[i] = Math.floor(this.random() * 256)
      return bytes
    }
    return this.#crypto === 'fast' ? fastBackend(random, isThorough) : { ...nodeBackend, random }
  }

  #removeFirst(first: Happening): void {
    const heap = this.#heap
    first.isOver = true
    const last = first.next ?? (heap.pop() as Happening)
    const { length } = heap
    if (length === 0) return
    let index = 0
    for (;;) {
      let below = 2 * index + 1
      if (below >= length) break
      if (below + 1 < length && isBefore(heap[below + 1] as Happening, heap[below] as Happening)) below++
      if (!isBefore(heap[below] as Happening, last)) break
      heap[index] = heap[below] as Happening
      index = below
    }
    heap[index] = last
  }
}

const memory = new Memory()
const nothing = new Uint8Array(0)

function isBefore(a: Happening, b: Happening): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

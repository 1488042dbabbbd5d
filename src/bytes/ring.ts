// A table keyed by a growing integer (packet numbers): what is oldest leaves first, and nothing is hashed.

/** The largest distance between first and last key: a runaway becomes an error and not gigabytes of empty slots. */
export const MAX_RING_SPAN: number = 2 ** 22

const SMALLEST = 16

/** Slots kept when the last entry leaves. */
const LARGEST_KEPT = 64

/**
 * Entry `key` sits in slot `key mod capacity`, so that every look-up is one index. Keys are integers from 0 and grow;
 * a skipped key costs one empty slot. The table holds `last - first + 1` slots at least, and grows by doubling. Values
 * are never undefined: that is what an empty slot holds.
 */
export class Ring<T> {
  #slots: (T | undefined)[] = none
  #first = -1
  #last = -1
  #size = 0

  /** How many entries there are. */
  get size(): number {
    return this.#size
  }

  /** The smallest key in use; -1 when empty. */
  get first(): number {
    return this.#first
  }

  /** The largest key in use; -1 when empty. */
  get last(): number {
    return this.#last
  }

  /** From the first key to the last, gaps counted: the bound for `at`. */
  get span(): number {
    return this.#size === 0 ? 0 : this.#last - this.#first + 1
  }

  /** `key` must be above every key in use, and within MAX_RING_SPAN of the first. */
  push(key: number, value: T): void {
    if (!Number.isSafeInteger(key) || key < 0 || key <= this.#last) {
      throw new RangeError(`key ${key} does not follow ${this.#last}`)
    }
    const first = this.#size === 0 ? key : this.#first
    const span = key - first + 1
    if (span > MAX_RING_SPAN) throw new RangeError(`keys ${first} to ${key} are too far apart`)
    if (span > this.#slots.length) this.#grow(span)
    this.#first = first
    this.#slots[this.#slot(key)] = value
    this.#last = key
    this.#size++
  }

  get(key: number): T | undefined {
    return key < this.#first || key > this.#last ? undefined : this.#slots[this.#slot(key)]
  }

  /** The entry of key `first + index`; undefined for a gap. Together with `span` a loop from the oldest to the newest. */
  at(index: number): T | undefined {
    return index < 0 ? undefined : this.get(this.#first + index)
  }

  /** The smallest key in use above `key`; -1 when there is none. */
  next(key: number): number {
    for (let k = key < this.#first ? this.#first : key + 1; k <= this.#last; k++) {
      if (this.#slots[this.#slot(k)] !== undefined) return k
    }
    return -1
  }

  /** Removes an entry and returns it; undefined when there was none. */
  delete(key: number): T | undefined {
    const value = this.get(key)
    if (value === undefined) return undefined
    this.#slots[this.#slot(key)] = undefined
    this.#size--
    if (this.#size === 0) {
      this.#first = -1
      this.#last = -1
      // What one burst needed is not kept for ever.
      if (this.#slots.length > LARGEST_KEPT) this.#slots = none
    } else if (key === this.#first) this.#first = this.next(key)
    else if (key === this.#last) this.#last = this.#previous(key)
    return value
  }

  clear(): void {
    this.#slots = none
    this.#first = -1
    this.#last = -1
    this.#size = 0
  }

  #previous(key: number): number {
    let k = key - 1
    while (this.#slots[this.#slot(k)] === undefined) k--
    return k
  }

  /** The capacity is a power of two, and `&` keeps the low 32 bits of any exact integer. */
  #slot(key: number): number {
    return key & (this.#slots.length - 1)
  }

  #grow(span: number): void {
    let capacity = Math.max(SMALLEST, this.#slots.length)
    while (capacity < span) capacity *= 2
    const grown = emptySlots<T>(capacity)
    for (let i = 0; i < this.span; i++) grown[(this.#first + i) & (capacity - 1)] = this.at(i)
    this.#slots = grown
  }
}

function emptySlots<T>(capacity: number): (T | undefined)[] {
  return new Array<T | undefined>(capacity).fill(undefined)
}

/** Of every ring that nothing was put into: nobody writes to it. */
const none: undefined[] = []

// Bytes that connections hold for their peers, counted: plain numbers, and nobody is called back.

/** What all connections of an endpoint may hold together. */
export class MemoryBudget {
  readonly limit: number
  used = 0

  /** Bytes; Infinity: no limit. */
  constructor(limit: number = Number.POSITIVE_INFINITY) {
    this.limit = limit
  }

  /** Half of it is used: windows grow no more, and those that have grown shrink. */
  get isShort(): boolean {
    return this.used >= this.limit / 2
  }

  /** Seven eighths are: no new connections. */
  get isNearlyUsed(): boolean {
    return this.used >= this.limit * 0.875
  }

  /** Somebody has to go. */
  get isExceeded(): boolean {
    return this.used > this.limit
  }
}

/** The part of one connection, until it is closed. */
export class MemoryAccount {
  used = 0
  readonly #budget: MemoryBudget
  #isClosed = false

  constructor(budget: MemoryBudget) {
    this.#budget = budget
  }

  get isShort(): boolean {
    return this.#budget.isShort
  }

  /** Whether a promise of that much more would leave the other half free. */
  canPromise(bytes: number): boolean {
    return this.#budget.used + bytes <= this.#budget.limit / 2
  }

  /** More is held, or less when `bytes` is negative. */
  add(bytes: number): void {
    if (this.#isClosed) return
    this.used += bytes
    this.#budget.used += bytes
  }

  /** Nothing more is held, whatever is added from now on. */
  close(): void {
    this.add(-this.used)
    this.#isClosed = true
  }
}

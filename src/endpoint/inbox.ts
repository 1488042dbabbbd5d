// A bounded queue that is read with `for await`.

export class Inbox<T> implements AsyncIterable<T> {
  readonly #items = new Set<T>()
  readonly #limit: number
  #isClosed = false
  /** Items that newer ones pushed out. */
  dropped = 0
  #readers: (() => void)[] = []

  /** Beyond `limit` items the oldest is dropped. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Items not yet read. */
  get size(): number {
    return this.#items.size
  }

  push(item: T): void {
    if (this.#isClosed) return
    if (this.#items.size === this.#limit) {
      this.#shift()
      this.dropped++
    }
    this.#items.add(item)
    this.#wake()
  }

  /** Takes back what nobody has read: it is of no use any more. */
  remove(item: T): void {
    this.#items.delete(item)
  }

  /** What is inside is still read; then iteration ends. */
  close(): void {
    this.#isClosed = true
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (;;) {
      const item = this.#shift()
      if (item !== undefined) yield item
      else if (this.#isClosed) return
      else await new Promise<void>(resolve => this.#readers.push(resolve))
    }
  }

  #shift(): T | undefined {
    const item = this.#items.values().next().value
    if (item !== undefined) this.#items.delete(item)
    return item
  }

  #wake(): void {
    const readers = this.#readers
    this.#readers = []
    for (const wake of readers) wake()
  }
}

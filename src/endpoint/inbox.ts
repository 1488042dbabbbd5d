// A bounded queue that is read with `for await`.

export class Inbox<T> implements AsyncIterable<T> {
  readonly #items = new Set<T>()
  readonly #limit: number
  readonly #onLeft: ((item: T) => void) | undefined
  #isClosed = false
  /** Items that newer ones pushed out. */
  dropped = 0
  #readers: (() => void)[] = []

  /** Beyond `limit` items the oldest is dropped. `onLeft` is told of each that leaves, read or not. */
  constructor(limit: number, onLeft?: (item: T) => void) {
    this.#limit = limit
    this.#onLeft = onLeft
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
    if (this.#items.delete(item)) this.#onLeft?.(item)
  }

  /** Everything is of no use any more. */
  clear(): void {
    while (this.#shift() !== undefined);
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
    if (item !== undefined) this.remove(item)
    return item
  }

  #wake(): void {
    const readers = this.#readers
    this.#readers = []
    for (const wake of readers) wake()
  }
}

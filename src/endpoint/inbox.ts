// A bounded queue that is read with `for await`.

export class Inbox<T> implements AsyncIterable<T> {
  readonly #items: T[] = []
  readonly #limit: number
  #isClosed = false
  #readers: (() => void)[] = []

  /** Beyond `limit` items the oldest is dropped. */
  constructor(limit: number) {
    this.#limit = limit
  }

  push(item: T): void {
    if (this.#items.length === this.#limit) this.#items.shift()
    this.#items.push(item)
    this.#wake()
  }

  /** What is inside is still read; then iteration ends. */
  close(): void {
    this.#isClosed = true
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (;;) {
      const item = this.#items.shift()
      if (item !== undefined) yield item
      else if (this.#isClosed) return
      else await new Promise<void>(resolve => this.#readers.push(resolve))
    }
  }

  #wake(): void {
    const readers = this.#readers
    this.#readers = []
    for (const wake of readers) wake()
  }
}

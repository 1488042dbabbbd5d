// A streamed body that can be said again: what was said is kept, up to a limit, for as long as the server may answer that
// it was too early (RFC 8470 §5.2).

/** Reads a source once, and gives what it said as often as it is asked to. */
export class ReplayableBody {
  readonly #reader: ReadableStreamDefaultReader<unknown>
  readonly #limit: number
  #kept: unknown[] = []
  /** Pieces that are not kept any more. */
  #dropped = 0
  #size = 0
  #isEnded = false
  #mayExceed = false
  #wake: () => void = () => {}
  #filling: Promise<void> | undefined = undefined
  /** Who reads it now: faces of before are of no consequence. */
  #face = 0

  /** `limit`: bytes that are kept; beyond them nothing is read until `release`. */
  constructor(body: ReadableStream<unknown>, limit: number) {
    this.#reader = body.getReader()
    this.#limit = limit
  }

  /** False: some of it is gone. */
  get canReplay(): boolean {
    return this.#dropped === 0
  }

  /** The body from its beginning, instead of the one that was given before. */
  open(): ReadableStream<unknown> {
    const face = ++this.#face
    let next = 0
    return new ReadableStream<unknown>(
      {
        pull: async controller => {
          while (next === this.#dropped + this.#kept.length && !this.#isEnded) await this.#fill()
          if (face !== this.#face) return
          const piece = this.#kept[next - this.#dropped]
          if (piece === undefined) return controller.close()
          next++
          if (this.#mayExceed && this.#size > this.#limit) this.#dropUntil(next)
          controller.enqueue(piece)
        },
        cancel: reason => (face === this.#face ? this.#reader.cancel(reason) : undefined),
      },
      { highWaterMark: 0 },
    )
  }

  /** Whoever reads it now shall not end it: it will be read again. */
  rewind(): void {
    this.#face++
  }

  /** From here on a long body may go on, at the price of its beginning. */
  release(): void {
    this.#mayExceed = true
    this.#wake()
  }

  #dropUntil(next: number): void {
    this.#kept = this.#kept.slice(next - this.#dropped)
    this.#dropped = next
  }

  /** One read at a time, whoever asks. */
  #fill(): Promise<void> {
    this.#filling ??= this.#readOne().finally(() => {
      this.#filling = undefined
    })
    return this.#filling
  }

  async #readOne(): Promise<void> {
    if (this.#size >= this.#limit && !this.#mayExceed) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    const { value, done } = await this.#reader.read()
    if (done) this.#isEnded = true
    else {
      this.#kept.push(value)
      if (value instanceof Uint8Array) this.#size += value.length
    }
  }
}

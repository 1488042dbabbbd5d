// What a call may take: so long, and as long as its caller cares. One timer, which ends with the call, rather than a signal
// that lasts as long as it might have taken.

export class CallTime {
  /** It took too long. */
  isOver = false
  readonly #end = new AbortController()
  readonly #caller: AbortSignal
  readonly #timer: NodeJS.Timeout
  readonly #onAbort = (): void => this.#end.abort(this.#caller.reason)

  /** `ms`: for an answer to be taken. `caller`: aborted when nobody waits for it. */
  constructor(ms: number, caller: AbortSignal) {
    this.#caller = caller
    this.#timer = setTimeout(() => {
      this.isOver = true
      this.#end.abort(new DOMException('upstream_timeout is over', 'TimeoutError'))
    }, ms).unref()
    if (caller.aborted) this.#onAbort()
    else caller.addEventListener('abort', this.#onAbort)
  }

  get signal(): AbortSignal {
    return this.#end.signal
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#caller.removeEventListener('abort', this.#onAbort)
  }
}

// A promise with its ends, whose rejection is nobody's fault if nobody looks.

export class Settler<T> {
  readonly promise: Promise<T>
  isSettled = false
  #resolve: (value: T) => void = ignore
  #reject: (reason: unknown) => void = ignore

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.promise.catch(ignore)
  }

  /** The first word counts. */
  resolve(value: T): void {
    this.isSettled = true
    this.#resolve(value)
    this.#release()
  }

  reject(reason: unknown): void {
    this.isSettled = true
    this.#reject(reason)
    this.#release()
  }

  /** The ends of a settled promise are of no use, and a session has several. */
  #release(): void {
    this.#resolve = ignore
    this.#reject = ignore
  }
}

function ignore(): void {}

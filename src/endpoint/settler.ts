// A promise with its ends, whose rejection is nobody's fault if nobody looks.

export class Settler<T> {
  readonly promise: Promise<T>
  isSettled = false
  #resolve: (value: T) => void = () => {}
  #reject: (reason: unknown) => void = () => {}

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.promise.catch(() => {})
  }

  /** The first word counts. */
  resolve(value: T): void {
    this.isSettled = true
    this.#resolve(value)
  }

  reject(reason: unknown): void {
    this.isSettled = true
    this.#reject(reason)
  }
}

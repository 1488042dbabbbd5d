// A promise and its two ends; one that nobody looks at is no unhandled rejection.

export class Deferred<T> {
  readonly promise: Promise<T>
  isSettled = false
  #resolve: (value: T) => void = () => {}
  #reject: (error: unknown) => void = () => {}

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.promise.catch(() => {})
  }

  resolve(value: T): void {
    this.isSettled = true
    this.#resolve(value)
  }

  reject(error: unknown): void {
    this.isSettled = true
    this.#reject(error)
  }
}

// Streams the peer opened and nobody has taken yet. The limit on streams bounds them: each counts until it is done.

import type { WebTransportError } from './error.ts'

export class IncomingStreams<T> {
  readonly readable: ReadableStream<T>
  #controller: ReadableStreamDefaultController<T> | undefined = undefined

  constructor() {
    this.readable = new ReadableStream<T>({
      start: controller => {
        this.#controller = controller
      },
      cancel: () => {
        this.#controller = undefined
      },
    })
  }

  push(stream: T): void {
    this.#controller?.enqueue(stream)
  }

  close(error: WebTransportError, isOrderly: boolean): void {
    if (isOrderly) this.#controller?.close()
    else this.#controller?.error(error)
    this.#controller = undefined
  }
}

// A body that has its time.

type Stream = ReadableStream<Uint8Array>

/** As it comes; a stream that is not read whole within `ms` fails, with `message`. Undefined `ms`: it may take any time. */
export function within<T>(body: T | Stream, ms: number | undefined, message: string): T | Stream {
  if (!(body instanceof ReadableStream) || ms === undefined || ms === Number.POSITIVE_INFINITY) return body
  const reader = (body as Stream).getReader()
  let timer: NodeJS.Timeout
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        timer = setTimeout(() => {
          const error = new DOMException(message, 'TimeoutError')
          controller.error(error)
          reader.cancel(error).catch(() => {})
        }, ms)
      },
      async pull(controller) {
        try {
          const next = await reader.read()
          if (!next.done) return controller.enqueue(next.value)
          controller.close()
        } catch (error) {
          controller.error(error)
        }
        clearTimeout(timer)
      },
      cancel(reason) {
        clearTimeout(timer)
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}

/** The promise, or a TimeoutError after `ms`. Undefined `ms`: it may take any time. */
export function inTime<T>(promise: Promise<T>, ms: number | undefined, message: string): Promise<T> {
  if (ms === undefined || ms === Number.POSITIVE_INFINITY) return promise
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new DOMException(message, 'TimeoutError')), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

export function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError'
}

// The faces of a QUIC stream: WHATWG's and node's, made only for those who ask, since they cost more than the stream.

import { Duplex, type DuplexOptions } from 'node:stream'

/** What the faces need of a stream. */
export interface FacedStream {
  readonly canRead: boolean
  readonly canWrite: boolean
  onWriteError: (error: unknown) => void
  read(): Promise<Uint8Array | undefined>
  write(bytes: Uint8Array): Promise<void>
  end(): Promise<void>
  reset(errorCode: number): void
  stopSending(errorCode: number): void
}

/** Nothing is read ahead of its reader, so that credit follows consumption. */
export function readableOf(stream: FacedStream): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = await stream.read()
        if (chunk === undefined) controller.close()
        else controller.enqueue(chunk)
      },
      cancel: () => stream.stopSending(0),
    },
    { highWaterMark: 0 },
  )
}

export function writableOf(stream: FacedStream): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({
    start(controller) {
      stream.onWriteError = error => controller.error(error)
    },
    write: chunk => stream.write(chunk),
    close: () => stream.end(),
    abort: () => stream.reset(0),
  })
}

export function duplexOf(stream: FacedStream): Duplex {
  const sides: DuplexOptions & { readable: boolean; writable: boolean } = {
    allowHalfOpen: true,
    readable: stream.canRead,
    writable: stream.canWrite,
    read() {
      stream.read().then(
        chunk => this.push(chunk ?? null),
        error => this.destroy(error),
      )
    },
    write(chunk, encoding, callback) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk
      stream.write(bytes).then(() => callback(), callback)
    },
    final(callback) {
      stream.end().then(() => callback(), callback)
    },
    destroy(error, callback) {
      stream.stopSending(0)
      // Once the end was said, destroying is only tidying up: what is on its way shall arrive.
      if (error !== null || !this.writableFinished) stream.reset(0)
      callback(error)
    },
  }
  return new Duplex(sides)
}

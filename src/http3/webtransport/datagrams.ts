// The datagrams of a session (W3C WebTransportDatagramDuplexStream): two bounded queues as WHATWG streams.

import { limits } from '../../limits.ts'
import type { RequestStream } from '../request-stream.ts'
import type { WebTransportError } from './error.ts'

export class WebTransportDatagrams {
  /** Datagrams of the peer; the newest 256 are kept until they are read. */
  readonly readable: ReadableStream<Uint8Array>
  /** A write waits while many are waiting to be sent. What is larger than `maxDatagramSize` is dropped. */
  readonly writable: WritableStream<Uint8Array>
  /** Of those received, how many were dropped before they were read. */
  droppedIncoming = 0
  readonly #room: () => number
  #stream: RequestStream | undefined = undefined
  readonly #received: Uint8Array[] = []
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined = undefined
  #writer: WritableStreamDefaultController | undefined = undefined
  #isWanted = false
  #isClosed = false
  #writers: (() => void)[] = []

  /** `room`: how many more may wait to be sent. */
  constructor(room: () => number) {
    this.#room = room
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: controller => {
          this.#controller = controller
        },
        pull: () => {
          this.#isWanted = true
          this.#deliver()
        },
      },
      { highWaterMark: 0 },
    )
    this.writable = new WritableStream<Uint8Array>({
      start: controller => {
        this.#writer = controller
      },
      write: chunk => this.#write(chunk),
    })
  }

  /** Bytes of the largest datagram that can be sent now. */
  get maxDatagramSize(): number {
    return this.#stream?.maxDatagramSize ?? 0
  }

  /** The session is established. */
  open(stream: RequestStream): void {
    this.#stream = stream
    stream.takeDatagrams(payload => this.receive(payload))
    this.wake()
  }

  receive(payload: Uint8Array): void {
    if (this.#isClosed) return
    if (this.#received.length === limits.receivedDatagrams) {
      this.#received.shift()
      this.droppedIncoming++
    }
    // A copy: the packet it came in is not kept for it.
    this.#received.push(payload.slice())
    this.#deliver()
  }

  /** Writers may go on. */
  wake(): void {
    const writers = this.#writers
    this.#writers = []
    for (const writer of writers) writer()
  }

  close(error: WebTransportError, isOrderly: boolean): void {
    if (this.#isClosed) return
    this.#isClosed = true
    if (isOrderly) this.#controller?.close()
    else this.#controller?.error(error)
    this.#writer?.error(error)
    this.#received.length = 0
    this.wake()
  }

  #deliver(): void {
    if (!this.#isWanted) return
    const next = this.#received.shift()
    if (next === undefined) return
    this.#isWanted = false
    this.#controller?.enqueue(next)
  }

  async #write(chunk: unknown): Promise<void> {
    if (!ArrayBuffer.isView(chunk)) throw new TypeError('datagrams are made of bytes: a view of an ArrayBuffer')
    while (!this.#isClosed && (this.#stream === undefined || this.#room() === 0)) {
      await new Promise<void>(resolve => this.#writers.push(resolve))
    }
    this.#stream?.sendDatagram(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength))
  }
}

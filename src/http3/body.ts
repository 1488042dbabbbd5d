// Bodies as web streams, with back-pressure both ways: what comes in is read from the transport when somebody pulls,
// what goes out is pulled when the transport has room.

import type { Field } from './field.ts'
import type { RequestStream } from './request-stream.ts'

/** Told how a body ended, once. */
export interface BodyOwner {
  /** By its own end, or by an error of its stream. */
  onBodyEnded(): void
  /** Its reader wants no more. */
  onBodyCancelled(): void
  /** Somebody wants to read it, and waits: for the first time. */
  onBodyWanted?(): void
}

/** Content received, as a ReadableStream. */
export class IncomingBody {
  readonly readable: ReadableStream<Uint8Array>
  readonly #stream: RequestStream
  readonly #owner: BodyOwner
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined = undefined
  #isWanted = false
  #wasWanted = false
  #isDone = false

  constructor(stream: RequestStream, owner: BodyOwner) {
    this.#stream = stream
    this.#owner = owner
    // A high-water mark of 0: nothing is pulled ahead of a read, so flow-control credit follows consumption.
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: controller => {
          this.#controller = controller
        },
        pull: () => this.#pull(),
        cancel: () => this.#cancel(),
      },
      { highWaterMark: 0 },
    )
  }

  /** Its reader has all of it, or wants no more. */
  get isDone(): boolean {
    return this.#isDone
  }

  /** There may be something new to read. */
  onContent(): void {
    if (this.#isDone) return
    if (this.#isWanted) this.#deliver()
    else this.#settle()
  }

  /** Nothing more will come, for this reason; the owner knows. */
  fail(error: unknown): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#controller?.error(error)
  }

  #pull(): void {
    this.#isWanted = true
    this.#deliver()
    if (!this.#isWanted || this.#wasWanted) return
    this.#wasWanted = true
    this.#owner.onBodyWanted?.()
  }

  #deliver(): void {
    const piece = this.#stream.read()
    if (piece !== undefined) {
      this.#isWanted = false
      this.#controller?.enqueue(piece)
    }
    this.#settle()
  }

  #settle(): void {
    if (this.#isDone) return
    if (this.#stream.error !== undefined) this.fail(this.#stream.error)
    else if (!this.#stream.isEnded) return
    else {
      this.#isDone = true
      this.#controller?.close()
    }
    this.#owner.onBodyEnded()
  }

  #cancel(): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#owner.onBodyCancelled()
  }
}

/**
 * Sends a ReadableStream. A chunk is held back until it is known whether it was the last, but for a few turns of the
 * microtask queue only: so header section, a small body and the end leave in one write, and a chunk that is followed
 * by a pause leaves at once.
 */
export class OutgoingBody {
  readonly #stream: RequestStream
  readonly #reader: ReadableStreamDefaultReader<unknown>
  #head: readonly Field[] | undefined
  #held: Uint8Array | undefined = undefined
  /** Counts flushes, so that a countdown started for one chunk does not flush another. */
  #flushes = 0
  #room = 1
  #wake: (() => void) | undefined = undefined
  #failure: unknown = undefined
  #isCancelled = false

  /** `head`: a header section to be sent with the first content; undefined when it was sent before. */
  constructor(stream: RequestStream, body: ReadableStream<unknown>, head: readonly Field[] | undefined) {
    this.#stream = stream
    this.#head = head
    this.#reader = body.getReader()
  }

  /** Resolves when all was handed to the transport, or the peer lost interest. Rejects when the body fails. */
  async run(): Promise<void> {
    try {
      for (;;) {
        const next = this.#reader.read()
        if (this.#head !== undefined || this.#held !== undefined) this.#flushSoon(CORK_TURNS, this.#flushes)
        const { value, done } = await next
        if (this.#failure !== undefined) throw this.#failure
        if (this.#isCancelled) return
        if (done) {
          this.#flush(true)
          return
        }
        if (!(value instanceof Uint8Array)) throw new TypeError('a body consists of Uint8Arrays')
        if (value.length === 0) continue
        if (this.#held !== undefined) this.#flush(false)
        this.#held = value
        if (this.#room <= 0) await this.#writable()
        if (this.#isCancelled) return
      }
    } catch (error) {
      this.cancel(error)
      throw error
    }
  }

  onWritable(): void {
    this.#room = 1
    this.#wake?.()
  }

  /** Tells the source that nobody wants more. */
  cancel(reason: unknown): void {
    if (this.#isCancelled) return
    this.#isCancelled = true
    this.#reader.cancel(reason).catch(ignore)
    this.#wake?.()
  }

  #flush(end: boolean): void {
    const head = this.#head
    const held = this.#held
    this.#flushes++
    this.#head = undefined
    this.#held = undefined
    if (!this.#stream.isWritable)
      return this.cancel(new DOMException('The peer wants no more of the body', 'AbortError'))
    this.#room = this.#stream.send(head, held, end)
  }

  #flushSoon(turns: number, flushes: number): void {
    Promise.resolve().then(() => {
      if (this.#flushes !== flushes || this.#isCancelled) return
      if (turns > 1) return this.#flushSoon(turns - 1, flushes)
      try {
        this.#flush(false)
      } catch (error) {
        this.#failure = error
        this.#reader.cancel(error).catch(ignore)
      }
    })
  }

  #writable(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = () => {
        this.#wake = undefined
        resolve()
      }
    })
  }
}

/** A body made of a string or of bytes ends within two turns of its first chunk; one that fails at once takes a few more. */
const CORK_TURNS = 10

function ignore(): void {}

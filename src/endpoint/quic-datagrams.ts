// Unreliable datagrams of a session (RFC 9221): promises, iterators and WHATWG streams over two bounded queues.

import type { ConnectionEvent, DatagramFate } from '../connection/events.ts'
import { limits } from '../limits.ts'
import { QuicError } from './errors.ts'
import { Inbox } from './inbox.ts'

/** Datagrams received and not yet read; the oldest is dropped when another comes. */
export const MAX_RECEIVED_DATAGRAMS: number = limits.receivedDatagrams

/** What the session lends. */
export interface DatagramDoor {
  sendDatagram(data: Uint8Array, id: number, urgency: number): boolean
  /** So many bytes more are kept here; fewer when negative. */
  holdDatagrams(bytes: number): void
  readonly datagramLimits: { readonly size: number; readonly room: number }
}

export interface DatagramOptions {
  /**
   * From 0, the first, to 7: in which order datagrams go; each also goes before the data of streams that are no more
   * urgent (`stream.setPriority`). Default 0, before all of it. RFC 9221 §5.1.
   */
  readonly urgency?: number
}

/** The datagrams the peer sends can be read by `for await`, or as `readable`; the newest 256 are kept until then. */
export class QuicDatagrams implements AsyncIterable<Uint8Array> {
  readonly #door: DatagramDoor
  readonly #inbox: Inbox<Uint8Array>
  /** Who waits to hear of a datagram. Bounded as the queue and what is in flight are. */
  readonly #asked = new Map<number, (fate: DatagramFate) => void>()
  #lastId = 0
  #writers: (() => void)[] = []
  #isClosed = false
  #readable: ReadableStream<Uint8Array> | undefined
  #writable: WritableStream<Uint8Array> | undefined

  constructor(door: DatagramDoor) {
    this.#door = door
    this.#inbox = new Inbox(MAX_RECEIVED_DATAGRAMS, data => door.holdDatagrams(-data.buffer.byteLength))
  }

  /** The largest datagram that can be sent now, bytes; 0: the peer takes none, or its limit is not known yet. */
  get maxSize(): number {
    return this.#door.datagramLimits.size
  }

  /** Datagrams received that newer ones pushed out before they were read. */
  get dropped(): number {
    return this.#inbox.dropped
  }

  /**
   * Sends a datagram, once. Resolves with what became of it: `acked`, `lost`, or why it was never sent. When 64 are
   * waiting to be sent, the oldest of the least urgent is dropped: `writable` waits instead. Rejects with a RangeError when
   * it is larger than `maxSize`, or `urgency` is none.
   */
  async send(data: Uint8Array, { urgency = 0 }: DatagramOptions = {}): Promise<DatagramFate> {
    if (this.#isClosed) return 'unsent'
    const id = ++this.#lastId
    if (!this.#door.sendDatagram(data, id, urgency)) {
      throw new RangeError(`a datagram of ${data.length} bytes: path and peer take ${this.maxSize} at most`)
    }
    return new Promise(resolve => this.#asked.set(id, resolve))
  }

  /** Ends with the connection; so does `for await`. */
  get readable(): ReadableStream<Uint8Array> {
    this.#readable ??= ReadableStream.from(this) as ReadableStream<Uint8Array>
    return this.#readable
  }

  /**
   * A write waits while the queue is full. What is larger than `maxSize` is dropped, as the network would; what is not a
   * Uint8Array ends the stream with a TypeError.
   */
  get writable(): WritableStream<Uint8Array> {
    this.#writable ??= new WritableStream({ write: chunk => this.#write(chunk) })
    return this.#writable
  }

  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    return this.#inbox[Symbol.asyncIterator]()
  }

  /** For the session. */
  onEvent(event: ConnectionEvent): void {
    switch (event.type) {
      case 'datagram':
        return this.#receive(event.data)
      case 'datagramsWritable':
        return this.#wake()
      case 'datagramSettled':
        this.#asked.get(event.id)?.(event.fate)
        this.#asked.delete(event.id)
        return
      case 'closed':
        this.#isClosed = true
        this.#inbox.close()
        // It may have ended to have memory for others.
        if (event.by === 'local' && event.error !== undefined) this.#inbox.clear()
        this.#wake()
        return
      default:
    }
  }

  #receive(data: Uint8Array): void {
    if (this.#isClosed) return
    this.#door.holdDatagrams(data.buffer.byteLength)
    this.#inbox.push(data)
  }

  async #write(data: unknown): Promise<void> {
    if (!(data instanceof Uint8Array)) throw new TypeError('datagrams are made of Uint8Array')
    while (!this.#isClosed && this.#door.datagramLimits.room === 0) {
      await new Promise<void>(resolve => this.#writers.push(resolve))
    }
    if (this.#isClosed) throw new QuicError('ERR_ZEROTRIP_INVALID_STATE', 'the connection has ended')
    this.#door.sendDatagram(data, 0, 0)
  }

  #wake(): void {
    const writers = this.#writers
    this.#writers = []
    for (const wake of writers) wake()
  }
}

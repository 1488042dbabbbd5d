// The seat for programs that use QUIC itself: events become QuicStream objects and datagrams.

import type { ConnectionClosed, ConnectionEvent } from '../connection/events.ts'
import type { Application } from './application.ts'
import { closedError, QuicError } from './errors.ts'
import { Inbox } from './inbox.ts'
import { type DatagramDoor, QuicDatagrams } from './quic-datagrams.ts'
import { QuicStream, type StreamDoor } from './quic-stream.ts'
import { Settler } from './settler.ts'

/** Somebody who waits for the peer's limit to rise. */
interface Opener {
  readonly direction: 'bidi' | 'uni'
  readonly stop: () => void
  resolve(stream: QuicStream): void
  reject(error: unknown): void
}

/** What the session lends to this seat. */
export interface RawDoor extends StreamDoor, DatagramDoor {
  openStream(direction: 'bidi' | 'uni'): number | undefined
  isEarly(id: number): boolean
}

export class QuicStreams implements Application {
  readonly #door: RawDoor
  readonly #streams = new Map<number, QuicStream>()
  /** Streams the peer opened. Bounded by the stream limits we grant: one that is over before it is taken, leaves. */
  readonly incoming: Inbox<QuicStream> = new Inbox(Number.POSITIVE_INFINITY)
  readonly sessionState: Uint8Array = new Uint8Array(0)
  #openers: Opener[] = []
  #closed: ConnectionClosed | undefined
  /** Most sessions have none. */
  #datagrams: QuicDatagrams | undefined
  #finished: Settler<void> | undefined

  constructor(door: RawDoor) {
    this.#door = door
  }

  get datagrams(): QuicDatagrams {
    if (this.#datagrams === undefined) {
      this.#datagrams = new QuicDatagrams(this.#door)
      if (this.#closed !== undefined) this.#datagrams.onEvent(this.#closed)
    }
    return this.#datagrams
  }

  /** Opens a stream; waits while the peer's limit is reached. */
  async open(direction: 'bidi' | 'uni', signal?: AbortSignal): Promise<QuicStream> {
    signal?.throwIfAborted()
    // Who waits for one kind of stream does not hold up the other.
    const isFirst = !this.#openers.some(opener => opener.direction === direction)
    const stream = isFirst ? this.openNow(direction) : undefined
    return stream ?? new Promise((resolve, reject) => this.#wait(direction, signal, resolve, reject))
  }

  /** The same at once, or undefined while the peer's limit is reached. */
  openNow(direction: 'bidi' | 'uni'): QuicStream | undefined {
    if (this.#closed) throw errorOf(this.#closed)
    const id = this.#door.openStream(direction)
    return id === undefined ? undefined : this.#make(id, true)
  }

  /** Refuses streams the peer opens from now on. Resolves when all that are open, or asked for, are closed. */
  close(): Promise<void> {
    this.#finished ??= new Settler()
    this.incoming.close()
    this.#settleFinished()
    return this.#finished.promise
  }

  onEvent(event: ConnectionEvent): void {
    switch (event.type) {
      case 'streamOpened':
        return this.#onOpened(event.id)
      case 'readable':
        return this.#streams.get(event.id)?.onReadable()
      case 'writable':
        return this.#streams.get(event.id)?.onWritable()
      case 'streamFinished':
        return this.#streams.get(event.id)?.onFinished()
      case 'streamReset':
        return this.#streams.get(event.id)?.onReset(aborted('reset the stream', event.errorCode))
      case 'streamStopped':
        return this.#streams.get(event.id)?.onStopped(aborted('stopped reading', event.errorCode))
      case 'streamsAvailable':
        return this.#openWaiting(event.direction)
      case 'datagram':
      case 'datagramSettled':
      case 'datagramsWritable':
        return this.datagrams.onEvent(event)
      case 'closed':
        return this.#onClosed(event)
      default:
    }
  }

  #onOpened(id: number): void {
    if (this.#finished === undefined) return this.incoming.push(this.#make(id, false))
    this.#door.stop(id, 0)
    // Bidirectional.
    if ((id & 2) === 0) this.#door.reset(id, 0)
  }

  #settleFinished(): void {
    if (this.#closed !== undefined || this.#streams.size + this.#openers.length === 0) this.#finished?.resolve()
  }

  #make(id: number, isOurs: boolean): QuicStream {
    const stream = new QuicStream(id, isOurs, this.#door.isEarly(id), this.#door)
    this.#streams.set(id, stream)
    stream.closed.then(() => {
      this.#streams.delete(id)
      // Reset before anybody took it. After the connection's end what is left can still be read.
      if (!isOurs && this.#closed === undefined) this.incoming.remove(stream)
      this.#settleFinished()
    })
    return stream
  }

  #wait(
    direction: 'bidi' | 'uni',
    signal: AbortSignal | undefined,
    resolve: (stream: QuicStream) => void,
    reject: (error: unknown) => void,
  ): void {
    const onAbort = (): void => {
      this.#openers = this.#openers.filter(other => other !== opener)
      this.#settleFinished()
      reject(signal?.reason)
    }
    const opener: Opener = {
      direction,
      resolve,
      reject,
      stop: () => signal?.removeEventListener('abort', onAbort),
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#openers.push(opener)
  }

  #openWaiting(direction: 'bidi' | 'uni'): void {
    const waiting = this.#openers
    this.#openers = []
    for (const opener of waiting) {
      const stream = opener.direction === direction ? this.openNow(direction) : undefined
      if (stream === undefined) {
        this.#openers.push(opener)
        continue
      }
      opener.stop()
      opener.resolve(stream)
    }
  }

  #onClosed(event: ConnectionClosed): void {
    this.#closed = event
    this.incoming.close()
    this.#datagrams?.onEvent(event)
    this.#settleFinished()
    if (this.#streams.size + this.#openers.length === 0) return
    const error = errorOf(event)
    for (const stream of this.#streams.values()) stream.onClosed(error)
    for (const opener of this.#openers) {
      opener.stop()
      opener.reject(error)
    }
    this.#openers = []
  }
}

/** Of a failure the session has made an error that says what to do; an orderly close is one for who still waits. */
function errorOf(event: ConnectionClosed): unknown {
  return event.error ?? closedError(event)
}

function aborted(what: string, errorCode: number): QuicError {
  const wire = { errorCode, type: 'application' } as const
  return new QuicError('ERR_ZEROTRIP_STREAM_ABORTED', `the peer ${what} with code ${errorCode}`, wire)
}

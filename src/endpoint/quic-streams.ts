// The seat for programs that use QUIC itself: events become QuicStream objects and datagrams.

import type { ConnectionClosed, ConnectionEvent } from '../connection/events.ts'
import type { Application } from './application.ts'
import { closedError, QuicError } from './errors.ts'
import { Inbox } from './inbox.ts'
import { QuicStream, type StreamDoor } from './quic-stream.ts'

/** Datagrams received and not yet read; the oldest is dropped when another comes. */
export const MAX_RECEIVED_DATAGRAMS = 256

interface Opener {
  readonly direction: 'bidi' | 'uni'
  resolve(stream: QuicStream): void
  reject(error: Error): void
}

/** What the session lends to this seat. */
export interface RawDoor extends StreamDoor {
  openStream(direction: 'bidi' | 'uni'): number | undefined
  isEarly(id: number): boolean
  readonly isClient: boolean
}

export class QuicStreams implements Application {
  readonly #door: RawDoor
  readonly #streams = new Map<number, QuicStream>()
  /** Streams the peer opened: bounded by the stream limits we grant. */
  readonly incoming: Inbox<QuicStream> = new Inbox(Number.POSITIVE_INFINITY)
  readonly datagrams: Inbox<Uint8Array> = new Inbox(MAX_RECEIVED_DATAGRAMS)
  readonly sessionState: Uint8Array = new Uint8Array(0)
  #openers: Opener[] = []
  #closed: QuicError | undefined

  constructor(door: RawDoor) {
    this.#door = door
  }

  /** Opens a stream; waits while the peer's limit is reached. */
  async open(direction: 'bidi' | 'uni', signal?: AbortSignal): Promise<QuicStream> {
    signal?.throwIfAborted()
    if (this.#closed) throw this.#closed
    const id = this.#openers.length === 0 ? this.#door.openStream(direction) : undefined
    if (id !== undefined) return this.#make(id, true)
    return new Promise((resolve, reject) => {
      const opener: Opener = { direction, resolve, reject }
      this.#openers.push(opener)
      signal?.addEventListener('abort', () => {
        this.#openers = this.#openers.filter(other => other !== opener)
        reject(signal.reason)
      })
    })
  }

  /** The same at once, or undefined while the peer's limit is reached. */
  openNow(direction: 'bidi' | 'uni'): QuicStream | undefined {
    const id = this.#closed ? undefined : this.#door.openStream(direction)
    return id === undefined ? undefined : this.#make(id, true)
  }

  onEvent(event: ConnectionEvent): void {
    switch (event.type) {
      case 'streamOpened':
        return this.incoming.push(this.#make(event.id, false))
      case 'readable':
        return this.#streams.get(event.id)?.onReadable()
      case 'writable':
        return this.#streams.get(event.id)?.onWritable()
      case 'streamReset':
        return this.#streams.get(event.id)?.onReset(aborted('reset the stream', event.errorCode))
      case 'streamStopped':
        return this.#streams.get(event.id)?.onStopped(aborted('stopped reading', event.errorCode))
      case 'streamsAvailable':
        return this.#openWaiting(event.direction)
      case 'datagram':
        return this.datagrams.push(event.data)
      case 'closed':
        return this.#onClosed(event)
      default:
    }
  }

  #make(id: number, isOurs: boolean): QuicStream {
    const stream = new QuicStream(id, isOurs, this.#door.isEarly(id), this.#door)
    this.#streams.set(id, stream)
    stream.closed.then(() => this.#streams.delete(id))
    return stream
  }

  #openWaiting(direction: 'bidi' | 'uni'): void {
    const waiting = this.#openers
    this.#openers = []
    for (const opener of waiting) {
      const id = opener.direction === direction ? this.#door.openStream(direction) : undefined
      if (id === undefined) this.#openers.push(opener)
      else opener.resolve(this.#make(id, true))
    }
  }

  #onClosed(event: ConnectionClosed): void {
    const error = closedError(event)
    this.#closed = error
    for (const stream of this.#streams.values()) stream.onClosed(error)
    for (const opener of this.#openers) opener.reject(error)
    this.#openers = []
    this.incoming.close()
    this.datagrams.close()
  }
}

function aborted(what: string, errorCode: number): QuicError {
  const wire = { errorCode, type: 'application' } as const
  return new QuicError('ERR_ZEROTRIP_STREAM_ABORTED', `the peer ${what} with code ${errorCode}`, wire)
}

// The handle of a connection: promises and iterators over the waist.

import type { Connection } from '../connection/connection.ts'
import type { ConnectionEvent, PeerInfo, TicketFacts } from '../connection/events.ts'
import type { Address } from '../connection/path.ts'
import type { Stats } from '../connection/stats.ts'
import { QUIC_V1 } from '../packet/version.ts'
import { resumptionFromTicket } from '../zero-rtt/resumption.ts'
import type { TicketStore } from '../zero-rtt/ticket-store.ts'
import type { Application } from './application.ts'
import { now, unixTime } from './clock.ts'
import { closedError, QuicError } from './errors.ts'
import type { QuicStream } from './quic-stream.ts'
import { QuicStreams } from './quic-streams.ts'

/** How a connection ended, when it ended well. */
export interface CloseInfo {
  readonly errorCode: number
  readonly reason: string
  readonly by: 'local' | 'peer' | 'idle' | 'reset'
}

/** What the endpoint lends to its sessions. */
export interface SessionHost {
  schedule(session: QuicSession): void
  onTerminated(session: QuicSession): void
}

/** Puts somebody into the seat above a session. */
export type ApplicationFactory = (session: QuicSession) => Application

export interface SessionOptions {
  /** Chooses who sits above, once the protocol is known. */
  readonly application: (alpn: string) => ApplicationFactory
  /** Known before the handshake: a client that offers one protocol, or resumes. */
  readonly alpn: string | undefined
  readonly tickets: TicketStore
  /** Key in the ticket store. */
  readonly origin: string
  /** The protocol is known and somebody sits above: the session can be shown. */
  readonly onSeated?: (session: QuicSession) => void
}

export class QuicSession implements AsyncDisposable {
  /** Resolves with what was negotiated when the handshake is complete; rejects with a QuicError when it fails. */
  readonly opened: Promise<PeerInfo>
  /** Resolves when the connection ended without error, rejects with a QuicError otherwise. */
  readonly closed: Promise<CloseInfo>
  /** Resolves when the handshake is confirmed: what came early was no replay (RFC 9001 §4.1.2). */
  readonly confirmed: Promise<void>
  readonly connection: Connection
  readonly #host: SessionHost
  readonly #options: SessionOptions
  #application: Application | undefined
  #raw: QuicStreams | undefined
  #tickets: TicketFacts[] = []
  #token: Uint8Array = new Uint8Array(0)
  #opened = settler<PeerInfo>()
  #closed = settler<CloseInfo>()
  #confirmed = settler<void>()
  #isTerminated = false

  /** For the driver alone. */
  isScheduled = false
  isResolved = true
  timer: NodeJS.Timeout | undefined
  timerAt: number = Number.POSITIVE_INFINITY

  constructor(make: (session: QuicSession) => Connection, host: SessionHost, options: SessionOptions) {
    this.#host = host
    this.#options = options
    this.opened = this.#opened.promise
    this.closed = this.#closed.promise
    this.confirmed = this.#confirmed.promise
    this.connection = make(this)
    if (options.alpn !== undefined) this.#seat(options.alpn)
  }

  /** Opens a stream; waits while the peer's limit is reached. Rejects when the connection ends. */
  async openStream(options: { direction?: 'bidi' | 'uni'; signal?: AbortSignal } = {}): Promise<QuicStream> {
    return this.#rawSeat().open(options.direction ?? 'bidi', options.signal)
  }

  /** Opens a stream at once: what is written to it in this tick leaves with the first datagram. */
  openStreamNow(direction: 'bidi' | 'uni' = 'bidi'): QuicStream | undefined {
    return this.#rawSeat().openNow(direction)
  }

  /** Streams the peer opens. */
  get streams(): AsyncIterable<QuicStream> {
    return this.#rawSeat().incoming
  }

  /** Datagrams the peer sends (RFC 9221); the newest 256 are kept until read. */
  get datagrams(): AsyncIterable<Uint8Array> {
    return this.#rawSeat().datagrams
  }

  /** Queues an unreliable datagram. False: the peer takes none, or none that large. */
  sendDatagram(data: Uint8Array): boolean {
    const isQueued = this.connection.sendDatagram(data)
    this.#host.schedule(this)
    return isQueued
  }

  /** Ends the connection with an application error code, default 0. Resolves when the peer was told. */
  async close(errorCode = 0, reason = ''): Promise<void> {
    this.connection.close(errorCode, reason, now())
    this.drain()
    this.#host.schedule(this)
    await this.closed.catch(() => {})
    await new Promise(setImmediate)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get peer(): PeerInfo | undefined {
    return this.connection.peer
  }

  get remoteAddress(): Address {
    return this.connection.remote
  }

  get isHandshakeConfirmed(): boolean {
    return this.connection.isHandshakeConfirmed
  }

  get stats(): Readonly<Stats> & { readonly smoothedRtt: number; readonly minRtt: number } {
    const { smoothed, min } = this.connection.rtt
    return { ...this.connection.stats, smoothedRtt: smoothed, minRtt: min }
  }

  /** The stream verbs for whoever sits above; each lets the driver know. */
  readonly transport: {
    readonly isClient: boolean
    readonly isHandshakeConfirmed: boolean
    openStream(direction: 'bidi' | 'uni'): number | undefined
    write(id: number, bytes: Uint8Array, fin: boolean): number
    read(id: number): { readonly data: Uint8Array; readonly fin: boolean } | undefined
    reset(id: number, errorCode: number): void
    stop(id: number, errorCode: number): void
    close(errorCode: number, reason: string): void
    isEarly(id: number): boolean
    setPriority(id: number, urgency: number, isIncremental: boolean): void
  } = transportOf(this, () => this.#host.schedule(this))

  /** A datagram for this session. */
  receive(datagram: Uint8Array, from: Address, time: number): void {
    this.connection.receive(datagram, from, time)
    this.drain()
    this.#host.schedule(this)
  }

  /** Takes events up to whoever they concern. */
  drain(): void {
    for (let event = this.connection.poll(); event !== undefined; event = this.connection.poll()) this.#onEvent(event)
    if (this.#tickets.length > 0) this.#storeTickets()
    if (this.connection.isTerminated && !this.#isTerminated) {
      this.#isTerminated = true
      clearTimeout(this.timer)
      this.#host.onTerminated(this)
    }
  }

  /** The host name could not be resolved: nothing was ever sent. */
  fail(error: QuicError): void {
    this.#opened.reject(error)
    this.#closed.reject(error)
    this.#confirmed.reject(error)
    this.#application?.onEvent({
      type: 'closed',
      error,
      errorCode: 0,
      isApplication: false,
      reason: error.message,
      by: 'local',
    })
  }

  #onEvent(event: ConnectionEvent): void {
    switch (event.type) {
      case 'handshakeComplete':
        this.#opened.resolve(event.peer)
        break
      case 'handshakeConfirmed':
        this.#confirmed.resolve()
        break
      case 'ticket':
        this.#tickets.push(event.ticket)
        return
      case 'newToken':
        this.#token = event.token
        return
      case 'closed':
        this.#onClosed(event)
        break
      default:
    }
    if (this.#application === undefined) this.#seat(this.connection.alpn)
    this.#application?.onEvent(event)
  }

  #onClosed(event: Extract<ConnectionEvent, { type: 'closed' }>): void {
    const error = closedError(event)
    this.#opened.reject(error)
    this.#confirmed.reject(error)
    if (event.error === undefined) {
      this.#closed.resolve({ errorCode: event.errorCode, reason: event.reason, by: event.by })
    } else {
      this.#closed.reject(error)
    }
  }

  /** Tickets wait until the application knows what is to be remembered with them. */
  #storeTickets(): void {
    const appState = this.#application === undefined ? new Uint8Array(0) : this.#application.sessionState
    if (appState === undefined) return
    const { min } = this.connection.rtt
    const initialRtt = Number.isFinite(min) && min > 0 ? min : undefined
    const company = { version: QUIC_V1, appState, token: this.#token, pins: [], initialRtt }
    for (const ticket of this.#tickets) {
      this.#options.tickets.put(this.#options.origin, resumptionFromTicket(ticket, company, unixTime()))
    }
    this.#tickets = []
  }

  #seat(alpn: string | undefined): void {
    if (alpn === undefined) return
    this.#application = this.#options.application(alpn)(this)
    this.#options.onSeated?.(this)
  }

  #rawSeat(): QuicStreams {
    this.#raw ??= this.#application instanceof QuicStreams ? this.#application : undefined
    if (this.#raw === undefined) {
      throw new QuicError('ERR_ZEROTRIP_INVALID_STATE', 'streams of this session belong to its application protocol')
    }
    return this.#raw
  }
}

/** A promise with its ends, whose rejection is nobody's fault if nobody looks. */
function settler<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve: (value: T) => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  promise.catch(() => {})
  return { promise, resolve, reject }
}

function transportOf(session: QuicSession, changed: () => void): QuicSession['transport'] {
  return {
    get isClient() {
      return session.connection.isClient
    },
    get isHandshakeConfirmed() {
      return session.connection.isHandshakeConfirmed
    },
    openStream: direction => session.connection.openStream(direction),
    isEarly: id => session.connection.isEarly(id),
    setPriority: (id, urgency, isIncremental) => session.connection.setPriority(id, urgency, isIncremental),
    write(id, bytes, fin) {
      changed()
      return session.connection.write(id, bytes, fin)
    },
    read(id) {
      // Reading gives credit, which may be worth a frame.
      changed()
      return session.connection.read(id)
    },
    reset(id, errorCode) {
      changed()
      session.connection.reset(id, errorCode)
    },
    stop(id, errorCode) {
      changed()
      session.connection.stop(id, errorCode)
    },
    close(errorCode, reason) {
      changed()
      session.connection.close(errorCode, reason, now())
    },
  }
}

// The handle of a connection: promises and iterators over the waist.

import type { HandshakeAnswer } from '../connection/answers.ts'
import type { Connection } from '../connection/connection.ts'
import type { ConnectionEvent, PeerInfo } from '../connection/events.ts'
import type { Address } from '../connection/path.ts'
import type { ConnectionStatistics } from '../connection/statistics.ts'
import type { TicketStore } from '../zero-rtt/ticket-store.ts'
import type { Application } from './application.ts'
import { now } from './clock.ts'
import { assertErrorCode, closedError, QuicError, throwLater } from './errors.ts'
import type { DatagramOptions, QuicDatagrams } from './quic-datagrams.ts'
import type { QuicStream } from './quic-stream.ts'
import { QuicStreams } from './quic-streams.ts'
import { answer } from './session-answers.ts'
import { SessionNews } from './session-news.ts'
import { type LocalAddress, type PathHost, SessionPaths } from './session-paths.ts'
import { SessionTickets } from './session-tickets.ts'
import { SessionTransport } from './session-transport.ts'
import { Settler } from './settler.ts'

/** Makes who sits above a session, once its protocol is known. */
export type ApplicationFactory = (session: QuicSession) => Application

/** How a connection ended, when it ended well. */
export interface CloseInfo {
  readonly errorCode: number
  readonly reason: string
  readonly by: 'local' | 'peer' | 'idle' | 'reset'
}

/** What the endpoint lends to its sessions. */
export interface SessionHost extends PathHost {
  schedule(session: QuicSession): void
  onTerminated(session: QuicSession): void
  onMoved(session: QuicSession): void
}

export interface SessionOptions {
  /** Chooses who sits above, once the protocol is known. */
  readonly application: (alpn: string) => ApplicationFactory
  /** The protocol if it is settled before the handshake, as it is for a client: what it offers, one application takes. */
  readonly alpn: string | undefined
  readonly tickets: TicketStore
  /** Key in the ticket store. */
  readonly origin: string
  /** ms; 0: no limit. */
  readonly handshakeTimeout: number
  /** Ends the session whenever it is aborted. */
  readonly signal?: AbortSignal | undefined
  /** The protocol is known and somebody sits above: the session can be shown. */
  readonly onSeated?: (session: QuicSession) => void
  /** All is over. */
  readonly onTerminated?: () => void
}

export class QuicSession implements AsyncDisposable {
  /**
   * Resolves with what was negotiated when the handshake is complete. Rejects with a QuicError when it fails, or with
   * the reason of the signal.
   */
  readonly opened: Promise<PeerInfo>
  /**
   * Resolves when the connection ended in order: closed by either side with a code of the application, whatever the
   * code. Rejects otherwise: with a QuicError, or with the reason of the signal.
   */
  readonly closed: Promise<CloseInfo>
  /** Resolves when the handshake is confirmed: what came early was no replay (RFC 9001 §4.1.2). */
  readonly confirmed: Promise<void>
  readonly connection: Connection
  /** The stream verbs for whoever sits above; each lets the driver know. */
  readonly transport: SessionTransport
  readonly #host: SessionHost
  readonly #options: SessionOptions
  readonly #paths: SessionPaths
  readonly #news: SessionNews
  readonly #opened: Settler<PeerInfo> = new Settler()
  readonly #closed: Settler<CloseInfo> = new Settler()
  readonly #confirmed: Settler<void> = new Settler()
  readonly #onAbort = (): void => this.abort(this.#options.signal?.reason)
  #application: Application | undefined
  readonly #tickets: SessionTickets
  #handshakeTimer: NodeJS.Timeout | undefined
  /** What `abort` was given. */
  #aborted: { readonly reason: unknown } | undefined
  #isDraining = false
  #isTerminated = false

  /** For the driver alone. */
  isScheduled = false
  /** It had nothing to send but what could wait, and has waited for a turn. */
  hasWaited = false
  /** Things that must be known before it may send: an address, a ticket. */
  holds = 0
  timer: NodeJS.Timeout | undefined
  timerAt: number = Number.POSITIVE_INFINITY

  constructor(make: (session: QuicSession) => Connection, host: SessionHost, options: SessionOptions) {
    this.#host = host
    this.#options = options
    this.#tickets = new SessionTickets(options.tickets, options.origin)
    this.opened = this.#opened.promise
    this.closed = this.#closed.promise
    this.confirmed = this.#confirmed.promise
    this.connection = make(this)
    this.#paths = new SessionPaths(host, this.connection)
    this.#news = new SessionNews(this, this.connection)
    this.#news.look()
    this.transport = new SessionTransport(this.connection, {
      onChanged: () => host.schedule(this),
      onClose: (errorCode, reason) => this.#end(errorCode, reason),
    })
    if (options.alpn !== undefined) this.#seatFirst(options.alpn)
    options.signal?.addEventListener('abort', this.#onAbort)
    if (options.handshakeTimeout === 0) return
    this.#handshakeTimer = setTimeout(onHandshakeTimeout, options.handshakeTimeout, this, options.handshakeTimeout)
    this.#handshakeTimer.unref()
  }

  /** Opens a stream; waits while the peer's limit is reached. Rejects when the connection ends. */
  async openStream(options: { direction?: 'bidi' | 'uni'; signal?: AbortSignal } = {}): Promise<QuicStream> {
    return this.#rawSeat().open(options.direction ?? 'bidi', options.signal)
  }

  /**
   * Opens a stream at once: what is written to it in this tick leaves with the first datagram. Undefined while the
   * peer's limit is reached; throws when the connection has ended.
   */
  openStreamNow(direction: 'bidi' | 'uni' = 'bidi'): QuicStream | undefined {
    return this.#rawSeat().openNow(direction)
  }

  /** Streams the peer opens. Iteration ends with the connection: `closed` says how. */
  get streams(): AsyncIterable<QuicStream> {
    return this.#rawSeat().incoming
  }

  /** Datagrams, both ways (RFC 9221). */
  get datagrams(): QuicDatagrams {
    return this.#rawSeat().datagrams
  }

  /**
   * Queues an unreliable datagram and forgets it; `datagrams.send` tells what becomes of it. False: the peer takes none,
   * or none that large. Throws a RangeError for an urgency that is none.
   */
  sendDatagram(data: Uint8Array, { urgency = 0 }: DatagramOptions = {}): boolean {
    return this.transport.sendDatagram(data, 0, urgency)
  }

  /**
   * Ends the connection with an application error code, default 0, and at once: what was written and has not arrived
   * is given up. To end without loss await `stream.closed` or `stream.delivered` first. Resolves when the peer was told.
   */
  async close(errorCode = 0, reason = ''): Promise<void> {
    assertErrorCode(errorCode)
    this.#end(errorCode, reason)
    await this.closed.catch(() => {})
    await new Promise(setImmediate)
  }

  /**
   * Takes nothing new from the peer and resolves when what was begun is done; in HTTP/3 the peer is told (GOAWAY). Never
   * rejects. The connection stays open until `close`, unless its application closes it.
   */
  async finish(): Promise<void> {
    const ended = this.closed.then(ignore, ignore)
    try {
      await Promise.race([this.#application?.close?.(), ended])
    } catch (error) {
      throwLater(error)
    }
  }

  /**
   * A client goes on from another local address, by a socket of its own: `{ host, port }`, default a free port. Resolves
   * once the server has answered there; until then, and when it rejects, everything stays where it is. RFC 9000 §9.2.
   */
  migrate(local: LocalAddress = {}): Promise<void> {
    return this.#paths.move(local, () => this.#host.schedule(this))
  }

  /**
   * Goes on to the next keys (RFC 9001 §6.1). False: not now, because the handshake is not confirmed, or the last update
   * is not acknowledged yet or too recent. Happens by itself before keys are used up.
   */
  updateKeys(): boolean {
    const isUpdated = this.connection.updateKeys(now())
    this.#host.schedule(this)
    return isUpdated
  }

  /**
   * `length` secret bytes that both ends have and nobody else, for a use that `label` names (RFC 8446 §7.5), to bind
   * something else to this connection. Throws ERR_ZEROTRIP_INVALID_STATE before the handshake is complete.
   */
  exportKeyingMaterial(length: number, label: string, context: Uint8Array = new Uint8Array(0)): Uint8Array {
    if (this.connection.peer === undefined) {
      throw new QuicError('ERR_ZEROTRIP_INVALID_STATE', 'there are no keys yet: await `session.opened` first')
    }
    return this.connection.exportKeyingMaterial(label, context, length)
  }

  /** Ends the connection for a failure on this side: `opened`, `closed` and all that waits reject with `reason`. */
  abort(reason: unknown): void {
    if (this.#closed.isSettled) return
    this.#aborted ??= { reason }
    this.#end(0, '')
  }

  /** For the endpoint: its memory is needed elsewhere. */
  shed(reason: QuicError): void {
    this.#aborted ??= { reason }
    this.connection.shed(now())
    this.drain()
    this.#host.schedule(this)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** What was negotiated; undefined before the handshake is complete. */
  get peer(): PeerInfo | undefined {
    return this.connection.peer
  }

  get remoteAddress(): Address {
    return this.connection.remote
  }

  get isHandshakeConfirmed(): boolean {
    return this.connection.isHandshakeConfirmed
  }

  /** The connection in numbers, at this moment: round-trip times, window, packets, losses, streams... */
  statistics(): ConnectionStatistics {
    return this.connection.statistics()
  }

  /** For the endpoint: a datagram for this session. */
  receive(datagram: Uint8Array, from: Address, time: number): void {
    this.connection.receive(datagram, from, time)
    this.drain()
    this.#host.schedule(this)
  }

  /** For the socket: the system does not send that much there. */
  onDatagramTooLarge(size: number, to: Address): void {
    this.connection.onDatagramTooLarge(size, to, now())
    this.#host.schedule(this)
  }

  /** For the driver: takes events up to whoever they concern. */
  drain(): void {
    // Whoever is told may close the connection: what that brings comes after what is being told.
    if (this.#isDraining) return
    this.#isDraining = true
    this.#news.look()
    for (let event = this.connection.poll(); event !== undefined; event = this.connection.poll()) this.#tell(event)
    this.#tickets.store(this.connection, this.#application)
    this.#news.measure()
    this.#isDraining = false
    if (this.connection.isTerminated && !this.#isTerminated) this.#onTerminated()
  }

  /** For the endpoint: nobody is left to answer stragglers, so nothing is remembered for three PTOs (RFC 9000 §10.2). */
  terminate(): void {
    this.connection.close(0, '', now())
    this.connection.onTimeout(this.connection.nextTimeout())
    this.drain()
  }

  #end(errorCode: number, reason: string): void {
    this.connection.close(errorCode, reason, now())
    // A client that has said nothing has nobody to say good-bye to.
    if (this.connection.isClient && this.connection.stats.datagramsSent === 0) return this.terminate()
    this.drain()
    this.#host.schedule(this)
  }

  /** The application's own errors end its connection, and are shown; the loop around all connections goes on. */
  #tell(event: ConnectionEvent): void {
    try {
      this.#onEvent(event)
    } catch (error) {
      throwLater(error)
      this.abort(error)
    }
  }

  #onEvent(event: ConnectionEvent): void {
    this.#paths.onEvent(event)
    this.#news.onEvent(event)
    switch (event.type) {
      case 'handshakeComplete':
        this.#stopHandshakeTimer()
        this.#opened.resolve(event.peer)
        break
      case 'handshakeConfirmed':
        this.#confirmed.resolve()
        break
      case 'certificateWanted':
      case 'signatureWanted':
      case 'admissionWanted':
        void answer(event, known => this.#provide(known))
        return
      case 'ticket':
        this.#tickets.onTicket(event.ticket)
        break
      case 'migrated':
        this.#host.onMoved(this)
        break
      case 'newToken':
        this.#tickets.onToken(event.token)
        break
      case 'closed':
        return this.#onClosed(event)
      default:
    }
    if (this.#application === undefined) this.#seat(this.connection.alpn)
    this.#application?.onEvent(event)
  }

  #provide(known: HandshakeAnswer): void {
    this.connection.provide(known, now())
    this.drain()
    this.#host.schedule(this)
  }

  #onClosed(event: Extract<ConnectionEvent, { type: 'closed' }>): void {
    this.#release()
    if (this.#aborted === undefined && event.error === undefined) {
      this.#closed.resolve({ errorCode: event.errorCode, reason: event.reason, by: event.by })
      // An error is made only where somebody waits in vain: its stack costs more than all else here.
      if (!this.#opened.isSettled || !this.#confirmed.isSettled) this.#reject(closedError(event))
      this.#application?.onEvent(event)
      return
    }
    const error = (this.#aborted === undefined ? closedError(event) : this.#aborted.reason) as Error
    this.#closed.reject(error)
    this.#reject(error)
    this.#application?.onEvent({ ...event, error })
  }

  #reject(error: Error): void {
    this.#opened.reject(error)
    this.#confirmed.reject(error)
  }

  #onTerminated(): void {
    this.#isTerminated = true
    clearTimeout(this.timer)
    this.#paths.release()
    this.#host.onTerminated(this)
    this.#options.onTerminated?.()
  }

  #release(): void {
    this.#stopHandshakeTimer()
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
  }

  #stopHandshakeTimer(): void {
    clearTimeout(this.#handshakeTimer)
    this.#handshakeTimer = undefined
  }

  /** In the constructor: who is not seated was never there. */
  #seatFirst(alpn: string): void {
    try {
      this.#seat(alpn)
    } catch (error) {
      this.terminate()
      throw error
    }
  }

  #seat(alpn: string | undefined): void {
    if (alpn === undefined) return
    this.#application = this.#options.application(alpn)(this)
    this.#options.onSeated?.(this)
  }

  #rawSeat(): QuicStreams {
    if (this.#application instanceof QuicStreams) return this.#application
    throw new QuicError('ERR_ZEROTRIP_INVALID_STATE', 'streams of this session belong to its application protocol')
  }
}

/** After what has arrived by then and was not read yet: it is in time. */
function onHandshakeTimeout(session: QuicSession, timeout: number): void {
  const { host, port } = session.remoteAddress
  const message = `the handshake with ${host} port ${port} was not complete after ${timeout} ms: does anybody listen there?`
  const error = new QuicError('ERR_ZEROTRIP_HANDSHAKE_TIMEOUT', message)
  setImmediate(() => session.peer === undefined && session.abort(error))
}

function ignore(): void {}

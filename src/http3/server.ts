// An HTTP/3 server on one connection: each request becomes a call of the handler.

import { Http3Connection } from './connection.ts'
import type { Http3Event } from './connection-options.ts'
import { Deferred } from './deferred.ts'
import { decideEarly, type EarlyDataPolicy, tooEarly } from './early-data.ts'
import { Http3Error, Http3ErrorCode } from './error-codes.ts'
import type { ResponseLike } from './fetch.ts'
import type { Field } from './field.ts'
import { type Patience, RequestWatch } from './patience.ts'
import type { RequestStream } from './request-stream.ts'
import { type ExchangeHost, ServerExchange } from './server-exchange.ts'
import type { Http3Request } from './server-request.ts'
import type { OwnSettings } from './settings.ts'
import type { Http3Transport, Http3TransportEvent } from './transport.ts'

export type { ExchangeHost } from './server-exchange.ts'

/** May answer at once or by a promise, with a `Response` or something of its shape. */
export type Http3Handler = (request: Http3Request) => ResponseLike | Promise<ResponseLike>

/** Who answers one request; told what happens on its stream until it calls `onExchangeDone`. */
export interface Exchange {
  start(): void
  /** `read` of the stream has something new: content, the end, or an error. */
  onContent(): void
  onWritable(): void
  /** The client lost interest, or the connection ended. The end of the exchange is still its own to say. */
  abort(error: unknown): void
}

/** Makes who answers a request. */
export type ExchangeFactory = (host: ExchangeHost, stream: RequestStream) => Exchange

export interface Http3ServerOptions extends OwnSettings {
  /** Who answers requests, instead of the handler. */
  readonly exchange?: ExchangeFactory
  /**
   * Who answers CONNECT with a `:protocol` (RFC 9220), by that; 501 for others. With it `enableConnectProtocol` has to
   * be said. Default: nobody.
   */
  readonly tunnels?: Readonly<Record<string, ExchangeFactory>>
  /** Which requests run before the handshake says they are no replay. Default `defer`. */
  readonly earlyData?: EarlyDataPolicy
  /** Bytes of a header section, 32 per field included; above it the answer is 431. Default 65536. */
  readonly maxFieldSectionSize?: number | undefined
  /** Fields in one section. Default 256. */
  readonly maxFields?: number
  /** Told when a handler, or the body it answered with, fails. The client sees 500 or a reset. Default: nobody is. */
  readonly onError?: (error: unknown, request: Http3Request | undefined) => void
  /** The value of `date` (RFC 9110 §6.6.1) for answers that have none. Default: none is sent. */
  readonly date?: () => string
  /** Told of each request that somebody answers. Default: nobody is. */
  readonly observer?: ServerObserver
}

/** Looks on. */
export interface ServerObserver {
  onRequest(stream: RequestStream): void
  /** It was answered, or given up. */
  onDone(stream: RequestStream): void
}

export class Http3Server implements ExchangeHost {
  readonly connection: Http3Connection
  readonly handler: Http3Handler
  readonly options: Http3ServerOptions
  readonly #exchanges = new Map<number, Exchange>()
  /** Early requests that wait for the handshake. */
  #waiting: RequestStream[] = []
  readonly #late = new RequestWatch()
  #confirmed: Deferred<void> | undefined = undefined
  #closed: Deferred<void> | undefined = undefined
  #isLastCalled = false

  constructor(transport: Http3Transport, handler: Http3Handler, options: Http3ServerOptions = {}) {
    this.handler = handler
    this.options = options
    this.connection = new Http3Connection(transport, { ...options, role: 'server' })
  }

  /** Takes one event of the transport, as it comes; never throws. */
  onEvent(event: Http3TransportEvent): void {
    this.connection.onEvent(event)
    this.#onEvents()
  }

  /** Gives up requests that take too long to arrive, at `now`, in ms of any clock. To be called from time to time. */
  look(now: number, patience: Patience): void {
    this.#late.look(this.connection, now, patience)
    this.#onEvents()
  }

  /** Takes no new requests: the client may send them elsewhere (RFC 9114 §5.2). Those begun go on. */
  goaway(): void {
    this.connection.goaway()
  }

  /**
   * The same, and closes the connection when all answers have arrived. What the client sent before it heard of this is
   * still answered: the GOAWAY that names the last request follows one round trip behind one that names none (RFC 9114
   * §5.2). Resolves when the connection is closed.
   */
  close(): Promise<void> {
    if (this.#closed !== undefined) return this.#closed.promise
    this.#closed = new Deferred<void>()
    const { transport } = this.connection
    if (this.connection.isClosed) this.#closed.resolve()
    else if (transport.afterRoundTrip === undefined) this.#onLastCall()
    else {
      this.connection.goaway(true)
      transport.afterRoundTrip(() => this.#onLastCall())
    }
    return this.#closed.promise
  }

  #onLastCall(): void {
    this.connection.goaway()
    this.#isLastCalled = true
    this.#closeIfIdle()
  }

  /** Requests whose handler or answer is not finished. */
  get activeCount(): number {
    return this.#exchanges.size + this.#waiting.length
  }

  confirmed(): Promise<void> {
    if (this.connection.transport.isHandshakeConfirmed) return Promise.resolve()
    if (this.#confirmed === undefined) {
      this.#confirmed = new Deferred<void>()
      if (this.connection.isClosed) this.#confirmed.reject(closedEarly(undefined))
    }
    return this.#confirmed.promise
  }

  onExchangeDone(stream: RequestStream): void {
    if (this.#exchanges.delete(stream.id)) this.options.observer?.onDone(stream)
    this.#closeIfIdle()
  }

  #onEvents(): void {
    for (let next = this.connection.poll(); next !== undefined; next = this.connection.poll()) this.#on(next)
  }

  #on(event: Http3Event): void {
    switch (event.type) {
      case 'head':
        return this.#onRequest(event.stream)
      case 'content':
        return this.#exchanges.get(event.stream.id)?.onContent()
      case 'writable':
        return this.#exchanges.get(event.stream.id)?.onWritable()
      case 'stopped':
      case 'failed':
        return this.#onAborted(event.stream)
      case 'handshakeConfirmed':
        return this.#onConfirmed()
      case 'delivered':
        return this.#closeIfIdle()
      case 'closed':
        return this.#onClosed(event.error)
    }
  }

  #onRequest(stream: RequestStream): void {
    const request = stream.request
    if (request === undefined) return
    try {
      const decision = decideEarly(this.options.earlyData ?? 'defer', request, stream.isEarly)
      if (decision === 'defer' && !this.connection.transport.isHandshakeConfirmed) this.#waiting.push(stream)
      else if (decision === 'too-early') answer(stream, tooEarly)
      else this.#run(stream)
    } catch (error) {
      // Only a policy of the application can throw here.
      this.options.onError?.(error, undefined)
      answer(stream, internalServerError)
    }
  }

  #run(stream: RequestStream): void {
    const exchange = this.#exchangeFor(stream)
    if (exchange === undefined) return answer(stream, notImplemented)
    this.#exchanges.set(stream.id, exchange)
    this.options.observer?.onRequest(stream)
    exchange.start()
  }

  /** RFC 9220 §3: undefined for a protocol that is not known. */
  #exchangeFor(stream: RequestStream): Exchange | undefined {
    const { tunnels, exchange } = this.options
    const protocol = stream.request?.protocol ?? ''
    if (protocol === '') return exchange?.(this, stream) ?? new ServerExchange(this, stream)
    return tunnels && Object.hasOwn(tunnels, protocol) ? tunnels[protocol]?.(this, stream) : undefined
  }

  #onAborted(stream: RequestStream): void {
    const exchange = this.#exchanges.get(stream.id)
    if (exchange !== undefined) return exchange.abort(stream.error)
    // It waited: no handler has seen it (RFC 9114 §4.1.1).
    this.#waiting = this.#waiting.filter(waiting => waiting !== stream)
    stream.cancel(Http3ErrorCode.RequestRejected)
  }

  #onConfirmed(): void {
    this.#confirmed?.resolve()
    const waiting = this.#waiting
    this.#waiting = []
    for (const stream of waiting) this.#run(stream)
  }

  #onClosed(error: Error | undefined): void {
    if (!this.connection.transport.isHandshakeConfirmed) this.#confirmed?.reject(closedEarly(error))
    this.#waiting = []
    for (const exchange of this.#exchanges.values()) exchange.abort(error)
    this.#closed?.resolve()
  }

  #closeIfIdle(): void {
    if (this.#closed === undefined || !this.#isLastCalled || this.connection.isClosed) return
    if (this.activeCount > 0 || !this.connection.isDelivered) return
    this.connection.close(Http3ErrorCode.NoError, '')
    this.#closed.resolve()
  }
}

/** A whole answer without content; what is left of the request is not wanted. */
function answer(stream: RequestStream, fields: readonly Field[]): void {
  if (stream.isWritable) stream.send(fields, undefined, true)
  stream.stop(Http3ErrorCode.NoError)
}

function closedEarly(error: Error | undefined): Error {
  return error ?? new Http3Error(Http3ErrorCode.NoError, 'the connection was closed before its handshake was confirmed')
}

const notImplemented: readonly Field[] = [[':status', '501']]
const internalServerError: readonly Field[] = [[':status', '500']]

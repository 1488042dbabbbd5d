// An HTTP/3 client on one connection: request in, Response out.

import { ClientExchange, type ClientRequestOptions, type OutgoingRequest } from './client-exchange.ts'
import { Http3Connection } from './connection.ts'
import type { Http3Event } from './connection-options.ts'
import { Http3Error, Http3ErrorCode, Http3StreamError } from './error-codes.ts'
import type { RequestLike } from './fetch.ts'
import type { RequestStream } from './request-stream.ts'
import type { OwnSettings, Settings } from './settings.ts'
import type { Http3Transport, Http3TransportEvent } from './transport.ts'

export interface Http3ClientOptions extends OwnSettings {
  /** Host and port for requests whose URL is only a path. Default: such URLs are refused. */
  readonly authority?: string | undefined
  /**
   * The server's SETTINGS of last time (`settings` of the client then), when this connection sends early data under
   * what was remembered (RFC 9114 §7.2.4.2). Default: none.
   */
  readonly remembered?: Uint8Array | undefined
  /** Fields in one section. Default 256. */
  readonly maxFields?: number
}

export class Http3Client {
  readonly connection: Http3Connection
  readonly #authority: string | undefined
  readonly #exchanges = new Map<number, OutgoingRequest>()
  /** Waiting for the handshake, or for a stream. */
  #queue: OutgoingRequest[] = []
  /** Answered 425: go again once the handshake is confirmed (RFC 8470 §5.2). */
  #tooEarly: OutgoingRequest[] = []
  #unsettled: (() => void)[] = []
  #closing: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined = undefined
  #error: Error | undefined = undefined

  constructor(transport: Http3Transport, options: Http3ClientOptions = {}) {
    this.#authority = options.authority
    this.connection = new Http3Connection(transport, {
      ...options,
      role: 'client',
      rememberedSettings: options.remembered,
    })
  }

  /** Takes one event of the transport, as it comes; never throws. */
  onEvent(event: Http3TransportEvent): void {
    this.connection.onEvent(event)
    for (let next = this.connection.poll(); next !== undefined; next = this.connection.poll()) this.#on(next)
  }

  /** The server's SETTINGS, for storing next to a ticket; undefined until they came. */
  get settings(): Uint8Array | undefined {
    return this.connection.peerSettingsBytes
  }

  /** `remembered`, where it is not known from the start: before anything was sent. */
  remember(settings: Uint8Array | undefined): void {
    this.connection.remember(settings)
  }

  get peerSettings(): Settings {
    return this.connection.peerSettings
  }

  /** False once the server, or `close`, said that no more requests are taken: use another connection. */
  get isOpen(): boolean {
    return (
      !this.connection.isClosed && this.#closing === undefined && this.connection.goawayId === Number.POSITIVE_INFINITY
    )
  }

  /** Requests not done with, waiting ones included. */
  get activeCount(): number {
    return this.#exchanges.size + this.#queue.length + this.#tooEarly.length
  }

  /**
   * Sends a request, before this returns whenever the peer allows it: with `early` already as 0-RTT data, else when
   * the handshake is complete. Resolves with the header section of the response; its body streams.
   */
  request(request: RequestLike, options: ClientRequestOptions = {}): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.send(new ClientExchange(request, options, this.#authority, resolve, reject))
    })
  }

  /** The same for those who want no promises. */
  send(exchange: OutgoingRequest): void {
    exchange.onDone = () => this.#onDone(exchange)
    if (exchange.listen()) this.#submit(exchange)
  }

  /** Calls back when the server's SETTINGS are there, or will never be. */
  whenSettled(callback: () => void): void {
    if (this.settings !== undefined || this.connection.isClosed) callback()
    else this.#unsettled.push(callback)
  }

  /** Takes no new requests and closes the connection when those begun are done. Resolves when it is closed. */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      let resolve = () => {}
      const promise = new Promise<void>(done => {
        resolve = done
      })
      this.#closing = { promise, resolve }
      if (this.connection.isClosed) resolve()
      else this.#closeIfIdle()
    }
    return this.#closing.promise
  }

  #submit(exchange: OutgoingRequest): void {
    const refusal = this.#refusal()
    if (refusal !== undefined) exchange.fail(refusal)
    // One that may be early does not stand in line behind those that may not.
    else if ((this.#queue.length > 0 && !exchange.mayBeEarly) || !this.#open(exchange)) this.#queue.push(exchange)
  }

  /** False: not yet. */
  #open(exchange: OutgoingRequest): boolean {
    const isComplete = this.connection.isHandshakeComplete
    if (!isComplete && !exchange.mayBeEarly) return false
    let stream: RequestStream | undefined
    try {
      stream = this.connection.openRequest(exchange.fields, exchange.bytes, !exchange.hasStream)
    } catch (error) {
      exchange.fail(error)
      return true
    }
    if (stream === undefined) return false
    this.#exchanges.set(stream.id, exchange)
    exchange.onOpened(stream, !isComplete)
    return true
  }

  #refusal(): Error | undefined {
    if (this.connection.isClosed) return this.#error ?? closedError()
    if (this.#closing !== undefined || this.connection.goawayId !== Number.POSITIVE_INFINITY) return goingAway()
    return undefined
  }

  #on(event: Http3Event): void {
    switch (event.type) {
      case 'head':
        return this.#onResponse(event.stream)
      case 'interim':
        return this.#exchanges.get(event.stream.id)?.onInterim?.(event.response)
      case 'content':
        return this.#exchanges.get(event.stream.id)?.onContent()
      case 'writable':
        return this.#exchanges.get(event.stream.id)?.onWritable()
      case 'stopped':
        return this.#exchanges.get(event.stream.id)?.onStopped()
      case 'failed':
        return this.#exchanges.get(event.stream.id)?.fail(event.stream.error)
      case 'settings':
        return this.#onSettled()
      case 'requestsAvailable':
        return this.#openQueued()
      case 'goaway':
        return this.#onGoaway(event.id)
      case 'handshakeConfirmed':
        return this.#onConfirmed()
      case 'closed':
        return this.#onClosed(event.error)
    }
  }

  #onResponse(stream: RequestStream): void {
    const exchange = this.#exchanges.get(stream.id)
    if (exchange === undefined) return
    if (!exchange.isTooEarly) return exchange.onResponse()
    this.#exchanges.delete(stream.id)
    exchange.rewind()
    if (this.connection.transport.isHandshakeConfirmed) this.#submit(exchange)
    else this.#tooEarly.push(exchange)
  }

  #onConfirmed(): void {
    const again = this.#tooEarly
    this.#tooEarly = []
    for (const exchange of this.#exchanges.values()) exchange.onConfirmed?.()
    for (const exchange of again) this.#submit(exchange)
    this.#openQueued()
  }

  /** In order; those that may not be early let others pass. */
  #openQueued(): void {
    const queue = this.#queue
    this.#queue = []
    for (const exchange of queue) if (!exchange.isDone && !this.#open(exchange)) this.#queue.push(exchange)
  }

  /** RFC 9114 §5.2: these were not processed and may be sent again on another connection. */
  #onGoaway(id: number): void {
    const error = goingAway()
    for (const [streamId, exchange] of this.#exchanges) if (streamId >= id) exchange.fail(error)
    this.#failWaiting(error)
  }

  #onSettled(): void {
    const unsettled = this.#unsettled
    this.#unsettled = []
    for (const callback of unsettled) callback()
  }

  #onClosed(error: Error | undefined): void {
    this.#error = error
    this.#onSettled()
    if (this.activeCount > 0) this.#failAll(error ?? closedError())
    this.#closing?.resolve()
  }

  #failAll(error: Error): void {
    // A response that streams may have arrived whole: its body finds out when it is read.
    for (const exchange of this.#exchanges.values()) {
      if (exchange.isStreaming) exchange.onStopped()
      else exchange.fail(error)
    }
    this.#failWaiting(error)
  }

  #failWaiting(error: Error): void {
    const waiting = [...this.#queue, ...this.#tooEarly]
    this.#queue = []
    this.#tooEarly = []
    for (const exchange of waiting) exchange.fail(error)
  }

  #onDone(exchange: OutgoingRequest): void {
    if (exchange.streamId !== -1) this.#exchanges.delete(exchange.streamId)
    else {
      this.#queue = this.#queue.filter(waiting => waiting !== exchange)
      this.#tooEarly = this.#tooEarly.filter(waiting => waiting !== exchange)
    }
    this.#closeIfIdle()
  }

  #closeIfIdle(): void {
    if (this.#closing === undefined || this.connection.isClosed || this.activeCount > 0) return
    this.connection.close(Http3ErrorCode.NoError, '')
    this.#closing.resolve()
  }
}

function closedError(): Error {
  return new Http3Error(Http3ErrorCode.NoError, 'the connection is closed')
}

function goingAway(): Error {
  return new Http3StreamError(Http3ErrorCode.RequestRejected, 'no more requests are taken on this connection', true)
}

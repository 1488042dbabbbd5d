// An HTTP/3 server of the shape of node:http's and node:http2's: `createServer(options, (req, res) => ...)`, or
// `server.on('stream', (stream, headers) => ...)`.

import { EventEmitter } from 'node:events'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CloseOptions } from '../../endpoint/closing.ts'
import { throwLater } from '../../endpoint/errors.ts'
import type { QuicSession } from '../../endpoint/quic-session.ts'
import type { RequestStream } from '../../http3/request-stream.ts'
import type { ChannelPeer } from '../compat/channel.ts'
import { CompatExchange } from '../compat/compat-exchange.ts'
import type { CompatRequest } from '../compat/request.ts'
import { httpDate } from '../http-date.ts'
import type { HeaderMap } from '../messages/header-map.ts'
import { type Answering, Http3Endpoint, type Http3EndpointOptions } from '../serve.ts'
import { tellNode } from '../server-channels.ts'
import { ms, type ServerTimeouts, serverTimeouts } from '../session-watch.ts'
import { TcpServer, type TcpServerOptions } from '../tcp/tcp-server.ts'
import { bindAddress, type ListenTarget, listenTarget } from './listen-target.ts'
import { QuicPeer } from './quic-peer.ts'
import { type ServerAnswer, ServerSession, type SessionOwner } from './server-session.ts'
import { Http3ServerStream } from './server-stream.ts'

export interface HttpServerOptions
  extends Omit<Http3EndpointOptions, 'fetch' | 'answering' | 'host' | 'port' | 'addresses' | 'cert' | 'key'>,
    ServerTimeouts {
  /** Certificate chain, PEM, leaf first. */
  readonly cert?: string | Uint8Array
  /** Its private key, PEM. */
  readonly key?: string | Uint8Array
  /**
   * Answers HTTP/2 and HTTP/1.1 on the TCP port of the same number, too, and says there that HTTP/3 can be had
   * (`Alt-Svc`, RFC 7838). An object has options of node:tls and node:http2 for that. Default false.
   */
  readonly tcp?: boolean | TcpServerOptions
  /** ms without content either way until a request emits `timeout`. Default 0: never. */
  readonly timeout?: number
}

export class HttpServer extends EventEmitter implements SessionOwner, AsyncDisposable {
  readonly date: () => string = httpDate
  /** As in the options; what is said here later holds from then on. */
  requestTimeout: number
  headersTimeout: number
  keepAliveTimeout: number
  timeout: number
  readonly #options: Omit<HttpServerOptions, 'cert' | 'key'> & { readonly cert?: string; readonly key?: string }
  #endpoint: Http3Endpoint | undefined = undefined
  #tcp: TcpServer | undefined = undefined
  #address: AddressInfo | null = null
  #closing: Promise<void> | undefined = undefined

  /** Throws a TypeError for options that do not fit. */
  constructor(options: HttpServerOptions, listener?: RequestListener) {
    super()
    const { cert, key, ...rest } = options
    this.#options = { ...rest, ...(cert && { cert: textOf(cert) }), ...(key && { key: textOf(key) }) }
    const { requestTimeout, headersTimeout, keepAliveTimeout } = serverTimeouts(options)
    this.requestTimeout = requestTimeout
    this.headersTimeout = headersTimeout
    this.keepAliveTimeout = keepAliveTimeout
    this.timeout = ms('timeout', options.timeout ?? 0)
    if (listener !== undefined) this.on('request', listener)
  }

  get listening(): boolean {
    return this.#address !== null
  }

  /** The endpoint below; undefined before `listen`. */
  get endpoint(): Http3Endpoint | undefined {
    return this.#endpoint
  }

  /**
   * Begins to listen, as node's servers do: `listen(port, host, callback)` or `listen({ port, host }, callback)`; then
   * `listening` is emitted, or `error`. Throws an ERR_SERVER_ALREADY_LISTEN when it listens already.
   */
  listen(...args: unknown[]): this {
    if (this.#endpoint !== undefined || this.#closing !== undefined) throw alreadyListening()
    const { callback, ...target } = listenTarget(args)
    if (callback !== undefined) this.once('listening', callback)
    this.#listen(target).catch(error => this.emit('error', error))
    return this
  }

  /** As it is bound; null before `listening`. */
  address(): AddressInfo | null {
    return this.#address
  }

  /**
   * Takes no new connections and requests, lets those begun finish, then emits `close`. The callback gets an error when
   * it did not listen. Resolves at the same time, for those who prefer that.
   */
  close(callback?: (error?: Error) => void): Promise<void> {
    if (this.#endpoint === undefined) {
      const error = Object.assign(new Error('Server is not running.'), { code: 'ERR_SERVER_NOT_RUNNING' })
      if (callback !== undefined) process.nextTick(callback, error)
      return Promise.resolve()
    }
    if (callback !== undefined) this.once('close', callback)
    this.#closing ??= this.#close({ deadline: Number.POSITIVE_INFINITY })
    return this.#closing
  }

  /** Ends all connections that have no request. */
  closeIdleConnections(): void {
    this.#endpoint?.closeIdleConnections()
    this.#tcp?.closeIdleConnections()
  }

  /** Ends all connections, and with them the requests under way. */
  closeAllConnections(): void {
    this.#endpoint?.closeAllConnections()
    this.#tcp?.closeAllConnections()
  }

  /** ms without content either way after which a request emits `timeout` on its socket and on the server; 0: never. */
  setTimeout(ms: number, listener?: (socket: unknown) => void): this {
    this.timeout = ms
    if (listener !== undefined) this.on('timeout', listener)
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  onStream(stream: ServerAnswer, headers: HeaderMap): void {
    this.emit('stream', stream, headers)
  }

  onError(error: unknown): void {
    throwLater(error)
  }

  async #listen(target: ListenTarget): Promise<void> {
    const host = await bindAddress(target.host)
    // A port that is free for UDP may not be for TCP: one of our own choosing is tried again.
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#bind(host, target.port)
      } catch (error) {
        this.#endpoint = undefined
        if (target.port !== 0 || attempt === MAX_PORT_ATTEMPTS) throw error
      }
    }
  }

  async #bind(host: string, port: number): Promise<void> {
    const { tcp } = this.#options
    const endpoint = new Http3Endpoint({ ...this.#options, host, port, answering: this.#answering, timeouts: this })
    this.#endpoint = endpoint
    const bound = await endpoint.ready
    if (tcp) {
      const { cert, key } = this.#options
      this.#tcp = new TcpServer(this, { ...(cert && { cert }), ...(key && { key }) }, tcp === true ? {} : tcp)
      await this.#tcp.listen(bound.port, host).catch(async error => {
        await endpoint.close({ deadline: 0 })
        throw error
      })
    }
    const family = bound.host.includes(':') ? 'IPv6' : 'IPv4'
    this.#address = { address: bound.host, port: bound.port, family }
    this.emit('listening')
  }

  async #close(options: CloseOptions): Promise<void> {
    this.#endpoint?.closeIdleConnections()
    await Promise.all([this.#endpoint?.close(options), this.#tcp?.close()])
    this.#address = null
    this.emit('close')
  }

  readonly #answering = (session: QuicSession): Answering => {
    const own = new ServerSession(session, this)
    const peer = new QuicPeer(session, this)
    this.emit('session', session)
    return {
      exchange: (_host, stream) => this.#answer(own, peer, stream),
      onServer: server => own.onServer(server),
    }
  }

  #answer(own: ServerSession, peer: ChannelPeer, stream: RequestStream): ServerAnswer {
    if (this.listenerCount('stream') > 0) return new Http3ServerStream(own, stream)
    const { session } = own
    const exchange: CompatExchange = new CompatExchange(stream, {
      version: HTTP_3,
      peer,
      date: httpDate,
      isEarly: stream.isEarly,
      get confirmed() {
        return session.confirmed
      },
      onRequest: (request, response) => own.run(exchange, () => this.onRequest(request, response, exchange)),
      onDone: () => own.onAnswered(stream),
    })
    return exchange
  }

  /** Of whatever version of HTTP: `checkContinue`, `checkExpectation` and `request`, as node emits them. */
  onRequest(
    request: IncomingMessage | CompatRequest,
    response: ServerResponse<IncomingMessage>,
    exchange?: CompatExchange,
  ): void {
    // Of HTTP/1.1 node says it itself.
    if (exchange !== undefined) tellNode({ request, response, socket: request.socket, server: this })
    const { timeout } = this
    if (timeout > 0 && exchange !== undefined) {
      request.socket.setTimeout(timeout, () => {
        const isHandled = request.emit('timeout') || response.emit('timeout') || this.emit('timeout', request.socket)
        if (!isHandled) request.socket.destroy()
      })
    }
    const { expect } = request.headers
    if (expect === undefined || exchange === undefined) this.emit('request', request, response)
    else if (expect.toLowerCase() === '100-continue') {
      if (this.emit('checkContinue', request, response)) return
      response.writeContinue()
      this.emit('request', request, response)
    } else if (!this.emit('checkExpectation', request, response)) {
      response.writeHead(417).end()
    }
  }
}

/** Ports of the system's choice that are tried, until one is free for UDP and TCP. */
const MAX_PORT_ATTEMPTS = 16
const HTTP_3 = [3, 0] as const

/**
 * A server that calls `listener` for each request, with node's own request and response: Express, Fastify, Koa and others
 * that are made for node:http take it for one. Listen with `listen`. Throws a TypeError for options that do not fit.
 *
 *     createServer({ cert, key, tcp: true }, app).listen(443)
 */
export function createServer(options: HttpServerOptions, listener?: RequestListener): HttpServer {
  return new HttpServer(options, listener)
}

function textOf(pem: string | Uint8Array): string {
  return typeof pem === 'string' ? pem : Buffer.from(pem).toString()
}

function alreadyListening(): Error {
  const message = 'Listen method has been called more than once without closing.'
  return Object.assign(new Error(message), { code: 'ERR_SERVER_ALREADY_LISTEN' })
}

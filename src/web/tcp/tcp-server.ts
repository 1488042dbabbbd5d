// HTTP/2 and HTTP/1.1 beside HTTP/3: one TLS port on TCP, whose answers say that HTTP/3 can be had (RFC 7838).

import type { Server as Http1Server, IncomingMessage, ServerResponse } from 'node:http'
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { TLSSocket, TlsOptions, Server as TlsServer } from 'node:tls'
import type { ListenOptions } from '../../endpoint/options.ts'
import { CompatExchange } from '../compat/compat-exchange.ts'
import type { CompatRequest } from '../compat/request.ts'
import { httpDate } from '../http-date.ts'
import { Http2Channel, tcpPeer } from './http2-channel.ts'

export interface TcpServerOptions extends TlsOptions {
  /** Default both, HTTP/2 first. */
  readonly protocols?: readonly ('h2' | 'http/1.1')[]
  /** Seconds clients may remember that HTTP/3 is there. Default 86,400; 0: they are not told. */
  readonly altSvcMaxAge?: number
}

/** Who answers, and has listeners for `stream` or `request`. */
export interface TcpUser {
  readonly headersTimeout: number
  readonly requestTimeout: number
  listenerCount(event: string): number
  emit(event: string, ...args: unknown[]): boolean
  onRequest(request: IncomingMessage | CompatRequest, response: ServerResponse, exchange?: CompatExchange): void
}

export class TcpServer {
  readonly #user: TcpUser
  readonly #tls: TlsServer
  readonly #http1: Http1Server
  readonly #http2: Http2Server
  readonly #sessions = new Set<ServerHttp2Session>()
  readonly #maxAge: number
  #altSvc = ''

  constructor(user: TcpUser, identity: Pick<ListenOptions, 'cert' | 'key'>, options: TcpServerOptions) {
    this.#user = user
    const { protocols = ['h2', 'http/1.1'], altSvcMaxAge = 86_400, ...tls } = options
    this.#maxAge = altSvcMaxAge
    const { headersTimeout, requestTimeout } = user
    // Loaded here: most servers do without TCP.
    const { createServer: createHttp1 } = process.getBuiltinModule('node:http')
    const { createServer: createHttp2 } = process.getBuiltinModule('node:http2')
    const { createServer: createTls } = process.getBuiltinModule('node:tls')
    this.#http1 = createHttp1({ headersTimeout, requestTimeout }, (request, response) =>
      this.#onHttp1(request, response),
    )
    this.#http2 = createHttp2()
    this.#http2.on('session', session => this.#onSession(session))
    this.#http2.on('stream', this.#onHttp2)
    this.#tls = createTls({ ...identity, ...tls, ALPNProtocols: [...protocols] })
    this.#tls.on('secureConnection', socket => this.#onSocket(socket))
    // A client that goes away while it says hello is nobody's error.
    this.#tls.on('tlsClientError', ignore)
  }

  listen(port: number, host: string): Promise<void> {
    this.#altSvc = this.#maxAge === 0 ? '' : `h3=":${port}"; ma=${this.#maxAge}`
    return new Promise((resolve, reject) => {
      this.#tls.once('error', reject)
      this.#tls.listen(port, host, () => {
        this.#tls.off('error', reject)
        resolve()
      })
    })
  }

  /** Resolves when all requests begun are answered. */
  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#tls.close(() => resolve()))
    this.closeIdleConnections()
    for (const session of this.#sessions) session.close()
    await closed
  }

  closeIdleConnections(): void {
    this.#http1.closeIdleConnections()
  }

  closeAllConnections(): void {
    this.#http1.closeAllConnections()
    for (const session of this.#sessions) session.destroy()
  }

  #onSocket(socket: TLSSocket): void {
    if (socket.alpnProtocol === 'h2') this.#http2.emit('connection', socket)
    else this.#http1.emit('connection', socket)
  }

  #onSession(session: ServerHttp2Session): void {
    this.#sessions.add(session)
    session.once('close', () => this.#sessions.delete(session))
    session.on('error', ignore)
  }

  #onHttp1(request: IncomingMessage, response: ServerResponse): void {
    if (this.#altSvc !== '') response.setHeader('alt-svc', this.#altSvc)
    this.#user.onRequest(request, response)
  }

  /** Streams of node:http2 are what `stream` listeners expect; for `request` there are requests of node:http. */
  readonly #onHttp2 = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, raw: string[]): void => {
    if (this.#user.listenerCount('stream') > 0) {
      this.#user.emit('stream', stream, headers)
      return
    }
    const channel = new Http2Channel(stream, raw, (flags & END_STREAM) !== 0)
    const exchange = new CompatExchange(channel, {
      version: HTTP_2,
      peer: tcpPeer(stream),
      date: httpDate,
      isEarly: false,
      confirmed: Promise.resolve(),
      onRequest: (request, response, made) => {
        if (this.#altSvc !== '') response.setHeader('alt-svc', this.#altSvc)
        this.#user.onRequest(request, response, made)
      },
      onDone: ignore,
    })
    channel.listen(exchange)
    exchange.start()
  }
}

function ignore(): void {}

const HTTP_2 = [2, 0] as const
/** RFC 9113 §6.2. */
const END_STREAM = 0x1

// WebSocket at a server (RFC 9220): CONNECT with `:protocol: websocket` as the `upgrade` of node:http.

import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { headerPairs } from '../../http3/fetch.ts'
import type { Field } from '../../http3/field.ts'
import type { RequestHead } from '../../http3/fields.ts'
import type { RequestStream } from '../../http3/request-stream.ts'
import type { Exchange, ExchangeFactory, ExchangeHost } from '../../http3/server.ts'
import { IncomingMessage } from '../node-http.ts'
import { type Http1Head, withoutHttp1 } from './http1-head.ts'
import { TunnelSocket } from './tunnel-socket.ts'

/** As node:http has it: what `WebSocketServer.handleUpgrade` of the package ws takes. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => unknown

export function upgradeTunnels(handler: UpgradeHandler): Readonly<Record<string, ExchangeFactory>> {
  return { websocket: (host, stream) => new UpgradeExchange(host, stream, handler) }
}

class UpgradeExchange implements Exchange {
  readonly #host: ExchangeHost
  readonly #stream: RequestStream
  readonly #handler: UpgradeHandler
  readonly #socket: TunnelSocket

  constructor(host: ExchangeHost, stream: RequestStream, handler: UpgradeHandler) {
    this.#host = host
    this.#stream = stream
    this.#handler = handler
    this.#socket = new TunnelSocket(head => this.#onHead(head))
    // Whoever uses it has listeners of its own; one that has none ends with its stream.
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => host.onExchangeDone(stream))
  }

  start(): void {
    try {
      const request = requestOf(this.#stream.request as RequestHead, this.#socket)
      this.#handler(request, this.#socket, Buffer.alloc(0))
    } catch (error) {
      this.#host.options.onError?.(error, undefined)
      if (this.#stream.isWritable && !this.#stream.hasSentHead) this.#stream.writeHead([[':status', '500']], true)
      this.#socket.destroy()
    }
  }

  onContent(): void {
    this.#socket.onContent()
  }

  onWritable(): void {
    this.#socket.onWritable()
  }

  abort(error: unknown): void {
    this.#socket.destroy(error instanceof Error ? error : undefined)
  }

  /** RFC 8441 §5: where HTTP/1.1 says 101, this says 200. */
  #onHead({ start, fields }: Http1Head): void {
    const status = start.split(' ')[1] ?? ''
    const head: Field[] = [[':status', status === '101' ? '200' : status], ...withoutHttp1(fields)]
    this.#stream.writeHead(head)
    this.#socket.open(this.#stream)
  }
}

/** The request as it would have been in HTTP/1.1, with a key that proves nothing to nobody. */
function requestOf(head: RequestHead, socket: TunnelSocket): IncomingMessage {
  const request = new IncomingMessage(socket as never)
  request.method = 'GET'
  request.url = head.path
  request.httpVersion = '3.0'
  const pairs: Field[] = [
    ['host', head.authority],
    ['connection', 'Upgrade'],
    ['upgrade', head.protocol],
    ['sec-websocket-key', randomBytes(16).toString('base64')],
    ...headerPairs(head.fields),
  ]
  for (const [name, value] of pairs) {
    request.rawHeaders.push(name, value)
    const before = request.headers[name]
    request.headers[name] = before === undefined ? value : `${before}, ${value}`
  }
  request.push(null)
  return request
}

// WebSocket at a client (RFC 9220): what a library takes for a connection of HTTP/1.1 is a stream of HTTP/3.

import { createHash } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { Field } from '../../http3/field.ts'
import { fieldValue, type ResponseHead } from '../../http3/fields.ts'
import type { RequestStream } from '../../http3/request-stream.ts'
import { TunnelRequest } from '../../http3/tunnel-request.ts'
import type { Http3Session } from '../session.ts'
import { type Http1Head, withoutHttp1, writeHttp1Head } from './http1-head.ts'
import { TunnelSocket } from './tunnel-socket.ts'

/**
 * For `new WebSocket(url, { createConnection })` of the package ws: the session it opens is a stream of `session`, which
 * stays. The server has to take CONNECT with a protocol (RFC 9220 §3).
 */
export function webSocketConnection(session: Http3Session): () => Duplex {
  return () => new WebSocketRequest(session).socket
}

class WebSocketRequest extends TunnelRequest {
  readonly socket: TunnelSocket = new TunnelSocket(head => this.#onHead(head))
  fields: readonly Field[] = []
  readonly #session: Http3Session
  #key = ''

  constructor(session: Http3Session) {
    super()
    this.#session = session
    this.socket.on('close', () => this.done())
  }

  listen(): boolean {
    return !this.socket.destroyed
  }

  onResponse(): void {
    const stream = this.stream as RequestStream
    const { status, fields } = stream.response as ResponseHead
    const isOpen = status < 300
    const proof: Field[] = [
      ['upgrade', 'websocket'],
      ['connection', 'Upgrade'],
      ['sec-websocket-accept', acceptOf(this.#key)],
    ]
    const start = isOpen ? 'HTTP/1.1 101 Switching Protocols' : `HTTP/1.1 ${status} Refused`
    const head = { start, fields: [...withoutHttp1(fields), ...(isOpen ? proof : [])] }
    this.socket.open(stream, writeHttp1Head(head))
  }

  onContent(): void {
    this.socket.onContent()
  }

  override onWritable(): void {
    this.socket.onWritable()
  }

  override onStopped(): void {
    this.socket.onWritable()
  }

  fail(error: unknown): void {
    this.socket.destroy(error instanceof Error ? error : new Error(String(error)))
  }

  /** RFC 8441 §5. */
  #onHead({ start, fields }: Http1Head): void {
    this.#key = fieldValue(fields, 'sec-websocket-key') ?? ''
    this.fields = [
      [':method', 'CONNECT'],
      [':protocol', fieldValue(fields, 'upgrade') ?? ''],
      [':scheme', 'https'],
      [':authority', fieldValue(fields, 'host') ?? ''],
      [':path', start.split(' ')[1] ?? ''],
      ...withoutHttp1(fields),
    ]
    this.#session.whenSettled(() => this.#session.send(this))
  }
}

/** RFC 6455 §4.2.2. */
function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

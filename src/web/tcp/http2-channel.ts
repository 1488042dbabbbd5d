// A request that came by HTTP/2, as a channel: so the same (req, res) serves it, which frameworks made for HTTP/1.1 take.

import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Field } from '../../http3/field.ts'
import { RequestHead } from '../../http3/fields.ts'
import type { ChannelPeer, RequestChannel } from '../compat/channel.ts'
import { headersOf } from '../messages/header-map.ts'

/** Told what happens on a channel. */
export interface ChannelUser {
  onContent(): void
  onWritable(): void
  abort(error: unknown): void
}

export class Http2Channel implements RequestChannel {
  readonly request: RequestHead
  trailers: readonly Field[] | undefined = undefined
  isEnded = false
  error: Error | undefined = undefined
  readonly #stream: ServerHttp2Stream
  #trailersDue: readonly Field[] | undefined = undefined

  constructor(stream: ServerHttp2Stream, rawHeaders: readonly string[], hasEnded: boolean) {
    this.#stream = stream
    this.request = headOf(rawHeaders)
    this.isEnded = hasEnded
  }

  get isWritable(): boolean {
    // Node ends the answer to a HEAD request itself, before there is one.
    return !this.#stream.destroyed && (this.#stream.writable || !this.#stream.headersSent)
  }

  listen(user: ChannelUser): void {
    const stream = this.#stream
    stream.on('trailers', (_headers, _flags, raw?: string[]) => {
      this.trailers = pairsOf(raw ?? [])
    })
    stream.on('readable', () => user.onContent())
    stream.on('end', () => {
      this.isEnded = true
      user.onContent()
    })
    stream.on('drain', () => user.onWritable())
    stream.on('aborted', () => user.abort(undefined))
    stream.on('error', error => user.abort(error))
    stream.on('wantTrailers', () => stream.sendTrailers(headersOf(this.#trailersDue ?? [])))
    if (this.isEnded) stream.resume()
  }

  read(): Uint8Array | undefined {
    return this.#stream.read() ?? undefined
  }

  send(fields: readonly Field[] | undefined, data: Uint8Array | undefined, end: boolean): number {
    if (fields !== undefined) {
      const headers = headersOf(fields)
      const status = Number(headers[':status'])
      if (status < 200) this.#stream.additionalHeaders(headers)
      else this.#stream.respond(headers, { waitForTrailers: this.#stream.writable })
    }
    let hasRoom = true
    if (data !== undefined && data.length > 0) hasRoom = this.#stream.write(data)
    if (end && !this.#stream.writableEnded) this.#stream.end()
    return hasRoom ? 1 : 0
  }

  writeTrailers(fields: readonly Field[]): number {
    this.#trailersDue = fields
    this.#stream.end()
    return 1
  }

  reset(): void {
    if (!this.#stream.writableEnded) this.#stream.close(NGHTTP2_CANCEL)
  }

  stop(): void {
    if (!this.isEnded) this.#stream.resume()
  }
}

/** What `req.socket` shows of a TLS connection. */
export function tcpPeer(stream: ServerHttp2Stream): ChannelPeer {
  const socket = stream.session?.socket as import('node:tls').TLSSocket
  const { remoteAddress, remotePort, localAddress, localPort, authorized } = socket
  return {
    remoteAddress,
    remotePort,
    localAddress,
    localPort,
    alpnProtocol: 'h2',
    servername: (socket as { servername?: string }).servername,
    authorized,
    certificate: socket.getPeerCertificate?.()?.raw,
  }
}

function headOf(raw: readonly string[]): RequestHead {
  const pseudo: IncomingHttpHeaders = Object.create(null)
  const fields: Field[] = []
  for (const field of pairsOf(raw)) {
    if (field[0].startsWith(':')) pseudo[field[0]] = field[1]
    else fields.push(field)
  }
  const of = (name: string): string => String(pseudo[name] ?? '')
  return new RequestHead(of(':method'), of(':scheme'), of(':authority'), of(':path'), fields, -1)
}

function pairsOf(raw: readonly string[]): Field[] {
  const pairs: Field[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) pairs.push([raw[at] as string, raw[at + 1] as string])
  return pairs
}

/** RFC 9113 §7. */
const NGHTTP2_CANCEL = 8

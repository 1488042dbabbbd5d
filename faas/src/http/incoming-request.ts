// A request that is passed on, or answered here: what is asked of a `Request`, without what it costs.

import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { FieldList, type Fields } from './fields.ts'

/** A `FunctionRequest` is one. */
export interface IncomingRequest {
  readonly method: string
  readonly url: string
  readonly headers: Fields
  readonly signal: AbortSignal
  /** A stream is read once, by this or by one of the methods. */
  readonly body: ReadableStream<Uint8Array> | null
  /** It came as early data and may be a replay. */
  readonly early: boolean
  /** The caller's address and port, where it is known. */
  readonly remote?: string | undefined
  arrayBuffer(): Promise<ArrayBuffer>
  /** The same without a copy. */
  bytes?(): Promise<Uint8Array>
}

/** What the (req, res) door of zerotrip adds. */
export type NodeMessage = IncomingMessage & { readonly early?: boolean; readonly confirmed?: Promise<void> }

export class NodeIncomingRequest implements IncomingRequest {
  readonly method: string
  readonly url: string
  readonly headers: Fields
  readonly early: boolean
  readonly #incoming: IncomingMessage
  readonly #signal: () => AbortSignal
  #body: ReadableStream<Uint8Array> | undefined = undefined

  /** `signal`: aborted when the client loses interest; asked when somebody asks. Throws a TypeError for what is no URL. */
  constructor(incoming: NodeMessage, signal: () => AbortSignal) {
    this.method = incoming.method ?? 'GET'
    this.url = hrefOf(urlOf(incoming))
    this.headers = FieldList.fromRaw(incoming.rawHeaders)
    this.early = incoming.early ?? false
    this.#incoming = incoming
    this.#signal = signal
    // What nobody will read must not be waited for.
    if (!hasBody(incoming)) incoming.resume()
  }

  get signal(): AbortSignal {
    return this.#signal()
  }

  get remote(): string | undefined {
    return remoteOf(this.#incoming)
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (!hasBody(this.#incoming)) return null
    this.#body ??= Readable.toWeb(this.#incoming) as ReadableStream<Uint8Array>
    return this.#body
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return Uint8Array.from(await this.bytes()).buffer
  }

  async bytes(): Promise<Uint8Array> {
    const chunks: Buffer[] = []
    if (hasBody(this.#incoming)) for await (const chunk of this.#incoming) chunks.push(chunk as Buffer)
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
  }
}

/** As `Request` has it, but for what is after a `#`, which is nobody's business but the client's. */
function hrefOf(text: string): string {
  const url = new URL(text)
  if (url.username || url.password) throw new TypeError('a URL of a request has no credentials')
  if (url.hash) url.hash = ''
  return url.href
}

export function hasBody({ method }: IncomingMessage): boolean {
  return method !== 'GET' && method !== 'HEAD'
}

/** RFC 9112 §3.2.2: what is sent to a proxy is a whole URL. */
export function urlOf({ url = '/', socket, headers }: IncomingMessage): string {
  if (!url.startsWith('/')) return url
  return `${'encrypted' in socket ? 'https' : 'http'}://${headers.host ?? 'localhost'}${url}`
}

export function remoteOf({ socket }: IncomingMessage): string | undefined {
  return socket.remoteAddress === undefined ? undefined : `${socket.remoteAddress}:${socket.remotePort}`
}

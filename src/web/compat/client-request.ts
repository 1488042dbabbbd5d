// `http3.request`: node:http's client over an agent. The request is node's own OutgoingMessage, the response its
// IncomingMessage; what would become bytes of HTTP/1.1 goes to the agent instead.

import { PassThrough } from 'node:stream'
import { Http3Agent } from '../client/agent.ts'
import type { DispatchHandler } from '../client/dispatch.ts'
import type { OutgoingHeaders } from '../messages/header-map.ts'
import { type IncomingMessage, OutgoingMessage } from '../node-http.ts'
import { type ClientResponse, clientResponse } from './client-response.ts'

/** As node:https has them, as far as HTTP/3 has to do with them. */
export interface ClientRequestOptions {
  readonly protocol?: 'https:'
  /** Default localhost. `hostname` goes before. */
  readonly host?: string
  readonly hostname?: string
  /** Default 443. */
  readonly port?: number | string
  /** Default /. */
  readonly path?: string
  /** Default GET. */
  readonly method?: string
  readonly headers?: OutgoingHeaders
  /** `user:password` for Basic authentication. */
  readonly auth?: string
  readonly signal?: AbortSignal
  /** ms without an answer, or more of it, until `timeout` is emitted. */
  readonly timeout?: number
  /** Default: one for all, that speaks HTTP/3 alone. */
  readonly agent?: Http3Agent
}

interface Insides {
  _header: string | null
  _headerSent: boolean
  _hasBody: boolean
}

let common: Http3Agent | undefined

/** The agent of requests that name none. */
export function globalAgent(): Http3Agent {
  common ??= new Http3Agent({ discovery: 'only' })
  return common
}

/**
 * Emits `response` (IncomingMessage), `information` for 1xx, `continue`, `timeout`, `error`, `close`, and what every
 * writable of node does.
 */
export class Http3ClientRequest extends OutgoingMessage {
  readonly protocol = 'https:'
  readonly method: string
  readonly host: string
  readonly path: string
  aborted = false
  res: IncomingMessage | undefined = undefined
  readonly #origin: string
  readonly #agent: Http3Agent
  readonly #signal: AbortSignal | undefined
  readonly #onAbort = (): void => void this.destroy(this.#signal?.reason as Error)
  #response: ClientResponse | undefined = undefined
  #body: PassThrough | undefined = undefined
  #last: Uint8Array | undefined = undefined
  #isEnding = false
  #isDispatched = false
  #give: ((reason?: Error) => void) | undefined = undefined
  #timer: NodeJS.Timeout | undefined = undefined

  /** Throws a TypeError for what is no request. */
  constructor(options: ClientRequestOptions, listener?: (response: IncomingMessage) => void) {
    super()
    const host = options.hostname ?? options.host ?? 'localhost'
    this.host = host
    this.method = (options.method ?? 'GET').toUpperCase()
    this.path = options.path ?? '/'
    this.#origin = new URL(`https://${host.includes(':') ? `[${host}]` : host}:${options.port ?? 443}`).origin
    this.#agent = options.agent ?? globalAgent()
    for (const [name, value] of Object.entries(options.headers ?? {})) {
      if (value !== undefined) this.setHeader(name, value as string)
    }
    if (options.auth !== undefined && !this.hasHeader('authorization')) {
      this.setHeader('authorization', `Basic ${Buffer.from(options.auth).toString('base64')}`)
    }
    if (listener !== undefined) this.once('response', listener)
    if (options.timeout !== undefined) this.setTimeout(options.timeout)
    this.#signal = options.signal
    if (options.signal?.aborted) process.nextTick(this.#onAbort)
    else options.signal?.addEventListener('abort', this.#onAbort)
  }

  /** ms without an answer, or more of it, until `timeout` is emitted; 0: never. */
  override setTimeout(ms: number, listener?: () => void): this {
    if (listener !== undefined) this.once('timeout', listener)
    clearTimeout(this.#timer)
    this.#timer = ms > 0 ? setTimeout(() => this.emit('timeout'), ms).unref() : undefined
    return this
  }

  setNoDelay(): void {}
  setSocketKeepAlive(): void {}

  /** Gives up the request, and its response. */
  abort(): void {
    this.destroy()
  }

  override destroy(error?: Error): this {
    if (this.destroyed) return this
    this.destroyed = true
    this.aborted = true
    const reason = error ?? Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
    this.#body?.destroy()
    // Later, as node does: whoever destroys it may listen only then.
    process.nextTick(this.#give ?? (() => this.#fail(reason)), reason)
    return this
  }

  override end(...args: unknown[]): this {
    this.#isEnding = true
    super.end(...(args as []))
    if (!this.#isDispatched) this.#dispatch(this.#last ?? null)
    else this.#body?.end()
    return this
  }

  /** For OutgoingMessage: headers are complete. */
  _implicitHeader(): void {
    ;(this as unknown as Insides)._header = ' '
  }

  /** For OutgoingMessage: content. */
  _send(data: string | Uint8Array, encoding?: BufferEncoding | null, callback?: () => void): boolean {
    ;(this as unknown as Insides)._headerSent = true
    const bytes = typeof data === 'string' ? Buffer.from(data, encoding ?? 'utf8') : data
    if (this.#isEnding && !this.#isDispatched) {
      if (bytes.length > 0) this.#last = bytes
      if (callback) process.nextTick(callback)
      return true
    }
    if (!this.#isDispatched) {
      this.#body = new PassThrough()
      this.#body.on('drain', () => this.emit('drain'))
      this.#body.on('error', () => {})
      this.#dispatch(this.#body)
    }
    if (bytes.length > 0) return (this.#body as PassThrough).write(bytes, () => callback?.())
    if (callback) process.nextTick(callback)
    return true
  }

  #dispatch(body: Uint8Array | PassThrough | null): void {
    this.#isDispatched = true
    if (this.destroyed) return
    const { path, method } = this
    this.#agent.dispatch({ origin: this.#origin, path, method, headers: this.getHeaders(), body }, this.#handler)
  }

  readonly #handler: DispatchHandler = {
    onConnect: abort => {
      this.#give = abort
      if (this.destroyed) abort()
    },
    onHeaders: (status, raw, resume) => this.#onHead(status, raw.map(String), resume),
    onData: chunk => {
      this.#timer?.refresh()
      return this.#response?.push(chunk) ?? true
    },
    onComplete: trailers => {
      this.#release()
      this.#response?.complete((trailers ?? []).map(String))
      process.nextTick(() => this.emit('close'))
    },
    onError: error => process.nextTick(() => this.#fail(error)),
  }

  #onHead(status: number, raw: string[], resume: () => void): boolean {
    this.#timer?.refresh()
    if (status < 200) {
      const { statusCode, headers, rawHeaders } = clientResponse(
        status,
        raw,
        () => {},
        () => {},
      ).message
      if (status === 100) this.emit('continue')
      this.emit('information', { statusCode, headers, rawHeaders, httpVersion: '3.0' })
      return true
    }
    const response = clientResponse(status, raw, resume, error => this.destroy(error))
    this.#response = response
    this.res = response.message
    // As node does: what nobody asked for is thrown away.
    if (!this.emit('response', response.message)) response.message.resume()
    return response.isWanted
  }

  #fail(error: Error): void {
    this.#release()
    this.destroyed = true
    if (this.#response === undefined) this.emit('error', error)
    else this.#response.fail(error)
    this.emit('close')
  }

  #release(): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}

type Listener = (response: IncomingMessage) => void

/**
 * Begins a request, as node's `https.request` does: `(url, options?, listener?)` or `(options, listener?)`. Throws a
 * TypeError for what is no request.
 */
export function request(
  input: string | URL | ClientRequestOptions,
  options?: ClientRequestOptions | Listener,
  listener?: Listener,
): Http3ClientRequest {
  const further = typeof options === 'function' ? undefined : options
  const callback = typeof options === 'function' ? options : listener
  const base = typeof input === 'string' || input instanceof URL ? ofUrl(new URL(input)) : input
  return new Http3ClientRequest({ ...base, ...further }, callback)
}

/** The same for a request without content, which is sent at once. */
export function get(...args: Parameters<typeof request>): Http3ClientRequest {
  return request(...args).end()
}

function ofUrl(url: URL): ClientRequestOptions {
  if (url.protocol !== 'https:') throw new TypeError(`HTTP/3 needs an https: URL, not ${url.href}`)
  const { hostname, port, pathname, search, username, password } = url
  const auth = username === '' ? undefined : `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  const host = hostname.replace(/^\[|\]$/g, '')
  return { hostname: host, port: port || 443, path: pathname + search, ...(auth && { auth }) }
}

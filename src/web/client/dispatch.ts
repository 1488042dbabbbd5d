// What undici's dispatchers are asked and what they tell, declared here and satisfied by shape: nothing of undici is
// needed to speak it. Its handlers come in two generations; both become one `AnswerSink`.

import type { Field } from '../../http3/field.ts'
import { addHeaders, type HeaderMap, headersOf } from '../messages/header-map.ts'

/** undici's `Dispatcher.DispatchOptions`, as far as HTTP/3 has to do with it. */
export interface DispatchOptions {
  readonly origin?: string | URL | undefined
  readonly path: string
  readonly method: string
  readonly headers?: unknown
  readonly body?: unknown
  readonly query?: Readonly<Record<string, unknown>> | null | undefined
  readonly idempotent?: boolean | undefined
  /** ms. */
  readonly headersTimeout?: number | null | undefined
  readonly bodyTimeout?: number | null | undefined
  readonly upgrade?: boolean | string | null | undefined
}

export interface DispatchController {
  readonly paused: boolean
  readonly aborted: boolean
  readonly reason: Error | null
  /** What fetch of undici 8 reads in place of the objects. */
  readonly rawHeaders: Buffer[]
  readonly rawTrailers: Buffer[]
  pause(): void
  resume(): void
  abort(reason?: Error): void
}

/** undici's handlers: `onRequestStart` and on since version 7, `onConnect` and on before. */
export interface DispatchHandler {
  onRequestStart?(controller: DispatchController, context: object): void
  onResponseStart?(controller: DispatchController, status: number, headers: object, message?: string): void
  onResponseData?(controller: DispatchController, chunk: Buffer): void
  onResponseEnd?(controller: DispatchController, trailers: object): void
  onResponseError?(controller: DispatchController, error: Error): void
  onConnect?(abort: (reason?: Error) => void, context?: object): void
  onHeaders?(status: number, headers: Buffer[], resume: () => void, message: string): boolean
  onData?(chunk: Buffer): boolean
  onComplete?(trailers: Buffer[] | null): void
  onError?(error: Error): void
  onBodySent?(size: number, total: number): void
  onRequestSent?(): void
  onResponseStarted?(): void
}

/** Where the answer to a request goes. */
export interface AnswerSink {
  start(controller: DispatchController): void
  head(status: number, fields: readonly Field[]): void
  data(chunk: Buffer): void
  end(trailers: readonly Field[]): void
  error(error: Error): void
  sent(size: number, total: number): void
  allSent(): void
}

/** Throws a TypeError for what is no handler. */
export function sinkOf(handler: DispatchHandler): AnswerSink {
  if (typeof handler !== 'object' || handler === null) throw new TypeError('handler must be an object')
  return handler.onRequestStart === undefined ? new LegacySink(handler) : new Sink(handler)
}

class Sink implements AnswerSink {
  readonly #handler: DispatchHandler
  #controller: DispatchController | undefined

  constructor(handler: DispatchHandler) {
    this.#handler = handler
  }

  start(controller: DispatchController): void {
    this.#controller = controller
    this.#handler.onRequestStart?.(controller, {})
  }

  head(status: number, fields: readonly Field[]): void {
    this.#handler.onResponseStart?.(this.#controller as DispatchController, status, plain(fields), '')
  }

  data(chunk: Buffer): void {
    this.#handler.onResponseData?.(this.#controller as DispatchController, chunk)
  }

  end(trailers: readonly Field[]): void {
    this.#handler.onResponseEnd?.(this.#controller as DispatchController, plain(trailers))
  }

  error(error: Error): void {
    this.#handler.onResponseError?.(this.#controller as DispatchController, error)
  }

  sent(size: number, total: number): void {
    this.#handler.onBodySent?.(size, total)
  }

  allSent(): void {
    this.#handler.onRequestSent?.()
  }
}

class LegacySink implements AnswerSink {
  readonly #handler: DispatchHandler
  #controller: DispatchController | undefined
  #isStarted = false

  constructor(handler: DispatchHandler) {
    this.#handler = handler
  }

  start(controller: DispatchController): void {
    this.#controller = controller
    this.#handler.onConnect?.(reason => controller.abort(reason), {})
  }

  head(status: number, fields: readonly Field[]): void {
    if (!this.#isStarted) this.#handler.onResponseStarted?.()
    this.#isStarted = true
    const resume = (): void => this.#controller?.resume()
    if (this.#handler.onHeaders?.(status, rawOf(fields), resume, '') === false) this.#controller?.pause()
  }

  data(chunk: Buffer): void {
    if (this.#handler.onData?.(chunk) === false) this.#controller?.pause()
  }

  end(trailers: readonly Field[]): void {
    this.#handler.onComplete?.(rawOf(trailers))
  }

  error(error: Error): void {
    this.#handler.onError?.(error)
  }

  sent(size: number, total: number): void {
    this.#handler.onBodySent?.(size, total)
  }

  allSent(): void {
    this.#handler.onRequestSent?.()
  }
}

/** undici's headers are ordinary objects. */
function plain(fields: readonly Field[]): HeaderMap {
  const headers: HeaderMap = {}
  addHeaders(headers, fields)
  return headers
}

/** Names and values in turns, as node's parsers give them. */
export function rawOf(fields: readonly Field[]): Buffer[] {
  const raw: Buffer[] = []
  for (const [name, value] of fields) raw.push(Buffer.from(name, 'latin1'), Buffer.from(value, 'latin1'))
  return raw
}

/** Headers in any of the ways undici takes them. Throws a TypeError for another. */
export function headersFrom(headers: unknown): HeaderMap {
  if (headers === undefined || headers === null) return headersOf([])
  if (typeof headers !== 'object') throw new TypeError('headers must be an object or an array')
  const pairs: Field[] = []
  if (Array.isArray(headers) && !Array.isArray(headers[0])) {
    for (let at = 0; at + 1 < headers.length; at += 2) addPair(pairs, headers[at], headers[at + 1])
  } else if (Symbol.iterator in headers) {
    for (const [name, value] of headers as Iterable<[unknown, unknown]>) addPair(pairs, name, value)
  } else {
    for (const [name, value] of Object.entries(headers)) addPair(pairs, name, value)
  }
  return headersOf(pairs)
}

function addPair(pairs: Field[], name: unknown, value: unknown): void {
  if (value === undefined || value === null) return
  for (const each of Array.isArray(value) ? value : [value]) {
    pairs.push([textOf(name).toLowerCase(), textOf(each)])
  }
}

/** Strings of bytes. */
function textOf(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value)
}

// Requests to many origins by HTTP/3, and by TCP where that is better: what undici calls a dispatcher.

import { EventEmitter } from 'node:events'
import { unixTime } from '../../endpoint/clock.ts'
import { QuicEndpoint } from '../../endpoint/endpoint.ts'
import { fieldValue, type ResponseHead } from '../../http3/fields.ts'
import { RequestError, wasCutOff, wasNotProcessed } from '../errors.ts'
import type { Http3ConnectOptions } from '../session.ts'
import { AlternativeServices } from './alt-svc.ts'
import { type AnswerSink, type DispatchHandler, type DispatchOptions, sinkOf } from './dispatch.ts'
import { DispatchedRequest, type RequestOwner } from './dispatched-request.ts'
import { Fallback, type FallbackDispatcher } from './fallback.ts'
import { type PooledSession, SessionPool } from './session-pool.ts'

export interface Http3AgentOptions {
  /**
   * How an origin comes to be asked by HTTP/3:
   * - `race` (default): HTTP/3 is tried first, and after `fallbackDelay` ms TCP beside it; whichever is there first has
   *   the request. Where HTTP/3 fails, TCP is used at once for a while.
   * - `alt-svc`: as browsers do: by TCP, until the server says that it has HTTP/3 (RFC 7838).
   * - `only`: HTTP/3 or an error.
   */
  readonly discovery?: 'race' | 'alt-svc' | 'only'
  /** For TCP: a dispatcher of undici. Default: the one that global `fetch` has when the agent is made. */
  readonly fallback?: FallbackDispatcher
  /** ms. Default 250, as RFC 8305 §8 has it. */
  readonly fallbackDelay?: number
  /** For every HTTP/3 connection: trust, tickets, early data, limits... */
  readonly connect?: Omit<Http3ConnectOptions, 'signal' | 'bundle'>
  /** ms until the header section of a response must be there; 0: for ever. Default 300,000. */
  readonly headersTimeout?: number
  /** ms that may pass between two pieces of the body of a response; 0: any number. Default 300,000. */
  readonly bodyTimeout?: number
  /** ms after the last answer until a connection is closed. Default 10,000. */
  readonly keepAliveTimeout?: number
  /**
   * A connection is used for further origins that its certificate names, at the same address and port (RFC 9114 §3.3).
   * Default true.
   */
  readonly coalesce?: boolean
}

/**
 * A dispatcher for HTTP/3: give it to `fetch` of node or undici, or to `setGlobalDispatcher`.
 *
 *     const agent = new Http3Agent()
 *     await fetch('https://example.com/', { dispatcher: agent })
 */
export class Http3Agent extends EventEmitter implements RequestOwner, AsyncDisposable {
  readonly headersTimeout: number
  readonly bodyTimeout: number
  readonly #discovery: 'race' | 'alt-svc' | 'only'
  readonly #fallbackDelay: number
  readonly #fallback: Fallback
  readonly #alternatives = new AlternativeServices()
  readonly #pool: SessionPool
  readonly #connect: Http3ConnectOptions
  /** Origins where HTTP/3 failed: until when (Unix ms) it is left alone, and how often it failed in a row. */
  readonly #broken = new Map<string, { until: number; count: number }>()
  readonly #active = new Map<DispatchedRequest, PooledSession | undefined>()
  #endpoint: QuicEndpoint | undefined
  #isOwnEndpoint = false
  #isClosed = false
  #idle: (() => void) | undefined

  /** Throws a TypeError or RangeError for options that do not fit. */
  constructor(options: Http3AgentOptions = {}) {
    super()
    this.#connect = options.connect ?? {}
    this.#discovery = options.discovery ?? 'race'
    if (!['race', 'alt-svc', 'only'].includes(this.#discovery)) {
      throw new TypeError(`discovery is race, alt-svc or only, not ${this.#discovery}`)
    }
    this.headersTimeout = options.headersTimeout ?? 300_000
    this.bodyTimeout = options.bodyTimeout ?? 300_000
    this.#fallbackDelay = options.fallbackDelay ?? 250
    this.#fallback = new Fallback(options.fallback, this.#discovery !== 'only')
    this.#endpoint = options.connect?.endpoint
    this.#pool = new SessionPool(() => this.#ownEndpoint(), {
      connect: this.#connect,
      keepAliveTimeout: options.keepAliveTimeout ?? 10_000,
      coalesce: options.coalesce ?? true,
    })
  }

  /**
   * Sends a request and tells `handler` of the answer: the one verb that undici's dispatchers have. Handlers of undici 6
   * and 7 will do. Always true: nobody has to wait for `drain`. Throws a TypeError for what is no handler.
   */
  dispatch(options: DispatchOptions, handler: DispatchHandler): boolean {
    const sink = sinkOf(handler)
    let request: DispatchedRequest
    try {
      if (this.#isClosed) throw new RequestError('ERR_ZEROTRIP_AGENT_CLOSED', 'the agent is closed')
      if (options.upgrade) throw new TypeError('HTTP/3 has no Upgrade (RFC 9114 §4.5)')
      if (!String(options.origin).startsWith('https:') && this.#discovery !== 'only') {
        return this.#fallback.dispatch(options, handler, {})
      }
      request = new DispatchedRequest(options, sink, this)
    } catch (error) {
      refuse(sink, error as Error)
      return false
    }
    this.#active.set(request, undefined)
    this.#endpoint?.ref()
    const byTcp: ByTcp = onFailed => {
      this.#release(request)
      const onAltSvc = (value: string): void => this.#alternatives.learn(request.origin, value, unixTime())
      this.#fallback.dispatch(options, handler, { onAltSvc, ...(onFailed && { onFailed }) })
    }
    this.#route(request, byTcp)
    return true
  }

  /** WHATWG fetch, by this agent: redirects, decompression, streaming, all as global `fetch` does it. */
  fetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    return globalThis.fetch(input as never, { ...init, dispatcher: this } as never)
  }

  /** Takes nothing new; resolves when all requests are done and the connections closed. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#active.size > 0) {
      await new Promise<void>(resolve => {
        this.#idle = resolve
      })
    }
    await this.#pool.close()
    if (this.#isOwnEndpoint) await this.#endpoint?.close({ errorCode: H3_NO_ERROR })
  }

  /** Gives up all requests, with `error`, and closes at once. */
  async destroy(error?: Error | null): Promise<void> {
    this.#isClosed = true
    const reason = error ?? new RequestError('ERR_ZEROTRIP_AGENT_CLOSED', 'the agent was destroyed')
    for (const request of this.#active.keys()) request.abort(reason)
    this.#pool.destroy()
    if (this.#isOwnEndpoint) await this.#endpoint?.close({ errorCode: H3_NO_ERROR })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  onFailed(request: DispatchedRequest, error: unknown): boolean {
    if (this.#isClosed || !request.canRepeat || request.attempts >= MAX_ATTEMPTS) return false
    const { session, isOpened = false } = this.#active.get(request) ?? {}
    const isRejected = wasNotProcessed(error) && !(request.wasBegun && !request.isIdempotent)
    const again = isRejected || (wasCutOff(error) && isOpened && request.isIdempotent)
    if (!again || session === undefined) return false
    this.#leave(request)
    this.#send(request, this.#pool.find(request.origin) ?? this.#openFor(request.origin))
    return true
  }

  onHead(request: DispatchedRequest, head: ResponseHead): boolean {
    const { origin } = request
    const value = fieldValue(head.fields, 'alt-svc')
    if (value !== undefined) this.#alternatives.learn(origin, value, unixTime())
    // RFC 9110 §15.5.20: this connection is not for that origin; another one may be.
    if (head.status !== 421 || !request.canRepeat || !this.#pool.separate(origin)) return false
    this.#leave(request)
    this.#send(request, this.#openFor(origin))
    return true
  }

  onDone(request: DispatchedRequest): void {
    this.#leave(request)
    this.#release(request)
  }

  /** `byTcp` hands the request over to TCP. */
  #route(request: DispatchedRequest, byTcp: ByTcp): void {
    const { origin } = request
    const pooled = this.#pool.find(origin)
    if (pooled?.isOpened || (pooled !== undefined && this.#discovery === 'only')) return this.#send(request, pooled)
    if (this.#discovery === 'only') {
      // At once, so that it may leave in the first packet; unless it could share another's connection.
      if (this.#pool.isEmpty) return this.#send(request, this.#openFor(origin))
      this.#share(request).catch(error => request.fail(error))
      return
    }
    const isKnown = this.#alternatives.of(origin.origin, unixTime()) !== undefined
    if (this.#isBroken(origin) || (this.#discovery === 'alt-svc' && !isKnown)) return byTcp()
    this.#race(request, pooled, byTcp).catch(error => request.fail(error))
  }

  async #share(request: DispatchedRequest): Promise<void> {
    const { origin } = request
    const covering = await this.#pool.covering(origin)
    this.#send(request, covering ?? this.#pool.find(origin) ?? this.#openFor(origin))
  }

  /** RFC 8305 in spirit: HTTP/3 has a head start; whichever is there first has the request. */
  async #race(request: DispatchedRequest, begun: PooledSession | undefined, byTcp: ByTcp): Promise<void> {
    const { origin } = request
    const pooled = begun ?? (await this.#pool.covering(origin)) ?? this.#pool.find(origin) ?? this.#openFor(origin)
    const opened = pooled.session.opened.then(
      () => true,
      () => false,
    )
    if (!pooled.isOpened) opened.then(isOpen => this.#learn(origin, isOpen))
    const isFirst = pooled.isOpened || (await Promise.race([opened, after(this.#fallbackDelay)]))
    if (isFirst && pooled.session.isOpen) return this.#send(request, pooled)
    byTcp(error => {
      // HTTP/3 may still be on its way, and is all that is left.
      if (!pooled.session.isOpen || !isConnectError(error)) return false
      this.#active.set(request, undefined)
      opened.then(isOpen => (isOpen ? this.#send(request, pooled) : request.fail(error)))
      return true
    })
  }

  #learn(origin: URL, isGood: boolean): void {
    if (isGood) {
      this.#broken.delete(origin.origin)
      return
    }
    const count = (this.#broken.get(origin.origin)?.count ?? 0) + 1
    const until = unixTime() + Math.min(MAX_BROKEN, BROKEN * 2 ** (count - 1))
    if (this.#broken.size >= MAX_BROKEN_ORIGINS) this.#broken.clear()
    this.#broken.set(origin.origin, { until, count })
  }

  #isBroken(origin: URL): boolean {
    return (this.#broken.get(origin.origin)?.until ?? 0) > unixTime()
  }

  #openFor(origin: URL): PooledSession {
    return this.#pool.open(origin, this.#alternatives.of(origin.origin, unixTime()))
  }

  #send(request: DispatchedRequest, pooled: PooledSession): void {
    if (!request.start()) return
    this.#active.set(request, pooled)
    this.#pool.begin(pooled)
    request.sendOn(pooled.session)
  }

  /** It is no longer on its connection. */
  #leave(request: DispatchedRequest): void {
    const pooled = this.#active.get(request)
    if (pooled === undefined) return
    this.#active.set(request, undefined)
    this.#pool.end(pooled)
  }

  #release(request: DispatchedRequest): void {
    this.#active.delete(request)
    if (this.#active.size > 0) return
    // A process is not kept alive by connections that nobody uses.
    if (this.#isOwnEndpoint) this.#endpoint?.unref()
    this.#idle?.()
  }

  #ownEndpoint(): QuicEndpoint {
    if (this.#endpoint === undefined) {
      const { backend } = this.#connect
      this.#endpoint = new QuicEndpoint({ ...(backend && { backend }) })
      this.#isOwnEndpoint = true
    }
    return this.#endpoint
  }
}

/** Hands a request over to TCP; `onFailed` may take it back. */
type ByTcp = (onFailed?: (error: Error) => boolean) => void

/** There was no connection: the server has seen nothing. */
function isConnectError(error: Error): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && (code === 'UND_ERR_CONNECT_TIMEOUT' || unreachable.has(code))
}

const unreachable: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH', 'ETIMEDOUT'])

/** What cannot even begin. */
function refuse(sink: AnswerSink, error: Error): void {
  sink.error(error)
}

/** Resolves with false after `ms`. */
function after(ms: number): Promise<false> {
  return new Promise(resolve => setTimeout(resolve, ms, false))
}

const H3_NO_ERROR = 0x100
/** Times a request is sent at most. */
const MAX_ATTEMPTS = 3
/** ms that HTTP/3 is left alone where it failed, twice as long each time in a row. */
const BROKEN = 300_000
const MAX_BROKEN = 48 * 3_600_000
const MAX_BROKEN_ORIGINS = 1000

// Whom a call is passed on to: a session that is begun with a request in its first packet, and TLS on TCP where UDP does
// not get through.

import { Agent } from 'node:https'
import { Readable } from 'node:stream'
import type { QuicEndpoint } from 'zerotrip'
import { connect, Http3ErrorCode, type Http3Session, Http3StreamError } from 'zerotrip/http3'
import type { ClientBundle, TicketStore } from 'zerotrip/zero-rtt'
import type { Call } from './call.ts'
import { FieldList } from './fields.ts'
import { Forwarder, IDLE } from './forwarder.ts'
import { HopRequest, type HopRequestOptions } from './hop-request.ts'
import { type PassedResponse, whenPassed } from './passed.ts'
import { Silence } from './silence.ts'
import { SpareSession } from './spare-session.ts'
import { StreamedRequest } from './streamed-request.ts'

/** ms during which somebody who cannot be reached by UDP is called by TCP. */
const TCP_FOR = 60_000

/** ms during which others are asked before somebody who was not there. */
const AVOID_FOR = 10_000

const A_MINUTE = 60_000

/** ms for a request that nobody waits for. */
const CONTACT = 1000

/** Did the other side see a request of which there is no answer. */
export type Fate = 'not processed' | 'unknown'

export class CallFailed extends Error {
  readonly fate: Fate

  constructor(fate: Fate, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.fate = fate
  }
}

export interface HopAddress {
  /** As in a URL, `127.0.0.1:4433`: QUIC on UDP. */
  readonly origin: string
  /** HTTPS (HTTP/1.1) on TCP, where UDP does not get through; undefined: there is none. */
  readonly tlsOrigin: string | undefined
  /** PEM: what it shows to those who speak TCP, or have no keys; undefined: one that the system's roots vouch for. */
  readonly certificate: string | undefined
  /** Our half of its keys; undefined: there is none, the first contact takes a round trip more. */
  readonly bundle: ClientBundle | undefined
  /** SHA-256 of its public key: the certificate is its own, whatever name it goes by. Default: names have to fit. */
  readonly pin?: Uint8Array | undefined
}

export interface HopCounts {
  /** A session was begun: what became of its early data. */
  early(result: string): void
}

export interface NextHopOptions {
  readonly endpoint: QuicEndpoint
  /** The 0-RTT Store: what later sessions begin with, when the keys the other side was born with have ended. */
  readonly tickets: TicketStore
  /**
   * ms without a request after which the session is closed; the next one begins with keys or a ticket. Default Infinity:
   * as long as its idle timeout lets it.
   */
  readonly idle?: number | undefined
  /** ms, before the way has been measured. Default 333 (RFC 9002 §6.2.2). */
  readonly initialRtt?: number
  /** When a session has ended, have one that has sent nothing yet, for the next request. Wants keys. Default false. */
  readonly ahead?: boolean
  /** Default: nobody counts. */
  readonly counts?: HopCounts
}

export interface SendOptions {
  /** May the request leave as early data. Default: what the bundle says, else if its method is safe. */
  readonly early?: boolean | undefined
}

export class NextHop {
  readonly #address: HopAddress
  readonly #options: NextHopOptions
  #session: Http3Session | undefined = undefined
  #forwarder: Forwarder | undefined = undefined
  #tcpUntil = 0
  #avoidUntil = 0
  #isGone = false
  #isTaken = false
  readonly #silence = new Silence()
  readonly #spare = new SpareSession(() => this.#connect(true))
  /** Requests whose answers have not been taken yet. */
  #busy = 0
  #idleTimer: NodeJS.Timeout | undefined = undefined

  constructor(address: HopAddress, options: NextHopOptions) {
    this.#address = address
    this.#options = options
  }

  /** Rejects with a CallFailed, which says whether the other side may have seen the request. */
  async send(call: Call, signal: AbortSignal, options: SendOptions = {}): Promise<PassedResponse> {
    this.#busy++
    this.#isTaken = true
    clearTimeout(this.#idleTimer)
    try {
      const isByTcp = performance.now() < this.#tcpUntil
      const response = await (isByTcp ? this.#byTcp(call, signal) : this.#byQuic(call, signal, options))
      return whenPassed(response, () => this.#end())
    } catch (error) {
      this.#end()
      throw error
    }
  }

  /** A session of its own for one request, `GET path`, which nobody counts. Rejects when there is no answer. */
  async contact(path: string): Promise<void> {
    const session = this.#connect()
    session.opened.catch(() => {})
    session.closed.catch(() => {})
    const { origin } = this.#address
    const call = { method: 'GET', target: path, host: origin, headers: new FieldList(), body: undefined }
    const signal = AbortSignal.timeout(CONTACT)
    try {
      const { body } = await sent(session, call, { authority: origin, early: session.mayBeEarly('GET'), signal }).answer
      if (body instanceof Readable) body.resume()
    } finally {
      await session.close()
    }
  }

  /**
   * With `ahead`: has a session ready for the next request. Keys are good any number of times, as long as they are good; a
   * ticket would be used up, and a ratchet.
   */
  prepare(): void {
    const { bundle } = this.#address
    if (!this.#options.ahead || this.#isGone || bundle === undefined || bundle.isRatcheted) return
    if (Date.now() < bundle.expires - A_MINUTE) this.#spare.prepare()
  }

  /** Something was sent, or nothing will be any more. */
  get isTaken(): boolean {
    return this.#isTaken || this.#isGone
  }

  /** After GOAWAY (RFC 9114 §5.2), as long as nothing is heard of it, and a while after it was not there. */
  get isReluctant(): boolean {
    if (performance.now() < this.#avoidUntil) return true
    const session = this.#session
    return session !== undefined && (!session.isOpen || this.#silence.isSilent(session))
  }

  /** No new requests; those in flight go on, unless the other side `isDead`. */
  retire(isDead: boolean): void {
    this.#isGone = true
    if (isDead) this.#session?.session.abort(new Error('the worker is gone'))
    this.disconnect()
    this.#spare.drop()
  }

  /** Closes the session when what is in flight is done; the next request begins another. */
  disconnect(): void {
    this.#session?.close().catch(() => {})
    this.#session = undefined
    this.prepare()
  }

  #end(): void {
    const { idle = Number.POSITIVE_INFINITY } = this.#options
    if (--this.#busy > 0 || idle === Number.POSITIVE_INFINITY) return
    this.#idleTimer = setTimeout(() => this.disconnect(), idle).unref()
  }

  async #byQuic(call: Call, signal: AbortSignal, { early }: SendOptions): Promise<PassedResponse> {
    const session = this.#open()
    const { method } = call
    const mayBeEarly = early ?? session.mayBeEarly(method)
    // As long as there was no handshake, only what left as early data can have been read.
    const isOpen = (): boolean => session.session.peer !== undefined
    const isUnseen = isOpen() ? () => false : () => !isOpen() && !mayBeEarly
    const request = sent(session, call, { authority: this.#address.origin, early: mayBeEarly, signal })
    const watch = this.#silence.watch(session, () => {
      if (isSafe(method) || isUnseen()) request.fail(new Error('the other side is silent'))
    })
    try {
      return await request.answer
    } catch (error) {
      if (signal.aborted) throw new CallFailed('unknown', error)
      if (!isOpen()) this.#avoidUntil = performance.now() + AVOID_FOR
      const failed = new CallFailed(isRejected(error) || isUnseen() ? 'not processed' : 'unknown', error)
      if (isOpen() || this.#address.tlsOrigin === undefined || this.#isGone) throw failed
      return await this.#insteadOfQuic(call, signal, failed)
    } finally {
      watch.stop()
    }
  }

  /** UDP does not get through, or there is nobody. What may have been seen is not repeated here either. */
  #insteadOfQuic(call: Call, signal: AbortSignal, failed: CallFailed): Promise<PassedResponse> {
    this.#tcpUntil = performance.now() + TCP_FOR
    this.#avoidUntil = 0
    const canRepeat = failed.fate === 'not processed' || isSafe(call.method)
    if (!canRepeat || call.body instanceof ReadableStream) throw failed
    return this.#byTcp(call, signal)
  }

  async #byTcp(call: Call, signal: AbortSignal): Promise<PassedResponse> {
    const { tlsOrigin, certificate, pin } = this.#address
    this.#forwarder ??= new Forwarder(
      new URL(`https://${tlsOrigin}`),
      new Agent({
        keepAlive: true,
        timeout: IDLE,
        ...(certificate !== undefined && { ca: certificate }),
        ...(pin && { checkServerIdentity: () => undefined }),
      }),
    )
    try {
      return await this.#forwarder.forward(call, signal)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      throw new CallFailed(code === 'ECONNREFUSED' ? 'not processed' : 'unknown', error)
    }
  }

  #open(): Http3Session {
    if (this.#session?.isOpen) return this.#session
    const { counts } = this.#options
    const spare = this.#spare.take()
    const session = spare?.isOpen ? spare : this.#connect()
    const forget = (): void => {
      if (this.#session !== session) return
      this.#session = undefined
      this.prepare()
    }
    session.closed.then(forget, forget)
    session.opened.then(
      peer => counts?.early(peer.earlyData),
      () => counts?.early('failed'),
    )
    this.#session = session
    return session
  }

  #connect(ahead = false): Http3Session {
    const { origin, bundle, certificate, pin } = this.#address
    const { endpoint, tickets, initialRtt } = this.#options
    return connect(`https://${origin}`, {
      endpoint,
      tickets,
      earlyData: true,
      ahead,
      ...(initialRtt !== undefined && { transport: { initialRtt } }),
      ...(bundle && { bundle }),
      ...(pin ? { pins: [pin] } : certificate && { ca: certificate }),
    })
  }
}

/** What is a stream may have to be sent again, which fetch knows how to. */
function sent(session: Http3Session, call: Call, options: HopRequestOptions): HopRequest | StreamedRequest {
  if (call.body instanceof ReadableStream) return new StreamedRequest(session, call, options)
  const request = new HopRequest(call, options)
  session.send(request)
  return request
}

export function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

/** RFC 9114 §4.1.1: no part of it was processed. */
function isRejected(error: unknown): boolean {
  return error instanceof Http3StreamError && error.code === Http3ErrorCode.RequestRejected
}

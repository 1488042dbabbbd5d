// One worker, as its gateway sees it: a session that is begun with a request in its first packet, and what is in flight.

import { Agent } from 'node:https'
import type { QuicEndpoint } from 'zerotrip'
import { connect, Http3ErrorCode, type Http3Session, Http3StreamError } from 'zerotrip/http3'
import type { TicketStore } from 'zerotrip/zero-rtt'
import type { Call } from '../http/call.ts'
import { Forwarder, IDLE } from '../http/forwarder.ts'
import type { FunctionResponse } from '../http/handler.ts'
import type { Instance } from './provider.ts'

/** ms during which a worker that cannot be reached by UDP is called by TCP. */
const TCP_FOR = 60_000

/** Did the worker see a request of which there is no answer. */
export type Fate = 'not processed' | 'unknown'

export class CallFailed extends Error {
  readonly fate: Fate

  constructor(fate: Fate, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.fate = fate
  }
}

export interface ClientCounts {
  /** A session was begun: what became of its early data. */
  early(result: string): void
}

/** How one worker is called. */
export interface WorkerClient {
  readonly instance: Instance
  inFlight: number
  /** Rejects with a CallFailed, which says whether the worker may have seen the request. */
  send(call: Call, signal: AbortSignal): Promise<FunctionResponse>
  /** No new requests; those in flight go on while the worker lives. */
  retire(): void
}

export interface InstanceClientOptions {
  readonly endpoint: QuicEndpoint
  /** The 0-RTT Store: what later sessions resume with, when the keys the worker was born with have ended. */
  readonly tickets: TicketStore
  readonly counts: ClientCounts
}

export class InstanceClient implements WorkerClient {
  readonly instance: Instance
  inFlight = 0
  readonly #options: InstanceClientOptions
  #session: Http3Session | undefined = undefined
  #forwarder: Forwarder | undefined = undefined
  #tcpUntil = 0
  #isGone = false

  constructor(instance: Instance, options: InstanceClientOptions) {
    this.instance = instance
    this.#options = options
  }

  send(call: Call, signal: AbortSignal): Promise<FunctionResponse> {
    return performance.now() < this.#tcpUntil ? this.#byTcp(call, signal) : this.#byQuic(call, signal)
  }

  retire(): void {
    this.#isGone = true
    this.#session?.close().catch(() => {})
    this.#session = undefined
  }

  async #byQuic(call: Call, signal: AbortSignal): Promise<FunctionResponse> {
    const session = this.#open()
    // As long as there was no handshake, only what left as early data can have been read.
    const wasOpen = session.session.peer !== undefined
    const { method, target, headers, body } = call
    try {
      const response = await session.fetch(target, { method, headers, signal, ...(body && { body }) })
      return { status: response.status, headers: response.headers, body: response.body }
    } catch (error) {
      if (signal.aborted) throw new CallFailed('unknown', error)
      const isOpen = wasOpen || session.session.peer !== undefined
      if (!isOpen && this.instance.tlsOrigin !== undefined && !this.#isGone)
        this.#tcpUntil = performance.now() + TCP_FOR
      const isUnseen = isRejected(error) || (!isOpen && !this.#mayHaveBeenEarly(method))
      throw new CallFailed(isUnseen ? 'not processed' : 'unknown', error)
    }
  }

  async #byTcp(call: Call, signal: AbortSignal): Promise<FunctionResponse> {
    const { tlsOrigin, certificate } = this.instance
    this.#forwarder ??= new Forwarder(
      new URL(`https://${tlsOrigin}`),
      new Agent({ keepAlive: true, timeout: IDLE, ca: certificate }),
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
    const { origin, bundle, certificate } = this.instance
    const { endpoint, tickets, counts } = this.#options
    const session = connect(`https://${origin}`, {
      endpoint,
      tickets,
      earlyData: true,
      ...(bundle ? { bundle } : { ca: certificate }),
    })
    session.closed.catch(() => {})
    session.opened.then(
      peer => counts.early(peer.earlyData),
      () => counts.early('failed'),
    )
    this.#session = session
    return session
  }

  #mayHaveBeenEarly(method: string): boolean {
    const policy = this.instance.bundle?.earlyRequests ?? 'safe'
    return policy === 'all' || (policy === 'safe' && isSafe(method))
  }
}

export function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

/** RFC 9114 §4.1.1: no part of it was processed. */
function isRejected(error: unknown): boolean {
  return error instanceof Http3StreamError && error.code === Http3ErrorCode.RequestRejected
}

// The gateway: functions by name, over HTTP/1.1, HTTP/2 and HTTP/3, and the API that manages them.

import type { RequestListener } from 'node:http'
import { defaultBackend, QuicEndpoint, withKeySharesAhead } from 'zerotrip'
import { MemoryTickets } from 'zerotrip/zero-rtt'
import type { GatewayAddress } from '../chain/gateway-address.ts'
import { type Call, callOf, READ_TOO_LONG } from '../http/call.ts'
import { type FunctionResponse, targetOf } from '../http/handler.ts'
import type { IncomingRequest } from '../http/incoming-request.ts'
import { passingListenerOf } from '../http/node-listener.ts'
import { type Answer, passedWithin } from '../http/passed.ts'
import { wholeBody } from '../http/whole-body.ts'
import { isTimeout } from '../http/within.ts'
import { addCallHeaders } from './call-headers.ts'
import { EarlyRequestsOf } from './early-requests.ts'
import { GatewayError } from './errors.ts'
import { type FrontPorts, Fronts } from './fronts.ts'
import { FunctionQueue } from './function-queue.ts'
import { InstanceClient } from './instance-client.ts'
import { Invoker } from './invoker.ts'
import { Management } from './management.ts'
import { GatewayMetrics } from './metrics.ts'
import { checkOpenness, type GatewayOptions } from './options.ts'
import { type FunctionName, keyOf } from './provider.ts'
import { type Route, routeOf } from './route.ts'
import { DESK_PATH, deskListener, type WorkerDesk } from './worker-desk.ts'

/** Bytes of a call that waits in the queue. */
const MAX_QUEUED_BODY = 1 << 20

/** A burst of first contacts that need not wait for a key share. */
const KEY_SHARES_AHEAD = 16

export type { GatewayOptions } from './options.ts'

export class Gateway implements AsyncDisposable {
  readonly metrics: GatewayMetrics = new GatewayMetrics()
  readonly #options: GatewayOptions
  readonly #endpoint = new QuicEndpoint({ backend: withKeySharesAhead(defaultBackend, KEY_SHARES_AHEAD) })
  readonly #invoker: Invoker
  readonly #management: Management
  readonly #queue: FunctionQueue
  readonly #early: EarlyRequestsOf
  #fronts: Fronts | undefined = undefined

  /** Throws a TypeError for options that would let anybody manage functions. */
  constructor(options: GatewayOptions) {
    checkOpenness(options)
    this.#options = options
    const { provider, credentials, providerUrl, upstreamTimeout, scaleFromZero, idle } = options
    const { metrics } = this
    const hop = { endpoint: this.#endpoint, tickets: new MemoryTickets(Date.now), idle }
    this.#early = new EarlyRequestsOf(provider)
    this.#invoker = new Invoker({
      provider,
      metrics,
      clientOf: options.clientOf ?? ((instance, counts) => new InstanceClient(instance, { ...hop, counts })),
      upstreamTimeout,
      scaleFromZero,
    })
    this.#management = new Management({ provider, metrics, credentials, providerUrl })
    this.#queue = new FunctionQueue({ onError: options.onError })
  }

  /** Resolves with the ports it listens at; rejects with node's error when one cannot be had. */
  async listen(): Promise<FrontPorts> {
    const { provider, onError } = this.#options
    const listener = passingListenerOf(request => this.fetch(request), onError)
    this.#fronts = await Fronts.listen(this.#options, {
      plain: listener,
      secure: withDesk(provider.desk, listener),
      metrics: passingListenerOf(request => this.#observe(request), onError),
      early: this.#early.decide,
    })
    return this.#fronts.ports
  }

  /** Where functions find it, once it listens. */
  get address(): GatewayAddress {
    return this.#fronts?.address ?? { url: '', certificate: undefined }
  }

  /** The same, with keys for one process that will call here. */
  addressForOne(): GatewayAddress {
    return this.#fronts?.addressForOne() ?? this.address
  }

  /** PEM: what callers by TLS and QUIC are shown, once it listens. */
  get certificate(): string {
    return this.address.certificate ?? ''
  }

  /** One request, of whatever version of HTTP. */
  async fetch(request: IncomingRequest): Promise<Answer> {
    const target = targetOf(request)
    const route = routeOf(target)
    // RFC 8470 §5.1: it was early before it came here, and may be a replay that nobody can tell.
    if (request.headers.has('early-data') && !this.#early.allows(target, request.method)) return { status: 425 }
    try {
      if (route) return await this.#call(request, route)
      const { pathname } = new URL(request.url)
      if (pathname === '/healthz') return { status: 200, body: 'OK' }
      return (await this.#management.handle(request, pathname)) ?? { status: 404 }
    } catch (error) {
      if (isTimeout(error)) return new GatewayError(408, READ_TOO_LONG).response
      if (!(error instanceof GatewayError)) throw error
      if (error.cause !== undefined && error.status === 502) this.#options.onError(error.cause)
      return error.response
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#fronts?.close(this.#options.drain ?? 10_000)
    this.#invoker.close()
    await this.#endpoint.close()
  }

  async #call(request: IncomingRequest, { of, target, isAsync }: Route): Promise<Answer> {
    if (isAsync && request.method !== 'POST') return { status: 405, headers: [['allow', 'POST']] }
    const passed = { ...(await callOf(request, false, this.#options.readTimeout)), target }
    const call = isAsync ? { ...passed, body: await queueable(passed.body) } : passed
    const { callId, added } = addCallHeaders(call.headers, call.host, request.remote)
    if (isAsync) return this.#enqueue(of, callId, call, added)
    const response = await this.#invoker.invoke(of, call, request.signal)
    return {
      status: response.status,
      headers: [...response.headers, ...added, ...this.#early.header(of)],
      body: passedWithin(response, this.#options.writeTimeout, 'write_timeout is over'),
    }
  }

  #enqueue(of: FunctionName, callId: string, call: Call, added: FunctionResponse['headers']): FunctionResponse {
    if (this.#options.provider.find(of) === undefined) throw new GatewayError(404, `no such function: ${keyOf(of)}`)
    const text = call.headers.get('x-callback-url')
    if (text !== null && !URL.canParse(text)) throw new GatewayError(400, 'X-Callback-Url is no URL')
    const isTaken = this.#queue.push({
      callId,
      functionName: keyOf(of),
      callback: text === null ? undefined : new URL(text),
      call,
      run: queued => this.#invoker.invoke(of, queued, AbortSignal.any([])),
    })
    if (!isTaken) throw new GatewayError(503, 'the queue is full', { retryAfter: 1 })
    return { status: 202, headers: added }
  }

  async #observe(request: IncomingRequest): Promise<FunctionResponse> {
    const { pathname } = new URL(request.url)
    if (pathname === '/healthz') return { status: 200, body: 'OK' }
    if (pathname !== '/metrics') return { status: 404 }
    const { registry } = this.metrics
    return { status: 200, headers: [['content-type', registry.contentType]], body: await registry.metrics() }
  }
}

/** A queue keeps calls whole. */
async function queueable(body: Call['body']): Promise<Uint8Array | undefined> {
  if (!(body instanceof ReadableStream)) return body
  const bytes = await wholeBody(body, MAX_QUEUED_BODY)
  if (bytes === undefined) throw new GatewayError(413, `a queued call may have ${MAX_QUEUED_BODY} bytes`)
  return bytes
}

/** Keys are for those who have seen our certificate. */
function withDesk(desk: WorkerDesk | undefined, listener: RequestListener): RequestListener {
  if (desk === undefined) return listener
  const keys = deskListener(desk)
  return (incoming, outgoing) => (incoming.url === DESK_PATH ? keys : listener)(incoming, outgoing)
}

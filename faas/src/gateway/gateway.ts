// The gateway: functions by name, over HTTP/1.1, HTTP/2 and HTTP/3, and the API that manages them.

import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { defaultBackend, QuicEndpoint, selfSigned, withKeySharesAhead } from 'zerotrip'
import { createServer as createSecureServer, type HttpServer } from 'zerotrip/http3'
import { MemoryTickets, originOf, StrikeWindow } from 'zerotrip/zero-rtt'
import type { GatewayAddress } from '../chain/gateway-address.ts'
import { type Call, callOf } from '../http/call.ts'
import type { FunctionRequest, FunctionResponse } from '../http/handler.ts'
import { listenerOf } from '../http/node-listener.ts'
import { wholeBody } from '../http/whole-body.ts'
import { type Credentials, challenge } from './basic-auth.ts'
import { addCallHeaders } from './call-headers.ts'
import { EarlyRequestsOf } from './early-requests.ts'
import { GatewayError } from './errors.ts'
import { FunctionQueue } from './function-queue.ts'
import { InstanceClient } from './instance-client.ts'
import { Invoker, type InvokerOptions } from './invoker.ts'
import { GatewayMetrics } from './metrics.ts'
import { type FunctionName, keyOf, type Provider } from './provider.ts'
import { type Route, routeOf } from './route.ts'
import { StatusPage } from './status-page.ts'
import { SystemApi } from './system-api.ts'
import { DESK_PATH, deskListener, type WorkerDesk } from './worker-desk.ts'

export interface GatewayOptions {
  readonly provider: Provider
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Plain HTTP/1.1, as OpenFaaS has it. Default 8080. */
  readonly port?: number
  /** HTTP/3 on UDP, HTTP/2 and HTTP/1.1 over TLS on TCP. Default 8443. */
  readonly securePort?: number
  /** `/metrics` and `/healthz`. Default 8082. */
  readonly metricsPort?: number
  /** PEM. Default: one of its own making. */
  readonly cert?: string
  readonly key?: string
  /** How a worker is called. Default: by HTTP/3, and by TLS on TCP where UDP does not get through. */
  readonly clientOf?: InvokerOptions['clientOf']
  /** Who may manage functions; those themselves are for everybody. Default: everybody. */
  readonly credentials?: Credentials | undefined
  /** ms for an answer to begin. Default 60,000. */
  readonly upstreamTimeout?: number
  /** ms without a request after which a session with a worker is closed. Default: QUIC's idle timeout. */
  readonly idle?: number | undefined
  /** ms for requests under way when it ends. Default 10,000. */
  readonly drain?: number
  readonly onError: (error: unknown) => void
}

/** Bytes of a call that waits in the queue. */
const MAX_QUEUED_BODY = 1 << 20

/** A burst of first contacts that need not wait for a key share. */
const KEY_SHARES_AHEAD = 16

export class Gateway implements AsyncDisposable {
  readonly metrics: GatewayMetrics = new GatewayMetrics()
  readonly #options: GatewayOptions
  readonly #endpoint = new QuicEndpoint({ backend: withKeySharesAhead(defaultBackend, KEY_SHARES_AHEAD) })
  readonly #invoker: Invoker
  readonly #system: SystemApi
  readonly #page: StatusPage
  readonly #queue: FunctionQueue
  #servers: Server[] = []
  readonly #early: EarlyRequestsOf
  #secure: HttpServer | undefined = undefined
  /** Where functions find it, once it listens. */
  address: GatewayAddress = { url: '', certificate: undefined }

  constructor(options: GatewayOptions) {
    this.#options = options
    const { provider } = options
    this.#early = new EarlyRequestsOf(provider)
    const { metrics } = this
    const hop = { endpoint: this.#endpoint, tickets: new MemoryTickets(Date.now), idle: options.idle }
    this.#invoker = new Invoker({
      provider,
      metrics,
      clientOf: options.clientOf ?? ((instance, counts) => new InstanceClient(instance, { ...hop, counts })),
      ...(options.upstreamTimeout !== undefined && { upstreamTimeout: options.upstreamTimeout }),
    })
    this.#system = new SystemApi({ provider, metrics })
    this.#page = new StatusPage(provider, metrics)
    this.#queue = new FunctionQueue({ onError: options.onError })
  }

  /** Resolves with the ports it listens at; rejects with node's error when one cannot be had. */
  async listen(): Promise<{ port: number; securePort: number; metricsPort: number }> {
    const { host = '127.0.0.1', port = 8080, securePort = 8443, metricsPort = 8082, provider, onError } = this.#options
    const listener = listenerOf(request => this.fetch(request), onError)
    const plain = createServer(listener)
    const metrics = createServer(listenerOf(request => this.#observe(request), onError))
    this.#servers = [plain, metrics]
    const { cert, key } = this.#certificate(host)
    this.#secure = createSecureServer(
      // The sealing keys of tickets are born with this process: no ticket was used before it (RFC 8446 §8.2).
      { cert, key, tcp: true, earlyData: new StrikeWindow(), early: this.#early.decide },
      withDesk(provider.desk, listener),
    )
    const ports = {
      port: await listening(plain, port, host),
      metricsPort: await listening(metrics, metricsPort, host),
      securePort: await listening(this.#secure, securePort, host),
    }
    const near = /^(0\.0\.0\.0|::)$/.test(host) ? '127.0.0.1' : host
    this.address = { url: `https://${originOf(near, ports.securePort)}`, certificate: cert }
    return ports
  }

  /** PEM: what callers by TLS and QUIC are shown, once it listens. */
  get certificate(): string {
    return this.address.certificate ?? ''
  }

  /** One request, of whatever version of HTTP. */
  async fetch(request: FunctionRequest): Promise<FunctionResponse> {
    const { pathname, search } = new URL(request.url)
    const route = routeOf(pathname + search)
    // RFC 8470 §5.1: it was early before it came here, and may be a replay that nobody can tell.
    if (request.headers.has('early-data') && !this.#early.allows(pathname, request.method)) return { status: 425 }
    try {
      if (route) return await this.#call(request, route)
      if (pathname === '/healthz') return { status: 200, body: 'OK' }
      if (pathname === '/' || pathname === '/ui') return { status: 307, headers: [['location', '/ui/']] }
      if (pathname.startsWith('/system/'))
        return challenge(request, this.#options.credentials) ?? (await this.#system.handle(request))
      if (pathname.startsWith('/ui/'))
        return challenge(request, this.#options.credentials) ?? (await this.#page.handle(request))
      return { status: 404 }
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      if (error.cause !== undefined && error.status === 502) this.#options.onError(error.cause)
      return error.response
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const cut = setTimeout(() => {
      for (const server of [...this.#servers, this.#secure]) server?.closeAllConnections()
    }, this.#options.drain ?? 10_000)
    await Promise.all([...this.#servers.map(closed), this.#secure?.close()])
    clearTimeout(cut)
    this.#invoker.close()
    await this.#endpoint.close()
  }

  async #call(request: FunctionRequest, { of, target, isAsync }: Route): Promise<FunctionResponse> {
    if (isAsync && request.method !== 'POST') return { status: 405, headers: [['allow', 'POST']] }
    const passed = { ...(await callOf(request, false)), target }
    const call = isAsync ? { ...passed, body: await queueable(passed.body) } : passed
    const { callId, added } = addCallHeaders(call.headers, call.host, request.remote)
    if (isAsync) return this.#enqueue(of, callId, call, added)
    const { status, headers, body } = await this.#invoker.invoke(of, call, request.signal)
    return { status: status ?? 200, headers: [...(headers ?? []), ...added, ...this.#early.header(of)], body }
  }

  #enqueue(
    of: FunctionName,
    callId: string,
    call: Awaited<ReturnType<typeof callOf>>,
    added: FunctionResponse['headers'],
  ): FunctionResponse {
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

  async #observe(request: FunctionRequest): Promise<FunctionResponse> {
    const { pathname } = new URL(request.url)
    if (pathname === '/healthz') return { status: 200, body: 'OK' }
    if (pathname !== '/metrics') return { status: 404 }
    const { registry } = this.metrics
    return { status: 200, headers: [['content-type', registry.contentType]], body: await registry.metrics() }
  }

  #certificate(host: string): { cert: string; key: string } {
    const { cert, key } = this.#options
    return cert && key ? { cert, key } : selfSigned({ hosts: [...new Set([host, 'localhost', '127.0.0.1'])] })
  }
}

/** A queue keeps calls whole. */
async function queueable(body: Call['body']): Promise<Uint8Array | undefined> {
  if (!(body instanceof ReadableStream)) return body
  const bytes = await wholeBody({ body }, MAX_QUEUED_BODY)
  if (bytes === undefined) throw new GatewayError(413, `a queued call may have ${MAX_QUEUED_BODY} bytes`)
  return bytes
}

/** Keys are for those who have seen our certificate. */
function withDesk(desk: WorkerDesk | undefined, listener: RequestListener): RequestListener {
  if (desk === undefined) return listener
  const keys = deskListener(desk)
  return (incoming, outgoing) => (incoming.url === DESK_PATH ? keys : listener)(incoming, outgoing)
}

function listening(server: Server | HttpServer, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

function closed(server: Server): Promise<void> {
  return new Promise(resolve => server.close(() => resolve()))
}

// Stands in front of a function: HTTP/3 on UDP and, if asked for, HTTP/1.1 on TCP, with and without TLS.

import { createServer, type IncomingMessage, type RequestListener, type ServerOptions } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { defaultBackend, withKeySharesAhead } from 'zerotrip'
import { type EarlyQuestion, type Http3Endpoint, serve } from 'zerotrip/http3'
import { type EarlyRequests, isEarlyRequestAllowed, StrikeWindow, type WorkerBundle } from 'zerotrip/zero-rtt'
import type { FunctionHandler } from '../http/handler.ts'
import { listenerOf } from '../http/node-listener.ts'
import { type Announcement, WORKER_HTTP3 } from '../inherited.ts'
import { type Identity, newIdentity } from './identity.ts'

export interface WatchdogOptions {
  /** Answers requests of every kind. */
  readonly fetch: FunctionHandler
  /** Answers those that come by TCP in `fetch`'s place, if there is a reason to. */
  readonly listener?: RequestListener | undefined
  /** Takes connections that are upgraded, which only TCP has. Default: they are refused. */
  readonly onUpgrade?: ((request: IncomingMessage, socket: Duplex, head: Buffer) => void) | undefined
  /** The worker's half of the keys. Without it every client is a stranger: 1-RTT, with a certificate. */
  readonly bundle?: WorkerBundle | undefined
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: any free one. */
  readonly port?: number
  /** Names in the certificate besides `host`. */
  readonly names?: readonly string[]
  /** HTTP/3 on UDP. Default true. */
  readonly udp?: boolean
  /** Plain HTTP/1.1 on TCP, on the same port. Default false. */
  readonly tcp?: boolean
  /** HTTPS on TCP, on a port of its own. Default false. */
  readonly tls?: boolean
  /** Which early requests run at once. Default: what the bundle says, else safe methods. */
  readonly earlyRequests?: EarlyRequests
  /** ms a request may take to come, by TCP. Default 30,000. */
  readonly readTimeout?: number
  /** Told when the function fails. */
  readonly onError: (error: unknown) => void
}

/** Ports that are free for UDP are looked for this often, until one is free for TCP too. */
const PORT_ATTEMPTS = 10

/** A burst of first contacts that need not wait for a key share. */
const KEY_SHARES_AHEAD = 16

export class Watchdog {
  readonly announcement: Announcement
  readonly #http3: Http3Endpoint | undefined
  readonly #servers: readonly Server[]

  constructor(announcement: Announcement, http3: Http3Endpoint | undefined, servers: readonly Server[]) {
    this.announcement = announcement
    this.#http3 = http3
    this.#servers = servers
  }

  /** Takes no new requests and lets those begun finish for up to `deadline` ms. */
  async close(deadline: number): Promise<void> {
    await Promise.all([this.#http3?.close({ deadline }), ...this.#servers.map(server => closed(server, deadline))])
  }
}

/** Resolves when the function can be called. */
export async function startWatchdog(options: WatchdogOptions): Promise<Watchdog> {
  const host = options.host ?? '127.0.0.1'
  const identity = newIdentity([...new Set([host, ...(options.names ?? [])])])
  const listener = options.listener ?? listenerOf(options.fetch, options.onError)
  const { http3, port, tcp } = await bind(options, host, identity, listener)
  const tls = options.tls ? createTlsServer({ cert: identity.certificate, key: identity.key }, listener) : undefined
  if (tls) await listening(tls, host, 0)
  return new Watchdog(
    {
      type: 'listening',
      host,
      port,
      tlsPort: tls && (tls.address() as AddressInfo).port,
      certificate: identity.certificate,
      pin: identity.pin,
    },
    http3,
    [tcp, tls].filter(server => server !== undefined),
  )
}

/** UDP and TCP under one number, so that an `Alt-Svc` to the same authority is true (RFC 9114 §3.1.1). */
async function bind(
  options: WatchdogOptions,
  host: string,
  identity: Identity,
  listener: RequestListener,
): Promise<{ http3: Http3Endpoint | undefined; port: number; tcp: Server | undefined }> {
  for (let attempt = 1; ; attempt++) {
    const http3 = options.udp === false ? undefined : http3On(options, host, identity)
    const port = http3 ? (await http3.ready).port : (options.port ?? 0)
    if (!options.tcp) return { http3, port, tcp: undefined }
    const tcp = tcpServer(options, listener)
    try {
      await listening(tcp, host, port)
      return { http3, port: (tcp.address() as AddressInfo).port, tcp }
    } catch (error) {
      await http3?.close({ deadline: 0 })
      if (options.port || attempt === PORT_ATTEMPTS) throw error
    }
  }
}

function http3On(options: WatchdogOptions, host: string, identity: Identity): Http3Endpoint {
  const { bundle, earlyRequests = bundle?.earlyRequests ?? 'safe' } = options
  return serve({
    host,
    port: options.port ?? 0,
    backend: withKeySharesAhead(defaultBackend, KEY_SHARES_AHEAD),
    cert: identity.certificate,
    key: identity.key,
    fetch: options.fetch,
    onError: options.onError,
    http3: WORKER_HTTP3,
    // The sealing keys of tickets are born with this process: no ticket was used before it (RFC 8446 §8.2).
    ...(earlyRequests !== 'never' && { earlyData: new StrikeWindow() }),
    // What is held until the handshake is complete costs its client nothing, unless it was early before it came here.
    early: ({ request, isForwarded }: EarlyQuestion) => {
      if (isEarlyRequestAllowed(earlyRequests, request.method)) return 'run'
      return isForwarded ? 'too-early' : 'defer'
    },
    ...(bundle && { bundle }),
  })
}

function tcpServer(options: WatchdogOptions, listener: RequestListener): Server {
  const limits: ServerOptions = {
    maxHeaderSize: WORKER_HTTP3.maxFieldSectionSize,
    requestTimeout: options.readTimeout ?? 30_000,
  }
  const server = createServer(limits, listener)
  if (options.onUpgrade) server.on('upgrade', options.onUpgrade)
  return server
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function closed(server: Server, deadline: number): Promise<void> {
  return new Promise(resolve => {
    const cut = setTimeout(() => (server as ReturnType<typeof createServer>).closeAllConnections(), deadline)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
  })
}

// Stands in front of a function, in its process: HTTP/3 on UDP and, if asked for, HTTP/1.1 on TCP, with and without TLS.

import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { nodeBackend, withKeySharesAhead } from 'zerotrip'
import { type Http3Endpoint, type Http3Handler, serve } from 'zerotrip/http3'
import { gateFrom, SingleUse, type WorkerBundle } from 'zerotrip/zero-rtt'
import type { Announcement } from '../inherited.ts'
import { type Http1Request, listenerOf } from './http1.ts'
import { newIdentity } from './identity.ts'

/** What is to be run: the exports of a handler module. */
export interface ServerlessFunction {
  /** Answers requests of every kind. */
  readonly fetch: Http3Handler
  /** Answers those that come by TCP in `fetch`'s place, if there is a reason to. */
  readonly listener?: RequestListener
}

export interface WatchdogOptions {
  readonly run: ServerlessFunction
  /** The worker's half of the keys. Without it every client is a stranger: 1-RTT, with a certificate. */
  readonly bundle?: WorkerBundle
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: any free one. */
  readonly port?: number
  /** Names in the certificate besides `host`. */
  readonly names?: readonly string[]
  /** Plain HTTP/1.1 on TCP, on the same port. Default false. */
  readonly tcp?: boolean
  /** HTTPS on TCP, on a port of its own. Default false. */
  readonly tls?: boolean
  /** Told when the function fails. */
  readonly onError: (error: unknown) => void
}

/** Ports that are free for UDP are looked for this often, until one is free for TCP too. */
const PORT_ATTEMPTS = 10

/** A burst of first contacts that need not wait for a key share. */
const KEY_SHARES_AHEAD = 16

export class Watchdog {
  readonly announcement: Announcement
  readonly #http3: Http3Endpoint
  readonly #servers: readonly Server[]

  constructor(announcement: Announcement, http3: Http3Endpoint, servers: readonly Server[]) {
    this.announcement = announcement
    this.#http3 = http3
    this.#servers = servers
  }

  /** Takes no new requests and lets those begun finish for up to `deadline` ms. */
  async close(deadline: number): Promise<void> {
    for (const server of this.#servers) server.close()
    await this.#http3.close({ deadline })
  }
}

/** Resolves when the function can be called. */
export async function startWatchdog(options: WatchdogOptions): Promise<Watchdog> {
  const host = options.host ?? '127.0.0.1'
  const identity = newIdentity([...new Set([host, ...(options.names ?? [])])])
  const secrets = { cert: identity.certificate, key: identity.key }
  const listener = options.run.listener ?? listenerOf(plainFetch(options.run.fetch), options.onError)
  const { http3, port, tcp } = await bind(options, host, secrets, listener)
  const tls = options.tls ? createTlsServer(secrets, listener) : undefined
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
  secrets: { cert: string; key: string },
  listener: RequestListener,
): Promise<{ http3: Http3Endpoint; port: number; tcp: Server | undefined }> {
  const backend = withKeySharesAhead(nodeBackend, KEY_SHARES_AHEAD)
  for (let attempt = 1; ; attempt++) {
    const http3 = serve({
      host,
      port: options.port ?? 0,
      backend,
      ...secrets,
      fetch: options.run.fetch,
      onError: options.onError,
      // The sealing keys of tickets are born with this process: no ticket was used before it (RFC 8446 §8.2).
      earlyData: gateFrom(new SingleUse()),
      ...(options.bundle && { bundle: options.bundle }),
    })
    const { port } = await http3.ready
    if (!options.tcp) return { http3, port, tcp: undefined }
    const tcp = createServer(listener)
    try {
      await listening(tcp, host, port)
      return { http3, port, tcp }
    } catch (error) {
      await http3.close({ deadline: 0 })
      if (options.port || attempt === PORT_ATTEMPTS) throw error
    }
  }
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

/** Over HTTP/1.1 an answer has to be a `Response`; plain objects of its shape become one. */
function plainFetch(fetch: Http3Handler): (request: Http1Request) => Promise<Response> {
  return async request => {
    const answer = await fetch(request as never)
    if (answer instanceof Response) return answer
    const { status, headers, body } = answer
    return new Response(body as ConstructorParameters<typeof Response>[0], {
      status: status ?? 200,
      ...(headers && { headers: [...headers] as never }),
    })
  }
}

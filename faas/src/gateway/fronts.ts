// Where a gateway is reached: plain HTTP/1.1; HTTP/3, HTTP/2 and HTTP/1.1 with TLS on one port; what watches it.

import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { defaultBackend, selfSigned, withKeySharesAhead } from 'zerotrip'
import {
  createServer as createSecureServer,
  type EarlyDataPolicy,
  type HttpServer,
  provisionHttp3,
} from 'zerotrip/http3'
import { clientBundle, originOf, StrikeWindow, type WorkerBundle } from 'zerotrip/zero-rtt'
import type { GatewayAddress } from '../chain/gateway-address.ts'
import type { GatewayOptions } from './options.ts'

export interface FrontListeners {
  readonly plain: RequestListener
  readonly secure: RequestListener
  readonly metrics: RequestListener
  /** Which requests may come early. */
  readonly early: EarlyDataPolicy
}

export interface FrontPorts {
  readonly port: number
  readonly securePort: number
  readonly metricsPort: number
}

const LOOPBACK = '127.0.0.1'
const READ_TIMEOUT = 60_000

/** Bytes of an answer that leave in one write. */
const AT_ONCE = 65_536

/** A burst of first contacts that need not wait for a key share. */
const KEY_SHARES_AHEAD = 16

/** ms that functions can be given keys for their first call; those that have called have tickets. A day. */
const KEYS_FOR = 86_400_000

export class Fronts {
  readonly ports: FrontPorts
  /** Where functions find the gateway. */
  readonly address: GatewayAddress
  readonly #plain: readonly Server[]
  readonly #secure: HttpServer
  readonly #keys: WorkerBundle
  #callers = 0

  private constructor(
    ports: FrontPorts,
    address: GatewayAddress,
    plain: readonly Server[],
    secure: HttpServer,
    keys: WorkerBundle,
  ) {
    this.ports = ports
    this.address = address
    this.#plain = plain
    this.#secure = secure
    this.#keys = keys
  }

  /** The address, and keys for one process that will call there. */
  addressForOne(): GatewayAddress {
    const { host, hostname, port } = new URL(this.address.url)
    const addresses = [port === '' ? `${hostname}:443` : host]
    const clientId = `function ${++this.#callers}`
    return { ...this.address, bundle: clientBundle(defaultBackend, this.#keys, { clientId, addresses }, Date.now()) }
  }

  /** Rejects with node's error when a port cannot be had. */
  static async listen(options: GatewayOptions, listeners: FrontListeners): Promise<Fronts> {
    const { host = LOOPBACK, plainHost = LOOPBACK, port = 8080, securePort = 8443, metricsPort = 8082 } = options
    const requestTimeout = options.readTimeout ?? READ_TIMEOUT
    const timeouts = { requestTimeout, headersTimeout: Math.min(READ_TIMEOUT, requestTimeout) }
    const plain = createServer({ ...timeouts, highWaterMark: AT_ONCE }, listeners.plain)
    const metrics = createServer(timeouts, listeners.metrics)
    const { cert, key } = certificateOf(options, host)
    const { worker: keys } = provisionHttp3({ clientId: 'nobody', addresses: [], lifetime: KEYS_FOR })
    const secure = createSecureServer(
      // All keys are born with this process: nothing was used before it (RFC 8446 §8.2).
      {
        backend: withKeySharesAhead(defaultBackend, KEY_SHARES_AHEAD),
        cert,
        key,
        bundle: keys,
        tcp: true,
        ...timeouts,
        earlyData: new StrikeWindow(),
        early: listeners.early,
      },
      listeners.secure,
    )
    const ports = {
      port: await listening(plain, port, plainHost),
      metricsPort: await listening(metrics, metricsPort, plainHost),
      securePort: await listening(secure, securePort, host),
    }
    const near = host === '0.0.0.0' || host === '::' ? LOOPBACK : host
    const own = { url: `https://${originOf(near, ports.securePort)}`, certificate: cert }
    const address = options.url === undefined ? own : { url: options.url, certificate: options.cert ? undefined : cert }
    return new Fronts(ports, address, [plain, metrics], secure, keys)
  }

  /** Lets requests under way finish for up to `drain` ms. */
  async close(drain: number): Promise<void> {
    const cut = setTimeout(() => {
      for (const server of [...this.#plain, this.#secure]) server.closeAllConnections()
    }, drain)
    await Promise.all([...this.#plain.map(closed), this.#secure.close()])
    clearTimeout(cut)
  }
}

function certificateOf({ cert, key }: GatewayOptions, host: string): { cert: string; key: string } {
  return cert && key ? { cert, key } : selfSigned({ hosts: [...new Set([host, 'localhost', LOOPBACK])] })
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

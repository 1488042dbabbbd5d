// What a gateway is told.

import type { Credentials } from './basic-auth.ts'
import type { InvokerOptions } from './invoker.ts'
import type { Provider } from './provider.ts'

export interface GatewayOptions {
  readonly provider: Provider
  /** Where HTTP/3 and TLS listen. Default 127.0.0.1; another than this machine needs `credentials`. */
  readonly host?: string
  /** Where plain HTTP/1.1 and metrics listen. Default 127.0.0.1, whatever `host` is. */
  readonly plainHost?: string
  /** Plain HTTP/1.1, as OpenFaaS has it. Default 8080. */
  readonly port?: number
  /** HTTP/3 on UDP, HTTP/2 and HTTP/1.1 over TLS on TCP. Default 8443. */
  readonly securePort?: number
  /** `/metrics` and `/healthz`. Default 8082. */
  readonly metricsPort?: number
  /** PEM. Default: one of its own making. */
  readonly cert?: string
  readonly key?: string
  /** Where functions find it, https: and with a name of `cert`. Default: `host` and the port. */
  readonly url?: string | undefined
  /** How a worker is called. Default: by HTTP/3, and by TLS on TCP where UDP does not get through. */
  readonly clientOf?: InvokerOptions['clientOf']
  /** Who may manage functions; those themselves are for everybody. Default: everybody on this machine. */
  readonly credentials?: Credentials | undefined
  /** ms a request may take to come. Default 60,000. */
  readonly readTimeout?: number | undefined
  /** ms for an answer to be sent whole. Default: as long as it takes. */
  readonly writeTimeout?: number | undefined
  /** ms for an answer to begin. Default 60,000. */
  readonly upstreamTimeout?: number | undefined
  /** False: a function without instances is answered 503. Default true. */
  readonly scaleFromZero?: boolean | undefined
  /** Who answers what is asked under `/system/` and not known here. Default: 404. */
  readonly providerUrl?: URL | undefined
  /** ms without a request after which a session with a worker is closed. Default: QUIC's idle timeout. */
  readonly idle?: number | undefined
  /** ms for requests under way when it ends. Default 10,000. */
  readonly drain?: number
  readonly onError: (error: unknown) => void
}

/** Throws a TypeError for what would let anybody manage functions. */
export function checkOpenness({ host, plainHost, credentials }: GatewayOptions): void {
  if (credentials !== undefined) return
  const open = [host, plainHost].find(each => each !== undefined && !isThisMachine(each))
  if (open === undefined) return
  throw new TypeError(`who reaches ${open} could manage functions: a gateway that others reach needs basic_auth=true`)
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host)
}

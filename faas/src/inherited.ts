// What a worker inherits from its platform: three descriptors, whose numbers, and nothing else, are in the environment.

/** Names the descriptor on which the worker says that it listens, and whose other end closes when the platform is gone. */
export const PLATFORM_FD = 'ZEROTRIP_PLATFORM_FD'

/** Names the descriptor with the worker's keys for calling the gateway. */
export const GATEWAY_FD = 'ZEROTRIP_GATEWAY_FD'

/** Limits of HTTP/3 that worker and keys have to agree about. Header sections are as large as of-watchdog takes them. */
export const WORKER_HTTP3: { readonly maxFieldSectionSize: number } = { maxFieldSectionSize: 1 << 20 }

/** What a worker says when it can be called: one line of JSON. */
export interface Announcement {
  readonly type: 'listening'
  readonly host: string
  /** QUIC on UDP and, if asked for, plain HTTP/1.1 on TCP. */
  readonly port: number
  /** HTTPS (HTTP/1.1) on TCP, if asked for. */
  readonly tlsPort: number | undefined
  /** Where Prometheus finds `/metrics`, if anywhere. */
  readonly metricsPort?: number
  /** PEM: what the worker shows to clients without a key of their own. It was made by the worker itself. */
  readonly certificate: string
  /** SHA-256 of its public key, hex. */
  readonly pin: string
}

/** Bytes of an announcement, a certificate included. */
export const MAX_ANNOUNCEMENT = 65_536

/** Code of a function may say it, or another machine: throws a SyntaxError or TypeError for what is none. */
export function readAnnouncement(text: string): Announcement {
  const value = JSON.parse(text) as Partial<Announcement> | null
  const { host, port, tlsPort, metricsPort, certificate, pin } = value ?? {}
  const isPort = (each: unknown): each is number =>
    Number.isInteger(each) && (each as number) > 0 && (each as number) < 65_536
  if (typeof host !== 'string' || !isPort(port) || (tlsPort !== undefined && !isPort(tlsPort))) {
    throw new TypeError('an announcement has a host and ports')
  }
  if (typeof certificate !== 'string' || typeof pin !== 'string' || !/^[0-9a-f]{64}$/.test(pin)) {
    throw new TypeError('an announcement has a certificate and a pin')
  }
  return { type: 'listening', host, port, tlsPort, ...(isPort(metricsPort) && { metricsPort }), certificate, pin }
}

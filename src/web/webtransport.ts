// A WebTransport client as browsers have it: new WebTransport(url, options).

import type { ConnectionEvent } from '../connection/events.ts'
import { defaultBackend } from '../crypto/backend-wasm.ts'
import type { Application } from '../endpoint/application.ts'
import { closeWith, orClose, QuicEndpoint } from '../endpoint/endpoint.ts'
import type { EndpointOptions } from '../endpoint/endpoint-options.ts'
import type { ConnectOptions } from '../endpoint/options.ts'
import type { QuicSession } from '../endpoint/quic-session.ts'
import { Http3Client, type Http3ClientOptions } from '../http3/client.ts'
import type { WebTransportLimits } from '../http3/settings.ts'
import { requestSession } from '../http3/webtransport/client.ts'
import { sessionError } from '../http3/webtransport/error.ts'
import { WebTransportHub } from '../http3/webtransport/hub.ts'
import { WebTransportSession } from '../http3/webtransport/session.ts'

export interface WebTransportOptions
  extends Omit<ConnectOptions, 'alpn' | 'application' | 'earlyData'>,
    Pick<EndpointOptions, 'backend'> {
  /** The socket to use, shared with other sessions and left open. Default: one that closes with the session. */
  readonly endpoint?: QuicEndpoint
  /** Offered to the server, the one preferred first; `protocol` tells what it chose. */
  readonly protocols?: readonly string[]
  /** More fields of the request, such as `origin` or `authorization`. */
  readonly headers?: ConstructorParameters<typeof Headers>[0]
  /** What the server may be ahead by, as of `serve({ webtransport: { limits } })`. */
  readonly limits?: Partial<WebTransportLimits>
  /** Limits of HTTP/3 itself. */
  readonly http3?: Omit<Http3ClientOptions, 'authority' | 'remembered'>
}

/**
 * A session with the server of an https: URL, on a connection of its own. It begins at once: `ready` tells when it is
 * there. Throws a SyntaxError (DOMException) for a URL that does not fit, a TypeError or RangeError for options.
 */
export class WebTransport extends WebTransportSession {
  /** The QUIC connection below. */
  readonly session: QuicSession

  constructor(url: string | URL, options: WebTransportOptions = {}) {
    const target = targetOf(url)
    const backend = options.backend ?? options.endpoint?.backend ?? defaultBackend
    const endpoint = options.endpoint ?? new QuicEndpoint({ backend })
    const seat = new Seat()
    const session = options.endpoint
      ? connectTo(endpoint, target, seat, options)
      : orClose(endpoint, () => connectTo(endpoint, target, seat, options))
    const client = new Http3Client(session.transport, {
      ...options.http3,
      h3Datagram: true,
      webTransport: true,
      webTransportLimits: options.limits,
      authority: target.host,
    })
    const hub = new WebTransportHub(client.connection)
    super(hub)
    seat.client = client
    this.session = session
    if (options.endpoint === undefined) closeWith(endpoint, session)
    const headers = options.headers && [...new Headers(options.headers)]
    const path = target.pathname + target.search
    requestSession(client, hub, this, { authority: target.host, path, headers, protocols: options.protocols })
    session.opened.catch((error: unknown) => seat.fail(this, error))
    // Its connection goes when the server has heard of the end.
    const end = (): Promise<void> => client.close()
    this.closed.then(end, end)
  }
}

/** The session's place for its HTTP/3 client. */
class Seat implements Application {
  client: Http3Client | undefined

  onEvent(event: ConnectionEvent): void {
    this.client?.onEvent(event)
  }

  async close(): Promise<void> {
    await this.client?.close()
  }

  /** The connection could not be made, or broke off before anything was asked. */
  fail(session: WebTransportSession, error: unknown): void {
    session.fail(sessionError('the connection failed', error), true)
  }
}

function connectTo(endpoint: QuicEndpoint, target: URL, seat: Seat, options: WebTransportOptions): QuicSession {
  const to = { host: target.hostname.replace(/^\[|\]$/g, ''), port: Number(target.port || 443) }
  const transport = { maxDatagramFrameSize: MAX_DATAGRAM_FRAME, ...options.transport }
  return endpoint.connect(to, { ...options, transport, alpn: ['h3'], application: () => seat })
}

/** W3C WebTransport, section 6.2. */
function targetOf(url: string | URL): URL {
  const target = URL.canParse(String(url)) ? new URL(url) : undefined
  if (target?.protocol === 'https:' && target.hash === '') return target
  throw new DOMException(`WebTransport needs an https: URL without a fragment, not ${url}`, 'SyntaxError')
}

/** RFC 9221 §3: whatever fits a packet. */
const MAX_DATAGRAM_FRAME = 65_535

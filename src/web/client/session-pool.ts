// The connections of an agent: one for each origin, or one for several that its certificate covers (RFC 9114 §3.3).

import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { QuicEndpoint } from '../../endpoint/endpoint.ts'
import { connect, type Http3ConnectOptions, type Http3Session } from '../session.ts'
import type { Alternative } from './alt-svc.ts'

export interface PoolOptions {
  /** For every connection. */
  readonly connect: Http3ConnectOptions
  /** ms after the last answer until a connection is closed. */
  readonly keepAliveTimeout: number
  /** One connection may serve further origins that its certificate names and that are at its address. */
  readonly coalesce: boolean
}

export class PooledSession {
  readonly session: Http3Session
  /** Whose it was made for. */
  readonly origin: URL
  isOpened = false
  active = 0
  timer: NodeJS.Timeout | undefined = undefined

  constructor(session: Http3Session, origin: URL) {
    this.session = session
    this.origin = origin
  }
}

export class SessionPool {
  readonly #options: PoolOptions
  readonly #endpoint: () => QuicEndpoint
  readonly #sessions = new Map<string, PooledSession>()
  /** Origins that must have a connection of their own: 421 (RFC 9110 §15.5.20). */
  readonly #separate = new Set<string>()

  constructor(endpoint: () => QuicEndpoint, options: PoolOptions) {
    this.#endpoint = endpoint
    this.#options = options
  }

  get isEmpty(): boolean {
    return this.#sessions.size === 0
  }

  /** The open connection for an origin, if there is one. */
  find(origin: URL): PooledSession | undefined {
    const pooled = this.#sessions.get(origin.origin)
    if (pooled === undefined || pooled.session.isOpen) return pooled
    this.#forget(pooled)
    return undefined
  }

  /** Begins a connection with an origin, at an alternative address if it has one. */
  open(origin: URL, alternative: Alternative | undefined): PooledSession {
    const serverName = this.#options.connect.serverName ?? origin.hostname.replace(/^\[|\]$/g, '')
    const url = alternative === undefined ? origin : `https://${bracketed(alternative.host)}:${alternative.port}`
    const session = connect(url, { ...this.#options.connect, serverName, endpoint: this.#endpoint() })
    const pooled = new PooledSession(session, origin)
    this.#sessions.set(origin.origin, pooled)
    session.opened.then(
      () => {
        pooled.isOpened = true
      },
      () => this.#forget(pooled),
    )
    const forget = (): void => this.#forget(pooled)
    session.closed.then(forget, forget)
    return pooled
  }

  /** A connection of another origin that may serve this one, too; undefined without. */
  async covering(origin: URL): Promise<PooledSession | undefined> {
    if (!this.#options.coalesce || this.#separate.has(origin.origin) || this.#sessions.size === 0) return undefined
    const candidates = Array.from(this.#sessions.values()).filter(pooled => isCovered(pooled, origin))
    if (candidates.length === 0) return undefined
    const addresses = await addressesOf(origin.hostname)
    const found = candidates.find(({ session }) => session.isOpen && addresses.has(session.session.remoteAddress.host))
    if (found !== undefined) this.#sessions.set(origin.origin, found)
    return found
  }

  /** The server of a shared connection said that it is not for this origin. False: it was its own. */
  separate(origin: URL): boolean {
    const pooled = this.#sessions.get(origin.origin)
    if (pooled === undefined || pooled.origin.origin === origin.origin) return false
    this.#separate.add(origin.origin)
    this.#sessions.delete(origin.origin)
    return true
  }

  begin(pooled: PooledSession): void {
    pooled.active++
    clearTimeout(pooled.timer)
  }

  /** A request on it is over: with the last one its time runs. */
  end(pooled: PooledSession): void {
    pooled.active--
    if (pooled.active > 0 || !pooled.session.isOpen) return
    pooled.timer = setTimeout(closeIdle, this.#options.keepAliveTimeout, pooled).unref()
  }

  /** Closes all, those at work when they are done. */
  async close(): Promise<void> {
    const all = new Set(this.#sessions.values())
    await Promise.all(Array.from(all, ({ session }) => session.close().catch(ignore)))
  }

  destroy(): void {
    for (const { session } of this.#sessions.values()) session.session.close(H3_NO_ERROR)
  }

  #forget(pooled: PooledSession): void {
    clearTimeout(pooled.timer)
    for (const [origin, other] of this.#sessions) if (other === pooled) this.#sessions.delete(origin)
  }
}

/** Same port, and a verified certificate with that name. Without one, as of a resumed connection, nothing is known. */
function isCovered({ session, origin: own, isOpened }: PooledSession, origin: URL): boolean {
  const [leaf] = session.session.peer?.certificates ?? []
  if (!isOpened || leaf === undefined || own.port !== origin.port) return false
  const certificate = new X509Certificate(leaf)
  const name = origin.hostname.replace(/^\[|\]$/g, '')
  return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined
}

async function addressesOf(hostname: string): Promise<Set<string>> {
  try {
    const { lookup } = process.getBuiltinModule('node:dns/promises')
    const found = await lookup(hostname.replace(/^\[|\]$/g, ''), { all: true })
    return new Set(found.map(({ address }) => address))
  } catch {
    return new Set()
  }
}

function closeIdle({ session }: PooledSession): void {
  session.close().catch(ignore)
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host
}

function ignore(): void {}

const H3_NO_ERROR = 0x100

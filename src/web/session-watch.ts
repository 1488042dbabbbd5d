// Clients that keep a server waiting: one timer looks after all of them, while there are any.

import { now } from '../endpoint/clock.ts'
import type { QuicSession } from '../endpoint/quic-session.ts'
import { Http3ErrorCode } from '../http3/error-codes.ts'
import type { Http3Server } from '../http3/server.ts'

export interface ServerTimeouts {
  /** ms for the whole request to arrive; then it is given up. 0: no limit. Default 300,000, as in node:http. */
  readonly requestTimeout?: number
  /** ms for its header section. 0: no limit. Default 60,000. */
  readonly headersTimeout?: number
  /** ms after the last answer until a connection without requests is closed. 0: as the transport sees fit. Default 0. */
  readonly keepAliveTimeout?: number
}

/** The same, all of them said. Throws a RangeError for what is no time. */
export function serverTimeouts(options: ServerTimeouts): Required<ServerTimeouts> {
  const { requestTimeout = 300_000, headersTimeout = 60_000, keepAliveTimeout = 0 } = options
  return {
    requestTimeout: ms('requestTimeout', requestTimeout),
    headersTimeout: ms('headersTimeout', headersTimeout),
    keepAliveTimeout: ms('keepAliveTimeout', keepAliveTimeout),
  }
}

/** Throws a RangeError for what is no time. */
export function ms(name: string, value: number): number {
  if (Number.isFinite(value) && value >= 0) return value
  throw new RangeError(`${name} must be ms, 0 or more, not ${value}`)
}

interface Watched {
  readonly session: QuicSession
  readonly server: Http3Server
  /** When it was first seen without requests; 0: it was not. */
  idleSince: number
}

export class SessionWatch {
  readonly #timeouts: Required<ServerTimeouts>
  readonly #watched = new Set<Watched>()
  #timer: NodeJS.Timeout | undefined = undefined

  /** What `timeouts` says holds at each look. */
  constructor(timeouts: Required<ServerTimeouts>) {
    this.#timeouts = timeouts
  }

  add(session: QuicSession, server: Http3Server): void {
    const watched = { session, server, idleSince: 0 }
    this.#watched.add(watched)
    this.#timer ??= setInterval(() => this.#look(), this.#interval()).unref()
    const remove = (): void => this.#remove(watched)
    session.closed.then(remove, remove)
  }

  closeIdle(): void {
    for (const { session, server } of this.#watched) if (server.activeCount === 0) finish(session)
  }

  closeAll(): void {
    for (const { session } of this.#watched) session.close(Http3ErrorCode.NoError)
  }

  /** As often as matters: whatever is late is found late by a quarter at most. */
  #interval(): number {
    const { requestTimeout, headersTimeout, keepAliveTimeout } = this.#timeouts
    const times = [requestTimeout, headersTimeout, keepAliveTimeout].filter(time => time > 0)
    return Math.min(MAX_INTERVAL, Math.max(10, Math.min(...times) / 4))
  }

  #remove(watched: Watched): void {
    this.#watched.delete(watched)
    if (this.#watched.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    const time = now()
    const { keepAliveTimeout } = this.#timeouts
    for (const watched of this.#watched) {
      const { session, server, idleSince } = watched
      server.look(time, this.#timeouts)
      if (server.activeCount > 0) watched.idleSince = 0
      else if (idleSince === 0) watched.idleSince = time
      else if (keepAliveTimeout > 0 && time - idleSince >= keepAliveTimeout) finish(session)
    }
  }
}

/** Takes no new requests and closes when those begun are done. */
function finish(session: QuicSession): void {
  session.finish().then(() => session.close(Http3ErrorCode.NoError))
}

const MAX_INTERVAL = 10_000

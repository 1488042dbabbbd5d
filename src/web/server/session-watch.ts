// Clients that keep a server waiting: one timer looks after all of them.

import { now } from '../../endpoint/clock.ts'
import type { Patience, ServerSession } from './server-session.ts'

export interface ServerTimeouts {
  /** ms for the whole request to arrive; then it is given up. 0: no limit. Default 300,000, as in node:http. */
  readonly requestTimeout?: number
  /** ms for its header section. 0: no limit. Default 60,000. */
  readonly headersTimeout?: number
  /** ms after the last answer until a connection without requests is closed. 0: as the transport sees fit. Default 0. */
  readonly keepAliveTimeout?: number
  /** ms without content either way until a request emits `timeout`. Default 0: never. */
  readonly timeout?: number
}

export class SessionWatch {
  readonly #patience: Patience
  readonly #sessions = new Set<ServerSession>()
  #timer: NodeJS.Timeout | undefined = undefined

  constructor(patience: Patience) {
    this.#patience = patience
  }

  add(session: ServerSession): void {
    this.#sessions.add(session)
    const remove = (): void => void this.#sessions.delete(session)
    session.session.closed.then(remove, remove)
  }

  start(): void {
    const { requestTimeout, headersTimeout, keepAliveTimeout } = this.#patience
    const times = [requestTimeout, headersTimeout, keepAliveTimeout].filter(time => time > 0)
    // As often as matters, and a turn late at most by a quarter.
    const every = Math.min(MAX_INTERVAL, Math.max(10, Math.min(...times) / 4))
    this.#timer = setInterval(() => this.#look(), every).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  closeIdle(): void {
    for (const session of this.#sessions) if (session.isIdle) session.finish()
  }

  closeAll(): void {
    for (const session of this.#sessions) session.end()
  }

  #look(): void {
    const time = now()
    for (const session of this.#sessions) session.look(time, this.#patience)
  }
}

const MAX_INTERVAL = 10_000

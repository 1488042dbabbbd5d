// The ways a session goes out: sockets of its own, once it moves (RFC 9000 §9.2).

import type { Connection } from '../connection/connection.ts'
import type { ConnectionEvent } from '../connection/events.ts'
import { QuicError } from './errors.ts'
import { Settler } from './settler.ts'
import type { UdpOptions } from './udp-socket.ts'

/** The local address to go on from. Default: a free port of the host the endpoint is bound to. */
export type LocalAddress = Pick<UdpOptions, 'host' | 'port'>

/** What the endpoint lends to a session that moves. */
export interface PathHost {
  /** Binds another socket; resolves with its number. */
  openPath(local: LocalAddress): Promise<number>
  closePath(via: number): void
}

/** The path in use and the one before, on which something may still be under way. */
const MAX_KEPT = 2

export class SessionPaths {
  readonly #host: PathHost
  readonly #connection: Connection
  /** Sockets of this session alone, oldest first. */
  readonly #own: number[] = []
  #move: { readonly settler: Settler<void>; via: number | undefined } | undefined
  #isReleased = false

  constructor(host: PathHost, connection: Connection) {
    this.#host = host
    this.#connection = connection
  }

  /** Begins to move; `onAsked` is called when there is something to send. Resolves when the session has moved. */
  async move(local: LocalAddress, onAsked: () => void): Promise<void> {
    if (this.#move !== undefined) throw refused('moving')
    const move = { settler: new Settler<void>(), via: undefined as number | undefined }
    this.#move = move
    try {
      move.via = await this.#open(local)
      this.#ask(move.via)
      onAsked()
      await move.settler.promise
    } finally {
      this.#move = undefined
    }
  }

  onEvent(event: ConnectionEvent): void {
    const via = this.#move?.via
    if (event.type === 'closed') this.#move?.settler.reject(failed('the connection ended'))
    else if (via === undefined) return
    else if (event.type === 'migrated' && event.remote.via === via) {
      while (this.#own.length > MAX_KEPT) this.#host.closePath(this.#own.shift() as number)
      this.#move?.settler.resolve()
    } else if (event.type === 'migrationFailed') {
      this.#close(via)
      this.#move?.settler.reject(failed('no answer came on the new path'))
    }
  }

  /** The session is over. */
  release(): void {
    this.#isReleased = true
    for (const via of this.#own.splice(0)) this.#host.closePath(via)
  }

  async #open(local: LocalAddress): Promise<number> {
    const via = await this.#host.openPath(local).catch((cause: Error) => {
      throw new QuicError('ERR_ZEROTRIP_BIND', `no UDP socket: ${cause.message}`, { cause })
    })
    this.#own.push(via)
    // The session ended meanwhile.
    if (this.#isReleased) this.#close(via)
    return via
  }

  #ask(via: number): void {
    const { host, port } = this.#connection.remote
    const refusal = this.#connection.migrate({ host, port, via })
    if (refusal === undefined) return
    this.#close(via)
    throw refused(refusal)
  }

  #close(via: number): void {
    const at = this.#own.indexOf(via)
    if (at >= 0) this.#own.splice(at, 1)
    this.#host.closePath(via)
  }
}

function refused(refusal: keyof typeof refusals): QuicError {
  return new QuicError('ERR_ZEROTRIP_MIGRATION_REFUSED', refusals[refusal])
}

function failed(reason: string): QuicError {
  return new QuicError('ERR_ZEROTRIP_MIGRATION_FAILED', `the session stays where it was: ${reason}`)
}

const refusals = {
  server: 'only clients can move (RFC 9000 §9)',
  unconfirmed: 'a session moves between `confirmed` and its end: await `session.confirmed` first',
  disabled: 'the server forbids it (disable_active_migration)',
  'no id': 'the server has given no connection id for another path; try again later',
  moving: 'the session is moving already',
} as const

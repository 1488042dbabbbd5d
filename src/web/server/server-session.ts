// One client of a server: what its requests need.

import type { QuicSession } from '../../endpoint/quic-session.ts'
import type { Field } from '../../http3/field.ts'
import type { RequestStream } from '../../http3/request-stream.ts'
import type { Exchange, ExchangeHost } from '../../http3/server.ts'
import type { HeaderMap } from '../messages/header-map.ts'

/** A request that is being answered. */
export interface ServerAnswer extends Exchange {
  destroy(error?: Error): void
}

/** What a session asks of its server. */
export interface SessionOwner {
  readonly date: () => string
  onStream(stream: ServerAnswer, headers: HeaderMap): void
  /** What a listener threw. */
  onError(error: unknown): void
}

export class ServerSession {
  readonly session: QuicSession
  readonly #owner: SessionOwner
  #server: ExchangeHost | undefined = undefined

  constructor(session: QuicSession, owner: SessionOwner) {
    this.session = session
    this.#owner = owner
  }

  /** HTTP/3 begins. */
  onServer(server: ExchangeHost): void {
    this.#server = server
  }

  emitStream(stream: ServerAnswer, headers: HeaderMap): void {
    this.run(stream, () => this.#owner.onStream(stream, headers))
  }

  /** Calls a listener. What it throws ends the request and is shown; the others do not notice. */
  run(answer: ServerAnswer, listener: () => void): void {
    try {
      listener()
    } catch (error) {
      answer.destroy()
      this.#owner.onError(error)
    }
  }

  onAnswered(stream: RequestStream): void {
    this.#server?.onExchangeDone(stream)
  }

  /** RFC 9110 §6.6.1. */
  withDate(fields: Field[]): Field[] {
    for (const field of fields) if (field[0] === 'date') return fields
    fields.push(['date', this.#owner.date()])
    return fields
  }
}

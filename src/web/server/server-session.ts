// One client of a server: what its requests need, how many there are, and when the last one was.

import type { QuicSession } from '../../endpoint/quic-session.ts'
import type { Http3Connection } from '../../http3/connection.ts'
import { Http3ErrorCode } from '../../http3/error-codes.ts'
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

/** What is too long. */
export interface Patience {
  readonly requestTimeout: number
  readonly headersTimeout: number
  readonly keepAliveTimeout: number
}

interface Begun {
  readonly host: ExchangeHost
  readonly stream: RequestStream
  /** ms of the watch's clock when it was first seen; 0: not yet. */
  since: number
}

export class ServerSession {
  readonly session: QuicSession
  readonly #owner: SessionOwner
  readonly #answers = new Map<ServerAnswer, Begun>()
  /** When the watch first saw it idle; 0: it was not. */
  #idleSince = 0
  /** Requests without header section, and when the watch first saw them. */
  #headless = new Map<RequestStream, number>()
  /** Undefined until HTTP/3 is spoken. */
  connection: Http3Connection | undefined = undefined

  constructor(session: QuicSession, owner: SessionOwner) {
    this.session = session
    this.#owner = owner
  }

  get isIdle(): boolean {
    return this.#answers.size === 0
  }

  begin(answer: ServerAnswer, host: ExchangeHost, stream: RequestStream): ServerAnswer {
    this.#idleSince = 0
    this.#answers.set(answer, { host, stream, since: 0 })
    return answer
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

  onAnswered(answer: ServerAnswer, stream: RequestStream): void {
    const begun = this.#answers.get(answer)
    if (begun === undefined) return
    this.#answers.delete(answer)
    begun.host.onExchangeDone(stream)
  }

  /** RFC 9110 §6.6.1. */
  withDate(fields: Field[]): Field[] {
    for (const field of fields) if (field[0] === 'date') return fields
    fields.push(['date', this.#owner.date()])
    return fields
  }

  /** Takes no new requests and closes when those begun are done. */
  finish(): void {
    this.session.finish().then(() => this.session.close(Http3ErrorCode.NoError))
  }

  end(): void {
    this.session.close(Http3ErrorCode.NoError)
  }

  /** Gives up what has taken too long, at `now`. */
  look(now: number, patience: Patience): void {
    this.#lookAtHeads(now, patience.headersTimeout)
    if (!this.isIdle) this.#lookAtRequests(now, patience.requestTimeout)
    else if (this.#idleSince === 0) this.#idleSince = now
    else if (patience.keepAliveTimeout > 0 && now - this.#idleSince >= patience.keepAliveTimeout) this.finish()
  }

  #lookAtRequests(now: number, timeout: number): void {
    if (timeout === 0) return
    for (const [answer, begun] of this.#answers) {
      if (begun.stream.isEnded) continue
      if (begun.since === 0) begun.since = now
      else if (now - begun.since >= timeout) answer.destroy()
    }
  }

  #lookAtHeads(now: number, timeout: number): void {
    if (timeout === 0 || this.connection === undefined) return
    const seen = new Map<RequestStream, number>()
    for (const stream of this.connection.headless()) {
      const since = this.#headless.get(stream) ?? now
      if (now - since >= timeout) stream.cancel(Http3ErrorCode.RequestIncomplete)
      else seen.set(stream, since)
    }
    this.#headless = seen
  }
}

// What a client keeps of a session for the next one: tickets (RFC 8446 §4.6.1) and a token (RFC 9000 §8.1.3).

import type { Connection } from '../connection/connection.ts'
import type { TicketFacts } from '../connection/events.ts'
import { resumptionFromTicket, type TicketCompany } from '../zero-rtt/resumption.ts'
import { isLater, type TicketStore } from '../zero-rtt/ticket-store.ts'
import type { Application } from './application.ts'
import { unixTime } from './clock.ts'

export class SessionTickets {
  readonly #store: TicketStore
  readonly #origin: string
  #waiting: TicketFacts[] = []
  /** The newest, not yet given to a ticket. */
  #token: Uint8Array = nothing

  constructor(store: TicketStore, origin: string) {
    this.#store = store
    this.#origin = origin
  }

  onTicket(ticket: TicketFacts): void {
    this.#waiting.push(ticket)
  }

  onToken(token: Uint8Array): void {
    this.#token = token
  }

  /** Puts what came into the store. Tickets wait until the application knows what is to be remembered with them. */
  store(connection: Connection, application: Application | undefined): void {
    if (this.#waiting.length === 0) return
    const appState = application === undefined ? nothing : application.sessionState
    if (appState === undefined) return
    const { smoothed, min } = connection.rtt
    // RFC 9002 §6.2.2: the smoothed one, which counts how long the peer takes to answer.
    const initialRtt = Number.isFinite(min) && min > 0 ? smoothed : undefined
    const authorization = connection.peer?.authorization
    const company = { version: connection.version, appState, token: nothing, pins: [], initialRtt, authorization }
    const last = this.#waiting.pop() as TicketFacts
    for (const ticket of this.#waiting) this.#put(ticket, company)
    // RFC 9000 §8.1.3: a token used twice links two connections. It goes with the ticket that is taken first.
    this.#put(last, { ...company, token: this.#token })
    this.#waiting = []
    this.#token = nothing
  }

  #put(ticket: TicketFacts, company: TicketCompany): void {
    try {
      const done = this.#store.put(this.#origin, resumptionFromTicket(ticket, company, unixTime()))
      if (isLater(done)) done.then(undefined, storeFailed)
    } catch (error) {
      storeFailed(error)
    }
  }
}

/** The caller's store failed, not the connection: the next visit is a full handshake. */
export function storeFailed(error: unknown): void {
  process.emitWarning(`a ticket store failed: ${error}`, { code: 'ERR_ZEROTRIP_TICKET_STORE' })
}

const nothing: Uint8Array = new Uint8Array(0)

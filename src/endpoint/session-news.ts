// What a session has to tell whoever has subscribed.

import type { Connection } from '../connection/connection.ts'
import type { ConnectionEvent } from '../connection/events.ts'
import type { Address } from '../connection/path.ts'
import type { Authorization } from '../tls13/ports.ts'
import {
  connectionClose,
  connectionHandshake,
  connectionOpen,
  connectionPath,
  connectionStats,
  earlyDataAnswer,
  earlyDataOffer,
  type ObservedSession,
} from './channels.ts'
import { now } from './clock.ts'

/** Statistics are published no more often, ms. */
const STATS_INTERVAL = 1000

export class SessionNews {
  readonly #session: ObservedSession
  readonly #connection: Connection
  #isOpen = false
  #remote: Address
  #statsAt = 0
  /** Client: early data is on its way, and this is what its key says of the server. */
  #hasOffered = false
  #offered: Authorization | undefined

  constructor(session: ObservedSession, connection: Connection) {
    this.#session = session
    this.#connection = connection
    this.#remote = connection.remote
  }

  /** Something may have happened: called before events are drained, so that it costs next to nothing. */
  look(): void {
    const { remote } = this.#connection
    if (!this.#isOpen) this.#open(remote)
    if (!this.#hasOffered && this.#connection.isClient && this.#connection.hasOfferedEarlyData) this.#offer()
    if (remote !== this.#remote) this.#moved(remote)
  }

  /** The events are told. */
  measure(): void {
    if (!connectionStats.hasSubscribers || !this.#isOpen || !this.#connection.isHandshakeComplete) return
    const time = now()
    if (time < this.#statsAt) return
    this.#statsAt = time + STATS_INTERVAL
    connectionStats.publish({ session: this.#session, statistics: this.#session.statistics() })
  }

  onEvent(event: ConnectionEvent): void {
    if (event.type === 'handshakeComplete' && connectionHandshake.hasSubscribers) {
      const { handshakeTime = 0 } = this.#connection.stats
      connectionHandshake.publish({ session: this.#session, peer: event.peer, handshakeTime })
    }
    if (event.type === 'earlyDataJudged' || event.type === 'handshakeComplete') this.#earlyData(event)
    // Who was never authentic was never there.
    if (event.type !== 'closed' || !this.#isOpen) return
    const session = this.#session
    const { errorCode, isApplication, reason, by, error } = event
    if (connectionClose.hasSubscribers) {
      connectionClose.publish({ session, errorCode, isApplication, reason, by, error })
    }
    this.#statsAt = Number.POSITIVE_INFINITY
    if (connectionStats.hasSubscribers) connectionStats.publish({ session, statistics: session.statistics() })
  }

  #offer(): void {
    const { authorization } = this.#connection
    this.#hasOffered = true
    this.#offered = authorization
    if (earlyDataOffer.hasSubscribers) earlyDataOffer.publish({ session: this.#session, authorization })
  }

  /** Told by a server when it has judged, by a client when it knows. */
  #earlyData(event: Extract<ConnectionEvent, { type: 'earlyDataJudged' | 'handshakeComplete' }>): void {
    const isClient = event.type === 'handshakeComplete'
    const wasOffered = isClient ? this.#connection.isClient && event.peer.earlyData !== 'none' : true
    if (!wasOffered || !earlyDataAnswer.hasSubscribers) return
    const facts = isClient
      ? { accepted: event.peer.earlyData === 'accepted', refusal: undefined, skew: undefined }
      : { accepted: event.accepted, refusal: event.refusal, skew: event.skew }
    const authorization = isClient ? this.#offered : event.authorization
    earlyDataAnswer.publish({ session: this.#session, isClient, ...facts, authorization })
  }

  /** A client's first look is its beginning; a server believes in a client that sent something authentic. */
  #open(remoteAddress: Address): void {
    const { isClient, stats } = this.#connection
    if (!isClient && stats.packetsReceived === 0) return
    this.#isOpen = true
    this.#remote = remoteAddress
    if (connectionOpen.hasSubscribers) connectionOpen.publish({ session: this.#session, isClient, remoteAddress })
  }

  #moved(remoteAddress: Address): void {
    const before = this.#remote
    this.#remote = remoteAddress
    // Before the handshake it is a name that was looked up.
    if (!this.#connection.isHandshakeComplete || !connectionPath.hasSubscribers) return
    connectionPath.publish({ session: this.#session, remoteAddress, before })
  }
}

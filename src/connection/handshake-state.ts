// How far the handshake is, and what it must agree with (RFC 9000 §7, RFC 9001 §4.1).

import type { TransportParameters } from '../packet/transport-parameters.ts'
import type { Authorization } from '../tls13/ports.ts'
import type { TlsSession } from '../tls13/session.ts'
import type { PeerInfo } from './events.ts'

/** The ids that the peer's transport parameters must repeat (RFC 9000 §7.3). */
export interface ExpectedIds {
  /** Destination of the client's first Initial. */
  readonly originalDestination: Uint8Array
  /** Source of the Retry, when there was one. */
  retrySource: Uint8Array | undefined
  /** Source of the peer's Initial packets; undefined until one came. */
  peerSource: Uint8Array | undefined
}

export class HandshakeState {
  readonly tls: TlsSession
  readonly expected: ExpectedIds
  /** The server's parameters that a client remembers for 0-RTT. */
  readonly remembered: Uint8Array | undefined
  /** Client: what the PSK it offers says of the server. */
  readonly offered: Authorization | undefined
  /** Server: whom the client is taken for, from the moment on when it may do something. */
  granted: Authorization | undefined
  peerParameters: TransportParameters | undefined
  peerParameterBytes: Uint8Array = nothing
  earlyData: PeerInfo['earlyData'] = 'none'
  peer: PeerInfo | undefined
  /** The application protocol, as soon as it is known: a server needs it before the handshake is complete. */
  alpn: string | undefined
  /** Both Finished messages are through, as seen from here. */
  isComplete = false
  /** The peer has them too, for sure (RFC 9001 §4.1.2). */
  isConfirmed = false
  /** NewSessionTickets passed on. */
  tickets = 0
  /** When 0-RTT keys are dropped at the server (RFC 9001 §4.9.3). */
  earlyKeysDeadline: number = Number.POSITIVE_INFINITY

  constructor(
    tls: TlsSession,
    expected: ExpectedIds,
    remembered: Uint8Array | undefined,
    offered: Authorization | undefined,
  ) {
    this.tls = tls
    this.expected = expected
    this.remembered = remembered
    this.offered = offered
  }
}

const nothing = new Uint8Array(0)

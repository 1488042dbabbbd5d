// What an endpoint counts beside its connections.

/** Datagrams that came to nothing, by cause. */
export interface DroppedDatagrams {
  /** Too short for a connection id. */
  unreadable: number
  /** From the port of a service that answers anything. */
  reflector: number
  /** A client's, and nobody listens here, or not any more. */
  notListening: number
  /** Not a client's first datagram: no Initial, less than 1,200 bytes, an id that is too short (RFC 9000 §14.1). */
  notInitial: number
  /** More clients than admission can be thought about at a time. */
  pendingFull: number
  /** A client's first datagrams, with nothing authentic in them. */
  forged: number
  /** Of no connection that is known, and not answered by a stateless reset. */
  unknown: number
}

/** All counted since the endpoint was made; `connections` and `handshakes` are of this moment. */
export interface EndpointStatistics {
  /** Sessions that are open or closing. */
  readonly connections: number
  /** Clients whose handshake is not confirmed. */
  readonly handshakes: number
  /** What connections hold for their peers, bytes, as counted against `maxMemory`. */
  readonly memoryUsed: number
  /** Connections begun here, and clients let in. */
  readonly opened: number
  readonly accepted: number
  /** Clients not let in: told so, with an INVALID_TOKEN, or not answered. */
  readonly refused: number
  readonly invalidTokens: number
  readonly ignored: number
  /** Packets sent outside of any connection. */
  readonly retriesSent: number
  readonly versionNegotiationsSent: number
  readonly resetsSent: number
  /** UDP datagrams that came in, and their bytes. */
  readonly datagramsReceived: number
  readonly bytesReceived: number
  /** Those among them that `forward` handed on to another process. */
  readonly datagramsForwarded: number
  readonly dropped: Readonly<DroppedDatagrams>
  /** Datagrams the system did not send. */
  readonly sendErrors: number
}

export class EndpointCounters {
  opened = 0
  accepted = 0
  refused = 0
  invalidTokens = 0
  ignored = 0
  retriesSent = 0
  versionNegotiationsSent = 0
  resetsSent = 0
  datagramsReceived = 0
  bytesReceived = 0
  datagramsForwarded = 0
  readonly dropped: DroppedDatagrams = {
    unreadable: 0,
    reflector: 0,
    notListening: 0,
    notInitial: 0,
    pendingFull: 0,
    forged: 0,
    unknown: 0,
  }
}

// What HTTP/3 needs of a QUIC connection. Declared here, satisfied by shape: neither room imports the other.

/** The stream verbs of a connection, all synchronous; nothing is sent before the caller returns to its event loop. */
export interface Http3Transport {
  /** Opens a stream of ours; undefined while the peer's limit is reached (then `streamsAvailable` is raised later). */
  openStream(direction: 'bidi' | 'uni'): number | undefined
  /**
   * Queues bytes to be sent; they must not change afterwards. Returns how much more may be queued before the buffer
   * is above its high-water mark: zero or less means wait for `writable`. Throws when the stream cannot be written.
   */
  write(id: number, bytes: Uint8Array, fin: boolean): number
  /**
   * The next contiguous bytes, or undefined when none are there. `fin` is true with, or after, the last of them.
   * After the peer closed the connection, what had arrived before can still be read.
   */
  read(id: number): { readonly data: Uint8Array; readonly fin: boolean } | undefined
  /** Abandons sending: RESET_STREAM. */
  reset(id: number, errorCode: number): void
  /** Abandons receiving: STOP_SENDING. */
  stop(id: number, errorCode: number): void
  /**
   * What a stream has taken of the limits on data, bytes, headers of ours and the peer's included: what was sent (of one
   * that was reset: what the peer counts), received and read. From now on `streamCounted` tells of each byte received,
   * read or not. Undefined for a stream that is closed.
   */
  count(id: number): StreamCount | undefined
  /** Ends the connection with an application error. */
  close(errorCode: number, reason: string): void
  /** True once the handshake is confirmed: whatever arrived before may be a replay. */
  readonly isHandshakeConfirmed: boolean
  /** True when (part of) what was received on this stream came as 0-RTT data. */
  isEarly(id: number): boolean
  /** RFC 9218: in which order streams are to be sent. Optional: without it all are equal. */
  setPriority?(id: number, urgency: number, isIncremental: boolean): void
  /** RESET_STREAM_AT: the first `reliableSize` bytes still arrive. Optional; without it streams are reset as a whole. */
  resetAt?(id: number, errorCode: number, reliableSize: number): boolean
  /** Sends a datagram (RFC 9221) once. False: the peer takes none, or none so large. Optional: without it there are none. */
  sendDatagram?(data: Uint8Array, id: number, urgency: number): boolean
  /** The largest datagram that can be sent, bytes, and how many more may wait to be sent. */
  readonly datagramLimits?: { readonly size: number; readonly room: number }
  /** Numbers of the connection, at this moment; times in ms, rates in bytes per second. Optional. */
  statistics?(): TransportStatistics
  /** Calls back when whatever the peer has sent before it heard of what we sent so far must have come: a round trip. */
  afterRoundTrip?(callback: () => void): void
}

export interface StreamCount {
  readonly sent: number
  readonly received: number
  readonly read: number
  /** Nothing more will be received. */
  readonly isFinal: boolean
}

export interface TransportStatistics {
  readonly rtt: { readonly smoothed: number; readonly variance: number; readonly min: number }
  readonly pacingRate: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly packetsSent: number
  readonly packetsReceived: number
  readonly packetsLost: number
  readonly bytesLost: number
}

/** What HTTP/3 must be told, in the order it happened. The connection's own events have these shapes. */
export type Http3TransportEvent =
  | { readonly type: 'streamOpened'; readonly id: number }
  | { readonly type: 'readable'; readonly id: number }
  | { readonly type: 'writable'; readonly id: number }
  | { readonly type: 'streamReset'; readonly id: number; readonly errorCode: number }
  | { readonly type: 'streamCounted'; readonly id: number; readonly length: number; readonly isFinal: boolean }
  | { readonly type: 'streamStopped'; readonly id: number; readonly errorCode: number }
  /** Everything sent on the stream, its end included, was acknowledged. */
  | { readonly type: 'streamFinished'; readonly id: number }
  | { readonly type: 'streamsAvailable'; readonly direction: 'bidi' | 'uni' }
  | { readonly type: 'earlyRejected' }
  | { readonly type: 'handshakeComplete' }
  | { readonly type: 'handshakeConfirmed' }
  | { readonly type: 'datagram'; readonly data: Uint8Array }
  /** The queue of datagrams to be sent was full, and is not any more. */
  | { readonly type: 'datagramsWritable' }
  /** Not HTTP/3's business. */
  | {
      readonly type:
        | 'datagramSettled'
        | 'ticket'
        | 'newToken'
        | 'migrated'
        | 'migrationFailed'
        | 'certificateWanted'
        | 'signatureWanted'
        | 'admissionWanted'
        | 'earlyDataJudged'
    }
  | { readonly type: 'closed'; readonly error: Error | undefined }

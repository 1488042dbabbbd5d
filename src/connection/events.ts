// What a connection has to say: facts, oldest first, taken from a queue by `poll()`.

import type { StreamDirection } from '../packet/frames/frame.ts'
import type { Authorization, EarlyDataRefusal } from '../tls13/ports.ts'
import type { AdmissionWantedOutput, CertificateWantedOutput, SignatureWantedOutput } from '../tls13/session.ts'
import type { Address } from './path.ts'

export interface PeerInfo {
  readonly alpn: string
  readonly serverName: string | undefined
  readonly cipherSuite: string
  readonly group: string
  /** The QUIC version in use: 1, or 0x6b3343cf for version 2. */
  readonly version: number
  /** True: a PSK was used, no certificate was sent now. */
  readonly isResumed: boolean
  readonly earlyData: 'none' | 'accepted' | 'rejected'
  /**
   * The peer's chain, leaf first, DER, verified. Of a server that is resumed: empty. Of a client: empty if it has shown
   * none, and the leaf alone if it resumes a connection in which it had.
   */
  readonly certificates: readonly Uint8Array[]
  /**
   * With a PSK that says so, or what `authorize` made of it: who the peer is, and by which relation it is here. Tickets
   * of this connection inherit it.
   */
  readonly authorization: Authorization | undefined
}

/** What a NewSessionTicket brings, before it becomes a `Resumption`. */
export interface TicketFacts {
  readonly ticket: Uint8Array
  readonly secret: Uint8Array
  readonly hash: 'sha256' | 'sha384'
  readonly cipherSuite: number
  readonly lifetimeSeconds: number
  readonly ageAdd: number
  readonly alpn: string
  readonly serverName: string | undefined
  /** max_early_data_size was 0xffffffff (RFC 9001 §4.6.1). */
  readonly allowsEarlyData: boolean
  /** The server's transport parameters, encoded, as received. */
  readonly transportParameters: Uint8Array
  /** Unix ms when the chain that proved the server expires, and the ticket with it; undefined: not known. */
  readonly authenticatedUntil: number | undefined
}

export interface ConnectionClosed {
  readonly type: 'closed'
  /** Undefined for a close without error: NO_ERROR, or an application's own close. */
  readonly error: Error | undefined
  readonly errorCode: number
  readonly isApplication: boolean
  readonly reason: string
  readonly by: 'local' | 'peer' | 'idle' | 'reset'
}

/** What became of a datagram (RFC 9221 §5). */
export type DatagramFate =
  /** The peer has it; whether its application does is for the application to say (§5.2). */
  | 'acked'
  /** Declared lost. It may have come late, or its acknowledgment may be what was lost. */
  | 'lost'
  /** Never sent: the queue was full, and newer ones took its place. */
  | 'overflowed'
  /** Never sent: path or peer take less than when it was queued. */
  | 'tooLarge'
  /** Never sent: the connection ended first. */
  | 'unsent'
  /** Sent, and the connection ended before anything was heard of it. */
  | 'unknown'

export interface EarlyDataJudged {
  readonly type: 'earlyDataJudged'
  readonly accepted: boolean
  readonly refusal: EarlyDataRefusal | undefined
  /** How far the client's time is behind ours, ms: clocks that differ, and the way it took. Undefined: it did not say. */
  readonly skew: number | undefined
  /** Whose it is, if that is known. */
  readonly authorization: Authorization | undefined
}

export type ConnectionEvent =
  | { readonly type: 'handshakeComplete'; readonly peer: PeerInfo }
  | { readonly type: 'handshakeConfirmed' }
  /** The source said 'later': `provideCertificate` answers, and until then the handshake waits. */
  | CertificateWantedOutput
  /** The key is elsewhere: `provideSignature` answers, and until then the handshake waits. */
  | SignatureWantedOutput
  /** The gate of early data answers later: `provide` does it for it, and until then the handshake waits. */
  | AdmissionWantedOutput
  /** Server: what became of the client's early data, and why. */
  | EarlyDataJudged
  /** 0-RTT was refused: what was sent early is sent again by the streams that were opened, limits start anew. */
  | { readonly type: 'earlyRejected' }
  | { readonly type: 'streamOpened'; readonly id: number }
  | { readonly type: 'readable'; readonly id: number }
  | { readonly type: 'writable'; readonly id: number }
  | { readonly type: 'streamReset'; readonly id: number; readonly errorCode: number }
  /** Of a stream that is counted: bytes received so far, whether they can be read or not; the last time for `isFinal`. */
  | { readonly type: 'streamCounted'; readonly id: number; readonly length: number; readonly isFinal: boolean }
  | { readonly type: 'streamStopped'; readonly id: number; readonly errorCode: number }
  | { readonly type: 'streamFinished'; readonly id: number }
  | { readonly type: 'streamsAvailable'; readonly direction: StreamDirection }
  | { readonly type: 'datagram'; readonly data: Uint8Array }
  /** Of a datagram that was sent with an id: said once, before `closed` at the latest. */
  | { readonly type: 'datagramSettled'; readonly id: number; readonly fate: DatagramFate }
  /** The queue of datagrams to be sent was found full, and is half empty now. */
  | { readonly type: 'datagramsWritable' }
  | { readonly type: 'ticket'; readonly ticket: TicketFacts }
  | { readonly type: 'newToken'; readonly token: Uint8Array }
  /** A client has moved, because it was asked to or wanted to: this is where the server is now. */
  | { readonly type: 'migrated'; readonly remote: Address }
  /** The new path did not answer: everything goes on where it was. */
  | { readonly type: 'migrationFailed' }
  | ConnectionClosed

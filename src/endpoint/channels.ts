// What a process can listen to without touching the program: node:diagnostics_channel. A message is made only when
// somebody has subscribed. A subscriber that throws is node's `uncaughtException`, never the connection's trouble.

import { type Channel, channel } from 'node:diagnostics_channel'
import type { PeerInfo } from '../connection/events.ts'
import type { Address } from '../connection/path.ts'
import type { ConnectionStatistics } from '../connection/statistics.ts'
import type { Authorization, EarlyDataRefusal } from '../tls13/ports.ts'
import type { EndpointStatistics } from './endpoint-statistics.ts'

/** The `QuicSession`, as far as an observer has to do with it: what tells one connection from another. */
export interface ObservedSession {
  readonly remoteAddress: Address
  readonly peer: PeerInfo | undefined
  readonly isHandshakeConfirmed: boolean
  statistics(): ConnectionStatistics
}

/** The `QuicEndpoint`, likewise. */
export interface ObservedEndpoint {
  readonly addresses: readonly Address[]
  statistics(): EndpointStatistics
}

interface OfSession {
  readonly session: ObservedSession
}

interface OfStranger {
  readonly endpoint: ObservedEndpoint
  readonly remoteAddress: Address
}

/** Channels and what they carry. No payload holds keys, tokens, or data of the application. */
export interface DiagnosticsMessages {
  /** A client has begun; a server has read a first authentic packet of a client. */
  'zerotrip:connection:open': OfSession & { readonly isClient: boolean; readonly remoteAddress: Address }
  /** The handshake is complete, `handshakeTime` ms after the beginning. */
  'zerotrip:connection:handshake': OfSession & { readonly peer: PeerInfo; readonly handshakeTime: number }
  /** The connection goes on by way of another address (RFC 9000 §9). */
  'zerotrip:connection:path': OfSession & { readonly remoteAddress: Address; readonly before: Address }
  /** Once the handshake is complete, while something comes in: at most once a second; and when all has ended. */
  'zerotrip:connection:stats': OfSession & { readonly statistics: ConnectionStatistics }
  /** It has ended: `error` is undefined when in order. Only the last `stats` follows. */
  'zerotrip:connection:close': OfSession & {
    readonly errorCode: number
    readonly isApplication: boolean
    readonly reason: string
    readonly by: 'local' | 'peer' | 'idle' | 'reset'
    readonly error: Error | undefined
  }
  /** A client's first datagram is about to leave with early data; `authorization` is what its key says of the server. */
  'zerotrip:early-data:offer': OfSession & { readonly authorization: Authorization | undefined }
  /**
   * A server has judged early data: `refusal` is why not, `skew` how far the client's clock is behind ours, ms, if it has
   * said. A client has heard: without either. `authorization`: whose it is, if that is known.
   */
  'zerotrip:early-data:answer': OfSession & {
    readonly isClient: boolean
    readonly accepted: boolean
    readonly refusal: EarlyDataRefusal | undefined
    readonly skew: number | undefined
    readonly authorization: Authorization | undefined
  }
  /** All addresses are bound. */
  'zerotrip:endpoint:bind': { readonly endpoint: ObservedEndpoint; readonly addresses: readonly Address[] }
  /** A client was not let in: CONNECTION_REFUSED, INVALID_TOKEN, or no answer at all. */
  'zerotrip:endpoint:refuse': OfStranger & { readonly reason: 'refused' | 'invalid token' | 'ignored' }
  /** A client was asked to prove its address (RFC 9000 §8.1.2). */
  'zerotrip:endpoint:retry': OfStranger
  /** A client spoke a version that is not spoken here, and was told which are (RFC 9000 §6.1). */
  'zerotrip:endpoint:version': OfStranger & { readonly version: number }
  /** A packet of a connection that is not known was answered with a stateless reset (RFC 9000 §10.3). */
  'zerotrip:endpoint:reset': OfStranger
  /** The ports are given back. */
  'zerotrip:endpoint:close': { readonly endpoint: ObservedEndpoint; readonly statistics: EndpointStatistics }
}

export type DiagnosticsChannelName = keyof DiagnosticsMessages

/** A channel that knows what it carries. */
export interface Topic<M> {
  readonly hasSubscribers: boolean
  publish(message: M): void
}

function topic<N extends DiagnosticsChannelName>(name: N): Topic<DiagnosticsMessages[N]> {
  return channel(name) as Channel<unknown, DiagnosticsMessages[N]>
}

export const connectionOpen: Topic<DiagnosticsMessages['zerotrip:connection:open']> = topic('zerotrip:connection:open')
export const connectionHandshake: Topic<DiagnosticsMessages['zerotrip:connection:handshake']> = topic(
  'zerotrip:connection:handshake',
)
export const connectionPath: Topic<DiagnosticsMessages['zerotrip:connection:path']> = topic('zerotrip:connection:path')
export const connectionStats: Topic<DiagnosticsMessages['zerotrip:connection:stats']> =
  topic('zerotrip:connection:stats')
export const connectionClose: Topic<DiagnosticsMessages['zerotrip:connection:close']> =
  topic('zerotrip:connection:close')
export const earlyDataOffer: Topic<DiagnosticsMessages['zerotrip:early-data:offer']> =
  topic('zerotrip:early-data:offer')
export const earlyDataAnswer: Topic<DiagnosticsMessages['zerotrip:early-data:answer']> =
  topic('zerotrip:early-data:answer')
export const endpointBind: Topic<DiagnosticsMessages['zerotrip:endpoint:bind']> = topic('zerotrip:endpoint:bind')
export const endpointRefuse: Topic<DiagnosticsMessages['zerotrip:endpoint:refuse']> = topic('zerotrip:endpoint:refuse')
export const endpointRetry: Topic<DiagnosticsMessages['zerotrip:endpoint:retry']> = topic('zerotrip:endpoint:retry')
export const endpointVersion: Topic<DiagnosticsMessages['zerotrip:endpoint:version']> =
  topic('zerotrip:endpoint:version')
export const endpointReset: Topic<DiagnosticsMessages['zerotrip:endpoint:reset']> = topic('zerotrip:endpoint:reset')
export const endpointClose: Topic<DiagnosticsMessages['zerotrip:endpoint:close']> = topic('zerotrip:endpoint:close')

// What a packet carried, kept until it is acknowledged or lost. Recovery stores these records without reading them;
// each goes back to the part of the connection that wrote it.

import type { Level } from './level.ts'

export const SentKind = {
  Ack: 0,
  Ping: 1,
  Crypto: 2,
  Stream: 3,
  ResetStream: 4,
  StopSending: 5,
  MaxData: 6,
  MaxStreamData: 7,
  MaxStreams: 8,
  DataBlocked: 9,
  StreamDataBlocked: 10,
  StreamsBlocked: 11,
  NewConnectionId: 12,
  RetireConnectionId: 13,
  PathChallenge: 14,
  PathResponse: 15,
  HandshakeDone: 16,
  NewToken: 17,
  Datagram: 18,
  Close: 19,
  AckFrequency: 20,
  ImmediateAck: 21,
} as const
export type SentKind = (typeof SentKind)[keyof typeof SentKind]

/**
 * One class for all kinds, so that the scan over a packet's frames stays monomorphic; `kind` says what the fields mean.
 *
 * | kind | id | offset | length | flag |
 * |---|---|---|---|---|
 * | Ack | - | largestAcknowledged sent | - | - |
 * | Crypto | Level | offset | length | - |
 * | Stream | stream id | offset | length | FIN |
 * | ResetStream | stream id | reliable size | - | - |
 * | StopSending | stream id | - | - | - |
 * | MaxData, DataBlocked | - | the limit | - | - |
 * | MaxStreamData, StreamDataBlocked | stream id | the limit | - | - |
 * | MaxStreams, StreamsBlocked | - | the limit | - | true: bidirectional |
 * | NewConnectionId, RetireConnectionId, AckFrequency | sequence | - | - | - |
 * | NewToken, Datagram | the owner's own key | - | - | - |
 * | others | - | - | - | - |
 */
export class SentFrame {
  readonly kind: SentKind
  readonly id: number
  readonly offset: number
  readonly length: number
  readonly flag: boolean

  constructor(kind: SentKind, id = 0, offset = 0, length = 0, flag = false) {
    this.kind = kind
    this.id = id
    this.offset = offset
    this.length = length
    this.flag = flag
  }

  /** The level of a Crypto record. */
  get level(): Level {
    return this.id as Level
  }
}

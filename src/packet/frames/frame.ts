// The frames of QUIC version 1 (RFC 9000 §19, RFC 9221) and of its extensions, as they look once parsed.
// QUIC Acknowledgment Frequency is cited as AF, QUIC Stream Resets with Partial Delivery as PD.

export const FrameType = {
  Padding: 0x00,
  Ping: 0x01,
  Ack: 0x02,
  AckEcn: 0x03,
  ResetStream: 0x04,
  StopSending: 0x05,
  Crypto: 0x06,
  NewToken: 0x07,
  /** 0x08 to 0x0f: bit 0x04 offset, 0x02 length, 0x01 FIN. */
  Stream: 0x08,
  MaxData: 0x10,
  MaxStreamData: 0x11,
  MaxStreamsBidi: 0x12,
  MaxStreamsUni: 0x13,
  DataBlocked: 0x14,
  StreamDataBlocked: 0x15,
  StreamsBlockedBidi: 0x16,
  StreamsBlockedUni: 0x17,
  NewConnectionId: 0x18,
  RetireConnectionId: 0x19,
  PathChallenge: 0x1a,
  PathResponse: 0x1b,
  ConnectionClose: 0x1c,
  ApplicationClose: 0x1d,
  HandshakeDone: 0x1e,
  /** AF §5. */
  ImmediateAck: 0x1f,
  /** PD §4. */
  ResetStreamAt: 0x24,
  /** 0x30 without, 0x31 with length. */
  Datagram: 0x30,
  /** AF §4. Two bytes on the wire. */
  AckFrequency: 0xaf,
} as const
export type FrameType = (typeof FrameType)[keyof typeof FrameType]

export type StreamDirection = 'bidi' | 'uni'

export interface PaddingFrame {
  readonly type: typeof FrameType.Padding
  /** How many PADDING bytes in a row. */
  readonly length: number
}
export interface PingFrame {
  readonly type: typeof FrameType.Ping
}
export interface AckFrame {
  readonly type: typeof FrameType.Ack
  readonly largestAcknowledged: number
  /** As on the wire: to be multiplied by 2^ack_delay_exponent microseconds. */
  readonly ackDelay: number
  /** Flat, descending, inclusive pairs: [largest, smallest, largest, smallest, ...]. */
  readonly ranges: readonly number[]
  readonly ecn: EcnCounts | undefined
}
export interface EcnCounts {
  readonly ect0: number
  readonly ect1: number
  readonly ce: number
}
export interface ResetStreamFrame {
  readonly type: typeof FrameType.ResetStream
  readonly id: number
  readonly errorCode: number
  readonly finalSize: number
}
export interface ResetStreamAtFrame {
  readonly type: typeof FrameType.ResetStreamAt
  readonly id: number
  readonly errorCode: number
  readonly finalSize: number
  /** So many bytes are delivered all the same; no more than `finalSize`. */
  readonly reliableSize: number
}
export interface StopSendingFrame {
  readonly type: typeof FrameType.StopSending
  readonly id: number
  readonly errorCode: number
}
export interface CryptoFrame {
  readonly type: typeof FrameType.Crypto
  readonly offset: number
  /** A view into the decrypted packet. */
  readonly data: Uint8Array
}
export interface NewTokenFrame {
  readonly type: typeof FrameType.NewToken
  readonly token: Uint8Array
}
export interface StreamFrame {
  readonly type: typeof FrameType.Stream
  readonly id: number
  readonly offset: number
  /** A view into the decrypted packet. */
  readonly data: Uint8Array
  readonly fin: boolean
}
export interface MaxDataFrame {
  readonly type: typeof FrameType.MaxData
  readonly maximum: number
}
export interface MaxStreamDataFrame {
  readonly type: typeof FrameType.MaxStreamData
  readonly id: number
  readonly maximum: number
}
export interface MaxStreamsFrame {
  readonly type: typeof FrameType.MaxStreamsBidi | typeof FrameType.MaxStreamsUni
  readonly maximum: number
}
export interface DataBlockedFrame {
  readonly type: typeof FrameType.DataBlocked
  readonly limit: number
}
export interface StreamDataBlockedFrame {
  readonly type: typeof FrameType.StreamDataBlocked
  readonly id: number
  readonly limit: number
}
export interface StreamsBlockedFrame {
  readonly type: typeof FrameType.StreamsBlockedBidi | typeof FrameType.StreamsBlockedUni
  readonly limit: number
}
export interface NewConnectionIdFrame {
  readonly type: typeof FrameType.NewConnectionId
  readonly sequence: number
  readonly retirePriorTo: number
  readonly id: Uint8Array
  readonly statelessResetToken: Uint8Array
}
export interface RetireConnectionIdFrame {
  readonly type: typeof FrameType.RetireConnectionId
  readonly sequence: number
}
export interface PathFrame {
  readonly type: typeof FrameType.PathChallenge | typeof FrameType.PathResponse
  /** 8 bytes, copied. */
  readonly data: Uint8Array
}
export interface ConnectionCloseFrame {
  readonly type: typeof FrameType.ConnectionClose | typeof FrameType.ApplicationClose
  readonly errorCode: number
  /** Which frame caused it; 0 when unknown or for an application's close. */
  readonly frameType: number
  readonly reason: string
}
export interface HandshakeDoneFrame {
  readonly type: typeof FrameType.HandshakeDone
}
export interface DatagramFrame {
  readonly type: typeof FrameType.Datagram
  /** A view into the decrypted packet. */
  readonly data: Uint8Array
}
export interface ImmediateAckFrame {
  readonly type: typeof FrameType.ImmediateAck
}
export interface AckFrequencyFrame {
  readonly type: typeof FrameType.AckFrequency
  readonly sequence: number
  /** So many ack-eliciting packets need no ACK yet. */
  readonly ackElicitingThreshold: number
  /** µs. */
  readonly requestedMaxAckDelay: number
  /** From how much reordering on an ACK is wanted at once; 0: never. */
  readonly reorderingThreshold: number
}

export type Frame =
  | PaddingFrame
  | PingFrame
  | AckFrame
  | ResetStreamFrame
  | ResetStreamAtFrame
  | StopSendingFrame
  | CryptoFrame
  | NewTokenFrame
  | StreamFrame
  | MaxDataFrame
  | MaxStreamDataFrame
  | MaxStreamsFrame
  | DataBlockedFrame
  | StreamDataBlockedFrame
  | StreamsBlockedFrame
  | NewConnectionIdFrame
  | RetireConnectionIdFrame
  | PathFrame
  | ConnectionCloseFrame
  | HandshakeDoneFrame
  | DatagramFrame
  | ImmediateAckFrame
  | AckFrequencyFrame

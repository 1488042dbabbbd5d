// A decrypted packet's frames to their owners, one switch (RFC 9000 §12.4).

import { Reader } from '../bytes/reader.ts'
import { type AckFrame, type ConnectionCloseFrame, type Frame, FrameType } from '../packet/frames/frame.ts'
import { readFrame } from '../packet/frames/read-frame.ts'
import type { PacketHeader } from '../packet/header.ts'
import { Level, spaceOf } from '../packet/level.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import { onAckFrequency, onImmediateAck } from './ack-frequency.ts'
import { deliver, pto } from './delivery.ts'
import { tellClosed } from './ending.ts'
import { confirm } from './handshake.ts'
import { onPathChallenge, onPathResponse } from './migration.ts'
import type { Parts } from './parts.ts'
import type { Address } from './path.ts'
import { judgeMtu } from './path-mtu.ts'
import { recordOutcome, recordState } from './record.ts'

/** What a packet held, as bits: asks for an ACK; holds more than path probing (RFC 9000 §9.1); holds CRYPTO. */
export const ACK_ELICITING = 1
export const NON_PROBING = 2
export const HAS_CRYPTO = 4

function bitsOf(type: Frame['type']): number {
  switch (type) {
    case FrameType.Padding:
      return 0
    case FrameType.Ack:
    case FrameType.ConnectionClose:
    case FrameType.ApplicationClose:
      return NON_PROBING
    case FrameType.PathChallenge:
    case FrameType.PathResponse:
    case FrameType.NewConnectionId:
      return ACK_ELICITING
    case FrameType.Crypto:
      return ACK_ELICITING | NON_PROBING | HAS_CRYPTO
    default:
      return ACK_ELICITING | NON_PROBING
  }
}

/** Where the packet came from, for the few frames that ask. */
export interface Origin {
  readonly header: PacketHeader
  readonly from: Address
  /** Bytes of the datagram. */
  readonly size: number
  /** Earlier than now if it had to wait for its keys, ms. */
  readonly arrivedAt: number
}

/**
 * Hands out every frame of `plaintext`, up to a close; returns the bits above. Throws a TransportError for what breaks
 * a rule.
 */
export function dispatchFrames(parts: Parts, plaintext: Uint8Array, level: Level, origin: Origin, now: number): number {
  const reader = new Reader(plaintext)
  // RFC 9000 §12.4: a packet without frames breaks the protocol.
  if (reader.isDone) throw new TransportError(ErrorCode.ProtocolViolation, 'packet without frames')
  let seen = 0
  while (!reader.isDone && parts.close.isOpen) {
    const start = reader.pos
    const frame = readFrame(reader, level)
    if (frame.type === FrameType.Datagram) parts.datagrams.check(reader.pos - start)
    seen |= bitsOf(frame.type)
    dispatch(parts, frame, level, origin, now)
  }
  return seen
}

function dispatch(parts: Parts, frame: Frame, level: Level, origin: Origin, now: number): void {
  switch (frame.type) {
    case FrameType.Padding:
    case FrameType.Ping:
      return
    case FrameType.Ack:
      return onAck(parts, frame, level, now - origin.arrivedAt, now)
    case FrameType.Crypto:
      return parts.spaces[spaceOf(level)].crypto.onCrypto(frame)
    case FrameType.Stream:
      return parts.streams.onStream(frame, level === Level.ZeroRtt, now)
    case FrameType.ResetStream:
    case FrameType.ResetStreamAt:
      return parts.streams.onResetStream(frame)
    case FrameType.StopSending:
      return parts.streams.onStopSending(frame)
    case FrameType.MaxData:
      return parts.streams.onMaxData(frame)
    case FrameType.MaxStreamData:
      return parts.streams.onMaxStreamData(frame)
    case FrameType.MaxStreamsBidi:
    case FrameType.MaxStreamsUni:
      return parts.streams.onMaxStreams(frame)
    case FrameType.DataBlocked:
      return parts.streams.onDataBlocked(frame)
    case FrameType.StreamDataBlocked:
      return parts.streams.onStreamDataBlocked(frame)
    case FrameType.StreamsBlockedBidi:
    case FrameType.StreamsBlockedUni:
      return parts.streams.onStreamsBlocked(frame)
    case FrameType.NewConnectionId:
      return parts.peerIds.onNew(frame)
    case FrameType.RetireConnectionId:
      return parts.localIds.onRetire(frame, origin.header.destination)
    case FrameType.PathChallenge:
      return onPathChallenge(parts, frame.data, origin, now)
    case FrameType.PathResponse:
      return onPathResponse(parts, frame.data, now)
    case FrameType.ConnectionClose:
    case FrameType.ApplicationClose:
      return onClose(parts, frame, now)
    case FrameType.NewToken:
      return onNewToken(parts, frame.token)
    case FrameType.HandshakeDone:
      return onHandshakeDone(parts, now)
    case FrameType.Datagram:
      return parts.datagrams.onDatagram(frame.data)
    case FrameType.AckFrequency:
      return onAckFrequency(frame, parts.spaces[spaceOf(level)].received, parts.transport.parameters.minAckDelay)
    case FrameType.ImmediateAck:
      return onImmediateAck(parts.spaces[spaceOf(level)].received, parts.transport.parameters.minAckDelay, now)
  }
}

function onAck(parts: Parts, frame: AckFrame, level: Level, waited: number, now: number): void {
  const space = spaceOf(level)
  const exponent = parts.handshake.peerParameters?.ackDelayExponent ?? 3
  // RFC 9002 §5.3: the handshake's ACKs are not delayed on purpose.
  const delay = level === Level.OneRtt ? (frame.ackDelay * (1 << exponent)) / 1000 : 0
  const outcome = parts.recovery.onAck(space, frame, delay, now, waited)
  recordOutcome(parts, space, outcome, now)
  if (level === Level.OneRtt) parts.streams.adapt(parts.recovery.rtt.smoothed, parts.recovery.congestion.window)
  deliver(parts, outcome)
  const keys = parts.keyring.oneRtt
  if (level !== Level.OneRtt || keys === undefined) return
  judgeMtu(parts, outcome.acked, outcome.lost, now)
  // RFC 9000 §13.2.2: how far ACKs may be thinned depends on how long a round trip is.
  parts.spaces[space].received.frequency.rtt = parts.recovery.rtt.smoothed
  parts.ackRequests.review(parts.mtu.current, now)
  keys.onAcked(frame.largestAcknowledged)
  keys.setPto(pto(parts))
}

function onClose(parts: Parts, frame: ConnectionCloseFrame, now: number): void {
  const isApplication = frame.type === FrameType.ApplicationClose
  const isClean = isApplication || frame.errorCode === ErrorCode.NoError
  parts.close.drain(pto(parts), now)
  recordState(parts, 'draining', now)
  const { errorCode, reason } = frame
  const error = isClean ? undefined : new TransportError(errorCode, reason, frame.frameType)
  tellClosed(parts, { type: 'closed', error, errorCode, isApplication, reason, by: 'peer' }, now)
}

/** RFC 9000 §19.7: only a server sends tokens. */
function onNewToken(parts: Parts, token: Uint8Array): void {
  if (!parts.isClient)
    throw new TransportError(ErrorCode.ProtocolViolation, 'NEW_TOKEN from a client', FrameType.NewToken)
  parts.events.push({ type: 'newToken', token: token.slice() })
}

/** RFC 9000 §19.20. */
function onHandshakeDone(parts: Parts, now: number): void {
  if (!parts.isClient || !parts.handshake.isComplete) {
    throw new TransportError(ErrorCode.ProtocolViolation, 'HANDSHAKE_DONE out of place', FrameType.HandshakeDone)
  }
  confirm(parts, now)
}

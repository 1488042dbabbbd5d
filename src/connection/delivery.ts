// What became of sent packets, told to whoever wrote the frames (RFC 9000 §13.3).

import { Space, spaceOf } from '../packet/level.ts'
import type { FrameOwner } from '../packet/packet-writer.ts'
import type { SentFrame } from '../packet/sent-frame.ts'
import { SentKind } from '../packet/sent-frame.ts'
import type { SentPacket } from '../recovery/sent-packets.ts'
import type { Parts } from './parts.ts'

/** Packets acknowledged and packets lost, as recovery reports them. */
interface Outcome {
  readonly acked: readonly SentPacket[]
  readonly lost: readonly SentPacket[]
  /** Declared lost earlier, acknowledged now. */
  readonly spurious: readonly SentPacket[]
}

export function deliver(parts: Parts, outcome: Outcome): void {
  // Declared lost too early: what is still waiting to be repeated need not be.
  for (const packet of outcome.spurious) {
    for (const frame of packet.frames) ownerOf(parts, packet.space, frame)?.onAcked(frame)
  }
  for (const packet of outcome.acked) {
    for (const frame of packet.frames) ownerOf(parts, packet.space, frame)?.onAcked(frame)
  }
  for (const packet of outcome.lost) {
    parts.stats.packetsLost++
    countRepeated(parts, packet)
    for (const frame of packet.frames) ownerOf(parts, packet.space, frame)?.onLost(frame)
  }
}

/** RFC 9002 §6.2.4: a probe carries what is oldest on the way, without calling it lost. */
export function repeat(parts: Parts, packet: SentPacket): void {
  countRepeated(parts, packet)
  for (const frame of packet.frames) {
    // RFC 9221 §5: not sent again, so not lost either as long as the packet is on its way.
    if (frame.kind !== SentKind.Datagram) ownerOf(parts, packet.space, frame)?.onLost(frame)
  }
}

/** Packets that leave nothing to be repeated are ACKs, probes and datagrams. */
function countRepeated({ stats }: Parts, packet: SentPacket): void {
  let hasContent = false
  for (const { kind, length } of packet.frames) {
    if (kind === SentKind.Stream || kind === SentKind.Crypto) stats.bytesRepeated += length
    hasContent ||= kind !== SentKind.Ack && kind !== SentKind.Ping && kind !== SentKind.Datagram
  }
  if (hasContent) stats.packetsRepeated++
}

/** The probe timeout of the application space, ms. */
export function pto(parts: Parts): number {
  return parts.recovery.probePeriod(Space.Application)
}

function ownerOf(parts: Parts, space: Space, frame: SentFrame): FrameOwner | undefined {
  switch (frame.kind) {
    case SentKind.Ack:
      return parts.spaces[space].received
    case SentKind.Crypto:
      return parts.spaces[spaceOf(frame.level)].crypto
    case SentKind.Stream:
    case SentKind.ResetStream:
    case SentKind.StopSending:
    case SentKind.MaxData:
    case SentKind.MaxStreamData:
    case SentKind.MaxStreams:
    case SentKind.DataBlocked:
    case SentKind.StreamDataBlocked:
    case SentKind.StreamsBlocked:
      return parts.streams
    case SentKind.NewConnectionId:
      return parts.localIds
    case SentKind.RetireConnectionId:
      return parts.peerIds
    case SentKind.PathChallenge:
    case SentKind.PathResponse:
      return parts.path
    case SentKind.HandshakeDone:
      return parts.handshakeDone
    case SentKind.NewToken:
      return parts.newToken
    case SentKind.Datagram:
      return parts.datagrams
    case SentKind.AckFrequency:
    case SentKind.ImmediateAck:
      return parts.ackRequests
    case SentKind.Ping:
    case SentKind.Close:
      return undefined
  }
}

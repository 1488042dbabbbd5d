// What is due becomes frames, packets, a datagram: choose, fill, close (RFC 9000 §12.2, §13, §14.1).

import { TAG_LENGTH } from '../crypto/cipher-suite.ts'
import { writePing } from '../packet/frames/signal.ts'
import { Level, Space, spaceOf } from '../packet/level.ts'
import type { PacketWriter } from '../packet/packet-writer.ts'
import { SentFrame, SentKind } from '../packet/sent-frame.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import { MIN_DATAGRAM_SIZE } from './config.ts'
import { repeat } from './delivery.ts'
import { MIN_PACKET_SPACE, type OpenPacket, openPacket, sealPacket } from './open-packet.ts'
import type { Parts } from './parts.ts'
import { probeSize } from './path-mtu.ts'
import { recordKeys } from './record.ts'
import { fullPing } from './silence.ts'

/** RFC 9000 §10.3: what a packet is longer than our own ids at least, so that a stateless reset can be shorter. */
const MIN_BEYOND_ID = 22
/** First byte, id, packet number, tag. */
const MAX_SHORT_OVERHEAD = 1 + 20 + 4 + TAG_LENGTH
const LEVELS: readonly Level[] = [Level.Initial, Level.ZeroRtt, Level.Handshake, Level.OneRtt]

const pingRecord = new SentFrame(SentKind.Ping)

/** Fills `into` with the next datagram; returns its length, 0 when nothing is due or allowed. */
export function transmitDatagram(parts: Parts, into: Uint8Array, now: number): number {
  if (isAmplificationLimited(parts)) {
    parts.recovery.setAmplificationLimited(true, now)
    return 0
  }
  renewKeys(parts, now)
  const probe = probeSize(parts, into.length, now)
  if (probe > 0) return transmitProbe(parts, into, probe, now)
  const limit = datagramLimit(parts, into)
  if (parts.datagrams.hasDue) parts.datagrams.trim(Math.min(into.length, sizeLimit(parts)) - MAX_SHORT_OVERHEAD)
  let open: OpenPacket | undefined
  let end = 0
  let needsPadding = false
  for (const level of LEVELS) {
    if (!parts.keyring.canSeal(level)) continue
    const start = open === undefined ? end : open.packet.pos + TAG_LENGTH
    if (limit - start < MIN_PACKET_SPACE) break
    const next = fillPacket(parts, level, into, start, limit, now)
    if (next === undefined) continue
    if (open !== undefined) end = sealPacket(parts, open, into, now)
    open = next
    needsPadding ||= mustPad(parts, next.packet)
  }
  if (open === undefined) {
    // RFC 9002 §7.8: what kept us from sending was that there is nothing to send.
    if (parts.recovery.canSend(now)) parts.recovery.setApplicationLimited(true)
    return 0
  }
  if (needsPadding) open.pad(MIN_DATAGRAM_SIZE - TAG_LENGTH)
  end = sealPacket(parts, open, into, now)
  parts.close.onSent()
  parts.path.onSent(end)
  parts.stats.datagramsSent++
  parts.stats.bytesSent += end
  return end
}

/** A datagram of the size that is tried out, and nothing in it that would be missed (RFC 9000 §14.4). */
function transmitProbe(parts: Parts, into: Uint8Array, size: number, now: number): number {
  const open = openPacket(parts, Level.OneRtt, parts.peerIds.current, into, 0, size)
  writePing(open.packet)
  open.packet.record(pingRecord)
  open.pad(size - TAG_LENGTH)
  open.isMtuProbe = true
  parts.mtu.onProbeSent(open.number, size)
  parts.stats.mtuProbesSent++
  const end = sealPacket(parts, open, into, now)
  parts.path.onSent(end)
  parts.stats.datagramsSent++
  parts.stats.bytesSent += end
  return end
}

/** When `transmitDatagram` has something to write, if nothing else happens: an ACK, or what the pacer holds back. */
export function nextTransmitTime(parts: Parts, now: number): number {
  let next = Number.POSITIVE_INFINITY
  if (isAmplificationLimited(parts)) return next
  for (const level of LEVELS) {
    if (!parts.keyring.canSeal(level)) continue
    if (level !== Level.ZeroRtt) next = Math.min(next, parts.spaces[spaceOf(level)].received.ackDeadline)
    // By the window data leaves when an ACK comes: that time is Infinity.
    if (hasDue(parts, level)) next = Math.min(next, parts.recovery.nextSendTime(now))
  }
  return next
}

/** What DATAGRAM frames may take of a packet that carries nothing else. */
export function datagramRoom(parts: Parts): number {
  return sizeLimit(parts) - MAX_SHORT_OVERHEAD
}

/**
 * RFC 9000 §8.1: too little may be sent to be of use. In the handshake that is less than a full datagram; afterwards, to
 * a client that has moved, a small one is enough to ask whether it is there (§8.2.1).
 */
export function isAmplificationLimited(parts: Parts): boolean {
  return parts.path.budget < (parts.handshake.isConfirmed ? MIN_PACKET_SPACE : MIN_DATAGRAM_SIZE)
}

function datagramLimit(parts: Parts, into: Uint8Array): number {
  return Math.min(into.length, sizeLimit(parts), parts.path.budget)
}

function sizeLimit({ handshake, mtu }: Parts): number {
  const peerLimit = handshake.peerParameters?.maxUdpPayloadSize ?? MIN_DATAGRAM_SIZE
  const ours = handshake.isComplete ? mtu.current : MIN_DATAGRAM_SIZE
  return Math.min(ours, Math.max(peerLimit, MIN_DATAGRAM_SIZE))
}

/** RFC 9001 §6.6: new keys before the old ones are used up; without them the connection has to end. */
function renewKeys(parts: Parts, now: number): void {
  const keys = parts.keyring.oneRtt
  if (keys === undefined || !keys.needsUpdate || !parts.close.isOpen) return
  if (parts.handshake.isConfirmed && keys.initiateUpdate(now)) recordKeys(parts, 'local_update', now)
  else if (keys.isConfidentialityLimitReached) {
    throw new TransportError(ErrorCode.AeadLimitReached, 'too many packets under the same keys')
  }
}

/** RFC 9000 §14.1: Initials that ask for an answer, and path probes (§8.2.1), prove that 1,200 bytes get through. */
function mustPad(parts: Parts, packet: PacketWriter): boolean {
  if (packet.level === Level.Initial) return parts.isClient || packet.isAckEliciting
  for (const frame of packet.frames) {
    const { kind } = frame
    if (kind === SentKind.PathChallenge || kind === SentKind.PathResponse || frame === fullPing) return true
  }
  return false
}

function fillPacket(
  parts: Parts,
  level: Level,
  into: Uint8Array,
  start: number,
  limit: number,
  now: number,
): OpenPacket | undefined {
  const space = spaceOf(level)
  const probes = parts.recovery.pendingProbes(space)
  const mayElicit = probes > 0 || parts.recovery.canSend(now)
  const { received } = parts.spaces[space]
  const isAckDue = level !== Level.ZeroRtt && received.isAckDue(now)
  const hasMore = probes > 0 || (hasDue(parts, level) && mayElicitOrNote(parts, mayElicit))
  if (!parts.close.isDue && !isAckDue && !hasMore) return undefined

  const open = openPacket(parts, level, parts.peerIds.current, into, start, limit)
  open.isProbe = probes > 0
  if (parts.close.isDue) parts.close.write(open.packet)
  else writeFrames(parts, open.packet, space, probes, mayElicit, hasMore, now)
  if (open.packet.frames.length === 0) return undefined
  // RFC 9001 §5.4.2: the header protection sample starts four bytes after the packet number's first.
  open.pad(Math.max(open.numberOffset + 4, start + MIN_BEYOND_ID + parts.localId.length - TAG_LENGTH))
  return open
}

/** RFC 9002 §7.8: what is held back by window or pacer shows that the window is used in full. */
function mayElicitOrNote(parts: Parts, mayElicit: boolean): boolean {
  if (!mayElicit) parts.recovery.setApplicationLimited(false)
  return mayElicit
}

/** Is there anything to say at this level that asks for an ACK? Cheap: asked for every level of every datagram. */
function hasDue(parts: Parts, level: Level): boolean {
  if (level === Level.ZeroRtt) return parts.streams.hasDataToSend || parts.datagrams.hasDue
  if (parts.spaces[spaceOf(level)].crypto.hasDataToSend) return true
  if (level !== Level.OneRtt) return false
  return (
    parts.streams.hasDataToSend ||
    parts.handshakeDone.hasDue ||
    parts.newToken.hasDue ||
    parts.ackRequests.hasDue ||
    parts.path.hasDue ||
    parts.localIds.hasDue ||
    parts.peerIds.hasDue ||
    parts.datagrams.hasDue ||
    parts.silence.hasDue
  )
}

function writeFrames(
  parts: Parts,
  packet: PacketWriter,
  space: Space,
  probes: number,
  mayElicit: boolean,
  hasMore: boolean,
  now: number,
): void {
  const { received, crypto } = parts.spaces[space]
  // Whoever does not answer may not have heard us either.
  if (probes > 0 && packet.level !== Level.ZeroRtt) received.repeat()
  // Before an ACK that fills a small datagram: what validates a path lets larger ones follow.
  if (mayElicit) parts.path.write(packet, now)
  if (packet.level !== Level.ZeroRtt) received.write(packet, now, hasMore)
  if (!mayElicit) return
  if (probes > 0) prepareProbe(parts, space, packet.remaining)
  if (packet.level !== Level.ZeroRtt) crypto.write(packet)
  if (packet.level === Level.OneRtt) writeControl(parts, packet, now)
  if (space === Space.Application) {
    writeApplication(parts, packet, now)
    parts.ackRequests.writeImmediate(packet, probes > 0, !parts.streams.hasDataToSend, now)
  }
  if (probes > 0 && !packet.isAckEliciting && packet.remaining > 0) {
    writePing(packet)
    packet.record(pingRecord)
  }
}

/** RFC 9221 §5.1: a datagram lets the data of more urgent streams go before it. */
function writeApplication({ datagrams, streams }: Parts, packet: PacketWriter, now: number): void {
  for (let urgency = datagrams.urgency; urgency >= 0; urgency = datagrams.urgency) {
    if (urgency > 0) streams.write(packet, now, urgency)
    if (!datagrams.write(packet)) break
  }
  streams.write(packet, now)
}

function writeControl(parts: Parts, packet: PacketWriter, now: number): void {
  parts.ackRequests.write(packet, now)
  parts.handshakeDone.write(packet)
  parts.newToken.write(packet)
  parts.localIds.write(packet)
  parts.peerIds.write(packet)
  parts.silence.write(packet)
}

/** RFC 9002 §6.2.4: a probe says again what is longest unanswered, as much of it as there is room for. */
function prepareProbe(parts: Parts, space: Space, room: number): void {
  const { crypto } = parts.spaces[space]
  if (space !== Space.Application) {
    // The second probe goes on where the first one stopped.
    if (!crypto.hasDataToSend) crypto.resend()
    return
  }
  let left = room
  let packet = parts.recovery.takeProbeContent(space)
  while (packet !== undefined) {
    repeat(parts, packet)
    left -= packet.size
    packet = parts.recovery.takeProbeContent(space, left)
  }
}

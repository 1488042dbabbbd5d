// A packet on its way out: a header, room for frames, protection, and what recovery is told of it (RFC 9000 §17, §12.3).

import type { Writer } from '../bytes/writer.ts'
import { TAG_LENGTH } from '../crypto/cipher-suite.ts'
import { writeLongHeader, writeShortHeader } from '../packet/header.ts'
import { Level, spaceOf } from '../packet/level.ts'
import { packetNumberLength, writePacketNumber } from '../packet/packet-number.ts'
import { PacketWriter } from '../packet/packet-writer.ts'
import { SentPacket } from '../recovery/sent-packets.ts'
import { discardLevel } from './handshake.ts'
import type { Parts } from './parts.ts'
import { countEarly } from './stats.ts'

/** Less than this is not worth a packet: a short header, a frame or two, the tag. */
export const MIN_PACKET_SPACE = 80
/** A long header's two-byte length holds no more (RFC 9000 §16). */
const MAX_LONG_PACKET = 16_000

/** A packet whose frames are written but which is not sealed: it may still be padded. */
export class OpenPacket {
  readonly packet: PacketWriter
  readonly start: number
  /** Offset of the length field; -1 in a short header. */
  readonly lengthAt: number
  readonly numberOffset: number
  readonly numberLength: number
  readonly number: number
  isPadded = false
  isMtuProbe = false
  isOffPath = false
  /** Sent because the probe timer fired. */
  isProbe = false

  constructor(
    packet: PacketWriter,
    start: number,
    lengthAt: number,
    numberOffset: number,
    numberLength: number,
    number: number,
  ) {
    this.packet = packet
    this.start = start
    this.lengthAt = lengthAt
    this.numberOffset = numberOffset
    this.numberLength = numberLength
    this.number = number
  }

  /** PADDING up to offset `to` of the datagram. */
  pad(to: number): void {
    const missing = Math.min(to, this.packet.end) - this.packet.pos
    if (missing <= 0) return
    this.packet.zeros(missing)
    this.isPadded = true
  }
}

/** A header, and behind it room for frames. */
export function openPacket(
  parts: Parts,
  level: Level,
  destination: Uint8Array,
  into: Uint8Array,
  start: number,
  limit: number,
): OpenPacket {
  const space = spaceOf(level)
  const number = parts.recovery.nextNumber(space)
  const numberLength = packetNumberLength(number, parts.recovery.largestAcknowledged(space))
  const end = (level === Level.OneRtt ? limit : Math.min(limit, start + MAX_LONG_PACKET)) - TAG_LENGTH
  const packet = new PacketWriter(level, into, start, end)
  const lengthAt = writeHeader(parts, packet, level, destination, numberLength)
  const numberOffset = packet.pos
  writePacketNumber(packet, number, numberLength)
  parts.firstByte.grease(into, start)
  return new OpenPacket(packet, start, lengthAt, numberOffset, numberLength, number)
}

export function sealPacket(parts: Parts, open: OpenPacket, into: Uint8Array, now: number): number {
  const { packet, start, numberOffset, numberLength, number } = open
  const { level } = packet
  if (open.lengthAt >= 0) packet.patchVarint2(open.lengthAt, packet.pos + TAG_LENGTH - numberOffset)
  if (parts.recorder.enabled) {
    parts.recorder.packetSent(
      level,
      number,
      packet.pos + TAG_LENGTH - start,
      into.slice(numberOffset + numberLength, packet.pos),
      open.isMtuProbe ? 'mtu_probe' : open.isProbe ? 'pto_probe' : undefined,
      now,
    )
  }
  const end = parts.keyring.seal(level, into, start, numberOffset, numberLength, packet.pos, number)
  parts.stats.packetsSent++
  if (level === Level.ZeroRtt) countEarly(parts.stats, end - start)
  if (packet.isAckEliciting) parts.idle.onAckElicitingSent(now)
  // RFC 9002 §2: in flight is what asks for an ACK, or is padded.
  const isInFlight = packet.isAckEliciting || open.isPadded
  const space = spaceOf(level)
  const record = new SentPacket(
    number,
    space,
    now,
    end - start,
    packet.isAckEliciting,
    isInFlight,
    packet.frames,
    level === Level.ZeroRtt,
  )
  record.isMtuProbe = open.isMtuProbe
  record.isOffPath = open.isOffPath
  parts.recovery.onPacketSent(record)
  // RFC 9001 §4.9.1: a client has no use for Initial keys once it sends under Handshake keys.
  if (parts.isClient && level === Level.Handshake) discardLevel(parts, Level.Initial, now)
  return end
}

function writeHeader(parts: Parts, w: Writer, level: Level, destination: Uint8Array, numberLength: number): number {
  if (level === Level.OneRtt) {
    writeShortHeader(w, destination, parts.keyring.oneRtt?.phase ?? 0, parts.firstByte.spin(destination), numberLength)
    return -1
  }
  // RFC 9369 §4.1: early data keeps the version it began with.
  const version = level === Level.ZeroRtt ? parts.versions.original : parts.versions.current
  return writeLongHeader(w, level, version, destination, parts.localId, parts.token, numberLength)
}

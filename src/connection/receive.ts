// A datagram becomes packets, packets become plaintext (RFC 9000 §5.2, §12.2; RFC 9001 §5.5).

import { equal } from '../bytes/equal.ts'
import { type PacketHeader, PacketKind, readHeader } from '../packet/header.ts'
import { Level, spaceOf } from '../packet/level.ts'
import { decodePacketNumber, readTruncated } from '../packet/packet-number.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import { MIN_DATAGRAM_SIZE } from './config.ts'
import { deliver } from './delivery.ts'
import { drop } from './drop.ts'
import { ACK_ELICITING, dispatchFrames, HAS_CRYPTO, NON_PROBING, type Origin } from './frame-dispatch.ts'
import { adoptVersion, discardLevel, pumpHandshake } from './handshake.ts'
import { countMemory } from './memory.ts'
import { followPeer } from './migration.ts'
import type { Parts } from './parts.ts'
import { type Address, isSameAddress } from './path.ts'
import { recordKeys, recordState } from './record.ts'
import { countEarly } from './stats.ts'
import { onRetry, onVersionNegotiation } from './unprotected.ts'

/**
 * Takes one datagram apart. The datagram is changed in place (header protection) and not kept. Throws a TransportError
 * or TlsAlert when the peer, authenticated, breaks a rule; everything else that is wrong is dropped and counted.
 */
export function receiveDatagram(parts: Parts, datagram: Uint8Array, from: Address, now: number): void {
  parts.stats.datagramsReceived++
  parts.stats.bytesReceived += datagram.length
  if (parts.recorder.enabled) parts.recorder.datagramReceived(datagram.length, now)
  if (parts.isClient) parts.path.turnTo(from)
  if (isSameAddress(from, parts.path.remote)) onPathReceived(parts, datagram.length, now)
  // RFC 9000 §9: servers do not move, but a client may.
  else if (parts.isClient && !parts.path.isKnown(from) && !parts.departure.isFrom(from))
    return drop(parts, datagram, 'rejected', false, now)
  const { greaseQuicBit } = parts.transport.parameters
  let first: PacketHeader | undefined
  for (let pos = 0; pos < datagram.length && parts.close.isOpen; ) {
    const header = readHeader(datagram, pos, parts.localId.length, greaseQuicBit)
    if (header === undefined) return drop(parts, datagram, 'invalid', first === undefined, now)
    // RFC 9000 §12.2: packets of one datagram share a connection.
    if (first !== undefined && !equal(first.destination, header.destination))
      drop(parts, datagram, 'invalid', false, now)
    else receivePacket(parts, datagram, header, from, now)
    first ??= header
    pos = header.end
  }
  // Keys that came with this datagram may open what came before it.
  takeUpParked(parts, now)
}

/** What came before its keys, as far as they are there now. */
export function takeUpParked(parts: Parts, now: number): void {
  if (!parts.parked.isEmpty) unpark(parts, now)
  countMemory(parts)
}

/** RFC 9000 §8.1: three bytes of credit for each, until the address is validated. */
function onPathReceived(parts: Parts, bytes: number, now: number): void {
  parts.path.onReceived(bytes)
  if (!parts.path.isValidated) unblock(parts, now)
}

/** RFC 9002 §6.2.2.1: a timer that would have fired while we were not allowed to send fires now. */
function unblock(parts: Parts, now: number): void {
  const { recovery } = parts
  recovery.setAmplificationLimited(false, now)
  if (now >= recovery.nextTimeout()) deliver(parts, recovery.onTimeout(now))
}

function unpark(parts: Parts, now: number): void {
  const { keyring, parked } = parts
  const { greaseQuicBit } = parts.transport.parameters
  for (let packet = parked.take(canOpen); packet !== undefined; packet = parked.take(canOpen)) {
    if (!parts.close.isOpen) return
    const header = readHeader(packet.bytes, 0, parts.localId.length, greaseQuicBit)
    if (header !== undefined) receiveProtected(parts, packet.bytes, header, packet.from, packet.arrivedAt, now)
  }
  function canOpen(level: Level): boolean {
    return keyring.canOpen(level)
  }
}

function receivePacket(parts: Parts, datagram: Uint8Array, header: PacketHeader, from: Address, now: number): void {
  switch (header.kind) {
    case PacketKind.Retry:
      return onRetry(parts, datagram, header, now)
    case PacketKind.VersionNegotiation:
      return onVersionNegotiation(parts, datagram, header, now)
    case PacketKind.UnknownVersion:
      return drop(parts, datagram, 'unsupported', header.start === 0, now)
    default: {
      const level: Level = header.kind
      // RFC 9000 §10.3.1: what cannot be opened may be a stateless reset, whatever its header says.
      if (!isExpected(parts, datagram, header, level)) return drop(parts, datagram, 'invalid', header.start === 0, now)
      if (parts.keyring.canOpen(level)) return receiveProtected(parts, datagram, header, from, now, now)
      if (parts.keyring.isDiscarded(level)) return drop(parts, datagram, 'key_unavailable', header.start === 0, now)
      const packet = datagram.subarray(header.start, header.end)
      if (!parts.parked.park(level, packet, from, now)) return drop(parts, datagram, 'rejected', false, now)
      parts.stats.packetsParked++
      if (parts.recorder.enabled) parts.recorder.packetBuffered(level, packet.length, now)
    }
  }
}

/** What an attacker without keys can be told apart by. */
function isExpected(parts: Parts, datagram: Uint8Array, header: PacketHeader, level: Level): boolean {
  if (level === Level.OneRtt) return true
  if (!isVersionExpected(parts, header.version, level)) return false
  // RFC 9000 §14.1: a server takes no Initial in a small datagram; 0-RTT flows one way only.
  if (level === Level.Initial && !parts.isClient && datagram.length < MIN_DATAGRAM_SIZE) return false
  if (level === Level.ZeroRtt && parts.isClient) return false
  // RFC 9000 §17.2.2: only clients bring tokens.
  if (parts.isClient && header.token.length > 0) return false
  // RFC 9000 §7.2: the peer's id does not change during the handshake.
  const { peerSource } = parts.handshake.expected
  return peerSource === undefined || equal(peerSource, header.source)
}

/** RFC 9369 §4.1: Initial packets may have either version until both sides know, 0-RTT keeps the first one. */
function isVersionExpected({ versions, isClient }: Parts, version: number, level: Level): boolean {
  if (level === Level.ZeroRtt) return version === versions.original
  if (version === versions.current) return true
  return isClient ? versions.mayBecome(version) : level === Level.Initial && version === versions.original
}

/** A packet for which there are keys: opens it, and drops what does not open. It may have waited for them. */
function receiveProtected(
  parts: Parts,
  datagram: Uint8Array,
  header: PacketHeader,
  from: Address,
  arrivedAt: number,
  now: number,
): void {
  const { keyring } = parts
  const level = header.kind as Level
  const { received } = parts.spaces[spaceOf(level)]
  const { start, end, numberOffset } = header
  const { generation } = keyring
  const numberLength = keyring.unmask(level, datagram, start, numberOffset)
  const truncated = readTruncated(datagram, numberOffset, numberLength)
  const number = decodePacketNumber(truncated, numberLength, received.largest)
  const plaintext = keyring.open(level, datagram, start, numberOffset + numberLength, end, number, now)
  if (plaintext === undefined) {
    if (keyring.isIntegrityLimitReached) throw new TransportError(ErrorCode.AeadLimitReached, 'too many forged packets')
    return drop(parts, datagram, 'decryption_failure', true, now)
  }
  if (keyring.generation !== generation) recordKeys(parts, 'remote_update', now)
  // RFC 9000 §17.2, §17.3.1: reserved bits are checked once they are authenticated.
  const reserved = level === Level.OneRtt ? 0x18 : 0x0c
  if (((datagram[start] as number) & reserved) !== 0) {
    throw new TransportError(ErrorCode.ProtocolViolation, 'reserved header bits are set')
  }
  if (parts.departure.hasLeft(from, number)) return drop(parts, datagram, 'rejected', false, now)
  if (received.isDuplicate(number)) return drop(parts, datagram, 'duplicate', false, now)
  if (parts.recorder.enabled) parts.recorder.packetReceived(level, number, end - start, plaintext, now)
  onPlaintext(parts, plaintext, number, { header, from, size: datagram.length, arrivedAt }, now)
}

/** What an authentic packet says. */
function onPlaintext(parts: Parts, plaintext: Uint8Array, number: number, origin: Origin, now: number): void {
  const { header } = origin
  const level = header.kind as Level
  const { received } = parts.spaces[spaceOf(level)]
  parts.stats.packetsReceived++
  if (level === Level.ZeroRtt) countEarly(parts.stats, header.end - header.start)
  onAuthenticated(parts, header, level, now)
  const isNewest = number > received.largest
  const seen = dispatchFrames(parts, plaintext, level, origin, now)
  if (!parts.close.isOpen) return
  // RFC 9000 §13.2.5: what it waited for its keys is part of the ACK delay.
  received.onReceived(number, (seen & ACK_ELICITING) !== 0, origin.arrivedAt)
  parts.idle.onReceived(now)
  if (level === Level.OneRtt && isNewest && (seen & NON_PROBING) !== 0) followPeer(parts, origin, now)
  if ((seen & HAS_CRYPTO) === 0) return
  // RFC 9369 §4.1: the server's CRYPTO frames have the negotiated version.
  if (parts.isClient) parts.versions.settle(parts.versions.current)
  pumpHandshake(parts, now)
}

/** What the mere fact of an authentic packet at a level says (RFC 9000 §7.2, §8.1; RFC 9001 §4.9.1). */
function onAuthenticated(parts: Parts, header: PacketHeader, level: Level, now: number): void {
  const { expected } = parts.handshake
  parts.path.settle()
  if (expected.peerSource === undefined && level !== Level.OneRtt) {
    expected.peerSource = header.source.slice()
    parts.peerIds.setInitial(header.source)
  }
  // RFC 9369 §4.1: the first version of the server that is not ours is the negotiated one.
  if (parts.isClient && level === Level.Initial && header.version !== parts.versions.current) {
    adoptVersion(parts, header.version, now)
  }
  if (parts.isClient || level !== Level.Handshake) return
  if (!parts.path.isValidated) recordState(parts, 'peer_validated', now)
  parts.path.validate()
  unblock(parts, now)
  discardLevel(parts, Level.Initial, now)
}

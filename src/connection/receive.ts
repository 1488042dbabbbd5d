// A datagram becomes packets, packets become plaintext (RFC 9000 §5.2, §12.2; RFC 9001 §5.5).

import { equal } from '../bytes/equal.ts'
import { isRetryTagValid } from '../crypto/retry-integrity.ts'
import { type PacketHeader, PacketKind, readHeader } from '../packet/header.ts'
import { Level, spaceOf } from '../packet/level.ts'
import { decodePacketNumber, readTruncated } from '../packet/packet-number.ts'
import { readRetry } from '../packet/retry.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import { readVersionNegotiation } from '../packet/version.ts'
import { MIN_DATAGRAM_SIZE } from './config.ts'
import { pto } from './delivery.ts'
import { ACK_ELICITING, dispatchFrames, HAS_CRYPTO, NON_PROBING } from './frame-dispatch.ts'
import { discardEarlyKeys, discardLevel, pumpHandshake, restartAfterRetry } from './handshake.ts'
import type { Parts } from './parts.ts'
import { type Address, isSameAddress } from './path.ts'

/**
 * Takes one datagram apart. The datagram is changed in place (header protection) and not kept. Throws a TransportError
 * or TlsAlert when the peer, authenticated, breaks a rule; everything else that is wrong is dropped and counted.
 */
export function receiveDatagram(parts: Parts, datagram: Uint8Array, from: Address, now: number): void {
  parts.stats.datagramsReceived++
  parts.stats.bytesReceived += datagram.length
  if (isSameAddress(from, parts.path.remote)) {
    parts.path.onReceived(datagram.length)
    if (!parts.path.isValidated) parts.recovery.setAmplificationLimited(false, now)
  }
  let first: PacketHeader | undefined
  for (let pos = 0; pos < datagram.length && parts.close.isOpen; ) {
    const header = readHeader(datagram, pos, parts.localId.length)
    if (header === undefined) return drop(parts, datagram, first === undefined, now)
    // RFC 9000 §12.2: packets of one datagram share a connection.
    if (first !== undefined && !equal(first.destination, header.destination)) drop(parts, datagram, false, now)
    else receivePacket(parts, datagram, header, from, now)
    first ??= header
    pos = header.end
  }
  // Keys that came with this datagram may open what came before it.
  unpark(parts, now)
}

function unpark(parts: Parts, now: number): void {
  const { keyring, parked } = parts
  for (let packet = parked.take(canOpen); packet !== undefined; packet = parked.take(canOpen)) {
    if (!parts.close.isOpen) return
    const header = readHeader(packet.bytes, 0, parts.localId.length)
    if (header !== undefined) receiveProtected(parts, packet.bytes, header, packet.level, packet.from, now)
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
      return drop(parts, datagram, header.start === 0, now)
    default: {
      const level: Level = header.kind
      if (!isExpected(parts, datagram, header, level)) return drop(parts, datagram, false, now)
      if (parts.keyring.canOpen(level)) return receiveProtected(parts, datagram, header, level, from, now)
      if (parts.keyring.isDiscarded(level)) return drop(parts, datagram, false, now)
      const packet = datagram.subarray(header.start, header.end)
      if (parts.parked.park(level, packet, from)) parts.stats.packetsParked++
      else drop(parts, datagram, false, now)
    }
  }
}

/** What an attacker without keys can be told apart by. */
function isExpected(parts: Parts, datagram: Uint8Array, header: PacketHeader, level: Level): boolean {
  if (level === Level.OneRtt) return true
  if (header.version !== parts.version) return false
  // RFC 9000 §14.1: a server takes no Initial in a small datagram; 0-RTT flows one way only.
  if (level === Level.Initial && !parts.isClient && datagram.length < MIN_DATAGRAM_SIZE) return false
  if (level === Level.ZeroRtt && parts.isClient) return false
  // RFC 9000 §7.2: the peer's id does not change during the handshake.
  const { peerSource } = parts.handshake.expected
  return peerSource === undefined || equal(peerSource, header.source)
}

function receiveProtected(
  parts: Parts,
  datagram: Uint8Array,
  header: PacketHeader,
  level: Level,
  from: Address,
  now: number,
): void {
  const { keyring } = parts
  const { received } = parts.spaces[spaceOf(level)]
  const { start, end, numberOffset } = header
  const numberLength = keyring.unmask(level, datagram, start, numberOffset)
  const truncated = readTruncated(datagram, numberOffset, numberLength)
  const number = decodePacketNumber(truncated, numberLength, received.largest)
  const payloadStart = numberOffset + numberLength
  const plaintext = keyring.open(level, datagram, start, payloadStart, end, number, now)
  if (plaintext === undefined) {
    if (keyring.isIntegrityLimitReached) throw new TransportError(ErrorCode.AeadLimitReached, 'too many forged packets')
    return drop(parts, datagram, true, now)
  }
  // RFC 9000 §17.2, §17.3.1: reserved bits are checked once they are authenticated.
  const reserved = level === Level.OneRtt ? 0x18 : 0x0c
  if (((datagram[start] as number) & reserved) !== 0) {
    throw new TransportError(ErrorCode.ProtocolViolation, 'reserved header bits are set')
  }
  if (received.isDuplicate(number)) return drop(parts, datagram, false, now)
  parts.stats.packetsReceived++
  if (level === Level.ZeroRtt) parts.stats.earlyPackets++
  if (parts.recorder.enabled) parts.recorder.packetReceived(level, number, end - start, plaintext, now)
  onAuthenticated(parts, header, level, now)

  const isNewest = number > received.largest
  const seen = dispatchFrames(parts, plaintext, level, header, now)
  received.onReceived(number, (seen & ACK_ELICITING) !== 0, now)
  parts.idle.onReceived(now)
  if (level === Level.OneRtt && isNewest && (seen & NON_PROBING) !== 0) followPeer(parts, from, datagram.length, now)
  if ((seen & HAS_CRYPTO) !== 0) pumpHandshake(parts, now)
}

/** What the mere fact of an authentic packet at a level says (RFC 9000 §7.2, §8.1; RFC 9001 §4.9.1). */
function onAuthenticated(parts: Parts, header: PacketHeader, level: Level, now: number): void {
  const { expected } = parts.handshake
  if (expected.peerSource === undefined && level !== Level.OneRtt) {
    expected.peerSource = header.source.slice()
    parts.peerIds.setInitial(header.source)
  }
  if (parts.isClient) return
  if (level === Level.Handshake) {
    parts.path.validate()
    parts.recovery.setAmplificationLimited(false, now)
    discardLevel(parts, Level.Initial, now)
  } else if (level === Level.OneRtt && parts.handshake.earlyKeysDeadline < now) {
    discardEarlyKeys(parts)
  }
}

/** RFC 9000 §9.3: a server follows a client whose newest packet came from another address. */
function followPeer(parts: Parts, from: Address, received: number, now: number): void {
  if (parts.isClient || !parts.handshake.isConfirmed || isSameAddress(from, parts.path.remote)) return
  parts.path.migrate(from, received, parts.deps.backend.random(8), now + 3 * pto(parts))
}

/** RFC 9000 §17.2.5.2: at most one Retry, and only before any other packet of the server. */
function onRetry(parts: Parts, datagram: Uint8Array, header: PacketHeader, now: number): void {
  const { expected } = parts.handshake
  const retry = readRetry(datagram, header)
  const isUsable =
    parts.isClient &&
    retry !== undefined &&
    retry.token.length > 0 &&
    header.version === parts.version &&
    expected.retrySource === undefined &&
    expected.peerSource === undefined &&
    isRetryTagValid(parts.deps.backend, parts.version, expected.originalDestination, retry.pseudo, retry.tag)
  if (!isUsable) return drop(parts, datagram, false, now)
  restartAfterRetry(parts, header.source, retry.token, now)
}

/** RFC 9000 §6.2: we speak one version, so an offer that lacks it ends the attempt; any other is ignored. */
function onVersionNegotiation(parts: Parts, datagram: Uint8Array, header: PacketHeader, now: number): void {
  const { expected } = parts.handshake
  const versions = readVersionNegotiation(datagram)
  const isUsable =
    parts.isClient &&
    versions !== undefined &&
    !versions.includes(parts.version) &&
    expected.peerSource === undefined &&
    expected.retrySource === undefined &&
    equal(header.source, expected.originalDestination)
  if (!isUsable) return drop(parts, datagram, false, now)
  parts.close.terminate()
  const offered = versions.map(version => `0x${version.toString(16)}`).join(', ')
  const reason = `the server speaks no version of ours, only ${offered || 'none'}`
  const error = new TransportError(ErrorCode.VersionNegotiationError, reason)
  parts.events.push({ type: 'closed', error, errorCode: error.code, isApplication: false, reason, by: 'peer' })
}

/** Not for us, or not from our peer. It may still be a stateless reset (RFC 9000 §10.3.1). */
function drop(parts: Parts, datagram: Uint8Array, mayBeReset: boolean, now: number): void {
  parts.stats.packetsDropped++
  if (parts.recorder.enabled) parts.recorder.packetDropped(datagram.length, now)
  if (!mayBeReset || !parts.peerIds.isStatelessReset(datagram)) return
  const reason = 'the peer lost its state (stateless reset)'
  parts.close.drain(pto(parts), now)
  const error = new TransportError(ErrorCode.NoError, reason)
  parts.events.push({ type: 'closed', error, errorCode: 0, isApplication: false, reason, by: 'reset' })
}

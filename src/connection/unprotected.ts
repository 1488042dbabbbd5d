// Packets that no key protects: Retry and Version Negotiation (RFC 9000 §6.2, §17.2.5). Both only for a client that has
// heard nothing else yet.

import { equal } from '../bytes/equal.ts'
import { isRetryTagValid } from '../crypto/retry-integrity.ts'
import type { PacketHeader } from '../packet/header.ts'
import { readRetry } from '../packet/retry.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import { readVersionNegotiation } from '../packet/version.ts'
import { MAX_TOKEN_LENGTH } from './config.ts'
import { drop } from './drop.ts'
import { tellClosed } from './ending.ts'
import { beginAgain, restartAfterRetry } from './handshake.ts'
import type { Parts } from './parts.ts'
import { recordOffer, recordUnprotected } from './record.ts'

/** RFC 9000 §17.2.5.2: at most one Retry, and only before any other packet of the server. */
export function onRetry(parts: Parts, datagram: Uint8Array, header: PacketHeader, now: number): void {
  const { expected } = parts.handshake
  const retry = readRetry(datagram, header)
  const isUsable =
    isAwaited(parts, header) &&
    retry !== undefined &&
    retry.token.length <= MAX_TOKEN_LENGTH &&
    header.version === parts.versions.original &&
    // RFC 9000 §17.2.5.1: a Retry brings a new id.
    !equal(header.source, expected.originalDestination) &&
    isRetryTagValid(parts.deps.backend, header.version, expected.originalDestination, retry.pseudo, retry.tag)
  if (!isUsable) return drop(parts, datagram, 'invalid', header.start === 0, now)
  recordUnprotected(parts, 'retry', header.end - header.start, [], now)
  parts.path.settle()
  restartAfterRetry(parts, header.source, retry.token, now)
}

/**
 * RFC 9000 §6.2, RFC 9368 §2.1: an offer that lacks the version we began with makes us begin again with another of ours,
 * once; without any it ends the attempt. Any other offer is ignored.
 */
export function onVersionNegotiation(parts: Parts, datagram: Uint8Array, header: PacketHeader, now: number): void {
  const versions = readVersionNegotiation(datagram)
  const isUsable =
    isAwaited(parts, header) &&
    versions !== undefined &&
    !parts.versions.hasBegunAgain &&
    !versions.includes(parts.versions.original) &&
    equal(header.source, parts.handshake.expected.originalDestination)
  if (!isUsable) return drop(parts, datagram, 'invalid', header.start === 0, now)
  recordUnprotected(parts, 'version_negotiation', datagram.length, versions, now)
  const chosen = parts.versions.choose(versions)
  recordOffer(parts, versions, chosen, now)
  if (chosen === undefined) giveUp(parts, versions, now)
  else beginAgain(parts, chosen, now)
}

function giveUp(parts: Parts, versions: readonly number[], now: number): void {
  parts.close.terminate()
  parts.localIds.retireAll()
  const offered = versions.map(version => `0x${version.toString(16)}`).join(', ')
  const reason = `the server speaks no version of ours, only ${offered || 'none'}`
  const error = new TransportError(ErrorCode.VersionNegotiationError, reason)
  tellClosed(parts, { type: 'closed', error, errorCode: error.code, isApplication: false, reason, by: 'peer' }, now)
}

/** Addressed to a client that has had no other answer. */
function isAwaited(parts: Parts, header: PacketHeader): boolean {
  const { retrySource, peerSource } = parts.handshake.expected
  const isFirst = retrySource === undefined && peerSource === undefined
  return parts.isClient && isFirst && equal(header.destination, parts.localId)
}

// CRYPTO streams to TLS and back: secrets become keys, parameters become limits (RFC 9001 §4).

import { equal } from '../bytes/equal.ts'
import { groupName } from '../crypto/backend.ts'
import { limits } from '../limits.ts'
import { Level, spaceOf } from '../packet/level.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import { readTransportParameters, type TransportParameters } from '../packet/transport-parameters.ts'
import type { VersionInformation } from '../packet/version-information.ts'
import type { TlsOutput } from '../tls13/session.ts'
import { assertNotReduced, readRemembered } from '../zero-rtt/remembered-parameters.ts'
import { deliver, pto } from './delivery.ts'
import { HandshakeState } from './handshake-state.ts'
import { Keyring } from './keyring.ts'
import { followPreferred } from './migration.ts'
import { packetSpaces, withoutSpace } from './packet-space.ts'
import type { Parts } from './parts.ts'
import {
  recordAlpn,
  recordParameters,
  recordRepeated,
  recordSecret,
  recordState,
  recordTls,
  recordVersion,
} from './record.ts'
import { streamLimits } from './stream-limits.ts'

/** Tickets that are passed on; a server that sends more wants to fill somebody's store. */
export const MAX_TICKETS: number = limits.tickets

/** Feeds TLS what the CRYPTO streams have in order, and acts on what it answers. */
export function pumpHandshake(parts: Parts, now: number): void {
  for (const space of parts.spaces) {
    for (let bytes = space.crypto.receive(); bytes !== undefined; bytes = space.crypto.receive()) {
      parts.handshake.tls.receive(space.level, bytes, now + parts.timeOrigin)
      drainTls(parts, now)
    }
  }
}

export function drainTls(parts: Parts, now: number): void {
  const { tls } = parts.handshake
  for (let output = tls.poll(); output !== undefined; output = tls.poll()) onOutput(parts, output, now)
}

/** Early requests are on their way to who answers them: now the flight that the server owes. */
export function makeFlight(parts: Parts, now: number): void {
  parts.handshake.tls.makeFlight()
  drainTls(parts, now)
}

function onOutput(parts: Parts, output: TlsOutput, now: number): void {
  switch (output.type) {
    case 'send':
      parts.spaces[spaceOf(output.level)].crypto.send(output.bytes)
      return
    case 'secret':
      parts.keyring.install(output.level, output.direction, output.suite, output.secret)
      if (output.level === Level.Handshake) parts.recovery.onHandshakeKeys()
      recordSecret(parts, output.level, output.direction === 'write', now)
      return
    case 'peerParameters':
      onPeerParameters(parts, output.bytes, now)
      return
    case 'protocol':
      parts.handshake.alpn = output.alpn
      parts.handshake.granted = output.authorization
      recordAlpn(parts, output.alpn, now)
      return
    case 'earlyData':
      parts.handshake.earlyData = output.accepted ? 'accepted' : 'rejected'
      if (!output.accepted) rejectEarlyData(parts, now)
      if (!parts.isClient) tellVerdict(parts, output)
      return
    case 'admissionWanted':
    case 'certificateWanted':
    case 'signatureWanted':
      parts.events.push(output)
      return
    case 'ticket':
      onTicket(parts, output)
      return
    case 'complete':
      onComplete(parts, output, now)
  }
}

function tellVerdict(parts: Parts, { accepted, refusal, skew, authorization }: EarlyDataOutput): void {
  parts.events.push({ type: 'earlyDataJudged', accepted, refusal, skew, authorization })
}

function onPeerParameters(parts: Parts, bytes: Uint8Array, now: number): void {
  const parameters = readTransportParameters(bytes, parts.isClient ? 'server' : 'client')
  checkIds(parts, parameters)
  agreeOnVersion(parts, parameters.versionInformation, now)
  recordParameters(parts, 'remote', parameters, now)
  parts.handshake.peerParameters = parameters
  // What tickets go with.
  if (parts.isClient) parts.handshake.peerParameterBytes = bytes.slice()
  // A server may answer early requests before the client's Finished; a client waits until the server is proven.
  if (!parts.isClient) applyParameters(parts, parameters)
}

function agreeOnVersion(parts: Parts, information: VersionInformation | undefined, now: number): void {
  const { versions, isClient } = parts
  if (isClient) return versions.check(information)
  const version = versions.answer(information)
  if (version !== versions.current) adoptVersion(parts, version, now)
}

/** RFC 9369 §4.1: from here on packets have another version than the client's first. */
export function adoptVersion(parts: Parts, version: number, now: number): void {
  parts.versions.settle(version)
  parts.keyring.setVersion(version)
  recordVersion(parts, now)
}

/** RFC 9000 §7.3: what the packets' headers said, repeated under authentication. */
function checkIds(parts: Parts, parameters: TransportParameters): void {
  const { expected } = parts.handshake
  if (!isSame(parameters.initialSourceConnectionId, expected.peerSource)) throw mismatch('initial_source')
  if (!parts.isClient) return
  if (!isSame(parameters.originalDestinationConnectionId, expected.originalDestination)) {
    throw mismatch('original_destination')
  }
  if (!isSame(parameters.retrySourceConnectionId, expected.retrySource)) throw mismatch('retry_source')
  // RFC 9000 §18.2: a server without an id has none to give at another address either.
  if (parameters.preferredAddress !== undefined && expected.peerSource?.length === 0) {
    throw new TransportError(ErrorCode.TransportParameterError, 'preferred_address of a server without an id')
  }
}

function isSame(given: Uint8Array | undefined, expected: Uint8Array | undefined): boolean {
  return given === undefined || expected === undefined ? given === expected : equal(given, expected)
}

function mismatch(which: string): TransportError {
  return new TransportError(ErrorCode.TransportParameterError, `${which}_connection_id does not match the packets`)
}

function applyParameters(parts: Parts, parameters: TransportParameters): void {
  parts.streams.applyPeerLimits(streamLimits(parameters))
  parts.idle.setPeerTimeout(parameters.maxIdleTimeout)
  parts.recovery.setMaxAckDelay(parameters.maxAckDelay)
  const own = parts.transport.parameters
  if (own.minAckDelay !== undefined) parts.ackRequests.offer(parameters)
  parts.firstByte.isFree = own.greaseQuicBit && parameters.greaseQuicBit
  parts.datagrams.setPeerMaximum(parameters.maxDatagramFrameSize)
  if (parameters.statelessResetToken) parts.peerIds.setInitialResetToken(parameters.statelessResetToken)
}

type Complete = Extract<TlsOutput, { type: 'complete' }>
type EarlyDataOutput = Extract<TlsOutput, { type: 'earlyData' }>

function onComplete(parts: Parts, output: Complete, now: number): void {
  const { handshake } = parts
  const parameters = handshake.peerParameters
  if (parameters === undefined) throw new TransportError(ErrorCode.InternalError, 'no transport parameters')
  handshake.isComplete = true
  parts.stats.handshakeTime = now - parts.stats.startedAt
  handshake.peer = {
    alpn: output.alpn,
    serverName: output.serverName,
    cipherSuite: output.suite.name,
    group: groupName(output.group),
    isResumed: output.isResumed,
    version: parts.versions.current,
    earlyData: handshake.earlyData,
    certificates: output.certificates,
    authorization: parts.isClient && output.isResumed ? handshake.offered : output.authorization,
  }
  parts.keyring.allowOneRttReading()
  if (parts.isClient) adoptParameters(parts, parameters)
  else handshake.earlyKeysDeadline = now + 3 * pto(parts)
  parts.localIds.setLimit(parameters.activeConnectionIdLimit)
  parts.events.push({ type: 'handshakeComplete', peer: handshake.peer })
  recordTls(parts, { cipher: output.suite.name, earlyDataEnabled: handshake.earlyData === 'accepted' }, now)
  recordState(parts, 'handshake_complete', now)
  if (!parts.isClient) {
    parts.handshakeDone.send()
    const token = parts.newAddressToken?.()
    if (token !== undefined) parts.newToken.send(token)
    confirm(parts, now)
  }
}

/** RFC 9001 §4.6.2: what was sent early will be sent again, under keys and limits still to come. */
function rejectEarlyData(parts: Parts, now: number): void {
  discardEarlyKeys(parts)
  if (!parts.isClient) return
  repeatAll(parts, parts.recovery.onEarlyRejected(now), now)
  parts.streams.rejectEarly()
  parts.events.push({ type: 'earlyRejected' })
}

/** What was in flight says nothing about the network, and is sent again. */
function repeatAll(parts: Parts, outcome: Parameters<typeof deliver>[1], now: number): void {
  recordRepeated(parts, outcome.lost, now)
  deliver(parts, outcome)
}

/** RFC 9000 §7.4.1: limits that early data was sent under may rise, but not fall. */
function adoptParameters(parts: Parts, parameters: TransportParameters): void {
  const { handshake } = parts
  if (handshake.earlyData === 'accepted' && handshake.remembered !== undefined) {
    assertNotReduced(readRemembered(handshake.remembered), parameters)
  }
  applyParameters(parts, parameters)
  // Whether we go there or not, the id of a preferred address is one of the server's (RFC 9000 §5.1.1).
  if (parameters.preferredAddress !== undefined) parts.peerIds.onPreferredAddress(parameters.preferredAddress)
  parts.keyring.discard(Level.ZeroRtt)
}

/** The handshake is confirmed (RFC 9001 §4.1.2): its keys go (§4.9.2). */
export function confirm(parts: Parts, now: number): void {
  if (parts.handshake.isConfirmed) return
  parts.handshake.isConfirmed = true
  parts.path.validate()
  discardLevel(parts, Level.Initial, now)
  discardLevel(parts, Level.Handshake, now)
  parts.recovery.onHandshakeConfirmed(now)
  parts.events.push({ type: 'handshakeConfirmed' })
  if (parts.isClient) followPreferred(parts, now)
  recordState(parts, 'handshake_confirmed', now)
}

export function discardLevel(parts: Parts, level: typeof Level.Initial | typeof Level.Handshake, now: number): void {
  if (parts.keyring.isDiscarded(level)) return
  parts.keyring.discard(level)
  parts.parked.drop(level)
  parts.recovery.discardSpace(spaceOf(level), now)
  parts.spaces = withoutSpace(parts.spaces, spaceOf(level))
  if (parts.recorder.enabled) parts.recorder.keyDiscarded(level, now)
}

export function discardEarlyKeys(parts: Parts): void {
  parts.keyring.discard(Level.ZeroRtt)
  parts.parked.drop(Level.ZeroRtt)
  parts.handshake.earlyKeysDeadline = Number.POSITIVE_INFINITY
}

function onTicket(parts: Parts, output: Extract<TlsOutput, { type: 'ticket' }>): void {
  const { peer, peerParameterBytes } = parts.handshake
  if (peer === undefined || parts.handshake.tickets >= MAX_TICKETS) return
  parts.handshake.tickets++
  parts.events.push({
    type: 'ticket',
    ticket: {
      ticket: output.ticket,
      secret: output.secret,
      hash: output.hash,
      cipherSuite: output.cipherSuite,
      lifetimeSeconds: output.lifetimeSeconds,
      ageAdd: output.ageAdd,
      alpn: peer.alpn,
      serverName: peer.serverName,
      allowsEarlyData: output.allowsEarlyData,
      transportParameters: peerParameterBytes,
      authenticatedUntil: output.authenticatedUntil,
    },
  })
}

/** RFC 9000 §17.2.5: a Retry moves the handshake to a new id and asks for everything again. */
export function restartAfterRetry(parts: Parts, source: Uint8Array, token: Uint8Array, now: number): void {
  parts.token = token.slice()
  parts.handshake.expected.retrySource = source.slice()
  parts.peerIds.setInitial(source)
  parts.keyring.installInitial(source, true)
  repeatAll(parts, parts.recovery.onRetry(now), now)
}

/**
 * RFC 9368 §2.1: the whole handshake anew, in another version; streams stay. What went early was for the version before
 * and so was the address token.
 */
export function beginAgain(parts: Parts, version: number, now: number): void {
  const { expected, earlyData } = parts.handshake
  const hadEarlyKeys = parts.keyring.canSeal(Level.ZeroRtt)
  parts.versions.beginAgain(version)
  parts.token = new Uint8Array(0)
  repeatAll(parts, parts.recovery.onRetry(now), now)
  parts.keyring.discardAll()
  parts.keyring = new Keyring(parts.deps.backend, version)
  parts.keyring.installInitial(expected.originalDestination, true)
  parts.keyring.discard(Level.ZeroRtt)
  parts.spaces = packetSpaces(true, parts.transport.parameters)
  const tls = (parts.beginTls as NonNullable<Parts['beginTls']>)(now)
  parts.handshake = new HandshakeState(tls, { ...expected }, undefined, undefined)
  parts.handshake.earlyData = hadEarlyKeys ? 'rejected' : earlyData
  recordVersion(parts, now)
  drainTls(parts, now)
  if (!hadEarlyKeys) return
  parts.streams.rejectEarly()
  parts.events.push({ type: 'earlyRejected' })
}

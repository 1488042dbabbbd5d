// Peers that move: a server follows its client, a client goes where it wants, or is asked to (RFC 9000 §9).

import type { PacketHeader } from '../packet/header.ts'
import { Space } from '../packet/level.ts'
import { pto } from './delivery.ts'
import type { Parts } from './parts.ts'
import { type Address, isSameAddress } from './path.ts'
import { restartMtu } from './path-mtu.ts'
import { CHALLENGE_LENGTH } from './path-validation.ts'
import { preferredFor } from './preferred-address.ts'

/** RFC 9000 §8.2.4, RFC 9002 §6.2.2: the PTO of a path of which nothing is known, ms. */
const UNKNOWN_PTO = 999

/** Why a client cannot move now. */
export type MigrationRefusal =
  /** Servers do not move (RFC 9000 §9). */
  | 'server'
  /** The handshake is not confirmed, or the connection has ended (§9). */
  | 'unconfirmed'
  /** The peer said disable_active_migration (§18.2). */
  | 'disabled'
  /** The peer has given no id to spare (§9.5). */
  | 'no id'
  /** A move is under way. */
  | 'moving'

/** Where a packet came from, and of what size its datagram was. */
interface Arrival {
  readonly header: PacketHeader
  readonly from: Address
  readonly size: number
}

/** RFC 9000 §9.3: a server follows a client whose newest packet, more than a probe, came from another address. */
export function followPeer(parts: Parts, { header, from, size }: Arrival, now: number): void {
  const { path, handshake, localIds, isClient } = parts
  if (isClient) return
  if (!handshake.isConfirmed || isSameAddress(from, path.remote)) {
    if (!header.isShortTo(localIds.inUse)) localIds.use(header.destination)
    return
  }
  if (isSameSocket(from, path.remote)) return follow(parts, header.destination, from, size, now)
  parts.probes.onReceived(from, size)
  // RFC 9000 §9.6.2: at the preferred address nothing is said before both sides have proven themselves there.
  beginDeparture(parts, from, now)
  if (!parts.departure.isFrom(from)) return
  parts.departure.isWanted = true
  parts.departure.isOnPurpose ||= !localIds.isInUse(header.destination)
  if (parts.departure.isAnswered) arrive(parts, now)
}

function follow(parts: Parts, destination: Uint8Array, from: Address, size: number, now: number): void {
  const { path, localIds, peerIds, probes } = parts
  const before = path.remote
  // RFC 9000 §9.5: a client that moves on purpose uses another id, and so do we; without one nothing can be sent there.
  // With the id of before it is a NAT that changed its mind, or somebody who forwards packets.
  const isRebinding = localIds.isInUse(destination)
  if (!isRebinding && !peerIds.moveTo(from, before, keptUntil(parts, now))) return
  localIds.use(destination)
  const known = probes.remove(from)
  if (path.migrate(from, Math.max(size, known?.received ?? 0), known?.sent ?? 0)) {
    if (known?.isProven) {
      path.prove()
      offerToken(parts)
    } else {
      path.validation.begin(pto(parts), patience(parts), now)
      if (known?.asked !== undefined) path.validation.asked(known.asked, true, now)
    }
    for (const data of known?.responses ?? []) path.onChallenge(data)
    // RFC 9000 §9.3.3: whoever only forwards packets is betrayed by the answer of the client where it was.
    const left = path.former ?? before
    probes.ask(left, newChallenge(parts), true, isRebinding && isSameAddress(left, before))
  } else if (!isRebinding) peerIds.release(before)
  onNewPath(parts, before, now)
}

/** RFC 9000 §8.2.2: the answer takes the way the question came. */
export function onPathChallenge(parts: Parts, data: Uint8Array, { header, from, size }: Arrival, now: number): void {
  const { path, isClient, handshake } = parts
  if (isSameAddress(from, path.remote)) return path.onChallenge(data)
  const isHere = isSameSocket(from, path.remote)
  const sharesId = !isClient && isHere && parts.localIds.isInUse(header.destination)
  parts.probes.onChallenge(data, from, size, isClient, sharesId)
  // RFC 9000 §9.6.2-3: what comes to the preferred address is asked back.
  if (isClient || !handshake.isConfirmed) return
  if (!isHere) beginDeparture(parts, from, now)
  // The same elsewhere: a client that goes there is known already, which saves a round trip.
  else if (!sharesId) parts.probes.askBack(from, newChallenge(parts))
}

/** A client asks whether the server can be reached at `to`, under another id (RFC 9000 §9.2). Undefined: it does. */
export function depart(parts: Parts, to: Address, now: number): MigrationRefusal | undefined {
  const { isClient, handshake, close, departure, peerIds } = parts
  if (!isClient) return 'server'
  if (!handshake.isConfirmed || !close.isOpen) return 'unconfirmed'
  if (departure.to !== undefined) return 'moving'
  if (handshake.peerParameters?.disableActiveMigration && !departure.hasActedOnPreferred) return 'disabled'
  if (peerIds.spare === undefined) return 'no id'
  beginDeparture(parts, to, now)
  return undefined
}

/** RFC 9000 §9.6.1: once the handshake is confirmed a client goes where the server wants it, if it can. */
export function followPreferred(parts: Parts, now: number): void {
  const preferred = parts.handshake.peerParameters?.preferredAddress
  if (!parts.followsPreferredAddress || preferred === undefined || parts.peerIds.spare === undefined) return
  const to = preferredFor(parts.path.remote, preferred)
  if (to === undefined) return
  beginDeparture(parts, to, now)
  parts.departure.isPreferred = true
}

/** One at a time; a path without an id of its own is not asked (RFC 9000 §9.5). */
function beginDeparture(parts: Parts, to: Address, now: number): void {
  const { departure, peerIds } = parts
  if (departure.isFrom(to) || (departure.to !== undefined && !departure.isAnswered)) return
  if (peerIds.idFor(to, keptUntil(parts, now)) === undefined) return
  departure.begin(to, pto(parts), patience(parts), now)
  ask(parts, now)
}

function ask(parts: Parts, now: number): void {
  const challenge = newChallenge(parts)
  parts.departure.validation.asked(challenge, true, now)
  parts.probes.ask(parts.departure.to as Address, challenge, parts.isClient, false)
}

/** RFC 9000 §8.2.3: the path on which the question went is good. */
export function onPathResponse(parts: Parts, data: Uint8Array, now: number): void {
  const { departure, path, isClient } = parts
  if (departure.validation.onResponse(data, now) === 'path') {
    departure.isAnswered = true
    if (isClient || departure.isWanted) arrive(parts, now)
  } else if (path.onResponse(data, now)) offerToken(parts)
  else parts.probes.onResponse(data)
}

/** RFC 9000 §9.3: for the client's next connection from where it is now. */
function offerToken({ isClient, newAddressToken, newToken }: Parts): void {
  const token = isClient ? undefined : newAddressToken?.()
  if (token !== undefined) newToken.send(token)
}

function arrive(parts: Parts, now: number): void {
  const { departure, path, peerIds, probes, events } = parts
  const to = departure.to as Address
  const isLeaving = departure.isLeaving(path.remote)
  departure.hasActedOnPreferred ||= departure.isPreferred
  departure.end()
  // RFC 9000 §9.5: the id of before is not seen on the new path.
  const hasId = peerIds.moveTo(to, path.remote, keptUntil(parts, now))
  if (!hasId) return parts.isClient ? events.push({ type: 'migrationFailed' }) : undefined
  path.moveTo(to)
  if (isLeaving) departure.leave(parts.spaces[Space.Application].received.largest)
  for (const data of probes.remove(to)?.responses ?? []) path.onChallenge(data)
  startAnew(parts, now)
  if (parts.isClient) events.push({ type: 'migrated', remote: to })
}

/** When something about paths is to be asked, or given up. */
export function pathDeadline({ path, departure, peerIds }: Parts): number {
  return Math.min(path.deadline, departure.deadline, peerIds.deadline)
}

/** The timers of paths: nobody answered at the new address, a question is to be repeated, an id is given back. */
export function onPathTimeout(parts: Parts, now: number): void {
  const { path, departure, peerIds } = parts
  if (departure.validation.onTimeout(now)) giveUpDeparture(parts)
  else if (departure.validation.isDue) ask(parts, now)
  peerIds.onTimeout(now)
  if (path.validation.onTimeout(now)) turnBack(parts, now)
}

function giveUpDeparture(parts: Parts): void {
  const { departure, peerIds, events, isClient } = parts
  const to = departure.to as Address
  const isMissed = !departure.isAnswered
  departure.end()
  // It was seen on a path that leads nowhere.
  peerIds.release(to)
  if (isClient && isMissed) events.push({ type: 'migrationFailed' })
}

/** RFC 9000 §9.3.2: nobody answered there, or not to what QUIC needs. */
function turnBack(parts: Parts, now: number): void {
  const { path, peerIds, recovery } = parts
  const before = path.remote
  path.turnBack()
  peerIds.moveBack(path.remote)
  recovery.setAmplificationLimited(false, now)
  onNewPath(parts, before, now)
}

function newChallenge(parts: Parts): Uint8Array {
  return parts.deps.backend.random(CHALLENGE_LENGTH)
}

/** RFC 9000 §8.2.4: how long an answer is waited for. */
function patience(parts: Parts): number {
  return 3 * Math.max(pto(parts), UNKNOWN_PTO)
}

/** RFC 9000 §5.1.2: until when the id of a path is kept that is not in use: for two validations of the one that is. */
export function keptUntil(parts: Parts, now: number): number {
  return now + 2 * patience(parts)
}

function isSameSocket(a: Address, b: Address): boolean {
  return (a.via ?? 0) === (b.via ?? 0)
}

/** RFC 9000 §9.4: another host is another path; another port of the same host most likely is not. */
function onNewPath(parts: Parts, before: Address, now: number): void {
  if (before.host !== parts.path.remote.host) startAnew(parts, now)
}

function startAnew(parts: Parts, now: number): void {
  parts.recovery.onNewPath(parts.transport.initialRtt, now)
  parts.ackRequests.onNewPath()
  restartMtu(parts)
}

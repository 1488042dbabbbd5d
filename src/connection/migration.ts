// Peers that move: a server follows its client, a client goes where it wants, or is asked to (RFC 9000 §9).

import type { PathFrame } from '../packet/frames/frame.ts'
import type { PacketHeader } from '../packet/header.ts'
import { pto } from './delivery.ts'
import type { Parts } from './parts.ts'
import { type Address, isSameAddress } from './path.ts'
import { restartMtu } from './path-mtu.ts'
import { preferredFor } from './preferred-address.ts'

/** RFC 9000 §8.2.4, RFC 9002 §6.2.2: the PTO of a path of which nothing is known, ms. */
const UNKNOWN_PTO = 999
const CHALLENGE_LENGTH = 8

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

/** RFC 9000 §9.3: a server follows a client whose newest packet, more than a probe, came from another address. */
export function followPeer(parts: Parts, header: PacketHeader, from: Address, received: number, now: number): void {
  if (parts.isClient) return
  const usesNewId = !header.isShortTo(parts.localIds.inUse) && parts.localIds.use(header.destination)
  const { path, deps, handshake } = parts
  if (!handshake.isConfirmed || isSameAddress(from, path.remote)) return
  const before = path.remote
  path.migrate(from, received, deps.backend.random(CHALLENGE_LENGTH), giveUpAt(parts, now))
  // RFC 9000 §9.5: a client that moves on purpose uses another id, and so do we. With the id of before it is a NAT
  // that changed its mind, or somebody who forwards packets (§9.3.3): then the client answers where it was.
  if (usesNewId) parts.peerIds.rotate()
  else path.askPrevious(deps.backend.random(CHALLENGE_LENGTH))
  onNewPath(parts, before, now)
}

/** A client asks whether the server can be reached at `to`, under another id (RFC 9000 §9.2). Undefined: it does. */
export function depart(parts: Parts, to: Address, now: number): MigrationRefusal | undefined {
  const { isClient, handshake, close, departure, peerIds } = parts
  if (!isClient) return 'server'
  if (!handshake.isConfirmed || !close.isOpen) return 'unconfirmed'
  if (departure.to !== undefined) return 'moving'
  if (handshake.peerParameters?.disableActiveMigration) return 'disabled'
  if (peerIds.spare === undefined) return 'no id'
  beginDeparture(parts, to, now)
  return undefined
}

/** RFC 9000 §9.6.1: once the handshake is confirmed a client goes where the server wants it, if it can. */
export function followPreferred(parts: Parts, now: number): void {
  const preferred = parts.handshake.peerParameters?.preferredAddress
  if (!parts.followsPreferredAddress || preferred === undefined || parts.peerIds.spare === undefined) return
  const to = preferredFor(parts.path.remote, preferred)
  if (to !== undefined) beginDeparture(parts, to, now)
}

function beginDeparture(parts: Parts, to: Address, now: number): void {
  parts.departure.begin(to, pto(parts), giveUpAt(parts, now), now)
  ask(parts, now)
}

function ask(parts: Parts, now: number): void {
  const challenge = parts.deps.backend.random(CHALLENGE_LENGTH)
  parts.departure.asked(challenge, now)
  parts.path.ask(parts.departure.to as Address, challenge)
}

/** RFC 9000 §8.2.3: the path on which the question went is good. */
export function onPathResponse(parts: Parts, frame: PathFrame, now: number): void {
  const { departure, path, peerIds } = parts
  if (!departure.isAnswer(frame.data)) return path.onResponse(frame)
  const to = departure.to as Address
  departure.end()
  // RFC 9000 §9.5: the id of before is not seen on the new path.
  if (!peerIds.rotate()) return parts.events.push({ type: 'migrationFailed' })
  path.moveTo(to)
  // RFC 9000 §9.4.
  parts.recovery.onNewPath(parts.transport.initialRtt, now)
  parts.ackRequests.onNewPath()
  parts.events.push({ type: 'migrated', remote: to })
}

/** The timers of paths: nobody answered at the new address, or a question is to be repeated. */
export function onPathTimeout(parts: Parts, now: number): void {
  onDepartureTimeout(parts, now)
  const before = parts.path.remote
  if (!parts.path.onTimeout(now)) return
  parts.recovery.setAmplificationLimited(false, now)
  onNewPath(parts, before, now)
}

function onDepartureTimeout(parts: Parts, now: number): void {
  const { departure } = parts
  if (departure.isOver(now)) {
    departure.end()
    // It was seen on a path that leads nowhere.
    parts.peerIds.dropSpare()
    parts.events.push({ type: 'migrationFailed' })
  } else if (departure.isAskDue(now)) ask(parts, now)
}

function giveUpAt(parts: Parts, now: number): number {
  return now + 3 * Math.max(pto(parts), UNKNOWN_PTO)
}

/** RFC 9000 §9.4: another host is another path; another port of the same host most likely is not. */
function onNewPath(parts: Parts, before: Address, now: number): void {
  if (before.host === parts.path.remote.host) return
  parts.recovery.onNewPath(parts.transport.initialRtt, now)
  parts.ackRequests.onNewPath()
  restartMtu(parts)
}

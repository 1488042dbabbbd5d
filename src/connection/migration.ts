// A client that moves: follow it, ask whether it is there, turn back if nobody answers (RFC 9000 §9).

import type { PacketHeader } from '../packet/header.ts'
import { pto } from './delivery.ts'
import type { Parts } from './parts.ts'
import { type Address, isSameAddress } from './path.ts'

/** RFC 9000 §8.2.4, RFC 9002 §6.2.2: the PTO of a path of which nothing is known, ms. */
const UNKNOWN_PTO = 999
const CHALLENGE_LENGTH = 8

/** RFC 9000 §9.3: a server follows a client whose newest packet, more than a probe, came from another address. */
export function followPeer(parts: Parts, header: PacketHeader, from: Address, received: number, now: number): void {
  if (parts.isClient) return
  const usesNewId = parts.localIds.use(header.destination)
  const { path, deps, handshake } = parts
  if (!handshake.isConfirmed || isSameAddress(from, path.remote)) return
  const before = path.remote
  const deadline = now + 3 * Math.max(pto(parts), UNKNOWN_PTO)
  path.migrate(from, received, deps.backend.random(CHALLENGE_LENGTH), deadline)
  // RFC 9000 §9.5: a client that moves on purpose uses another id, and so do we. With the id of before it is a NAT
  // that changed its mind, or somebody who forwards packets (§9.3.3): then the client answers where it was.
  if (usesNewId) parts.peerIds.rotate()
  else path.askPrevious(deps.backend.random(CHALLENGE_LENGTH))
  onNewPath(parts, before, now)
}

/** The path's own timer: nobody answered at the new address. */
export function onPathTimeout(parts: Parts, now: number): void {
  const before = parts.path.remote
  if (!parts.path.onTimeout(now)) return
  parts.recovery.setAmplificationLimited(false, now)
  onNewPath(parts, before, now)
}

/** RFC 9000 §9.4: another host is another path; another port of the same host most likely is not. */
function onNewPath(parts: Parts, before: Address, now: number): void {
  if (before.host !== parts.path.remote.host) parts.recovery.onNewPath(parts.transport.initialRtt, now)
}

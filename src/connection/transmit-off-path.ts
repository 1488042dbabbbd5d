// What goes to addresses that are not the peer's: answers to its probes, and questions (RFC 9000 §8.2, §9.3.3).

import { TAG_LENGTH } from '../crypto/cipher-suite.ts'
import { writePathChallenge, writePathResponse } from '../packet/frames/path.ts'
import { Level } from '../packet/level.ts'
import { SentFrame, SentKind } from '../packet/sent-frame.ts'
import { MIN_DATAGRAM_SIZE } from './config.ts'
import { MIN_PACKET_SPACE, openPacket, sealPacket } from './open-packet.ts'
import type { Parts } from './parts.ts'
import type { OffPath } from './path.ts'

/** Neither answers nor questions are repeated off the path. */
const offPathRecord = new SentFrame(SentKind.PathResponse)

/** One frame for an address that is not the peer's: an answer to its probe, or a question (RFC 9000 §8.2, §9.3.3). */
export function transmitOffPath(parts: Parts, into: Uint8Array, frame: OffPath, now: number): number {
  const limit = Math.min(frame.limit, MIN_DATAGRAM_SIZE, into.length)
  if (!parts.keyring.canSeal(Level.OneRtt) || limit < MIN_PACKET_SPACE) return 0
  // RFC 9000 §9.5: a client shows each of its paths another id.
  const destination = parts.isClient ? (parts.peerIds.spare ?? parts.peerIds.current) : parts.peerIds.current
  const open = openPacket(parts, Level.OneRtt, destination, into, 0, limit)
  if (frame.isResponse) writePathResponse(open.packet, frame.data)
  else writePathChallenge(open.packet, frame.data)
  open.packet.record(offPathRecord)
  open.pad(MIN_DATAGRAM_SIZE - TAG_LENGTH)
  const end = sealPacket(parts, open, into, now)
  parts.stats.datagramsSent++
  parts.stats.bytesSent += end
  return end
}

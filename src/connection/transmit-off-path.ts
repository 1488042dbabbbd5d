// A datagram for an address that is not the peer's: answers to its probes, and a question (RFC 9000 §8.2, §9.3.3).

import { TAG_LENGTH } from '../crypto/cipher-suite.ts'
import { PATH_FRAME_SIZE, writePathChallenge, writePathResponse } from '../packet/frames/path.ts'
import { Level } from '../packet/level.ts'
import { SentFrame, SentKind } from '../packet/sent-frame.ts'
import { MIN_DATAGRAM_SIZE } from './config.ts'
import { keptUntil } from './migration.ts'
import { MIN_PACKET_SPACE, type OpenPacket, openPacket, sealPacket } from './open-packet.ts'
import type { Parts } from './parts.ts'
import type { Probe } from './probes.ts'

/** Neither answers nor questions are repeated by what sent them. */
const offPathRecord = new SentFrame(SentKind.PathResponse)

/** Says to `probe` what is due there, as far as it may be said; returns the length of the datagram, 0 for none. */
export function transmitOffPath(parts: Parts, probe: Probe, into: Uint8Array, now: number): number {
  const limit = Math.min(probe.budget, MIN_DATAGRAM_SIZE, into.length)
  const destination = probe.sharesId ? parts.peerIds.current : parts.peerIds.idFor(probe.to, keptUntil(parts, now))
  // RFC 9000 §9.5: without an id for that path nothing is sent there.
  if (destination === undefined || limit < MIN_PACKET_SPACE || !parts.keyring.canSeal(Level.OneRtt)) {
    probe.drop()
    return 0
  }
  const open = openPacket(parts, Level.OneRtt, destination, into, 0, limit)
  writeProbe(open, probe, limit)
  probe.drop()
  if (!open.packet.isAckEliciting) return 0
  open.pad(MIN_DATAGRAM_SIZE - TAG_LENGTH)
  open.isOffPath = true
  const end = sealPacket(parts, open, into, now)
  probe.sent += end
  parts.stats.datagramsSent++
  parts.stats.bytesSent += end
  return end
}

function writeProbe({ packet }: OpenPacket, probe: Probe, limit: number): void {
  const { responses, question } = probe
  for (let i = 0; i < responses.length && packet.remaining >= PATH_FRAME_SIZE; i++) {
    writePathResponse(packet, responses[i] as Uint8Array)
    packet.record(offPathRecord)
  }
  // RFC 9000 §8.2.1: what is asked in a small datagram would have to be asked again.
  if (question === undefined || limit < MIN_DATAGRAM_SIZE) return
  writePathChallenge(packet, question)
  probe.asked = question
  packet.record(offPathRecord)
}

// Datagrams as large as the path takes: between recovery's search and the rest of the connection (RFC 9000 §14.3).

import { Space } from '../packet/level.ts'
import { MtuDiscovery } from '../recovery/mtu-discovery.ts'
import type { SentPacket } from '../recovery/sent-packets.ts'
import type { Transport } from './config.ts'
import type { Parts } from './parts.ts'
import { type Address, isSameAddress } from './path.ts'

/** A search from the size that is used without asking. */
export function newMtuDiscovery(transport: Transport): MtuDiscovery {
  return new MtuDiscovery(transport.probeDatagramSize, transport.maxDatagramSize)
}

/** Datagrams in flight from which on larger ones are worth a probe: a short exchange has no use for them. */
const BULK = 4

/** The size of a probe that should leave now, 0 for none. `room` is what the caller's buffer holds. */
export function probeSize(parts: Parts, room: number, now: number): number {
  const { handshake, path, close, streams, recovery, mtu } = parts
  if (recovery.bytesInFlight < BULK * mtu.current || !handshake.isConfirmed || !path.isValidated) return 0
  if (close.isDue || !streams.hasDataToSend) return 0
  if (!mtu.isBounded) {
    boundSearch(parts)
    // Only the next buffer may have room for it.
    return 0
  }
  const size = mtu.nextProbe(now)
  if (size === undefined || !recovery.canSend(now)) return 0
  if (size <= room) return size
  // There is no room for it: no need to try.
  mtu.onRefused(size)
  return 0
}

/** RFC 8899 §5.1.1, RFC 9000 §18.2: by the first hop, by the peer, and by what the caller wants. */
function boundSearch({ transport, deps, path, handshake, mtu }: Parts): void {
  const usual = transport.probeDatagramSize
  const known = transport.asksInterface ? deps.interfacePayload?.(path.remote) : undefined
  const ceiling = Math.max(known ?? usual, transport.maxDatagramSize)
  mtu.bound(Math.min(ceiling, handshake.peerParameters?.maxUdpPayloadSize ?? 0), ceiling > usual)
}

/** What became of packets decides what fits. */
export function judgeMtu(parts: Parts, acked: readonly SentPacket[], lost: readonly SentPacket[], now: number): void {
  const { mtu } = parts
  let hasChanged = false
  for (const { space, number, size } of acked) {
    if (space === Space.Application && mtu.onAcked(number, size)) hasChanged = true
  }
  for (const { space, number, size } of lost) {
    if (space === Space.Application && mtu.onLost(number, size, now)) hasChanged = true
  }
  if (hasChanged) parts.recovery.setMaxDatagramSize(mtu.current)
}

/**
 * The system would not send as much to that address (EMSGSIZE): a probe is lost at once, or the interface has a smaller
 * MTU than it had (RFC 8899 §4.3).
 */
export function refuseSize({ path, mtu, recovery }: Parts, size: number, to: Address): void {
  // What is known of one path says nothing of another.
  if (isSameAddress(to, path.remote) && mtu.onRefused(size)) recovery.setMaxDatagramSize(mtu.current)
}

/** RFC 8899 §4.3: full-size packets that vanish one after the other. */
export function suspectMtu(parts: Parts): void {
  if (parts.mtu.onProbeTimeout(parts.recovery.ptoCount)) parts.recovery.setMaxDatagramSize(parts.mtu.current)
}

/** RFC 9000 §14.3: what is known of one path says nothing of another. */
export function restartMtu(parts: Parts): void {
  parts.mtu = newMtuDiscovery(parts.transport)
  parts.recovery.setMaxDatagramSize(parts.mtu.current)
}

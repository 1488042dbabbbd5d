// Bytes held for a peer before there are streams: packets without keys, CRYPTO frames out of order.

import type { Parts } from './parts.ts'

/** After a datagram. */
export function countMemory(parts: Parts): void {
  const { spaces, parked, memory } = parts
  const held = parked.bytes + spaces[0].crypto.held + spaces[1].crypto.held + spaces[2].crypto.held
  if (held === parts.handshakeMemory) return
  memory.add(held - parts.handshakeMemory)
  parts.handshakeMemory = held
}

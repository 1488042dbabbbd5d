// What is dropped is counted, and may still be a stateless reset (RFC 9000 §10.3.1).

import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import type { DropCause } from '../qlog/recorder.ts'
import { pto } from './delivery.ts'
import { tellClosed } from './ending.ts'
import type { Parts } from './parts.ts'
import { recordState, recordUnprotected } from './record.ts'

const NO_VERSIONS: readonly number[] = []

/** Not for us, or not from our peer. `mayBeReset`: nothing in the datagram could be made sense of. */
export function drop(parts: Parts, datagram: Uint8Array, cause: DropCause, mayBeReset: boolean, now: number): void {
  parts.stats.packetsDropped++
  parts.stats.dropped[cause]++
  if (parts.recorder.enabled) parts.recorder.packetDropped(datagram.length, cause, now)
  if (!mayBeReset || !parts.peerIds.isStatelessReset(datagram)) return
  recordUnprotected(parts, 'stateless_reset', datagram.length, NO_VERSIONS, now)
  const reason = 'the peer lost its state (stateless reset)'
  parts.close.drain(pto(parts), now)
  recordState(parts, 'draining', now)
  const error = new TransportError(ErrorCode.NoError, reason)
  tellClosed(parts, { type: 'closed', error, errorCode: 0, isApplication: false, reason, by: 'reset' }, now)
}

// The loss detection timer fired (RFC 9002 §6.2, §A.9): packets are lost, or probes are due.

import { Level, Space } from '../packet/level.ts'
import { deliver } from './delivery.ts'
import type { Parts } from './parts.ts'
import { judgeMtu, suspectMtu } from './path-mtu.ts'
import { recordOutcome } from './record.ts'

export function onLossTimeout(parts: Parts, now: number): void {
  const outcome = parts.recovery.onTimeout(now)
  recordOutcome(parts, outcome.lost[0]?.space ?? Space.Application, outcome, now)
  deliver(parts, outcome)
  judgeMtu(parts, outcome.acked, outcome.lost, now)
  suspectMtu(parts)
  // Early data is for one server alone: the next address may belong to another.
  if (parts.recovery.ptoCount > 0 && !parts.keyring.canSeal(Level.ZeroRtt)) parts.path.tryNext()
}

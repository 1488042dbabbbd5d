// Which times matter, and what is done when they come: each belongs to the part that owns it.

import { pto } from './delivery.ts'
import { endIdle, terminate } from './ending.ts'
import { discardEarlyKeys } from './handshake.ts'
import { onLossTimeout } from './loss-timeout.ts'
import { onPathTimeout, pathDeadline } from './migration.ts'
import type { Parts } from './parts.ts'

/** The first of them; Infinity: none. What wants to be sent is not among them. */
export function nextDeadline(parts: Parts): number {
  const { close, recovery, idle, handshake } = parts
  if (!close.isOpen) return close.deadline
  return Math.min(
    recovery.nextTimeout(),
    idle.deadline(pto(parts)),
    reminderDeadline(parts),
    pathDeadline(parts),
    handshake.earlyKeysDeadline,
  )
}

/** Probes, losses, idle timeout, keys and states that end. */
export function onDeadline(parts: Parts, now: number): void {
  const { close, recovery, idle, handshake } = parts
  if (!close.isOpen) {
    if (now >= close.deadline) terminate(parts, now)
    return
  }
  if (now >= idle.deadline(pto(parts))) return endIdle(parts, now)
  if (now >= recovery.nextTimeout()) onLossTimeout(parts, now)
  onPathTimeout(parts, now)
  if (now >= reminderDeadline(parts)) remind(parts)
  if (now >= handshake.earlyKeysDeadline) discardEarlyKeys(parts)
}

/** RFC 9000 §4.1: nothing is on its way, and what is left waits for credit: the connection should not end of that. */
function reminderDeadline({ streams, recovery, idle }: Parts): number {
  return streams.isHolding && recovery.bytesInFlight === 0 ? idle.reminder : Number.POSITIVE_INFINITY
}

function remind({ streams, idle }: Parts): void {
  idle.onReminded()
  streams.repeatBlocked()
}

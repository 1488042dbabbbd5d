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
    silenceDeadline(parts),
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
  if (now >= silenceDeadline(parts)) parts.silence.break(parts.streams.bytesReceived)
  if (now >= handshake.earlyKeysDeadline) discardEarlyKeys(parts)
}

/** RFC 9000 §4.1: nothing is on its way, and what is left waits for credit: the connection should not end of that. */
function reminderDeadline({ streams, recovery, idle }: Parts): number {
  return streams.isHolding && recovery.bytesInFlight === 0 ? idle.reminder : Number.POSITIVE_INFINITY
}

/** RFC 9000 §10.1.2: a client has said everything, the server has not. */
function silenceDeadline(parts: Parts): number {
  const { isClient, handshake, streams, recovery, idle, silence } = parts
  const isWaiting = isClient && handshake.isConfirmed && streams.isExpecting && recovery.bytesInFlight === 0
  if (!isWaiting || silence.hasDue) return Number.POSITIVE_INFINITY
  return silence.deadline(idle.since, pto(parts), streams.bytesReceived)
}

function remind({ streams, idle }: Parts): void {
  idle.onReminded()
  streams.repeatBlocked()
}

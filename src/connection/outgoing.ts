// Which datagram is the next, and where it goes: words to other addresses first, they are few.

import { terminate } from './ending.ts'
import { makeFlight } from './handshake.ts'
import type { Parts } from './parts.ts'
import type { Address } from './path.ts'
import type { Probe } from './probes.ts'
import { transmitDatagram } from './transmit.ts'
import { transmitOffPath } from './transmit-off-path.ts'

/** Where a datagram goes and how long it is. One object for each connection, used again at every call. */
export interface Transmit {
  length: number
  to: Address
}

/** Writes it into `into`. False: nothing is due or allowed. */
export function writeNext(parts: Parts, transmit: Transmit, into: Uint8Array, now: number): boolean {
  const { close, path, probes } = parts
  if (!close.isOpen && !close.isDue) return false
  if (parts.handshake.tls.isFlightDue) makeFlight(parts, now)
  let length = 0
  while (probes.hasDue && close.isOpen && length === 0) {
    const probe = probes.next() as Probe
    transmit.to = probe.to
    length = transmitOffPath(parts, probe, into, now)
  }
  if (length === 0) {
    transmit.to = path.remote
    length = transmitDatagram(parts, into, now)
  }
  transmit.length = length
  return length > 0
}

/** Who cannot even say goodbye, because keys are used up or by a fault of ours, is gone. */
export function writeLastWords(parts: Parts, transmit: Transmit, into: Uint8Array, now: number): boolean {
  try {
    return writeNext(parts, transmit, into, now)
  } catch {
    terminate(parts, now)
    return false
  }
}

/**
 * What is due only goes on with the handshake: it may wait until early requests have gone where they lead, and answers
 * to whom they are for.
 */
export function isPatient({ close, handshake, isClient, streams }: Parts): boolean {
  if (!close.isOpen) return false
  if (isClient) return handshake.isComplete && !handshake.isConfirmed && !streams.hasDataToSend
  return handshake.tls.isFlightDue && streams.isAnswerAwaited
}

// How a connection ends (RFC 9000 §10). Whatever ends it is told in one place: to the log, to whoever waits for a
// datagram, to the application.

import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import { TlsAlert } from '../tls13/alert.ts'
import { pto } from './delivery.ts'
import type { ConnectionClosed } from './events.ts'
import type { Parts } from './parts.ts'
import { recordState } from './record.ts'

export function tellClosed(parts: Parts, fact: ConnectionClosed, now: number): void {
  if (parts.recorder.enabled) parts.recorder.connectionClosed(fact, now)
  parts.datagrams.abandon()
  parts.memory.close()
  parts.events.push(fact)
}

/** We end it, and say so as long as the peer asks (RFC 9000 §10.2.1). */
export function end(parts: Parts, fact: ConnectionClosed, frameType: number, now: number): void {
  parts.close.start(fact, frameType, pto(parts), now)
  recordState(parts, 'closing', now)
  tellClosed(parts, fact, now)
}

/** By a fault of the peer, or of ours. */
export function fail(parts: Parts, error: unknown, now: number): void {
  // It may have ended already, by the peer, in the same datagram.
  if (!parts.close.isOpen) return
  const fault = asTransportError(error)
  const { code, message, frameType } = fault
  end(
    parts,
    { type: 'closed', error: fault, errorCode: code, isApplication: false, reason: message, by: 'local' },
    frameType,
    now,
  )
}

/** RFC 9000 §10.1: nobody has been heard for too long, and nobody is told. */
export function endIdle(parts: Parts, now: number): void {
  const reason = 'idle timeout'
  const error = new TransportError(ErrorCode.NoError, reason)
  tellClosed(parts, { type: 'closed', error, errorCode: 0, isApplication: false, reason, by: 'idle' }, now)
  terminate(parts, now)
}

/** Nothing can come or go any more. */
export function terminate(parts: Parts, now: number): void {
  parts.close.terminate()
  parts.localIds.retireAll()
  parts.keyring.discardAll()
  recordState(parts, 'closed', now)
}

/** What the peer is told of a fault, the peer's or ours. */
function asTransportError(error: unknown): TransportError {
  if (error instanceof TransportError) return error
  if (error instanceof TlsAlert) {
    const alert = new TransportError(ErrorCode.CryptoError + error.alert, error.message)
    if (error.cause !== undefined) alert.cause = error.cause
    return alert
  }
  const fault = new TransportError(ErrorCode.InternalError, error instanceof Error ? error.message : 'internal error')
  fault.cause = error
  return fault
}

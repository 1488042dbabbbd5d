// Whatever ends a connection is told in one place: to the log, to whoever waits for a datagram, to the application.

import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import { TlsAlert } from '../tls13/alert.ts'
import type { ConnectionClosed } from './events.ts'
import type { Parts } from './parts.ts'

export function tellClosed(parts: Parts, fact: ConnectionClosed, now: number): void {
  if (parts.recorder.enabled) parts.recorder.connectionClosed(fact, now)
  parts.datagrams.abandon()
  parts.memory.close()
  parts.events.push(fact)
}

/** What the peer is told of a fault, the peer's or ours. */
export function asTransportError(error: unknown): TransportError {
  if (error instanceof TransportError) return error
  if (error instanceof TlsAlert) return new TransportError(ErrorCode.CryptoError + error.alert, error.message)
  const fault = new TransportError(ErrorCode.InternalError, error instanceof Error ? error.message : 'internal error')
  fault.cause = error
  return fault
}

// Errors that callers meet: a message that says what to do, and a stable code.

import type { ConnectionClosed } from '../connection/events.ts'
import { errorCodeName } from '../packet/transport-error.ts'

export type QuicErrorCode =
  /** The connection ended: `cause` says why. */
  | 'ERR_ZEROTRIP_CONNECTION_CLOSED'
  /** The peer reset the stream, or asked to stop it. */
  | 'ERR_ZEROTRIP_STREAM_ABORTED'
  /** The call makes no sense in this state. */
  | 'ERR_ZEROTRIP_INVALID_STATE'
  /** Nothing was heard for the idle timeout. */
  | 'ERR_ZEROTRIP_IDLE_TIMEOUT'
  /** TLS failed: certificate, ALPN, PSK... */
  | 'ERR_ZEROTRIP_HANDSHAKE'
  /** The peer answered with a transport error, or broke the protocol. */
  | 'ERR_ZEROTRIP_TRANSPORT'
  /** The host name could not be resolved. */
  | 'ERR_ZEROTRIP_LOOKUP'

export class QuicError extends Error {
  override readonly name = 'QuicError'
  readonly code: QuicErrorCode
  /** The error code on the wire, if there was one: transport (RFC 9000 §20.1) or the application's own. */
  readonly errorCode: number
  readonly type: 'transport' | 'application'

  constructor(
    code: QuicErrorCode,
    message: string,
    wire: { errorCode?: number; type?: 'transport' | 'application'; cause?: unknown } = {},
  ) {
    super(message, wire.cause === undefined ? undefined : { cause: wire.cause })
    this.code = code
    this.errorCode = wire.errorCode ?? 0
    this.type = wire.type ?? 'transport'
  }
}

/** The error for everything that was still open when a connection ended. */
export function closedError(event: ConnectionClosed): QuicError {
  const type = event.isApplication ? 'application' : 'transport'
  const wire = { errorCode: event.errorCode, type, ...(event.error && { cause: event.error }) } as const
  return new QuicError(codeOf(event), describe(event), wire)
}

function codeOf(event: ConnectionClosed): QuicErrorCode {
  if (event.by === 'idle') return 'ERR_ZEROTRIP_IDLE_TIMEOUT'
  if (event.isApplication || event.error === undefined) return 'ERR_ZEROTRIP_CONNECTION_CLOSED'
  return event.errorCode >= 0x100 && event.errorCode < 0x200 ? 'ERR_ZEROTRIP_HANDSHAKE' : 'ERR_ZEROTRIP_TRANSPORT'
}

function describe(event: ConnectionClosed): string {
  if (event.by === 'idle') return 'the peer fell silent: idle timeout'
  const who = event.by === 'peer' ? 'the peer closed' : 'closed'
  const what = event.isApplication ? `application code ${event.errorCode}` : errorCodeName(event.errorCode)
  return `${who} the connection with ${what}${event.reason ? `: ${event.reason}` : ''}`
}

// Errors that callers meet: a message that says what to do, and a stable code.

import type { ConnectionClosed } from '../connection/events.ts'
import { ErrorCode, errorCodeName } from '../packet/transport-error.ts'

export type QuicErrorCode =
  /** The connection ended: `cause` says why. */
  | 'ERR_ZEROTRIP_CONNECTION_CLOSED'
  /** The peer reset the stream, or asked to stop it; or it was reset here. */
  | 'ERR_ZEROTRIP_STREAM_ABORTED'
  /** The call makes no sense in this state. */
  | 'ERR_ZEROTRIP_INVALID_STATE'
  /** Nothing was heard for the idle timeout. */
  | 'ERR_ZEROTRIP_IDLE_TIMEOUT'
  /** The handshake was not complete in time: nobody answers at that address, or too slowly. */
  | 'ERR_ZEROTRIP_HANDSHAKE_TIMEOUT'
  /** TLS failed: certificate, ALPN, PSK... */
  | 'ERR_ZEROTRIP_HANDSHAKE'
  /** The server speaks no version of ours. */
  | 'ERR_ZEROTRIP_VERSION_NEGOTIATION'
  /** The server takes no more connections. */
  | 'ERR_ZEROTRIP_CONNECTION_REFUSED'
  /** The peer lost its state, by a restart for example (RFC 9000 §10.3). */
  | 'ERR_ZEROTRIP_STATELESS_RESET'
  /** The peer answered with a transport error, or broke the protocol. */
  | 'ERR_ZEROTRIP_TRANSPORT'
  /** No key or ticket is at hand that is good now, and `fallback` is `refuse`. */
  | 'ERR_ZEROTRIP_NO_CREDENTIAL'
  /** The host name could not be resolved. */
  | 'ERR_ZEROTRIP_LOOKUP'
  /** The session cannot move to another path now, or ever. */
  | 'ERR_ZEROTRIP_MIGRATION_REFUSED'
  /** The new path did not answer, or the session ended before. */
  | 'ERR_ZEROTRIP_MIGRATION_FAILED'
  /** The connection held most when all together held more than `maxMemory`. */
  | 'ERR_ZEROTRIP_OUT_OF_MEMORY'
  /** The UDP port could not be bound: `cause` is node's error. */
  | 'ERR_ZEROTRIP_BIND'

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

function codeOf({ by, isApplication, error, errorCode }: ConnectionClosed): QuicErrorCode {
  if (by === 'idle') return 'ERR_ZEROTRIP_IDLE_TIMEOUT'
  if (by === 'reset') return 'ERR_ZEROTRIP_STATELESS_RESET'
  if (isApplication || error === undefined) return 'ERR_ZEROTRIP_CONNECTION_CLOSED'
  // RFC 9000 §10.2.3: by its application, too early to say its code.
  if (errorCode === ErrorCode.ApplicationError) return 'ERR_ZEROTRIP_CONNECTION_CLOSED'
  if (errorCode === ErrorCode.VersionNegotiationError) return 'ERR_ZEROTRIP_VERSION_NEGOTIATION'
  if (errorCode === ErrorCode.ConnectionRefused) return 'ERR_ZEROTRIP_CONNECTION_REFUSED'
  return errorCode >= ErrorCode.CryptoError && errorCode < ErrorCode.CryptoError + 0x100
    ? 'ERR_ZEROTRIP_HANDSHAKE'
    : 'ERR_ZEROTRIP_TRANSPORT'
}

function describe(event: ConnectionClosed): string {
  if (event.by === 'idle') return 'the peer fell silent: idle timeout'
  if (event.by === 'reset') return 'the peer lost its state (stateless reset): connect again'
  const who = event.by === 'peer' ? 'the peer closed' : 'closed'
  const what = event.isApplication ? `application code ${event.errorCode}` : errorCodeName(event.errorCode)
  return `${who} the connection with ${what}${event.reason ? `: ${event.reason}` : ''}`
}

/** Throws a RangeError for what is no application error code: an integer from 0 to 2^53-1 here, 2^62-1 on the wire. */
export function assertErrorCode(errorCode: number): void {
  if (!Number.isSafeInteger(errorCode) || errorCode < 0) {
    throw new RangeError(`an error code must be an integer from 0 to 2^53-1, not ${errorCode}`)
  }
}

/** An error of the application's own code, met where nobody waits for it: shown as node shows those of any callback. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

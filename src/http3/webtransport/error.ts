// What rejects, and what streams fail with (W3C WebTransport, section 9).

export interface WebTransportErrorOptions {
  /** What failed. Default `stream`. */
  readonly source?: 'stream' | 'session'
  /** The code of the application, of a stream that was reset or stopped. Default null: there was none. */
  readonly streamErrorCode?: number | null
  readonly cause?: unknown
}

export class WebTransportError extends DOMException {
  readonly source: 'stream' | 'session'
  readonly streamErrorCode: number | null

  constructor(message = '', options: WebTransportErrorOptions = {}) {
    super(message, 'WebTransportError')
    this.source = options.source ?? 'stream'
    this.streamErrorCode = options.streamErrorCode ?? null
    if (options.cause !== undefined) Object.defineProperty(this, 'cause', { value: options.cause, configurable: true })
  }
}

/** Of a session that ended. */
export function sessionError(message: string, cause?: unknown): WebTransportError {
  return new WebTransportError(message, { source: 'session', cause })
}

/** The code an application wants to end a stream with: that of the error it gave, else 0. */
export function codeOfReason(reason: unknown): number {
  return reason instanceof WebTransportError ? (reason.streamErrorCode ?? 0) : 0
}

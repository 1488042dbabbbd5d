// Error codes of HTTP/3 (RFC 9114 §8.1), QPACK (RFC 9204 §6) and datagrams (RFC 9297 §5.2), and the errors that carry
// them.

export const Http3ErrorCode = {
  DatagramError: 0x33,
  NoError: 0x0100,
  GeneralProtocolError: 0x0101,
  InternalError: 0x0102,
  StreamCreationError: 0x0103,
  ClosedCriticalStream: 0x0104,
  FrameUnexpected: 0x0105,
  FrameError: 0x0106,
  ExcessiveLoad: 0x0107,
  IdError: 0x0108,
  SettingsError: 0x0109,
  MissingSettings: 0x010a,
  RequestRejected: 0x010b,
  RequestCancelled: 0x010c,
  RequestIncomplete: 0x010d,
  MessageError: 0x010e,
  ConnectError: 0x010f,
  VersionFallback: 0x0110,
  QpackDecompressionFailed: 0x0200,
  QpackEncoderStreamError: 0x0201,
  QpackDecoderStreamError: 0x0202,
} as const
export type Http3ErrorCode = (typeof Http3ErrorCode)[keyof typeof Http3ErrorCode]

/** The connection cannot go on: it closes with `code` (RFC 9114 §8, connection error). */
export class Http3Error extends Error {
  override readonly name = 'Http3Error'
  /** What goes on the wire. */
  readonly code: number

  constructor(code: number, reason: string) {
    super(reason)
    this.code = code
  }
}

/** One request cannot go on: its stream is reset with `code` (RFC 9114 §8, stream error). The others do not notice. */
export class Http3StreamError extends Error {
  override readonly name = 'Http3StreamError'
  readonly code: number
  /** True when the peer ended the stream; false when it was us. */
  readonly isRemote: boolean

  constructor(code: number, reason: string, isRemote = false) {
    super(reason)
    this.code = code
    this.isRemote = isRemote
  }

  /** RFC 9114 §4.1.1: a rejected request was not processed at all and may be sent again, whatever its method. */
  get isRetryable(): boolean {
    return this.code === Http3ErrorCode.RequestRejected
  }
}

/** A field section larger than what we said we would take (RFC 9114 §4.2.2): a server answers 431. */
export class FieldSectionTooLarge extends Http3StreamError {}

/** What should not have been thrown. */
export function internalError(error: unknown): Http3Error {
  return new Http3Error(Http3ErrorCode.InternalError, error instanceof Error ? error.message : String(error))
}

const names = new Map<number, string>(Object.entries(Http3ErrorCode).map(([name, code]) => [code, name]))

/** A readable name for a code: `FrameUnexpected`, `0x1234`. */
export function http3ErrorName(code: number): string {
  return names.get(code) ?? `0x${code.toString(16)}`
}

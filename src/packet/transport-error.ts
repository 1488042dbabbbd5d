// Error codes of the transport (RFC 9000 §20.1) and the error that closes a connection with one.

export const ErrorCode = {
  NoError: 0x00,
  InternalError: 0x01,
  ConnectionRefused: 0x02,
  FlowControlError: 0x03,
  StreamLimitError: 0x04,
  StreamStateError: 0x05,
  FinalSizeError: 0x06,
  FrameEncodingError: 0x07,
  TransportParameterError: 0x08,
  ConnectionIdLimitError: 0x09,
  ProtocolViolation: 0x0a,
  InvalidToken: 0x0b,
  ApplicationError: 0x0c,
  CryptoBufferExceeded: 0x0d,
  KeyUpdateError: 0x0e,
  AeadLimitReached: 0x0f,
  NoViablePath: 0x10,
  /** 0x0100 plus the TLS alert (RFC 9001 §4.8). */
  CryptoError: 0x0100,
  /** RFC 9368 §10.2. */
  VersionNegotiationError: 0x11,
} as const
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode]

/** The peer broke a rule: the connection closes with `code`. Thrown below the waist, caught once in it. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  /** What goes on the wire. */
  readonly code: number
  /** The type of the frame that broke the rule; 0 when unknown. */
  readonly frameType: number

  constructor(code: number, reason: string, frameType = 0) {
    super(reason)
    this.code = code
    this.frameType = frameType
  }
}

const names = new Map<number, string>(Object.entries(ErrorCode).map(([name, code]) => [code, name]))

/** A readable name for a code: `FlowControlError`, `CryptoError(40)`, `0x1234`. */
export function errorCodeName(code: number): string {
  if (code >= 0x100 && code <= 0x1ff) return `CryptoError(${code - 0x100})`
  return names.get(code) ?? `0x${code.toString(16)}`
}

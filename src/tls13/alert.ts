// Alerts (RFC 8446 §6). In QUIC an alert closes the connection with 0x0100 plus its number (RFC 9001 §4.8).

export const Alert = {
  CloseNotify: 0,
  UnexpectedMessage: 10,
  BadRecordMac: 20,
  RecordOverflow: 22,
  HandshakeFailure: 40,
  BadCertificate: 42,
  UnsupportedCertificate: 43,
  CertificateRevoked: 44,
  CertificateExpired: 45,
  CertificateUnknown: 46,
  IllegalParameter: 47,
  UnknownCa: 48,
  AccessDenied: 49,
  DecodeError: 50,
  DecryptError: 51,
  ProtocolVersion: 70,
  InsufficientSecurity: 71,
  InternalError: 80,
  InappropriateFallback: 86,
  UserCanceled: 90,
  MissingExtension: 109,
  UnsupportedExtension: 110,
  UnrecognizedName: 112,
  BadCertificateStatusResponse: 113,
  UnknownPskIdentity: 115,
  CertificateRequired: 116,
  NoApplicationProtocol: 120,
} as const
export type Alert = (typeof Alert)[keyof typeof Alert]

/** The handshake failed: the connection closes with CRYPTO_ERROR 0x0100 + `alert`. */
export class TlsAlert extends Error {
  override readonly name = 'TlsAlert'
  readonly alert: Alert

  /** `cause` is what a caller may want to know more of, such as a CertificateError. */
  constructor(alert: Alert, reason: string, cause?: Error) {
    super(reason, cause && { cause })
    this.alert = alert
  }
}

const names = new Map<number, string>(Object.entries(Alert).map(([name, code]) => [code, name]))

export function alertName(alert: number): string {
  return names.get(alert) ?? `alert ${alert}`
}

// CertificateRequest (RFC 8446 §4.3.2), which a client here answers with an empty Certificate.

import { Alert, TlsAlert } from '../alert.ts'
import { ExtensionType, readBody, readExtensions, readU16s } from '../extensions.ts'
import { expectDone, illegalParameter, type Message, opaque } from './handshake.ts'

/** Checks the request; nothing in it matters to a client that has no certificate. */
export function checkCertificateRequest(message: Message): void {
  const reader = message.body()
  const context = opaque(reader, 1, 0, 255)
  const extensions = readExtensions(reader)
  expectDone(reader, 'CertificateRequest')
  // RFC 8446 §4.3.2: the context is for requests after the handshake, which QUIC forbids (RFC 9001 §4.4).
  if (context.length > 0) throw illegalParameter('a context during the handshake')
  const schemes = extensions.get(ExtensionType.SignatureAlgorithms)
  if (schemes === undefined) throw new TlsAlert(Alert.MissingExtension, 'a request without signature_algorithms')
  readBody(schemes, readU16s)
}

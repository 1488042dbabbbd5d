// CertificateRequest (RFC 8446 §4.3.2).

import type { Reader } from '../../bytes/reader.ts'
import { Writer } from '../../bytes/writer.ts'
import type { SignatureScheme } from '../../crypto/backend.ts'
import { Alert, TlsAlert } from '../alert.ts'
import {
  beginExtension,
  checkPlace,
  ExtensionType,
  endExtension,
  readBody,
  readExtensions,
  readU16s,
  writeU16s,
} from '../extensions.ts'
import type { CertificateRequestInfo } from '../ports.ts'
import {
  beginMessage,
  decodeError,
  endMessage,
  expectDone,
  HandshakeType,
  illegalParameter,
  type Message,
  opaque,
  vector,
  writeOpaque,
} from './handshake.ts'

export function readCertificateRequest(message: Message): CertificateRequestInfo {
  const reader = message.body()
  const context = opaque(reader, 1, 0, 255)
  const extensions = readExtensions(reader)
  expectDone(reader, 'CertificateRequest')
  // RFC 8446 §4.3.2: the context is for requests after the handshake, which QUIC forbids (RFC 9001 §4.4).
  if (context.length > 0) throw illegalParameter('a context during the handshake')
  checkPlace(extensions, ALLOWED)
  const schemes = extensions.get(ExtensionType.SignatureAlgorithms)
  if (schemes === undefined) throw new TlsAlert(Alert.MissingExtension, 'a request without signature_algorithms')
  const authorities = extensions.get(ExtensionType.CertificateAuthorities)
  return {
    // Codes unknown to us may be among them; they match nothing.
    signatureSchemes: readBody(schemes, readU16s) as readonly number[] as readonly SignatureScheme[],
    certificateAuthorities: authorities === undefined ? [] : readBody(authorities, readAuthorities),
  }
}

const ALLOWED: readonly number[] = [
  ExtensionType.SignatureAlgorithms,
  ExtensionType.CertificateAuthorities,
  // An offer, which a client need not take.
  ExtensionType.CompressCertificate,
]

/** RFC 8446 §4.2.4. */
function readAuthorities(reader: Reader): Uint8Array[] {
  const list = vector(reader, 2)
  if (list.isDone) throw decodeError('an empty list of authorities')
  const names: Uint8Array[] = []
  while (!list.isDone) names.push(opaque(list, 2, 1, 0xffff))
  return names
}

export function writeCertificateRequest(request: CertificateRequestInfo): Uint8Array {
  const { signatureSchemes, certificateAuthorities } = request
  const namesLength = certificateAuthorities.reduce((sum, name) => sum + 2 + name.length, 0)
  const w = Writer.allocate(32 + 2 * signatureSchemes.length + namesLength)
  const start = beginMessage(w, HandshakeType.CertificateRequest)
  w.u8(0)
  const extensions = w.beginVector(2)
  writeU16s(w, ExtensionType.SignatureAlgorithms, signatureSchemes)
  if (namesLength > 0) {
    const extension = beginExtension(w, ExtensionType.CertificateAuthorities)
    const list = w.beginVector(2)
    for (const name of certificateAuthorities) writeOpaque(w, 2, name)
    w.endVector(list, 2)
    endExtension(w, extension)
  }
  w.endVector(extensions, 2)
  return endMessage(w, start)
}

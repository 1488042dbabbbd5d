// CertificateVerify (RFC 8446 §4.4.3).

import { Writer } from '../../bytes/writer.ts'
import { fromAscii } from '../extensions.ts'
import { beginMessage, endMessage, expectDone, HandshakeType, type Message, opaque, writeOpaque } from './handshake.ts'

export interface CertificateVerify {
  readonly scheme: number
  readonly signature: Uint8Array
}

export function readCertificateVerify(message: Message): CertificateVerify {
  const reader = message.body()
  const scheme = reader.u16()
  const signature = opaque(reader, 2, 0, 0xffff)
  expectDone(reader, 'CertificateVerify')
  return { scheme, signature }
}

export function writeCertificateVerify(fields: CertificateVerify): Uint8Array {
  const w = Writer.allocate(8 + fields.signature.length)
  const start = beginMessage(w, HandshakeType.CertificateVerify)
  w.u16(fields.scheme)
  writeOpaque(w, 2, fields.signature)
  return endMessage(w, start)
}

/** What is signed: 64 spaces, the signer's context, a zero, the transcript hash up to the signer's Certificate. */
export function signatureContent(signer: 'client' | 'server', transcriptHash: Uint8Array): Uint8Array {
  const context = contexts[signer]
  const w = Writer.allocate(64 + context.length + 1 + transcriptHash.length)
  w.zeros(64)
  w.bytes.fill(0x20, 0, 64)
  w.put(context)
  w.u8(0)
  w.put(transcriptHash)
  return w.finish()
}

const contexts = {
  client: fromAscii('TLS 1.3, client CertificateVerify'),
  server: fromAscii('TLS 1.3, server CertificateVerify'),
}

// Certificate (RFC 8446 §4.4.2).

import { Writer } from '../../bytes/writer.ts'
import { limits } from '../../limits.ts'
import { checkAnswer, readExtensions } from '../extensions.ts'
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

/** A longer chain is refused before any of it is parsed. */
export const MAX_CHAIN_LENGTH: number = limits.chainLength

/** The chain of a server, leaf first, in DER. `offered` are the extension types of the ClientHello. */
export function readServerCertificate(message: Message, offered: ReadonlySet<number>): Uint8Array[] {
  const chain = readCertificate(message, offered)
  // RFC 8446 §4.4.2.4.
  if (chain.length === 0) throw decodeError('the server sent no certificate')
  return chain
}

/** The same of a client, which may have none; `offered` are the extension types of the CertificateRequest. */
export function readCertificate(message: Message, offered: ReadonlySet<number>): Uint8Array[] {
  const reader = message.body()
  const context = opaque(reader, 1, 0, 255)
  const list = vector(reader, 3)
  expectDone(reader, 'Certificate')
  const chain: Uint8Array[] = []
  while (!list.isDone) {
    if (chain.length === MAX_CHAIN_LENGTH) throw illegalParameter(`more than ${MAX_CHAIN_LENGTH} certificates`)
    chain.push(opaque(list, 3, 1, 0xffffff))
    // Nothing we offer is answered here: neither OCSP nor SCTs.
    checkAnswer(readExtensions(list), offered, [])
  }
  // RFC 8446 §4.4.2: that of the request, which has none during the handshake.
  if (context.length > 0) throw illegalParameter('a context that was not asked for')
  return chain
}

/** An empty chain is a client's way to say that it has none (RFC 8446 §4.4.2). */
export function writeCertificate(chain: readonly Uint8Array[]): Uint8Array {
  let size = 16
  for (const certificate of chain) size += 5 + certificate.length
  const w = Writer.allocate(size)
  const start = beginMessage(w, HandshakeType.Certificate)
  w.u8(0)
  const list = w.beginVector(3)
  for (const certificate of chain) {
    writeOpaque(w, 3, certificate)
    w.u16(0)
  }
  w.endVector(list, 3)
  return endMessage(w, start)
}

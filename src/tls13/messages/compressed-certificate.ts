// CompressedCertificate (RFC 8879 §4): a Certificate message without its header, made smaller.

import { Writer } from '../../bytes/writer.ts'
import { limits } from '../../limits.ts'
import { Alert, TlsAlert } from '../alert.ts'
import type { CertificateCompression } from '../ports.ts'
import {
  beginMessage,
  endMessage,
  expectDone,
  HandshakeType,
  illegalParameter,
  MESSAGE_HEADER_LENGTH,
  Message,
  opaque,
  writeOpaque,
} from './handshake.ts'

/** A message that would be longer is refused before anything is decompressed. */
export const MAX_DECOMPRESSED: number = limits.decompressedCertificate
/** Shorter ones fit beside the rest of the flight, and are not worth the work on both sides. */
const LEAST_COMPRESSED = 2048

/** The Certificate message inside. */
export function readCompressedCertificate(message: Message, compression: CertificateCompression): Message {
  const reader = message.body()
  const algorithm = reader.u16()
  const length = reader.u24()
  const compressed = opaque(reader, 3, 1, 0xffffff)
  expectDone(reader, 'CompressedCertificate')
  if (!compression.algorithms.includes(algorithm)) throw illegalParameter(`compression ${algorithm} was not offered`)
  if (length > MAX_DECOMPRESSED) throw bad(`a certificate message of ${length} bytes`)
  const body = compression.decompress(algorithm, compressed, length)
  if (body?.length !== length) throw bad('a certificate message that cannot be decompressed')
  const w = Writer.allocate(MESSAGE_HEADER_LENGTH + length)
  const start = beginMessage(w, HandshakeType.Certificate)
  w.put(body)
  return new Message(endMessage(w, start))
}

/** `certificate` as a client with `offered` takes it best; itself, if that is not compressed. */
export function compressCertificate(
  certificate: Uint8Array,
  offered: readonly number[] | undefined,
  compression: CertificateCompression | undefined,
): Uint8Array {
  if (certificate.length < LEAST_COMPRESSED || compression === undefined) return certificate
  const algorithm = compression.algorithms.find(candidate => offered?.includes(candidate))
  if (algorithm === undefined) return certificate
  const body = certificate.subarray(MESSAGE_HEADER_LENGTH)
  const compressed = compression.compress(algorithm, body)
  if (compressed.length >= body.length) return certificate
  const w = Writer.allocate(16 + compressed.length)
  const start = beginMessage(w, HandshakeType.CompressedCertificate)
  w.u16(algorithm)
  w.u24(body.length)
  writeOpaque(w, 3, compressed)
  return endMessage(w, start)
}

/** RFC 8879 §4. */
function bad(reason: string): TlsAlert {
  return new TlsAlert(Alert.BadCertificate, reason)
}

// ServerHello and HelloRetryRequest (RFC 8446 §4.1.3, §4.1.4): one layout, told apart by the random.

import { equal } from '../../bytes/equal.ts'
import { Writer } from '../../bytes/writer.ts'
import { Alert, TlsAlert } from '../alert.ts'
import {
  type Extensions,
  ExtensionType,
  type KeyShareEntry,
  readBody,
  readExtensions,
  readSelectedVersion,
  TLS_1_3,
  writeKeyShare,
  writeSelectedGroup,
  writeSelectedPsk,
  writeSelectedVersion,
} from '../extensions.ts'
import { LEGACY_VERSION, RANDOM_LENGTH } from './client-hello.ts'
import {
  beginMessage,
  endMessage,
  expectDone,
  HandshakeType,
  illegalParameter,
  type Message,
  opaque,
} from './handshake.ts'

/** SHA-256 of "HelloRetryRequest". */
export const HELLO_RETRY_RANDOM: Uint8Array = Uint8Array.of(
  ...[0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91],
  ...[0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c],
)

export interface ServerHello {
  readonly isRetry: boolean
  readonly cipherSuite: number
  readonly extensions: Extensions
}

export function readServerHello(message: Message): ServerHello {
  const reader = message.body()
  reader.u16()
  const random = reader.view(RANDOM_LENGTH)
  const sessionId = opaque(reader, 1, 0, 32)
  const cipherSuite = reader.u16()
  const compression = reader.u8()
  // Without extensions it is an answer of TLS 1.2 or older.
  if (reader.isDone) throw tooOld(random)
  const extensions = readExtensions(reader)
  expectDone(reader, 'ServerHello')
  checkVersion(extensions, random)
  if (sessionId.length > 0) throw illegalParameter('the echoed session id was not sent')
  if (compression !== 0) throw illegalParameter('compression was not offered')
  return { isRetry: equal(random, HELLO_RETRY_RANDOM), cipherSuite, extensions }
}

/** RFC 8446 §4.2.1: before anything else in the message. */
function checkVersion(extensions: Extensions, random: Uint8Array): void {
  const body = extensions.get(ExtensionType.SupportedVersions)
  if (body === undefined) throw tooOld(random)
  const version = readBody(body, readSelectedVersion)
  if (version !== TLS_1_3) throw illegalParameter(`version ${version.toString(16)} was not offered`)
}

/** RFC 8446 §4.1.3: a server that knows TLS 1.3 and was talked out of it leaves a mark: "DOWNGRD" and 0 or 1. */
function tooOld(random: Uint8Array): TlsAlert {
  const mark = random.subarray(24, 31)
  const isDowngrade = equal(mark, Uint8Array.of(0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44)) && (random[31] as number) < 2
  const alert = isDowngrade ? Alert.IllegalParameter : Alert.ProtocolVersion
  return new TlsAlert(alert, 'the server does not speak TLS 1.3')
}

export interface ServerHelloFields {
  readonly random: Uint8Array
  readonly cipherSuite: number
  readonly keyShare: KeyShareEntry
  readonly selectedPsk: number | undefined
}

export function writeServerHello(fields: ServerHelloFields): Uint8Array {
  const w = Writer.allocate(128 + fields.keyShare.publicKey.length)
  const start = beginMessage(w, HandshakeType.ServerHello)
  const extensions = writeHead(w, fields.random, fields.cipherSuite)
  writeSelectedVersion(w)
  writeKeyShare(w, fields.keyShare)
  if (fields.selectedPsk !== undefined) writeSelectedPsk(w, fields.selectedPsk)
  w.endVector(extensions, 2)
  return endMessage(w, start)
}

export function writeHelloRetryRequest(cipherSuite: number, group: number): Uint8Array {
  const w = Writer.allocate(128)
  const start = beginMessage(w, HandshakeType.ServerHello)
  const extensions = writeHead(w, HELLO_RETRY_RANDOM, cipherSuite)
  writeSelectedVersion(w)
  writeSelectedGroup(w, group)
  w.endVector(extensions, 2)
  return endMessage(w, start)
}

function writeHead(w: Writer, random: Uint8Array, cipherSuite: number): number {
  w.u16(LEGACY_VERSION)
  w.put(random)
  w.u8(0)
  w.u16(cipherSuite)
  w.u8(0)
  return w.beginVector(2)
}

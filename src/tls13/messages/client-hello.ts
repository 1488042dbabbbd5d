// ClientHello (RFC 8446 §4.1.2).

import { Writer } from '../../bytes/writer.ts'
import { ErrorCode, TransportError } from '../../packet/transport-error.ts'
import { Alert, TlsAlert } from '../alert.ts'
import {
  type Extensions,
  ExtensionType,
  type KeyShareEntry,
  type OfferedPsks,
  type PskIdentity,
  readAlgorithms,
  readAlpn,
  readBody,
  readEmpty,
  readExtensions,
  readKeyShares,
  readOfferedPsks,
  readOfferedVersions,
  readPskModes,
  readServerName,
  readU16s,
  TLS_1_3,
  writeAlgorithms,
  writeAlpn,
  writeCookie,
  writeEmpty,
  writeKeyShares,
  writeOfferedPsk,
  writeOfferedVersions,
  writePskModes,
  writeServerName,
  writeTransportParameters,
  writeU16s,
} from '../extensions.ts'
import {
  beginMessage,
  endMessage,
  expectDone,
  HandshakeType,
  illegalParameter,
  type Message,
  opaque,
  u16List,
  writeU16List,
} from './handshake.ts'

export const RANDOM_LENGTH = 32
export const LEGACY_VERSION = 0x0303

/** A ClientHello as a server sees it. Undefined or empty stands for an extension that is absent. */
export interface ClientHello {
  readonly random: Uint8Array
  readonly cipherSuites: readonly number[]
  readonly extensions: Extensions
  readonly serverName: string | undefined
  readonly groups: readonly number[] | undefined
  readonly keyShares: readonly KeyShareEntry[] | undefined
  readonly signatureSchemes: readonly number[] | undefined
  readonly alpn: readonly string[]
  /** Algorithms that certificates may be compressed by (RFC 8879). */
  readonly compressions: readonly number[] | undefined
  readonly pskModes: Uint8Array | undefined
  readonly psks: OfferedPsks | undefined
  readonly hasEarlyData: boolean
  readonly transportParameters: Uint8Array
}

export function readClientHello(message: Message): ClientHello {
  const reader = message.body()
  // legacy_version says nothing once supported_versions is there (RFC 8446 §4.2.1).
  reader.u16()
  const random = reader.view(RANDOM_LENGTH)
  const sessionId = opaque(reader, 1, 0, 32)
  const cipherSuites = u16List(reader, 2)
  const compression = opaque(reader, 1, 1, 255)
  // A hello without extensions is one of TLS 1.2 or older (RFC 8446 §4.1.2).
  if (reader.isDone) throw tooOld()
  const extensions = readExtensions(reader)
  expectDone(reader, 'ClientHello')
  checkVersion(extensions)
  if (compression.length !== 1 || compression[0] !== 0) throw illegalParameter('compression is offered')
  // RFC 9001 §8.4: no compatibility mode.
  if (sessionId.length > 0) throw new TransportError(ErrorCode.ProtocolViolation, 'legacy_session_id is not empty')
  return { random, cipherSuites, ...readOffer(extensions) }
}

type Offer = Omit<ClientHello, 'random' | 'cipherSuites'>

function readOffer(extensions: Extensions): Offer {
  const read = <T>(type: ExtensionType, reader: Parameters<typeof readBody<T>>[1]): T | undefined => {
    const body = extensions.get(type)
    return body === undefined ? undefined : readBody(body, reader)
  }
  return {
    extensions,
    serverName: read(ExtensionType.ServerName, readServerName),
    groups: read(ExtensionType.SupportedGroups, readU16s),
    keyShares: read(ExtensionType.KeyShare, readKeyShares),
    signatureSchemes: read(ExtensionType.SignatureAlgorithms, readU16s),
    alpn: offeredProtocols(read(ExtensionType.Alpn, readAlpn)),
    compressions: read(ExtensionType.CompressCertificate, readAlgorithms),
    pskModes: read(ExtensionType.PskKeyExchangeModes, readPskModes),
    psks: lastPsks(extensions),
    hasEarlyData: read(ExtensionType.EarlyData, readEmpty) ?? false,
    transportParameters: transportParameters(extensions),
  }
}

function checkVersion(extensions: Extensions): void {
  const body = extensions.get(ExtensionType.SupportedVersions)
  if (body === undefined || !readBody(body, readOfferedVersions).includes(TLS_1_3)) throw tooOld()
}

/** RFC 9001 §8.1: QUIC needs a protocol. */
function offeredProtocols(alpn: string[] | undefined): string[] {
  if (alpn === undefined) throw new TlsAlert(Alert.NoApplicationProtocol, 'no ALPN extension')
  return alpn
}

/** RFC 8446 §4.2.11: pre_shared_key is the last extension, for what comes before it is what the binders cover. */
function lastPsks(extensions: Extensions): OfferedPsks | undefined {
  const body = extensions.get(ExtensionType.PreSharedKey)
  if (body === undefined) return undefined
  let last = -1
  for (const type of extensions.keys()) last = type
  if (last !== ExtensionType.PreSharedKey) throw illegalParameter('pre_shared_key is not the last extension')
  return readBody(body, readOfferedPsks)
}

/** RFC 9001 §8.2. */
function transportParameters(extensions: Extensions): Uint8Array {
  const bytes = extensions.get(ExtensionType.QuicTransportParameters)
  if (bytes === undefined) throw new TlsAlert(Alert.MissingExtension, 'no transport parameters')
  return bytes
}

function tooOld(): TlsAlert {
  return new TlsAlert(Alert.ProtocolVersion, 'the client does not offer TLS 1.3')
}

/** Values that mean nothing to anybody (RFC 8701 §3.1), one for each place where a server must ignore what it does not know. */
export interface Grease {
  readonly suite: number
  readonly group: number
  readonly version: number
  readonly extension: number
  readonly lastExtension: number
}

/** What a client puts into a ClientHello. */
export interface ClientHelloFields {
  readonly random: Uint8Array
  readonly cipherSuites: readonly number[]
  /** Undefined for IP literals. */
  readonly serverName: string | undefined
  readonly groups: readonly number[]
  readonly keyShares: readonly KeyShareEntry[]
  readonly signatureSchemes: readonly number[]
  readonly alpn: readonly string[]
  readonly transportParameters: Uint8Array
  readonly compressions: readonly number[] | undefined
  readonly cookie: Uint8Array | undefined
  readonly hasEarlyData: boolean
  /** Undefined: none. */
  readonly grease: Grease | undefined
  /** Offered with a binder of zeros; `fillBinder` replaces it. */
  readonly psk: (PskIdentity & { readonly binderLength: number }) | undefined
}

export function writeClientHello(fields: ClientHelloFields): Uint8Array {
  const w = Writer.allocate(sizeBound(fields))
  const start = beginMessage(w, HandshakeType.ClientHello)
  w.u16(LEGACY_VERSION)
  w.put(fields.random)
  w.u8(0)
  writeU16List(w, 2, behind(fields.grease?.suite, fields.cipherSuites))
  w.u8(1)
  w.u8(0)
  const extensions = w.beginVector(2)
  writeOffer(w, fields)
  w.endVector(extensions, 2)
  return endMessage(w, start)
}

function writeOffer(w: Writer, fields: ClientHelloFields): void {
  const { grease, compressions } = fields
  if (grease !== undefined) writeEmpty(w, grease.extension)
  if (fields.serverName !== undefined) writeServerName(w, fields.serverName)
  writeOfferedVersions(w, behind(grease?.version, [TLS_1_3]))
  writeU16s(w, ExtensionType.SupportedGroups, behind(grease?.group, fields.groups))
  writeU16s(w, ExtensionType.SignatureAlgorithms, fields.signatureSchemes)
  writeAlpn(w, fields.alpn)
  writeKeyShares(w, fields.keyShares)
  writePskModes(w)
  writeTransportParameters(w, fields.transportParameters)
  if (compressions !== undefined) writeAlgorithms(w, compressions)
  if (grease !== undefined) writeEmpty(w, grease.lastExtension)
  if (fields.cookie !== undefined) writeCookie(w, fields.cookie)
  if (fields.hasEarlyData) writeEmpty(w, ExtensionType.EarlyData)
  if (fields.psk !== undefined) writeOfferedPsk(w, fields.psk, fields.psk.binderLength)
}

function behind(first: number | undefined, rest: readonly number[]): readonly number[] {
  return first === undefined ? rest : [first, ...rest]
}

/** The message without its one binder of `binderLength` bytes (RFC 8446 §4.2.11.2). */
export function truncateHello(message: Uint8Array, binderLength: number): Uint8Array {
  return message.subarray(0, message.length - 3 - binderLength)
}

export function fillBinder(message: Uint8Array, binder: Uint8Array): void {
  message.set(binder, message.length - binder.length)
}

function sizeBound(fields: ClientHelloFields): number {
  let size = 256 + fields.transportParameters.length
  for (const share of fields.keyShares) size += 4 + share.publicKey.length
  size += 2 * (fields.cipherSuites.length + fields.groups.length + fields.signatureSchemes.length)
  size += (fields.serverName?.length ?? 0) + (fields.cookie?.length ?? 0)
  for (const protocol of fields.alpn) size += 1 + protocol.length
  if (fields.psk !== undefined) size += 64 + fields.psk.identity.length + fields.psk.binderLength
  return size
}

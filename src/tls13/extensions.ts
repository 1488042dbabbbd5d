// Extensions (RFC 8446 §4.2): the block, and one read/write pair for each extension used here.

import { Reader } from '../bytes/reader.ts'
import type { Writer } from '../bytes/writer.ts'
import { limits } from '../limits.ts'
import { Alert, TlsAlert } from './alert.ts'
import {
  decodeError,
  expectDone,
  illegalParameter,
  opaque,
  u16List,
  vector,
  writeOpaque,
  writeU16List,
} from './messages/handshake.ts'

export const ExtensionType = {
  ServerName: 0,
  SupportedGroups: 10,
  SignatureAlgorithms: 13,
  Alpn: 16,
  /** RFC 8879 §3. */
  CompressCertificate: 27,
  PreSharedKey: 41,
  EarlyData: 42,
  SupportedVersions: 43,
  Cookie: 44,
  PskKeyExchangeModes: 45,
  CertificateAuthorities: 47,
  KeyShare: 51,
  /** RFC 9001 §8.2. */
  QuicTransportParameters: 0x39,
} as const
export type ExtensionType = (typeof ExtensionType)[keyof typeof ExtensionType]

export const TLS_1_3 = 0x0304
/** PskKeyExchangeMode psk_dhe_ke (RFC 8446 §4.2.9): the only one used here. */
export const PSK_DHE_KE = 1
/** In QUIC the early_data extension of a ticket holds this or is absent (RFC 9001 §4.6.1). */
export const QUIC_MAX_EARLY_DATA = 0xffffffff

/** Bodies by type, in the order they came. */
export type Extensions = ReadonlyMap<number, Uint8Array>

/** Reads a block. There must not be two extensions of one type (RFC 8446 §4.2). */
export function readExtensions(reader: Reader): Extensions {
  const block = vector(reader, 2)
  const extensions = new Map<number, Uint8Array>()
  while (!block.isDone) {
    const type = block.u16()
    const body = opaque(block, 2, 0, 0xffff)
    if (extensions.has(type)) throw illegalParameter(`extension ${type} appears twice`)
    extensions.set(type, body)
  }
  return extensions
}

/**
 * Checks the extensions of an answer: what was not asked for is unsupported_extension, what was asked for but does
 * not belong into this message is illegal_parameter (RFC 8446 §4.2).
 */
export function checkAnswer(answer: Extensions, offered: ReadonlySet<number>, allowed: readonly number[]): void {
  for (const type of answer.keys()) {
    if (!offered.has(type)) throw new TlsAlert(Alert.UnsupportedExtension, `extension ${type} was not offered`)
    if (!allowed.includes(type)) throw illegalParameter(`extension ${type} in the wrong message`)
  }
}

/** RFC 8446 §4.2: in a message that is no answer unknown extensions are ignored, and known ones keep to their place. */
export function checkPlace(extensions: Extensions, allowed: readonly number[]): void {
  for (const type of extensions.keys()) {
    if (knownTypes.has(type) && !allowed.includes(type))
      throw illegalParameter(`extension ${type} in the wrong message`)
  }
}

const knownTypes: ReadonlySet<number> = new Set(Object.values(ExtensionType))

export function beginExtension(w: Writer, type: number): number {
  w.u16(type)
  return w.beginVector(2)
}

export function endExtension(w: Writer, start: number): void {
  w.endVector(start, 2)
}

/** Reads the whole body with `read`; what is left over is a decode_error. */
export function readBody<T>(body: Uint8Array, read: (reader: Reader) => T): T {
  const reader = new Reader(body)
  const value = read(reader)
  expectDone(reader, 'an extension')
  return value
}

// server_name (RFC 6066 §3)

/** The host name in lower case; undefined when the list holds other kinds of names alone. */
export function readServerName(reader: Reader): string | undefined {
  const list = vector(reader, 2)
  if (list.isDone) throw decodeError('an empty server name list')
  let name: string | undefined
  while (!list.isDone) {
    const type = list.u8()
    const bytes = opaque(list, 2, 1, 0xffff)
    if (type !== HOST_NAME) continue
    if (name !== undefined) throw illegalParameter('two host names')
    name = hostName(bytes)
  }
  return name
}

export function writeServerName(w: Writer, name: string): void {
  const extension = beginExtension(w, ExtensionType.ServerName)
  const list = w.beginVector(2)
  w.u8(HOST_NAME)
  writeOpaque(w, 2, fromAscii(name))
  w.endVector(list, 2)
  endExtension(w, extension)
}

const HOST_NAME = 0

function hostName(bytes: Uint8Array): string {
  if (bytes.length > 255) throw illegalParameter(`a host name of ${bytes.length} bytes`)
  for (const byte of bytes) if (byte <= 0x20 || byte >= 0x7f) throw illegalParameter('a host name that is not ASCII')
  return toLatin1(bytes).toLowerCase()
}

// supported_versions (RFC 8446 §4.2.1), supported_groups (§4.2.7), signature_algorithms (§4.2.3)

export function readOfferedVersions(reader: Reader): number[] {
  return u16List(reader, 1)
}

export function writeOfferedVersions(w: Writer, versions: readonly number[]): void {
  const extension = beginExtension(w, ExtensionType.SupportedVersions)
  writeU16List(w, 1, versions)
  endExtension(w, extension)
}

export function readSelectedVersion(reader: Reader): number {
  return reader.u16()
}

export function writeSelectedVersion(w: Writer): void {
  const extension = beginExtension(w, ExtensionType.SupportedVersions)
  w.u16(TLS_1_3)
  endExtension(w, extension)
}

/** For compress_certificate (RFC 8879 §3). */
export function readAlgorithms(reader: Reader): number[] {
  return u16List(reader, 1)
}

export function writeAlgorithms(w: Writer, values: readonly number[]): void {
  const extension = beginExtension(w, ExtensionType.CompressCertificate)
  writeU16List(w, 1, values)
  endExtension(w, extension)
}

/** For supported_groups and signature_algorithms. */
export function readU16s(reader: Reader): number[] {
  return u16List(reader, 2)
}

export function writeU16s(w: Writer, type: ExtensionType, values: readonly number[]): void {
  const extension = beginExtension(w, type)
  writeU16List(w, 2, values)
  endExtension(w, extension)
}

// application_layer_protocol_negotiation (RFC 7301 §3.1)

export function readAlpn(reader: Reader): string[] {
  const list = vector(reader, 2)
  if (list.isDone) throw decodeError('an empty protocol list')
  const protocols: string[] = []
  while (!list.isDone) protocols.push(toLatin1(opaque(list, 1, 1, 255)))
  return protocols
}

export function writeAlpn(w: Writer, protocols: readonly string[]): void {
  const extension = beginExtension(w, ExtensionType.Alpn)
  const list = w.beginVector(2)
  for (const protocol of protocols) writeOpaque(w, 1, fromAscii(protocol))
  w.endVector(list, 2)
  endExtension(w, extension)
}

// key_share (RFC 8446 §4.2.8)

export interface KeyShareEntry {
  readonly group: number
  readonly publicKey: Uint8Array
}

export function readKeyShare(reader: Reader): KeyShareEntry {
  return { group: reader.u16(), publicKey: opaque(reader, 2, 1, 0xffff) }
}

export function readKeyShares(reader: Reader): KeyShareEntry[] {
  const list = vector(reader, 2)
  const shares: KeyShareEntry[] = []
  while (!list.isDone) shares.push(readKeyShare(list))
  return shares
}

export function writeKeyShare(w: Writer, share: KeyShareEntry): void {
  const extension = beginExtension(w, ExtensionType.KeyShare)
  writeEntry(w, share)
  endExtension(w, extension)
}

export function writeKeyShares(w: Writer, shares: readonly KeyShareEntry[]): void {
  const extension = beginExtension(w, ExtensionType.KeyShare)
  const list = w.beginVector(2)
  for (const share of shares) writeEntry(w, share)
  w.endVector(list, 2)
  endExtension(w, extension)
}

/** In a HelloRetryRequest: the group alone. */
export function writeSelectedGroup(w: Writer, group: number): void {
  const extension = beginExtension(w, ExtensionType.KeyShare)
  w.u16(group)
  endExtension(w, extension)
}

function writeEntry(w: Writer, share: KeyShareEntry): void {
  w.u16(share.group)
  writeOpaque(w, 2, share.publicKey)
}

// psk_key_exchange_modes (RFC 8446 §4.2.9)

export function readPskModes(reader: Reader): Uint8Array {
  return opaque(reader, 1, 1, 255)
}

export function writePskModes(w: Writer): void {
  const extension = beginExtension(w, ExtensionType.PskKeyExchangeModes)
  w.u8(1)
  w.u8(PSK_DHE_KE)
  endExtension(w, extension)
}

// cookie (RFC 8446 §4.2.2)

export function readCookie(reader: Reader): Uint8Array {
  return opaque(reader, 2, 1, 0xffff)
}

export function writeCookie(w: Writer, cookie: Uint8Array): void {
  const extension = beginExtension(w, ExtensionType.Cookie)
  writeOpaque(w, 2, cookie)
  endExtension(w, extension)
}

// pre_shared_key (RFC 8446 §4.2.11)

export interface PskIdentity {
  readonly identity: Uint8Array
  readonly obfuscatedAge: number
}

export interface OfferedPsks {
  readonly identities: readonly PskIdentity[]
  readonly binders: readonly Uint8Array[]
  /** Bytes of the binders list with its length: what Truncate() takes off the end of the message (§4.2.11.2). */
  readonly bindersLength: number
}

/** What a server looks at: more identities than this are read but never looked up. */
export const MAX_PSK_IDENTITIES: number = limits.pskIdentities

export function readOfferedPsks(reader: Reader): OfferedPsks {
  const list = vector(reader, 2)
  const identities: PskIdentity[] = []
  while (!list.isDone) identities.push({ identity: opaque(list, 2, 1, 0xffff), obfuscatedAge: list.u32() })
  const bindersLength = reader.remaining
  const binderList = vector(reader, 2)
  const binders: Uint8Array[] = []
  while (!binderList.isDone) binders.push(opaque(binderList, 1, 32, 255))
  if (identities.length === 0) throw decodeError('no PSK identities')
  if (binders.length !== identities.length) throw illegalParameter('as many binders as identities are needed')
  return { identities, binders, bindersLength }
}

/** One identity with a binder of zeros, which the caller fills in: it is the end of the message. */
export function writeOfferedPsk(w: Writer, psk: PskIdentity, binderLength: number): void {
  const extension = beginExtension(w, ExtensionType.PreSharedKey)
  const identities = w.beginVector(2)
  writeOpaque(w, 2, psk.identity)
  w.u32(psk.obfuscatedAge)
  w.endVector(identities, 2)
  const binders = w.beginVector(2)
  w.u8(binderLength)
  w.zeros(binderLength)
  w.endVector(binders, 2)
  endExtension(w, extension)
}

export function writeSelectedPsk(w: Writer, index: number): void {
  const extension = beginExtension(w, ExtensionType.PreSharedKey)
  w.u16(index)
  endExtension(w, extension)
}

// early_data (§4.2.10), an empty server_name, quic_transport_parameters

export function writeEmpty(w: Writer, type: number): void {
  w.u16(type)
  w.u16(0)
}

export function readEmpty(reader: Reader): true {
  expectDone(reader, 'an extension that must be empty')
  return true
}

/** The bytes are the transport's: TLS carries them unread. */
export function writeTransportParameters(w: Writer, bytes: Uint8Array): void {
  const extension = beginExtension(w, ExtensionType.QuicTransportParameters)
  w.put(bytes)
  endExtension(w, extension)
}

// Protocol and host names are bytes on the wire; here they are strings of one character per byte.

export function toLatin1(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

export function fromAscii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

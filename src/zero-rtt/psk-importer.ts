// Importing external PSKs for TLS 1.3 (RFC 9258).

import { OutOfBytes, Reader } from '../bytes/reader.ts'
import { Writer } from '../bytes/writer.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import type { HashName } from '../crypto/cipher-suite.ts'
import { hkdfExpandLabel, hkdfExtract } from '../crypto/hkdf.ts'

/** RFC 9258 §5.1. Its bytes are the identity on the wire. */
export interface ImportedIdentity {
  readonly externalIdentity: Uint8Array
  readonly context: Uint8Array
  readonly targetProtocol: number
  readonly targetKdf: number
}

/** What goes into the importer. */
export interface ExternalPsk {
  readonly externalIdentity: Uint8Array
  /** At least 16 bytes of full entropy (RFC 9257 §6); used for nothing but importing. */
  readonly epsk: Uint8Array
  /** Travels in the clear. */
  readonly context: Uint8Array
  /** The hash of the cipher suite the imported PSK is for. */
  readonly hash: HashName
  /** The hash that belongs to the external PSK itself. Default `sha256`, as RFC 9258 §5.1 recommends. */
  readonly epskHash?: HashName
}

export interface ImportedPsk {
  readonly identity: Uint8Array
  readonly secret: Uint8Array
}

/** TLS 1.3, and with it QUIC version 1. */
export const TARGET_PROTOCOL_TLS13: number = 0x0304

/** TLS KDF identifiers (RFC 9258 §9). */
export const TargetKdf = { HkdfSha256: 0x0001, HkdfSha384: 0x0002 } as const
export type TargetKdf = (typeof TargetKdf)[keyof typeof TargetKdf]

/** RFC 9257 §6: 128 bits at least. */
export const MIN_EPSK_LENGTH: number = 16

export function targetKdfOf(hash: HashName): TargetKdf {
  return hash === 'sha256' ? TargetKdf.HkdfSha256 : TargetKdf.HkdfSha384
}

/** RFC 9258 §5.1: one PSK, and its identity, for this context and this hash. */
export function importPsk(backend: CryptoBackend, external: ExternalPsk): ImportedPsk {
  const identity = importedIdentity(external.externalIdentity, external.context, external.hash)
  return { identity, secret: importedSecret(backend, external, identity) }
}

/** The secret alone, for an identity that was received. */
export function importedSecret(
  backend: CryptoBackend,
  external: Pick<ExternalPsk, 'epsk' | 'hash' | 'epskHash'>,
  identity: Uint8Array,
): Uint8Array {
  const hash = external.epskHash ?? 'sha256'
  return secretOf(backend, extractEpsk(backend, external.epsk, hash), identity, external.hash, hash)
}

/** epskx of RFC 9258 §5.1: the same for every identity. */
export function extractEpsk(backend: CryptoBackend, epsk: Uint8Array, epskHash: HashName = 'sha256'): Uint8Array {
  if (epsk.length < MIN_EPSK_LENGTH) throw new RangeError(`an external PSK of ${epsk.length} bytes is too short`)
  return hkdfExtract(backend, epskHash, new Uint8Array(0), epsk)
}

/** ipskx of RFC 9258 §5.1, from what was extracted before. `hash` is that of the suite it is for. */
export function secretOf(
  backend: CryptoBackend,
  epskx: Uint8Array,
  identity: Uint8Array,
  hash: HashName,
  epskHash: HashName = 'sha256',
): Uint8Array {
  const length = hash === 'sha256' ? 32 : 48
  return hkdfExpandLabel(backend, epskHash, epskx, 'derived psk', backend.hash(epskHash, identity), length)
}

/** The identity on the wire, for this context and this hash. */
export function importedIdentity(externalIdentity: Uint8Array, context: Uint8Array, hash: HashName): Uint8Array {
  return writeImportedIdentity({
    externalIdentity,
    context,
    targetProtocol: TARGET_PROTOCOL_TLS13,
    targetKdf: targetKdfOf(hash),
  })
}

export function writeImportedIdentity(identity: ImportedIdentity): Uint8Array {
  const { externalIdentity, context } = identity
  const length = 8 + externalIdentity.length + context.length
  if (externalIdentity.length === 0) throw new RangeError('the external identity is empty')
  if (length > 0xffff) throw new RangeError(`an imported identity of ${length} bytes does not fit a ClientHello`)
  const writer = Writer.allocate(length)
  writer.u16(externalIdentity.length)
  writer.put(externalIdentity)
  writer.u16(context.length)
  writer.put(context)
  writer.u16(identity.targetProtocol)
  writer.u16(identity.targetKdf)
  return writer.finish()
}

/** Undefined for anything that is not exactly an ImportedIdentity: a ticket, say. The parts are views. */
export function readImportedIdentity(bytes: Uint8Array): ImportedIdentity | undefined {
  const reader = new Reader(bytes)
  try {
    const externalIdentity = reader.view(reader.u16())
    const context = reader.view(reader.u16())
    const identity = { externalIdentity, context, targetProtocol: reader.u16(), targetKdf: reader.u16() }
    return reader.isDone && externalIdentity.length > 0 ? identity : undefined
  } catch (error) {
    if (error instanceof OutOfBytes) return undefined
    throw error
  }
}

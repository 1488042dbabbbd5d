// The certificate (RFC 5280 §4.1), read as far as TLS needs it.

import { equal } from '../bytes/equal.ts'
import { limits } from '../limits.ts'
import { CertificateError } from './certificate-error.ts'
import { contextTag, DerReader, malformed, Tag } from './der.ts'
import { type BasicConstraints, Extensions, type NameConstraints, readExtensions } from './extensions.ts'
import { dateText, readTime } from './time.ts'

/** Longest certificate that is read, in bytes. */
export const MAX_CERTIFICATE_LENGTH: number = limits.certificateLength

export interface Certificate {
  readonly der: Uint8Array
  readonly version: 1 | 2 | 3
  /** The part that is signed. */
  readonly tbs: Uint8Array
  /** AlgorithmIdentifier, DER. */
  readonly signatureAlgorithm: Uint8Array
  readonly signature: Uint8Array
  /** Names in DER; compared byte for byte, as authorities copy theirs. */
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  /** Unix time in ms, both included. */
  readonly notBefore: number
  readonly notAfter: number
  /** SubjectPublicKeyInfo, DER: what `CryptoBackend.verify` takes and what a pin is the hash of. */
  readonly publicKey: Uint8Array
  /** Subject alternative names. */
  readonly dnsNames: readonly string[]
  /** 4 or 16 bytes each. */
  readonly ipAddresses: readonly Uint8Array[]
  /** Tags of the alternative names that are neither DNS nor IP (mail, URI, ...), for name constraints. */
  readonly otherNames: readonly number[]
  /** Alternative names that are directory names, DER. */
  readonly directoryNames: readonly Uint8Array[]
  readonly basicConstraints: BasicConstraints | undefined
  /** Bits of `KeyUsage`. */
  readonly keyUsage: number | undefined
  /** Dotted identifiers, see `Purpose`. */
  readonly extendedKeyUsage: readonly string[] | undefined
  readonly nameConstraints: NameConstraints | undefined
  /** A critical extension that is not understood: whoever judges the certificate must refuse it (RFC 5280 §4.2). */
  readonly unknownCritical: string | undefined
}

/** Reads one certificate; the result looks into `der`. Throws a CertificateError `malformed`. */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_CERTIFICATE_LENGTH) throw malformed('too long')
  const outer = new DerReader(der)
  const certificate = outer.enter(Tag.Sequence)
  outer.finish()
  const tbs = certificate.element(Tag.Sequence)
  const signatureAlgorithm = certificate.element(Tag.Sequence)
  const signature = certificate.bitString()
  certificate.finish()
  return { der, tbs, signatureAlgorithm, signature, ...readTbs(tbs, signatureAlgorithm) }
}

/** The first ms at which it is expired. A date has no parts of a second: the last one counts as a whole. */
export function endOf({ notAfter }: Pick<Certificate, 'notAfter'>): number {
  return notAfter + 1000
}

/** True for a certificate whose subject is its issuer (RFC 5280 §6.1: self-issued). */
export function isSelfIssued(certificate: Certificate): boolean {
  return equal(certificate.subject, certificate.issuer)
}

/** Throws a CertificateError `notYetValid` or `expired` (RFC 5280 §6.1.3 (a)(2)). */
export function checkValidity({ notBefore, notAfter }: Certificate, unixTime: number): void {
  if (unixTime < notBefore)
    throw new CertificateError('notYetValid', `a certificate is valid only from ${dateText(notBefore)} on`)
  if (!(unixTime < endOf({ notAfter })))
    throw new CertificateError('expired', `a certificate expired on ${dateText(notAfter)}`)
}

type TbsFields = Omit<Certificate, 'der' | 'tbs' | 'signatureAlgorithm' | 'signature'>

function readTbs(tbs: Uint8Array, signatureAlgorithm: Uint8Array): TbsFields {
  const fields = new DerReader(tbs).enter(Tag.Sequence)
  const version = readVersion(fields)
  fields.integer()
  // RFC 5280 §4.1.1.2: both must be the same, or the outer one could be swapped.
  if (!equal(fields.element(Tag.Sequence), signatureAlgorithm)) throw malformed('two signature algorithms')
  const issuer = fields.element(Tag.Sequence)
  const validity = fields.enter(Tag.Sequence)
  const notBefore = readTime(validity)
  const notAfter = readTime(validity)
  validity.finish()
  const subject = fields.element(Tag.Sequence)
  const publicKey = fields.element(Tag.Sequence)
  const extensions = readTail(fields, version)
  const names = extensions.alternativeNames
  return {
    version,
    issuer,
    subject,
    notBefore,
    notAfter,
    publicKey,
    dnsNames: names?.dns ?? [],
    ipAddresses: names?.ip ?? [],
    otherNames: names?.others ?? [],
    directoryNames: names?.directory ?? [],
    basicConstraints: extensions.basicConstraints,
    keyUsage: extensions.keyUsage,
    extendedKeyUsage: extensions.extendedKeyUsage,
    nameConstraints: extensions.nameConstraints,
    unknownCritical: extensions.unknownCritical,
  }
}

function readVersion(fields: DerReader): 1 | 2 | 3 {
  const wrapper = fields.enterIf(contextTag(0, true))
  if (wrapper === undefined) return 1
  const version = wrapper.unsigned() + 1
  wrapper.finish()
  if (version !== 1 && version !== 2 && version !== 3) throw malformed(`version ${version}`)
  return version
}

// Unique identifiers, which nobody uses, and the extensions.
function readTail(fields: DerReader, version: number): Extensions {
  for (const number of [1, 2]) {
    const tag = contextTag(number, false)
    if (!fields.has(tag)) continue
    if (version === 1) throw malformed('a unique identifier in version 1')
    fields.value(tag)
  }
  const wrapper = fields.enterIf(contextTag(3, true))
  fields.finish()
  if (wrapper === undefined) return new Extensions()
  // RFC 5280 §4.1.2.1
  if (version !== 3) throw malformed(`extensions in version ${version}`)
  const extensions = readExtensions(wrapper.enter(Tag.Sequence))
  wrapper.finish()
  return extensions
}

// Self-signed certificates (RFC 5280 §4.1) for development: a server needs no other tool to start with.

import { type CryptoBackend, type PrivateKey, SignatureScheme } from '../crypto/backend.ts'
import { contextTag, Tag } from './der.ts'
import { asciiContents, element, integerContents, oidContents } from './der-writer.ts'
import { isHostName, parseIpAddress } from './host-name.ts'
import { pemText } from './pem.ts'
import { timeText } from './time.ts'

export interface IssueOptions {
  /** A P-256 key: it is certified and signs. `newPrivateKey` makes one. */
  readonly key: PrivateKey
  /** DNS names, also wildcards, and IP addresses, at least one. The first is the common name, for people to read. */
  readonly hosts: readonly string[]
  /** Unix time in ms, rounded down to seconds. */
  readonly notBefore: number
  readonly notAfter: number
}

export interface IssuedCertificate {
  /** DER: the chain to serve, and the root to trust. */
  readonly certificate: Uint8Array
  readonly pem: string
  /** SHA-256 of the certificate: what browsers want as `serverCertificateHashes` (14 days of validity at most). */
  readonly fingerprint: Uint8Array
}

/** Most names a certificate may be issued for. */
export const MAX_ISSUED_HOSTS: number = 256

/** Issues a certificate for TLS servers, signed by its own key. */
export function issueCertificate(backend: CryptoBackend, options: IssueOptions): IssuedCertificate {
  const { key, hosts, notBefore, notAfter } = options
  if (!key.schemes.includes(SignatureScheme.EcdsaP256Sha256)) throw new TypeError('the key is not a P-256 key')
  if (hosts.length === 0 || hosts.length > MAX_ISSUED_HOSTS) throw new RangeError(`1 to ${MAX_ISSUED_HOSTS} hosts`)
  if (!(notBefore <= notAfter) || notBefore < 0 || notAfter > LAST_TIME) throw new RangeError('no such validity')
  const algorithm = element(Tag.Sequence, oid(ECDSA_WITH_SHA256))
  const name = commonName(hosts[0] as string)
  const tbs = element(
    Tag.Sequence,
    element(contextTag(0, true), element(Tag.Integer, Uint8Array.of(2))),
    element(Tag.Integer, serialNumber(backend)),
    algorithm,
    name,
    element(Tag.Sequence, time(notBefore), time(notAfter)),
    name,
    key.publicKey,
    element(contextTag(3, true), element(Tag.Sequence, ...extensions(hosts))),
  )
  const signature = key.sign(SignatureScheme.EcdsaP256Sha256, tbs)
  const certificate = element(Tag.Sequence, tbs, algorithm, element(Tag.BitString, Uint8Array.of(0), signature))
  return { certificate, pem: pemText('CERTIFICATE', certificate), fingerprint: backend.hash('sha256', certificate) }
}

/** A new P-256 private key in PKCS#8, for `backend.privateKey` or, as PEM `PRIVATE KEY`, for a file. */
export function newPrivateKey(backend: CryptoBackend): Uint8Array {
  // FIPS 186-5 §A.2.2: draw again until the number is one of 1 to n-1.
  let secret = backend.random(32)
  while (!isP256Scalar(secret)) secret = backend.random(32)
  const { publicKey } = backend.privateKey(pkcs8(secret))
  // RFC 5915 §3: the public key SHOULD be there; GnuTLS refuses a key without. In SubjectPublicKeyInfo it stands last.
  const point = element(Tag.BitString, Uint8Array.of(0), publicKey.subarray(-P256_POINT))
  return pkcs8(secret, element(contextTag(1, true), point))
}

function pkcs8(secret: Uint8Array, ...publicKey: Uint8Array[]): Uint8Array {
  const version = element(Tag.Integer, Uint8Array.of(1))
  const ecKey = element(Tag.Sequence, version, element(Tag.OctetString, secret), ...publicKey)
  const algorithm = element(Tag.Sequence, oid(EC_PUBLIC_KEY), oid(P256))
  return element(Tag.Sequence, element(Tag.Integer, Uint8Array.of(0)), algorithm, element(Tag.OctetString, ecKey))
}

function extensions(hosts: readonly string[]): Uint8Array[] {
  return [
    // Key usage digitalSignature, bit 0 of a string of one.
    extension('2.5.29.15', true, element(Tag.BitString, Uint8Array.of(7, 0x80))),
    extension('2.5.29.19', true, element(Tag.Sequence)),
    extension('2.5.29.37', false, element(Tag.Sequence, oid(SERVER_AUTH))),
    extension('2.5.29.17', false, element(Tag.Sequence, ...hosts.map(alternativeName))),
  ]
}

function extension(id: string, isCritical: boolean, value: Uint8Array): Uint8Array {
  const critical = isCritical ? [element(Tag.Boolean, Uint8Array.of(0xff))] : []
  return element(Tag.Sequence, oid(id), ...critical, element(Tag.OctetString, value))
}

function alternativeName(host: string): Uint8Array {
  const address = parseIpAddress(host)
  if (address !== undefined) return element(contextTag(7, false), address)
  if (!isHostName(host.startsWith('*.') ? host.slice(2) : host)) throw new TypeError(`not a host name: ${host}`)
  return element(contextTag(2, false), asciiContents(host))
}

// RFC 5280 §A.1: at most 64 characters; longer names are found among the alternative names alone.
function commonName(host: string): Uint8Array {
  const value = element(Tag.Utf8String, asciiContents(host.slice(0, 64)))
  return element(Tag.Sequence, element(Tag.Set, element(Tag.Sequence, oid(COMMON_NAME), value)))
}

// RFC 5280 §4.1.2.2: positive, at most 20 bytes. Random, as two certificates of one name must differ.
function serialNumber(backend: CryptoBackend): Uint8Array {
  const bytes = backend.random(16)
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40
  return integerContents(bytes)
}

function time(unixTime: number): Uint8Array {
  const { tag, text } = timeText(unixTime)
  return element(tag, asciiContents(text))
}

function oid(dotted: string): Uint8Array {
  return element(Tag.Oid, oidContents(dotted))
}

// The order n of P-256 (FIPS 186-5) begins with ffffffff 00000000: what is below that in its first four bytes is below
// n, and the one draw in 2^32 that is not is thrown away whether it had to or not.
function isP256Scalar(secret: Uint8Array): boolean {
  return secret.some(byte => byte !== 0) && secret.subarray(0, 4).some(byte => byte !== 0xff)
}

/** 9999-12-31T23:59:59Z, the last date there is (RFC 5280 §4.1.2.5). */
const LAST_TIME = 253_402_300_799_000

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'
/** Bytes of a point that is not compressed (SEC 1 §2.3.3). */
const P256_POINT = 65
const EC_PUBLIC_KEY = '1.2.840.10045.2.1'
const P256 = '1.2.840.10045.3.1.7'
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const COMMON_NAME = '2.5.4.3'

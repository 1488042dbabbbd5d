// Signature algorithms of certificates and the keys they go with (RFC 3279, RFC 4055, RFC 5480, RFC 8410).

import { SignatureScheme } from '../crypto/backend.ts'
import { limits } from '../limits.ts'
import { contextTag, DerReader, malformed, Tag } from './der.ts'

/** RSA keys of other sizes are refused: shorter ones can be broken, longer ones are slow to verify with. */
export const MIN_RSA_BITS: number = limits.leastRsaBits
export const MAX_RSA_BITS: number = limits.mostRsaBits
/** The time to verify grows with it; all authorities use 3 or 65537. */
export const MAX_RSA_EXPONENT_BITS: number = limits.mostRsaExponentBits

export type KeyType = 'rsa' | 'p256' | 'p384' | 'ed25519'

/** What kind of key a SubjectPublicKeyInfo holds; undefined for one that cannot be used. */
export function keyType(publicKey: Uint8Array): KeyType | undefined {
  const info = new DerReader(publicKey).enter(Tag.Sequence)
  const algorithm = info.enter(Tag.Sequence)
  const key = info.bitString()
  info.finish()
  switch (algorithm.oid()) {
    case '1.2.840.113549.1.1.1':
      skipNull(algorithm)
      return algorithm.isDone && isRsaKeyGood(key) ? 'rsa' : undefined
    case '1.2.840.10045.2.1': {
      const curve = algorithm.has(Tag.Oid) ? curves[algorithm.oid()] : undefined
      // RFC 5480 §2.2: 4, then both coordinates. Nobody has the compressed form, and only some can read it.
      return algorithm.isDone && key[0] === 4 && key.length === curve?.keyLength ? curve.type : undefined
    }
    case '1.3.101.112':
      return algorithm.isDone && key.length === 32 ? 'ed25519' : undefined
    default:
      return undefined
  }
}

/** True for signatures over a hash that can be collided (RFC 8446 §4.4.2.4): MD2, MD5, SHA-1. */
export function isBroken(algorithmIdentifier: Uint8Array): boolean {
  return broken.has(new DerReader(algorithmIdentifier).enter(Tag.Sequence).oid())
}

/**
 * The scheme of an AlgorithmIdentifier for a key of `type`, or undefined when it is unknown, too weak (SHA-1, MD5) or
 * belongs to another key. ECDSA ties the hash to the curve, as TLS 1.3 does.
 */
export function signatureScheme(algorithmIdentifier: Uint8Array, type: KeyType): SignatureScheme | undefined {
  const algorithm = new DerReader(algorithmIdentifier).enter(Tag.Sequence)
  const id = algorithm.oid()
  if (id === RSA_PSS) return type === 'rsa' ? pssScheme(algorithm) : undefined
  const known = algorithms[id]
  if (known === undefined || known.type !== type) return undefined
  // RFC 4055 §5: NULL or absent for RSA. RFC 5758 §3.2, RFC 8410 §3: absent for the others.
  if (type === 'rsa') skipNull(algorithm)
  return algorithm.isDone ? known.scheme : undefined
}

function skipNull(algorithm: DerReader): void {
  if (algorithm.has(Tag.Null) && algorithm.value(Tag.Null).length > 0) throw malformed('NULL with contents')
}

const curves: Readonly<Record<string, { type: KeyType; keyLength: number }>> = {
  '1.2.840.10045.3.1.7': { type: 'p256', keyLength: 65 },
  '1.3.132.0.34': { type: 'p384', keyLength: 97 },
}

/** RSA with MD2, MD5 and SHA-1; DSA and ECDSA with SHA-1. */
const broken: ReadonlySet<string> = new Set([
  '1.2.840.113549.1.1.2',
  '1.2.840.113549.1.1.4',
  '1.2.840.113549.1.1.5',
  '1.2.840.10040.4.3',
  '1.2.840.10045.4.1',
])

const algorithms: Readonly<Record<string, { type: KeyType; scheme: SignatureScheme }>> = {
  '1.2.840.113549.1.1.11': { type: 'rsa', scheme: SignatureScheme.RsaPkcs1Sha256 },
  '1.2.840.113549.1.1.12': { type: 'rsa', scheme: SignatureScheme.RsaPkcs1Sha384 },
  '1.2.840.113549.1.1.13': { type: 'rsa', scheme: SignatureScheme.RsaPkcs1Sha512 },
  '1.2.840.10045.4.3.2': { type: 'p256', scheme: SignatureScheme.EcdsaP256Sha256 },
  '1.2.840.10045.4.3.3': { type: 'p384', scheme: SignatureScheme.EcdsaP384Sha384 },
  '1.3.101.112': { type: 'ed25519', scheme: SignatureScheme.Ed25519 },
}

const RSA_PSS = '1.2.840.113549.1.1.10'
const MGF1 = '1.2.840.113549.1.1.8'

const pssHashes: Readonly<Record<string, { saltLength: number; scheme: SignatureScheme }>> = {
  '2.16.840.1.101.3.4.2.1': { saltLength: 32, scheme: SignatureScheme.RsaPssRsaeSha256 },
  '2.16.840.1.101.3.4.2.2': { saltLength: 48, scheme: SignatureScheme.RsaPssRsaeSha384 },
  '2.16.840.1.101.3.4.2.3': { saltLength: 64, scheme: SignatureScheme.RsaPssRsaeSha512 },
}

// RFC 4055 §3.1: every parameter has a default from the time of SHA-1, so all but the trailer must be there. The same
// hash twice and a salt of its length is what TLS 1.3 allows (RFC 8446 §4.2.3) and all that authorities use.
function pssScheme(algorithm: DerReader): SignatureScheme | undefined {
  const parameters = algorithm.enter(Tag.Sequence)
  const hash = parameters.enterIf(contextTag(0, true))?.enter(Tag.Sequence).oid()
  const mask = parameters.enterIf(contextTag(1, true))?.enter(Tag.Sequence)
  if (hash === undefined || mask === undefined || mask.oid() !== MGF1) return undefined
  if (mask.enter(Tag.Sequence).oid() !== hash) return undefined
  const saltLength = parameters.enterIf(contextTag(2, true))?.unsigned()
  const trailer = parameters.enterIf(contextTag(3, true))?.unsigned() ?? 1
  const known = pssHashes[hash]
  return parameters.isDone && trailer === 1 && known?.saltLength === saltLength ? known?.scheme : undefined
}

function isRsaKeyGood(der: Uint8Array): boolean {
  const key = new DerReader(der).enter(Tag.Sequence)
  const modulus = key.integer()
  const exponent = key.integer()
  key.finish()
  const bits = bitLength(modulus)
  // An exponent is odd and more than 1, or the signature is a riddle that anybody solves.
  const isOdd = ((exponent[exponent.length - 1] as number) & 1) === 1
  const isExponentGood = isOdd && bitLength(exponent) > 1 && bitLength(exponent) <= MAX_RSA_EXPONENT_BITS
  return isExponentGood && bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS
}

/** Of a positive INTEGER; 0 for others. */
function bitLength(integer: Uint8Array): number {
  const start = integer.findIndex(byte => byte !== 0)
  if (start < 0 || (integer[0] as number) >= 0x80) return 0
  return (integer.length - start) * 8 - (Math.clz32(integer[start] as number) - 24)
}

// What each signature scheme of RFC 8446 §4.2.3 is made of, for the backends.

import { limits } from '../limits.ts'
import { SignatureScheme } from './backend.ts'

export type SignatureHash = 'sha256' | 'sha384' | 'sha512'
export type SignatureKind = 'rsa-pkcs1' | 'rsa-pss' | 'ecdsa' | 'ed25519'
export type SignatureCurve = 'P-256' | 'P-384'

export interface SignatureAlgorithm {
  readonly kind: SignatureKind
  /** Undefined where the scheme hashes by itself. */
  readonly hash: SignatureHash | undefined
  /** RFC 8446 §4.2.3: TLS 1.3 ties each hash of ECDSA to one curve. */
  readonly curve: SignatureCurve | undefined
}

export function signatureAlgorithm(scheme: SignatureScheme): SignatureAlgorithm | undefined {
  return algorithms.get(scheme)
}

/** Smaller RSA moduli are not trusted, larger ones would let a peer's certificate burn time. Bits. */
export const MIN_RSA_BITS: number = limits.leastRsaBits
export const MAX_RSA_BITS: number = limits.mostRsaBits

/** Everything `verify` of both backends understands, fastest to verify first. */
export const verifiableSchemes: readonly SignatureScheme[] = [
  SignatureScheme.EcdsaP256Sha256,
  SignatureScheme.Ed25519,
  SignatureScheme.EcdsaP384Sha384,
  SignatureScheme.RsaPssRsaeSha256,
  SignatureScheme.RsaPssRsaeSha384,
  SignatureScheme.RsaPssRsaeSha512,
  SignatureScheme.RsaPkcs1Sha256,
  SignatureScheme.RsaPkcs1Sha384,
  SignatureScheme.RsaPkcs1Sha512,
]

/** What an RSA key signs in a handshake: never PKCS1 (RFC 8446 §4.2.3). */
export const rsaSigningSchemes: readonly SignatureScheme[] = [
  SignatureScheme.RsaPssRsaeSha256,
  SignatureScheme.RsaPssRsaeSha384,
  SignatureScheme.RsaPssRsaeSha512,
]

const algorithms: ReadonlyMap<SignatureScheme, SignatureAlgorithm> = new Map<SignatureScheme, SignatureAlgorithm>([
  [SignatureScheme.RsaPkcs1Sha256, { kind: 'rsa-pkcs1', hash: 'sha256', curve: undefined }],
  [SignatureScheme.RsaPkcs1Sha384, { kind: 'rsa-pkcs1', hash: 'sha384', curve: undefined }],
  [SignatureScheme.RsaPkcs1Sha512, { kind: 'rsa-pkcs1', hash: 'sha512', curve: undefined }],
  [SignatureScheme.EcdsaP256Sha256, { kind: 'ecdsa', hash: 'sha256', curve: 'P-256' }],
  [SignatureScheme.EcdsaP384Sha384, { kind: 'ecdsa', hash: 'sha384', curve: 'P-384' }],
  [SignatureScheme.RsaPssRsaeSha256, { kind: 'rsa-pss', hash: 'sha256', curve: undefined }],
  [SignatureScheme.RsaPssRsaeSha384, { kind: 'rsa-pss', hash: 'sha384', curve: undefined }],
  [SignatureScheme.RsaPssRsaeSha512, { kind: 'rsa-pss', hash: 'sha512', curve: undefined }],
  [SignatureScheme.Ed25519, { kind: 'ed25519', hash: undefined, curve: undefined }],
])

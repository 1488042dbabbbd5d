// The one place where cryptography is asked for. Everything is synchronous; the packet path makes one call per packet
// and direction, so that a backend in WebAssembly crosses its border once.

import type { AeadName, CipherSuite, HashName } from './cipher-suite.ts'
import type { VersionSecrets } from './version-secrets.ts'

/** Named groups (RFC 8446 §4.2.7), and the hybrid of draft-ietf-tls-ecdhe-mlkem §4. */
export const NamedGroup = { P256: 0x0017, P384: 0x0018, X25519: 0x001d, X25519MlKem768: 0x11ec } as const
export type NamedGroup = (typeof NamedGroup)[keyof typeof NamedGroup]

export type NamedGroupName = 'X25519' | 'P-256' | 'P-384' | 'X25519MLKEM768'

export const groupsByName: Readonly<Record<NamedGroupName, NamedGroup>> = {
  X25519: NamedGroup.X25519,
  'P-256': NamedGroup.P256,
  'P-384': NamedGroup.P384,
  X25519MLKEM768: NamedGroup.X25519MlKem768,
}

const groupNames = new Map(Object.entries(groupsByName).map(([name, group]) => [group, name as NamedGroupName]))

export function groupName(group: NamedGroup): NamedGroupName {
  return groupNames.get(group) as NamedGroupName
}

/** Signature schemes (RFC 8446 §4.2.3). The PKCS1 ones are for certificates alone. */
export const SignatureScheme = {
  RsaPkcs1Sha256: 0x0401,
  RsaPkcs1Sha384: 0x0501,
  RsaPkcs1Sha512: 0x0601,
  EcdsaP256Sha256: 0x0403,
  EcdsaP384Sha384: 0x0503,
  RsaPssRsaeSha256: 0x0804,
  RsaPssRsaeSha384: 0x0805,
  RsaPssRsaeSha512: 0x0806,
  Ed25519: 0x0807,
} as const
export type SignatureScheme = (typeof SignatureScheme)[keyof typeof SignatureScheme]

export interface CryptoBackend {
  readonly name: string
  /** Offered and chosen in this order: which is fastest is the backend's to know. */
  readonly cipherSuites: readonly CipherSuite[]
  /** What `keyExchange` makes. */
  readonly groups: readonly NamedGroup[]
  /** What `verify` understands. */
  readonly signatureSchemes: readonly SignatureScheme[]

  /** `length` unpredictable bytes. The only source of randomness below the endpoint. */
  random(length: number): Uint8Array
  /** Memory for outgoing datagrams; a backend with its own memory hands out pieces of it. */
  packetBuffer(size: number): Uint8Array

  hash(hash: HashName, data: Uint8Array): Uint8Array
  /** A running hash that can be read many times: the transcript. */
  hasher(hash: HashName): Hasher
  hmac(hash: HashName, key: Uint8Array, data: Uint8Array): Uint8Array

  headerKey(suite: CipherSuite, key: Uint8Array): HeaderKey
  packetKey(suite: CipherSuite, key: Uint8Array, iv: Uint8Array, headerKey: HeaderKey): PacketKey
  /**
   * Both of them from a traffic secret, where the backend has a shorter way than label by label: it need not, and not
   * for every suite.
   */
  trafficKeys?(suite: CipherSuite, labels: VersionSecrets, secret: Uint8Array): TrafficKeys | undefined
  /** For tickets, tokens and the Retry tag. */
  aead(name: AeadName, key: Uint8Array): Aead

  keyExchange(group: NamedGroup): KeyExchange
  /** The server's half of a hybrid group, whose share depends on the client's; undefined: the client's is not valid. */
  encapsulate(group: NamedGroup, clientShare: Uint8Array): Encapsulation | undefined
  /** Reads a private key: PEM (PKCS#8, SEC1, PKCS#1) or PKCS#8 DER. Throws a TypeError that says what is wrong. */
  privateKey(key: string | Uint8Array): PrivateKey
  /** `publicKey` is a SubjectPublicKeyInfo in DER. False for anything that does not verify, malformed keys included. */
  verify(scheme: SignatureScheme, publicKey: Uint8Array, signature: Uint8Array, data: Uint8Array): boolean
}

export interface Hasher {
  update(data: Uint8Array): void
  /** The hash of everything so far; more may follow. */
  digest(): Uint8Array
}

/** Header protection of one direction (RFC 9001 §5.4). It outlives key updates. */
export interface HeaderKey {
  /**
   * Removes header protection in place and returns the length of the packet number (1-4).
   * `numberOffset` is where the number starts; the sample is the 16 bytes from `numberOffset + 4`, which the caller
   * has checked to exist.
   */
  unmask(packet: Uint8Array, start: number, numberOffset: number): number
  /** Not used any more: a backend that keeps keys itself erases this one. */
  discard(): void
}

/** Packet protection of one direction and one key generation (RFC 9001 §5.3). */
export interface PacketKey {
  readonly suite: CipherSuite
  /**
   * Seals the packet in `buffer[start, end)` in place: the payload from `numberOffset + numberLength` is encrypted, the
   * 16-byte tag appended, and the header masked with the header key given at creation. Returns the new end.
   */
  seal(
    buffer: Uint8Array,
    start: number,
    numberOffset: number,
    numberLength: number,
    end: number,
    packetNumber: number,
  ): number
  /**
   * Opens the packet in `buffer[start, end)`, whose header is unmasked; the payload starts at `payloadStart`.
   * Returns the plaintext, which may lie where the ciphertext lay: the buffer is given away with it. Undefined, and
   * nothing changed, when the tag is wrong.
   */
  open(
    buffer: Uint8Array,
    start: number,
    payloadStart: number,
    end: number,
    packetNumber: number,
  ): Uint8Array | undefined
  /** As for a header key. */
  discard(): void
}

/** What protects the packets of one direction (RFC 9001 §5.1). */
export interface TrafficKeys {
  readonly header: HeaderKey
  readonly packet: PacketKey
}

export interface Aead {
  /** Ciphertext with the tag behind it. `nonce` is 12 bytes. */
  seal(nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array
  open(nonce: Uint8Array, associatedData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined
}

export interface KeyExchange {
  readonly group: NamedGroup
  /** As in a KeyShareEntry: 32 bytes, an uncompressed point, or what the hybrid says. */
  readonly publicKey: Uint8Array
  /** A share of another group that costs nothing more: the X25519 half of a hybrid. */
  readonly half?: KeyExchange
  /** The shared secret, or undefined when the peer's share is not a valid one (RFC 8446 §4.2.8.2, §7.4.2). */
  agree(peerPublicKey: Uint8Array): Uint8Array | undefined
}

export interface Encapsulation {
  /** As in the server's KeyShareEntry. */
  readonly publicKey: Uint8Array
  readonly sharedSecret: Uint8Array
}

export interface PrivateKey {
  /** What this key can sign in a CertificateVerify, best first. */
  readonly schemes: readonly SignatureScheme[]
  /** The matching SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array
  sign(scheme: SignatureScheme, data: Uint8Array): Uint8Array
}

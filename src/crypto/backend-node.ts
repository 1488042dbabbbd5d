// Cryptography by node:crypto. The only file of the library's lower floors that imports from node.

import {
  type Cipher,
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type Hash,
  type KeyObject,
  constants as nodeConstants,
  hash as oneShotHash,
  randomFillSync,
  sign as signData,
  verify as verifyData,
} from 'node:crypto'
import {
  type Aead,
  type CryptoBackend,
  type Hasher,
  type HeaderKey,
  NamedGroup,
  type PacketKey,
  type PrivateKey,
  SignatureScheme,
} from './backend.ts'
import {
  type AeadName,
  type CipherSuite,
  type HashName,
  TAG_LENGTH,
  TLS_AES_128_GCM_SHA256,
  TLS_AES_256_GCM_SHA384,
  TLS_CHACHA20_POLY1305_SHA256,
} from './cipher-suite.ts'
import { checkSealable, MaskedHeader } from './header-protection.ts'
import { encapsulate, newKeyExchange } from './key-exchange-node.ts'
import { PacketNonce } from './packet-nonce.ts'
import {
  MAX_RSA_BITS,
  MIN_RSA_BITS,
  rsaSigningSchemes,
  type SignatureAlgorithm,
  type SignatureCurve,
  signatureAlgorithm,
  verifiableSchemes,
} from './signature-schemes.ts'
import { withoutTrace } from './without-trace.ts'

/** The backend for Node: OpenSSL below, AES first. */
export const nodeBackend: CryptoBackend = {
  name: 'node',
  cipherSuites: [TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256],
  groups: [NamedGroup.X25519, NamedGroup.P256, NamedGroup.P384, NamedGroup.X25519MlKem768],
  signatureSchemes: verifiableSchemes,

  random: takeRandom,
  packetBuffer: size => new Uint8Array(size),

  hash: hashOneShot,
  hasher: hash => new NodeHasher(hash),
  hmac,

  headerKey: (suite, key) =>
    suite.aead === 'chacha20-poly1305' ? new ChaChaHeader(key) : new AesHeader(suite.keyLength, key),
  packetKey: (suite, key, iv, headerKey) => new NodePacketKey(suite, key, iv, headerKey),
  aead: (name, key) => new NodeAead(name, key),

  keyExchange: newKeyExchange,
  encapsulate,
  privateKey: key => new NodePrivateKey(readPrivateKey(key)),
  verify: verifySignature,
}

/**
 * Random bytes are drawn from the system a page at a time: ids, nonces and skipped numbers of one handshake are a dozen
 * small requests. What was handed out is erased from the page.
 */
function takeRandom(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  if (length > MAX_FROM_PAGE) return randomFillSync(bytes)
  if (randomUsed + length > randomPage.length) {
    randomFillSync(randomPage)
    randomUsed = 0
  }
  const taken = randomPage.subarray(randomUsed, randomUsed + length)
  bytes.set(taken)
  taken.fill(0)
  randomUsed += length
  return bytes
}

/**
 * Digests leave OpenSSL as strings, one character for each byte: half the time of a Buffer, which would be a piece of
 * memory outside of the heap, to be found and freed later. A key schedule makes a hundred of them.
 */
function putDigest(digest: string, into: Uint8Array, at: number): Uint8Array {
  for (let i = 0; i < digest.length; i++) into[at + i] = digest.charCodeAt(i)
  return into
}

function hashOneShot(hash: HashName, data: Uint8Array): Uint8Array {
  return putDigest(oneShotHash(hash, data, 'binary'), new Uint8Array(hashLengths[hash]), 0)
}

/** RFC 2104 from two one-shot hashes: faster than createHmac, and leaves no native object to be collected. */
function hmac(hash: HashName, key: Uint8Array, data: Uint8Array): Uint8Array {
  const blockLength = hash === 'sha256' ? 64 : 128
  const length = blockLength + data.length
  const inner = length <= hmacInner.length ? hmacInner.subarray(0, length) : new Uint8Array(length)
  const outer = hash === 'sha256' ? hmacOuter256 : hmacOuter384
  const padded = key.length > blockLength ? hashOneShot(hash, key) : key
  for (let i = 0; i < padded.length; i++) {
    inner[i] = (padded[i] as number) ^ 0x36
    outer[i] = (padded[i] as number) ^ 0x5c
  }
  inner.fill(0x36, padded.length, blockLength)
  outer.fill(0x5c, padded.length, blockLength)
  inner.set(data, blockLength)
  putDigest(oneShotHash(hash, inner, 'binary'), outer, blockLength)
  return hashOneShot(hash, outer)
}

class NodeHasher implements Hasher {
  readonly #hash: Hash
  readonly #length: number

  constructor(hash: HashName) {
    this.#hash = createHash(hash)
    this.#length = hashLengths[hash]
  }

  update(data: Uint8Array): void {
    this.#hash.update(data)
  }

  digest(): Uint8Array {
    return putDigest(this.#hash.copy().digest('binary'), new Uint8Array(this.#length), 0)
  }
}

/**
 * Most keys of a short connection protect one or two packets, for which making a KeyObject is not worth it; but to
 * Node 24 every use of a key as bytes costs four times as much. An `import` of node:process would open stdin, stdout and
 * stderr, because a module asks for each of its exports.
 */
const cipherKey: (key: Uint8Array) => KeyObject | Uint8Array = process.versions.node.startsWith('24.')
  ? createSecretKey
  : key => key

/** RFC 9001 §5.4.3. ECB keeps no state between blocks, so one cipher makes every mask. */
class AesHeader extends MaskedHeader {
  readonly #cipher: Cipher

  constructor(keyLength: number, key: Uint8Array) {
    super()
    this.#cipher = createCipheriv(keyLength === 32 ? 'aes-256-ecb' : 'aes-128-ecb', cipherKey(key), null)
    this.#cipher.setAutoPadding(false)
  }

  protected override mask(packet: Uint8Array, at: number): Uint8Array {
    return this.#cipher.update(packet.subarray(at, at + 16))
  }
}

/** RFC 9001 §5.4.4. OpenSSL's IV of 16 bytes is the counter, little-endian, and the nonce: the sample as it stands. */
class ChaChaHeader extends MaskedHeader {
  readonly #key: KeyObject

  constructor(key: Uint8Array) {
    super()
    this.#key = createSecretKey(key)
  }

  protected override mask(packet: Uint8Array, at: number): Uint8Array {
    return createCipheriv('chacha20', this.#key, packet.subarray(at, at + 16)).update(fiveZeros)
  }
}

class NodePacketKey implements PacketKey {
  readonly suite: CipherSuite
  readonly #algorithm: CipherGCMTypes
  readonly #key: KeyObject | Uint8Array
  readonly #nonce: PacketNonce
  readonly #header: MaskedHeader

  constructor(suite: CipherSuite, key: Uint8Array, iv: Uint8Array, header: HeaderKey) {
    if (!(header instanceof MaskedHeader)) throw new TypeError('the header key belongs to another backend')
    this.suite = suite
    this.#algorithm = aeadAlgorithm(suite.aead)
    this.#key = cipherKey(key)
    this.#nonce = new PacketNonce(iv)
    this.#header = header
  }

  seal(
    buffer: Uint8Array,
    start: number,
    numberOffset: number,
    numberLength: number,
    end: number,
    packetNumber: number,
  ): number {
    const payloadStart = numberOffset + numberLength
    checkSealable(buffer, numberOffset, end)
    const cipher = createCipheriv(this.#algorithm, this.#key, this.#nonce.at(packetNumber), aeadOptions)
    cipher.setAAD(buffer.subarray(start, payloadStart))
    buffer.set(cipher.update(buffer.subarray(payloadStart, end)), payloadStart)
    cipher.final()
    buffer.set(cipher.getAuthTag(), end)
    this.#header.protect(buffer, start, numberOffset, numberLength)
    return end + TAG_LENGTH
  }

  open(
    buffer: Uint8Array,
    start: number,
    payloadStart: number,
    end: number,
    packetNumber: number,
  ): Uint8Array | undefined {
    const tagStart = end - TAG_LENGTH
    if (tagStart < payloadStart) return undefined
    const decipher = createDecipheriv(this.#algorithm, this.#key, this.#nonce.at(packetNumber), aeadOptions)
    decipher.setAAD(buffer.subarray(start, payloadStart))
    decipher.setAuthTag(buffer.subarray(tagStart, end))
    const plaintext = decipher.update(buffer.subarray(payloadStart, tagStart))
    try {
      decipher.final()
    } catch {
      return undefined
    }
    return plain(plaintext)
  }

  /** Keys are OpenSSL's, or bytes that another packet key may have been made of. */
  discard(): void {}
}

class NodeAead implements Aead {
  readonly #algorithm: CipherGCMTypes
  readonly #key: KeyObject

  constructor(name: AeadName, key: Uint8Array) {
    this.#algorithm = aeadAlgorithm(name)
    this.#key = createSecretKey(key)
  }

  seal(nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const cipher = createCipheriv(this.#algorithm, this.#key, nonce, aeadOptions)
    const sealed = new Uint8Array(plaintext.length + TAG_LENGTH)
    cipher.setAAD(associatedData)
    sealed.set(cipher.update(plaintext))
    cipher.final()
    sealed.set(cipher.getAuthTag(), plaintext.length)
    return sealed
  }

  open(nonce: Uint8Array, associatedData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    const tagStart = ciphertext.length - TAG_LENGTH
    if (tagStart < 0) return undefined
    const decipher = createDecipheriv(this.#algorithm, this.#key, nonce, aeadOptions)
    decipher.setAAD(associatedData)
    decipher.setAuthTag(ciphertext.subarray(tagStart))
    const plaintext = decipher.update(ciphertext.subarray(0, tagStart))
    // Of what is left there is nothing: a Buffer of no bytes.
    return withoutTrace(() => decipher.final()) && plain(plaintext)
  }
}

class NodePrivateKey implements PrivateKey {
  readonly schemes: readonly SignatureScheme[]
  readonly publicKey: Uint8Array
  readonly #key: KeyObject

  constructor(key: KeyObject) {
    this.#key = key
    this.schemes = signingSchemes(key)
    this.publicKey = plain(createPublicKey(key).export({ format: 'der', type: 'spki' }))
  }

  sign(scheme: SignatureScheme, data: Uint8Array): Uint8Array {
    const algorithm = signatureAlgorithm(scheme)
    if (algorithm === undefined || !this.schemes.includes(scheme)) {
      throw new TypeError(`this key cannot sign with scheme 0x${scheme.toString(16)}`)
    }
    return plain(signData(algorithm.hash, data, { key: this.#key, ...paddingOf(algorithm) }))
  }
}

function readPrivateKey(key: string | Uint8Array): KeyObject {
  try {
    if (typeof key === 'string') return createPrivateKey(key)
    return createPrivateKey({ key: plainBuffer(key), format: 'der', type: 'pkcs8' })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TypeError(`not a private key in PEM or PKCS#8: ${reason}`, { cause })
  }
}

function signingSchemes(key: KeyObject): readonly SignatureScheme[] {
  const details = key.asymmetricKeyDetails
  if (key.asymmetricKeyType === 'ed25519') return [SignatureScheme.Ed25519]
  if (key.asymmetricKeyType === 'ec' && details?.namedCurve === opensslCurves['P-256']) {
    return [SignatureScheme.EcdsaP256Sha256]
  }
  if (key.asymmetricKeyType === 'ec' && details?.namedCurve === opensslCurves['P-384']) {
    return [SignatureScheme.EcdsaP384Sha384]
  }
  if (key.asymmetricKeyType === 'rsa') {
    if (hasAcceptableModulus(key)) return rsaSigningSchemes
    throw new TypeError(`RSA keys need ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits, this one has ${details?.modulusLength}`)
  }
  throw new TypeError(`no TLS 1.3 signature with a key of type ${details?.namedCurve ?? key.asymmetricKeyType}`)
}

function verifySignature(
  scheme: SignatureScheme,
  publicKey: Uint8Array,
  signature: Uint8Array,
  data: Uint8Array,
): boolean {
  const algorithm = signatureAlgorithm(scheme)
  if (algorithm === undefined) return false
  try {
    const key = createPublicKey({ key: plainBuffer(publicKey), format: 'der', type: 'spki' })
    if (!isKeyFor(algorithm, key) || !isLengthOf(key, signature)) return false
    return verifyData(algorithm.hash, data, { key, ...paddingOf(algorithm) }, signature)
  } catch {
    return false
  }
}

function isKeyFor(algorithm: SignatureAlgorithm, key: KeyObject): boolean {
  switch (algorithm.kind) {
    case 'ed25519':
      return key.asymmetricKeyType === 'ed25519'
    case 'ecdsa':
      return (
        key.asymmetricKeyType === 'ec' &&
        key.asymmetricKeyDetails?.namedCurve === opensslCurves[algorithm.curve as SignatureCurve]
      )
    default:
      return key.asymmetricKeyType === 'rsa' && hasAcceptableModulus(key)
  }
}

/** RFC 8017 §8.1.2: as long as the modulus; OpenSSL takes one without its leading zeros as well. */
function isLengthOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject, signature: Uint8Array): boolean {
  return asymmetricKeyType !== 'rsa' || signature.length === Math.ceil((asymmetricKeyDetails?.modulusLength ?? 0) / 8)
}

function hasAcceptableModulus(key: KeyObject): boolean {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  return bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS
}

/** RFC 8446 §4.2.3: the salt of RSASSA-PSS is as long as the digest. */
function paddingOf(algorithm: SignatureAlgorithm): { padding?: number; saltLength?: number } {
  if (algorithm.kind === 'rsa-pss') return pssPadding
  return algorithm.kind === 'rsa-pkcs1' ? pkcs1Padding : noPadding
}

/** A cast and no more: in @types/node the three AEADs are separate overloads, at run time they are one. */
function aeadAlgorithm(name: AeadName): CipherGCMTypes {
  return name as CipherGCMTypes
}

/** The same bytes as what they are said to be: `slice` of a Buffer does not copy, that of a Uint8Array does. */
function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}

function plainBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

const opensslCurves: Readonly<Record<SignatureCurve, string>> = { 'P-256': 'prime256v1', 'P-384': 'secp384r1' }
const randomPage = new Uint8Array(4096)
const MAX_FROM_PAGE = 256
let randomUsed = randomPage.length
const hashLengths: Readonly<Record<HashName, number>> = { sha256: 32, sha384: 48 }
/** Overwritten by the next call. */
const hmacInner = new Uint8Array(512)
const hmacOuter256 = new Uint8Array(64 + 32)
const hmacOuter384 = new Uint8Array(128 + 48)
const aeadOptions = { authTagLength: TAG_LENGTH }
const fiveZeros = new Uint8Array(5)
const noPadding = {}
const pkcs1Padding = { padding: nodeConstants.RSA_PKCS1_PADDING }
const pssPadding = {
  padding: nodeConstants.RSA_PKCS1_PSS_PADDING,
  saltLength: nodeConstants.RSA_PSS_SALTLEN_DIGEST,
}

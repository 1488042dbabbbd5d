// Key exchange by node:crypto: X25519 (RFC 7748), P-256, P-384, and the hybrid with ML-KEM-768.

import {
  createECDH,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type ECDH,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { type Encapsulation, type KeyExchange, NamedGroup } from './backend.ts'
import { encapsulateHybrid, HybridExchange } from './hybrid-key-exchange.ts'
import { mlKem768 } from './ml-kem-node.ts'

/** Where private keys come from. Default: OpenSSL's own generator. */
type Random = (length: number) => Uint8Array

export function newKeyExchange(group: NamedGroup, random?: Random): KeyExchange {
  switch (group) {
    case NamedGroup.X25519:
      return new X25519Exchange(random)
    case NamedGroup.P256:
      return new CurveExchange(group, 'prime256v1', 65, random)
    case NamedGroup.P384:
      return new CurveExchange(group, 'secp384r1', 97, random)
    case NamedGroup.X25519MlKem768:
      return new HybridExchange(mlKem768(), new X25519Exchange(random))
  }
}

export function encapsulate(_group: NamedGroup, clientShare: Uint8Array): Encapsulation | undefined {
  return encapsulateHybrid(mlKem768(), new X25519Exchange(), clientShare)
}

/** Raw keys go into OpenSSL as JWK: ten times faster than the same key as SubjectPublicKeyInfo in DER. */
class X25519Exchange implements KeyExchange {
  readonly group = NamedGroup.X25519
  readonly publicKey: Uint8Array
  readonly #privateKey: KeyObject

  constructor(random?: Random) {
    if (random === undefined) {
      const { publicKey, privateKey } = generateX25519('x25519', rawPublicKey)
      this.publicKey = new Uint8Array(Buffer.from(publicKey.x, 'base64url'))
      this.#privateKey = privateKey
    } else {
      this.#privateKey = x25519PrivateKey(random(32))
      // RFC 7748 §6.1: the public key is X25519(a, 9), which is half the time of an export in DER.
      this.publicKey = agreeX25519(this.#privateKey, basePoint)
    }
  }

  agree(peerPublicKey: Uint8Array): Uint8Array | undefined {
    if (peerPublicKey.length !== 32) return undefined
    try {
      const secret = agreeX25519(this.#privateKey, x25519PublicKey(peerPublicKey))
      // RFC 8446 §7.4.2: a point of small order gives zeros. OpenSSL refuses them too; not every build must.
      return secret.some(byte => byte !== 0) ? secret : undefined
    } catch {
      return undefined
    }
  }
}

class CurveExchange implements KeyExchange {
  readonly group: NamedGroup
  readonly publicKey: Uint8Array
  readonly #ecdh: ECDH
  readonly #pointLength: number

  constructor(group: NamedGroup, curve: string, pointLength: number, random?: Random) {
    this.group = group
    this.#ecdh = createECDH(curve)
    this.#pointLength = pointLength
    if (random === undefined) this.publicKey = plain(this.#ecdh.generateKeys())
    else {
      // Half as long as a point; one that is not below the order, which hardly ever is so, is none (SEC 1 §3.2.1).
      while (!isTaken(this.#ecdh, random((pointLength - 1) / 2)));
      this.publicKey = plain(this.#ecdh.getPublicKey())
    }
  }

  /** RFC 8446 §4.2.8.2: an uncompressed point on the curve, nothing else. OpenSSL checks the curve. */
  agree(peerPublicKey: Uint8Array): Uint8Array | undefined {
    if (peerPublicKey.length !== this.#pointLength || peerPublicKey[0] !== 4) return undefined
    try {
      return plain(this.#ecdh.computeSecret(peerPublicKey))
    } catch {
      return undefined
    }
  }
}

/**
 * The public key leaves as JWK while it is being made, which costs nothing. Not by `export` afterwards: Node 20 holds a
 * lock meanwhile that it also wants for collecting what made the key, and stands still if it does so there.
 */
const rawPublicKey = { publicKeyEncoding: { format: 'jwk' } } as const
/** A cast and no more: @types/node does not know that one key of the pair may be encoded alone. */
const generateX25519 = generateKeyPairSync as unknown as (
  type: 'x25519',
  options: typeof rawPublicKey,
) => { readonly publicKey: { readonly x: string }; readonly privateKey: KeyObject }

function agreeX25519(privateKey: KeyObject, publicKey: KeyObject): Uint8Array {
  return plain(diffieHellman({ privateKey, publicKey }))
}

function isTaken(ecdh: ECDH, privateKey: Uint8Array): boolean {
  try {
    ecdh.setPrivateKey(privateKey)
    return true
  } catch {
    return false
  }
}

function x25519PrivateKey(bytes: Uint8Array): KeyObject {
  // RFC 8410 §7: the 32 bytes stand at the end of the PKCS #8 structure.
  const der = new Uint8Array([...x25519Pkcs8, ...bytes])
  return createPrivateKey({ key: Buffer.from(der.buffer), format: 'der', type: 'pkcs8' })
}

const x25519Pkcs8 = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20]

function x25519PublicKey(bytes: Uint8Array): KeyObject {
  const x = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url')
  return createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' })
}

/** As what it is said to be: `slice` of a Buffer does not copy, that of a Uint8Array does. */
function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}

/** RFC 7748 §4.1: u = 9. */
const basePoint: KeyObject = x25519PublicKey(Uint8Array.of(9, ...new Uint8Array(31)))

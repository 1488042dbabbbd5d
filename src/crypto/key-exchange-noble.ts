// Key exchange with @noble: X25519 (RFC 7748), P-256, P-384, and the hybrid with ML-KEM-768.

import { x25519 } from '@noble/curves/ed25519.js'
import { p256, p384 } from '@noble/curves/nist.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { type Encapsulation, type KeyExchange, NamedGroup } from './backend.ts'
import { encapsulateHybrid, HybridExchange } from './hybrid-key-exchange.ts'
import { nobleMlKem768 } from './ml-kem-noble.ts'

export function newNobleExchange(group: NamedGroup): KeyExchange {
  switch (group) {
    case NamedGroup.X25519:
      return new X25519Exchange()
    case NamedGroup.P256:
      return new CurveExchange(group, p256, 32)
    case NamedGroup.P384:
      return new CurveExchange(group, p384, 48)
    case NamedGroup.X25519MlKem768:
      return new HybridExchange(mlKem, new X25519Exchange())
  }
}

export function nobleEncapsulate(_group: NamedGroup, clientShare: Uint8Array): Encapsulation | undefined {
  return encapsulateHybrid(mlKem, new X25519Exchange(), clientShare)
}

class X25519Exchange implements KeyExchange {
  readonly group = NamedGroup.X25519
  readonly publicKey: Uint8Array
  readonly #secret: Uint8Array

  constructor() {
    const pair = x25519.keygen()
    this.publicKey = pair.publicKey
    this.#secret = pair.secretKey
  }

  /** RFC 8446 §7.4.2: points of small order, which give zeros, are refused by the library. */
  agree(peerPublicKey: Uint8Array): Uint8Array | undefined {
    if (peerPublicKey.length !== 32) return undefined
    try {
      return x25519.getSharedSecret(this.#secret, peerPublicKey)
    } catch {
      return undefined
    }
  }
}

class CurveExchange implements KeyExchange {
  readonly group: NamedGroup
  readonly publicKey: Uint8Array
  readonly #curve: typeof p256
  readonly #fieldLength: number
  readonly #secret: Uint8Array

  constructor(group: NamedGroup, curve: typeof p256, fieldLength: number) {
    const { secretKey } = curve.keygen()
    this.group = group
    this.publicKey = curve.getPublicKey(secretKey, false)
    this.#curve = curve
    this.#fieldLength = fieldLength
    this.#secret = secretKey
  }

  /** RFC 8446 §4.2.8.2: an uncompressed point on the curve; the secret is its x alone (RFC 8446 §7.4.2). */
  agree(peerPublicKey: Uint8Array): Uint8Array | undefined {
    const length = this.#fieldLength
    if (peerPublicKey.length !== 1 + 2 * length || peerPublicKey[0] !== 4) return undefined
    try {
      return this.#curve.getSharedSecret(this.#secret, peerPublicKey, false).slice(1, 1 + length)
    } catch {
      return undefined
    }
  }
}

const mlKem = nobleMlKem768(ml_kem768)

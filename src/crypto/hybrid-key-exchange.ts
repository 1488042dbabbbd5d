// X25519MLKEM768 (draft-ietf-tls-ecdhe-mlkem §4): one secret of two, safe while either of them is. The part that is new
// comes first: in both shares, and in the secret.

import { type Encapsulation, type KeyExchange, NamedGroup } from './backend.ts'

/** ML-KEM-768 (FIPS 203), by whoever has it. */
export interface MlKem768 {
  keyPair(): MlKemKeyPair
  /** Undefined for a key that fails the modulus check (FIPS 203 §7.2). */
  encapsulate(encapsulationKey: Uint8Array): { ciphertext: Uint8Array; secret: Uint8Array } | undefined
}

export interface MlKemKeyPair {
  readonly encapsulationKey: Uint8Array
  /** Of a ciphertext of the right length; a forged one gives a secret that nobody else has (FIPS 203 §6.3). */
  decapsulate(ciphertext: Uint8Array): Uint8Array
}

const ENCAPSULATION_KEY_LENGTH = 1184
const CIPHERTEXT_LENGTH = 1088
const X25519_LENGTH = 32

/** The client's half. */
export class HybridExchange implements KeyExchange {
  readonly group: NamedGroup = NamedGroup.X25519MlKem768
  readonly publicKey: Uint8Array
  readonly half: KeyExchange
  readonly #keyPair: MlKemKeyPair

  constructor(mlKem: MlKem768, x25519: KeyExchange) {
    this.#keyPair = mlKem.keyPair()
    this.half = x25519
    this.publicKey = join(this.#keyPair.encapsulationKey, x25519.publicKey)
  }

  agree(serverShare: Uint8Array): Uint8Array | undefined {
    if (serverShare.length !== CIPHERTEXT_LENGTH + X25519_LENGTH) return undefined
    const secret = this.half.agree(serverShare.subarray(CIPHERTEXT_LENGTH))
    return secret && join(this.#keyPair.decapsulate(serverShare.subarray(0, CIPHERTEXT_LENGTH)), secret)
  }
}

/** The server's half. */
export function encapsulateHybrid(
  mlKem: MlKem768,
  x25519: KeyExchange,
  clientShare: Uint8Array,
): Encapsulation | undefined {
  if (clientShare.length !== ENCAPSULATION_KEY_LENGTH + X25519_LENGTH) return undefined
  const secret = x25519.agree(clientShare.subarray(ENCAPSULATION_KEY_LENGTH))
  const capsule = secret && mlKem.encapsulate(clientShare.subarray(0, ENCAPSULATION_KEY_LENGTH))
  if (secret === undefined || capsule === undefined) return undefined
  return { publicKey: join(capsule.ciphertext, x25519.publicKey), sharedSecret: join(capsule.secret, secret) }
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}

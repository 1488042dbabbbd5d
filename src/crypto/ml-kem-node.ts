// ML-KEM-768 for the node backend: OpenSSL's where this Node has it (24.7 and later), else @noble/post-quantum, which is
// loaded when the first hybrid handshake asks for it.

import * as crypto from 'node:crypto'
import { createRequire } from 'node:module'
import type { MlKem768, MlKemKeyPair } from './hybrid-key-exchange.ts'
import { type NobleMlKem, nobleMlKem768 } from './ml-kem-noble.ts'

export function mlKem768(): MlKem768 {
  loaded ??= native() ?? nobleMlKem768(noble())
  return loaded
}

let loaded: MlKem768 | undefined

function noble(): NobleMlKem {
  const require = createRequire(import.meta.url)
  return (require('@noble/post-quantum/ml-kem.js') as { ml_kem768: NobleMlKem }).ml_kem768
}

/** What Node 24.7 has more than the types of Node 20 know. */
interface NativeMlKem {
  readonly encapsulate?: (key: crypto.KeyObject) => { ciphertext: Uint8Array; sharedKey: Uint8Array }
  readonly decapsulate?: (key: crypto.KeyObject, ciphertext: Uint8Array) => Uint8Array
  readonly generateKeyPairSync: (type: string) => { publicKey: crypto.KeyObject; privateKey: crypto.KeyObject }
}

/** Undefined too where Node was built with an OpenSSL that is older than 3.5. */
function native(): MlKem768 | undefined {
  const { encapsulate, decapsulate, generateKeyPairSync } = crypto as unknown as NativeMlKem
  if (encapsulate === undefined || decapsulate === undefined) return undefined
  const keyPair = (): MlKemKeyPair => {
    const { publicKey, privateKey } = generateKeyPairSync('ml-kem-768')
    const der = plain(publicKey.export({ format: 'der', type: 'spki' }))
    return {
      encapsulationKey: der.subarray(spkiPrefix.length),
      decapsulate: ciphertext => plain(decapsulate(privateKey, ciphertext)),
    }
  }
  try {
    keyPair()
  } catch {
    return undefined
  }
  return { keyPair, encapsulate: key => encapsulateNatively(encapsulate, key) }
}

function encapsulateNatively(
  encapsulate: NonNullable<NativeMlKem['encapsulate']>,
  encapsulationKey: Uint8Array,
): ReturnType<MlKem768['encapsulate']> {
  try {
    const der = Buffer.concat([spkiPrefix, encapsulationKey])
    const { ciphertext, sharedKey } = encapsulate(crypto.createPublicKey({ key: der, format: 'der', type: 'spki' }))
    return { ciphertext: plain(ciphertext), secret: plain(sharedKey) }
  } catch {
    return undefined
  }
}

function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}

/** SubjectPublicKeyInfo of id-alg-ml-kem-768 (RFC 9935) up to the 1184 bytes of the key. */
const spkiPrefix: Uint8Array = Uint8Array.of(
  ...[0x30, 0x82, 0x04, 0xb2, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x04, 0x02],
  ...[0x03, 0x82, 0x04, 0xa1, 0x00],
)

// ML-KEM-768 of @noble/post-quantum, which the caller loads: it is large and needed by few handshakes.

import type { MlKem768 } from './hybrid-key-exchange.ts'

/** What is used of the library's `ml_kem768`. */
export interface NobleMlKem {
  keygen(): { publicKey: Uint8Array; secretKey: Uint8Array }
  encapsulate(publicKey: Uint8Array): { cipherText: Uint8Array; sharedSecret: Uint8Array }
  decapsulate(cipherText: Uint8Array, secretKey: Uint8Array): Uint8Array
}

export function nobleMlKem768(library: NobleMlKem): MlKem768 {
  return {
    keyPair() {
      const { publicKey, secretKey } = library.keygen()
      return { encapsulationKey: publicKey, decapsulate: ciphertext => library.decapsulate(ciphertext, secretKey) }
    },
    encapsulate(encapsulationKey) {
      try {
        const { cipherText, sharedSecret } = library.encapsulate(encapsulationKey)
        return { ciphertext: cipherText, secret: sharedSecret }
      } catch {
        return undefined
      }
    },
  }
}

// The tag that makes a Retry packet ours (RFC 9001 §5.8).

import { constantTimeEqual } from '../bytes/equal.ts'
import type { CryptoBackend } from './backend.ts'
import { versionSecrets } from './version-secrets.ts'

/** The tag of a Retry packet given without it, sent in answer to `originalDestination`. */
export function retryTag(
  backend: CryptoBackend,
  version: number,
  originalDestination: Uint8Array,
  retryWithoutTag: Uint8Array,
): Uint8Array {
  const { retryKey, retryNonce } = versionSecrets(version)
  const pseudoPacket = new Uint8Array(1 + originalDestination.length + retryWithoutTag.length)
  pseudoPacket[0] = originalDestination.length
  pseudoPacket.set(originalDestination, 1)
  pseudoPacket.set(retryWithoutTag, 1 + originalDestination.length)
  return backend.aead('aes-128-gcm', retryKey).seal(retryNonce, pseudoPacket, noPlaintext)
}

export function isRetryTagValid(
  backend: CryptoBackend,
  version: number,
  originalDestination: Uint8Array,
  retryWithoutTag: Uint8Array,
  tag: Uint8Array,
): boolean {
  return constantTimeEqual(retryTag(backend, version, originalDestination, retryWithoutTag), tag)
}

const noPlaintext = new Uint8Array(0)

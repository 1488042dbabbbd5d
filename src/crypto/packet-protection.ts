// From a traffic secret to the keys of one direction (RFC 9001 §5.1).

import type { CryptoBackend, HeaderKey, PacketKey } from './backend.ts'
import { type CipherSuite, IV_LENGTH } from './cipher-suite.ts'
import { hkdfExpandLabel, noContext } from './hkdf.ts'
import { versionSecrets } from './version-secrets.ts'

export interface DirectionKeys {
  readonly header: HeaderKey
  readonly packet: PacketKey
}

export function directionKeys(
  backend: CryptoBackend,
  version: number,
  suite: CipherSuite,
  secret: Uint8Array,
): DirectionKeys {
  const { hpLabel } = versionSecrets(version)
  const hp = hkdfExpandLabel(backend, suite.hash, secret, hpLabel, noContext, suite.keyLength)
  const header = backend.headerKey(suite, hp)
  return { header, packet: packetKey(backend, version, suite, secret, header) }
}

/** RFC 9001 §6.1: a key update makes a new packet key and keeps the header key. */
export function packetKey(
  backend: CryptoBackend,
  version: number,
  suite: CipherSuite,
  secret: Uint8Array,
  header: HeaderKey,
): PacketKey {
  const { keyLabel, ivLabel } = versionSecrets(version)
  const key = hkdfExpandLabel(backend, suite.hash, secret, keyLabel, noContext, suite.keyLength)
  const iv = hkdfExpandLabel(backend, suite.hash, secret, ivLabel, noContext, IV_LENGTH)
  return backend.packetKey(suite, key, iv, header)
}

/** RFC 9001 §6.1: the traffic secret of the next key phase. */
export function nextSecret(
  backend: CryptoBackend,
  version: number,
  suite: CipherSuite,
  secret: Uint8Array,
): Uint8Array {
  return hkdfExpandLabel(backend, suite.hash, secret, versionSecrets(version).kuLabel, noContext, suite.hashLength)
}

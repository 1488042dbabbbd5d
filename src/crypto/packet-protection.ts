// From a traffic secret to the keys of one direction (RFC 9001 §5.1).

import type { CryptoBackend, HeaderKey, PacketKey } from './backend.ts'
import { type CipherSuite, IV_LENGTH } from './cipher-suite.ts'
import { hkdfExpandLabel, noContext } from './hkdf.ts'
import { versionSecrets } from './version-secrets.ts'

/** Derived when the first packet needs them: in a handshake some directions wait for an answer, or are never used. */
export class DirectionKeys {
  readonly #backend: CryptoBackend
  readonly #version: number
  readonly #suite: CipherSuite
  readonly #secret: Uint8Array
  #header: HeaderKey | undefined = undefined
  #packet: PacketKey | undefined = undefined

  constructor(backend: CryptoBackend, version: number, suite: CipherSuite, secret: Uint8Array) {
    this.#backend = backend
    this.#version = version
    this.#suite = suite
    this.#secret = secret
  }

  get header(): HeaderKey {
    if (this.#header !== undefined) return this.#header
    const { hpLabel } = versionSecrets(this.#version)
    const { hash, keyLength } = this.#suite
    const key = hkdfExpandLabel(this.#backend, hash, this.#secret, hpLabel, noContext, keyLength)
    this.#header = this.#backend.headerKey(this.#suite, key)
    return this.#header
  }

  get packet(): PacketKey {
    this.#packet ??= packetKey(this.#backend, this.#version, this.#suite, this.#secret, this.header)
    return this.#packet
  }

  discard(): void {
    this.#header?.discard()
    this.#packet?.discard()
  }
}

export function directionKeys(
  backend: CryptoBackend,
  version: number,
  suite: CipherSuite,
  secret: Uint8Array,
): DirectionKeys {
  return new DirectionKeys(backend, version, suite, secret)
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

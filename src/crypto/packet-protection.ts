// From a traffic secret to the keys of one direction (RFC 9001 §5.1).

import type { CryptoBackend, HeaderKey, PacketKey, TrafficKeys } from './backend.ts'
import { type CipherSuite, IV_LENGTH } from './cipher-suite.ts'
import { hkdfExpandLabel, noContext } from './hkdf.ts'
import { versionSecrets } from './version-secrets.ts'

/** Derived when the first packet needs them: in a handshake some directions wait for an answer, or are never used. */
export class DirectionKeys {
  readonly #backend: CryptoBackend
  readonly #version: number
  readonly #suite: CipherSuite
  readonly #secret: Uint8Array
  #keys: TrafficKeys | undefined = undefined

  constructor(backend: CryptoBackend, version: number, suite: CipherSuite, secret: Uint8Array) {
    this.#backend = backend
    this.#version = version
    this.#suite = suite
    this.#secret = secret
  }

  get header(): HeaderKey {
    this.#keys ??= trafficKeys(this.#backend, this.#version, this.#suite, this.#secret)
    return this.#keys.header
  }

  get packet(): PacketKey {
    this.#keys ??= trafficKeys(this.#backend, this.#version, this.#suite, this.#secret)
    return this.#keys.packet
  }

  discard(): void {
    this.#keys?.packet.discard()
    this.#keys?.header.discard()
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

function trafficKeys(backend: CryptoBackend, version: number, suite: CipherSuite, secret: Uint8Array): TrafficKeys {
  const labels = versionSecrets(version)
  const keys = backend.trafficKeys?.(suite, labels, secret)
  if (keys !== undefined) return keys
  const key = hkdfExpandLabel(backend, suite.hash, secret, labels.hpLabel, noContext, suite.keyLength)
  const header = backend.headerKey(suite, key)
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

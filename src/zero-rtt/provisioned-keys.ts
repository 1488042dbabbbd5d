// The keys of one worker instance and of each of its clients, all derived from one secret that is born with the
// process. Each key has one purpose: what is imported (RFC 9258 §4) is used for nothing else.
//
//   K_w  instance key of an epoch ── next epoch ──> K_w of the next one (the old one can be deleted)
//    ├─ identity key, identity nonce key      the external identity: the client's name, sealed
//    └─ client key (name) ──> given to that client alone
//         ├─ epsk                             into the importer
//         └─ parties                          digest of both names, into the context

import { Writer } from '../bytes/writer.ts'
import type { Aead, CryptoBackend } from '../crypto/backend.ts'
import { TAG_LENGTH } from '../crypto/cipher-suite.ts'
import { hkdfExpand } from '../crypto/hkdf.ts'
import { PARTIES_LENGTH } from './provisioned-context.ts'

export const INSTANCE_KEY_LENGTH: number = 32

/** Bytes of UTF-8 in a client's name. */
export const MAX_CLIENT_ID_LENGTH: number = 63

/** What a client uses, and the worker derives when the client calls. */
export interface ClientKeys {
  readonly epsk: Uint8Array
  readonly parties: Uint8Array
}

/** K_w of the next epoch. One way: the next key says nothing about this one. */
export function nextEpochKey(backend: CryptoBackend, instanceKey: Uint8Array): Uint8Array {
  return expand(backend, instanceKey, 'next epoch')
}

/** K_wg: known to one client and one instance. */
export function clientKey(backend: CryptoBackend, instanceKey: Uint8Array, clientId: string): Uint8Array {
  return expand(backend, instanceKey, 'client', encodeName(clientId))
}

export function clientKeys(
  backend: CryptoBackend,
  key: Uint8Array,
  clientId: string,
  instanceId: Uint8Array,
): ClientKeys {
  const parties = expand(backend, key, 'parties', encodeName(clientId), instanceId).subarray(0, PARTIES_LENGTH)
  return { epsk: expand(backend, key, 'epsk'), parties }
}

/**
 * The external identity of a client: its name, sealed under the instance key. The worker needs no list of clients, and
 * the path sees neither name nor anything that outlives the epoch.
 */
export class IdentitySealer {
  readonly #backend: CryptoBackend
  readonly #aead: Aead
  readonly #nonceKey: Uint8Array

  constructor(backend: CryptoBackend, instanceKey: Uint8Array) {
    this.#backend = backend
    this.#aead = backend.aead('chacha20-poly1305', expand(backend, instanceKey, 'identity'))
    this.#nonceKey = expand(backend, instanceKey, 'identity nonce')
  }

  /** The nonce is a digest of the name, so that one name always gives one identity and two names never one nonce. */
  seal(clientId: string): Uint8Array {
    const name = encodeName(clientId)
    // Padded, so that the length says little about the name.
    const plaintext = new Uint8Array(Math.ceil((1 + name.length) / PADDING) * PADDING)
    plaintext[0] = name.length
    plaintext.set(name, 1)
    const nonce = this.#backend.hmac('sha256', this.#nonceKey, plaintext).subarray(0, NONCE_LENGTH)
    const sealed = this.#aead.seal(nonce, NOTHING, plaintext)
    const writer = Writer.allocate(NONCE_LENGTH + sealed.length)
    writer.put(nonce)
    writer.put(sealed)
    return writer.finish()
  }

  /** The client's name, or undefined for an identity that was not sealed here. */
  open(identity: Uint8Array): string | undefined {
    if (identity.length < NONCE_LENGTH + TAG_LENGTH + PADDING) return undefined
    const nonce = identity.subarray(0, NONCE_LENGTH)
    const plaintext = this.#aead.open(nonce, NOTHING, identity.subarray(NONCE_LENGTH))
    if (plaintext === undefined) return undefined
    return new TextDecoder().decode(plaintext.subarray(1, 1 + (plaintext[0] as number)))
  }
}

/** HKDF-Expand with a label of this house and parts whose borders are unambiguous. */
function expand(backend: CryptoBackend, key: Uint8Array, purpose: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const label = new TextEncoder().encode(`zerotrip v1 ${purpose}`)
  const writer = Writer.allocate(parts.reduce((sum, part) => sum + 2 + part.length, 2 + label.length))
  for (const part of [label, ...parts]) {
    writer.u16(part.length)
    writer.put(part)
  }
  return hkdfExpand(backend, 'sha256', key, writer.finish(), 32)
}

function encodeName(clientId: string): Uint8Array {
  const name = new TextEncoder().encode(clientId)
  if (name.length === 0 || name.length > MAX_CLIENT_ID_LENGTH) {
    throw new RangeError(`a client id of ${name.length} bytes is not in 1..${MAX_CLIENT_ID_LENGTH}`)
  }
  return name
}

const NONCE_LENGTH = 12
const PADDING = 16
const NOTHING: Uint8Array = new Uint8Array(0)

// The keys of one worker instance and of each of its clients, all derived from one secret that is born with the
// process. Each key has one purpose: what is imported (RFC 9258 §4) is used for nothing else.
//
//   K_w  instance key of an epoch ── next epoch ──> K_w of the next one (the old one can be deleted)
//    ├─ identity key                          the external identity: the caller's name, sealed
//    └─ client key (caller) ──> given to that client alone
//         ├─ epsk                             into the importer
//         └─ parties                          digest of caller and callee, into the context
//
// With a ratchet the client key is not made of K_w, which stays, but is random, and both sides forget it (ratchet.ts).

import type { Aead, CryptoBackend } from '../crypto/backend.ts'
import { TAG_LENGTH } from '../crypto/cipher-suite.ts'
import { hkdfExpand } from '../crypto/hkdf.ts'
import { EvenAead } from './even-aead.ts'
import { PARTIES_LENGTH } from './provisioned-context.ts'

export const INSTANCE_KEY_LENGTH: number = 32

/** Bytes of UTF-8 in a client's name. */
export const MAX_CLIENT_ID_LENGTH: number = 63

/** Who calls. Both are in the external identity, sealed, so that the worker needs no list. */
export interface Caller {
  /** One name for one process: a replica, not a deployment. */
  readonly clientId: string
  /** What that process is: the function on the caller's end of an edge; empty when there are no edges. */
  readonly caller: string
}

/** Who is called. */
export interface Callee {
  readonly instanceId: Uint8Array
  /** The function on the callee's end of an edge; empty when there are no edges. */
  readonly callee: string
}

/** Bytes of UTF-8 in the name of a function, at either end of an edge. */
export const MAX_FUNCTION_LENGTH: number = 63

/** K_w of the next epoch. One way: the next key says nothing about this one. */
export function nextEpochKey(backend: CryptoBackend, instanceKey: Uint8Array): Uint8Array {
  return derive(backend, instanceKey, 'next epoch')
}

/** K_wg: known to one client and one instance. */
export function clientKey(backend: CryptoBackend, instanceKey: Uint8Array, { clientId, caller }: Caller): Uint8Array {
  return derive(backend, instanceKey, 'client', encodeName(clientId), encoder.encode(caller))
}

/** What goes into the importer where there is no ratchet. */
export function epskOf(backend: CryptoBackend, key: Uint8Array): Uint8Array {
  return derive(backend, key, 'epsk')
}

/** Both ends of the edge, so that a key is of no use on another one. Nobody on the path can read a name in it. */
export function partiesOf(backend: CryptoBackend, key: Uint8Array, from: Caller, to: Callee): Uint8Array {
  const names = [encodeName(from.clientId), encoder.encode(from.caller), to.instanceId, encoder.encode(to.callee)]
  return derive(backend, key, 'parties', ...names).subarray(0, PARTIES_LENGTH)
}

/**
 * The external identity of a client: its name, sealed under the instance key. The worker needs no list of clients, and
 * the path sees neither name nor anything that outlives the epoch.
 */
export class IdentitySealer {
  readonly #backend: CryptoBackend
  readonly #aead: Aead

  constructor(backend: CryptoBackend, instanceKey: Uint8Array) {
    this.#backend = backend
    this.#aead = new EvenAead(backend, 'chacha20-poly1305', derive(backend, instanceKey, 'identity'), PADDING)
  }

  seal({ clientId, caller }: Caller): Uint8Array {
    const name = encodeName(clientId)
    const role = encoder.encode(caller)
    if (role.length > MAX_FUNCTION_LENGTH) {
      throw new RangeError(`a caller of ${role.length} bytes is not in 0..${MAX_FUNCTION_LENGTH}`)
    }
    // Padded, so that the length says little about the names.
    const plaintext = new Uint8Array(Math.ceil((2 + name.length + role.length) / PADDING) * PADDING)
    plaintext[0] = name.length
    plaintext.set(name, 1)
    plaintext[1 + name.length] = role.length
    plaintext.set(role, 2 + name.length)
    const nonce = this.#backend.random(NONCE_LENGTH)
    const sealed = this.#aead.seal(nonce, NOTHING, plaintext)
    const identity = new Uint8Array(NONCE_LENGTH + sealed.length)
    identity.set(nonce)
    identity.set(sealed, NONCE_LENGTH)
    return identity
  }

  /** Who it is, or undefined for an identity that was not sealed here. */
  open(identity: Uint8Array): Caller | undefined {
    if (identity.length < NONCE_LENGTH + TAG_LENGTH + PADDING) return undefined
    const nonce = identity.subarray(0, NONCE_LENGTH)
    const opened = this.#aead.open(nonce, NOTHING, identity.subarray(NONCE_LENGTH))
    const plaintext = opened ?? stranger
    const middle = 1 + (plaintext[0] as number)
    const caller = plaintext.subarray(middle + 1, middle + 1 + (plaintext[middle] as number))
    const who = { clientId: decoder.decode(plaintext.subarray(1, middle)), caller: decoder.decode(caller) }
    return opened && who
  }
}

/** HKDF-Expand with a label of this house and parts whose borders are unambiguous. */
export function derive(
  backend: CryptoBackend,
  key: Uint8Array,
  purpose: string,
  ...parts: readonly Uint8Array[]
): Uint8Array {
  const label = labelOf(purpose)
  let length = label.length
  for (const part of parts) length += 2 + part.length
  const info = new Uint8Array(length)
  info.set(label)
  let at = label.length
  for (const part of parts) {
    info[at++] = part.length >>> 8
    info[at++] = part.length
    info.set(part, at)
    at += part.length
  }
  return hkdfExpand(backend, 'sha256', key, info, 32)
}

/** With its length in front; the few purposes there are, are encoded once. */
function labelOf(purpose: string): Uint8Array {
  const known = labels.get(purpose)
  if (known !== undefined) return known
  const text = encoder.encode(`zerotrip v1 ${purpose}`)
  const label = Uint8Array.of(text.length >>> 8, text.length, ...text)
  labels.set(purpose, label)
  return label
}

const labels = new Map<string, Uint8Array>()

function encodeName(clientId: string): Uint8Array {
  const name = encoder.encode(clientId)
  if (name.length === 0 || name.length > MAX_CLIENT_ID_LENGTH) {
    throw new RangeError(`a client id of ${name.length} bytes is not in 1..${MAX_CLIENT_ID_LENGTH}`)
  }
  return name
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const NONCE_LENGTH = 12
const PADDING = 16
const NOTHING: Uint8Array = new Uint8Array(0)
/** Is read where nothing has opened, which so takes as long: a name of eight letters. */
const stranger: Uint8Array = Uint8Array.of(8, ...encoder.encode('stranger'), 0)

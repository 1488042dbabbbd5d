// The worker's half of provisioned keys: finds the PSK of whoever calls, and lets its early data in at most once without
// asking another machine (RFC 8446 §8: one place is authoritative for a key, because the key was born with it).

import { constantTimeEqual, equal } from '../bytes/equal.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import type { HashName } from '../crypto/cipher-suite.ts'
import { limits } from '../limits.ts'
import type {
  Authorization,
  AuthorizationQuestion,
  EarlyDataAttempt,
  EarlyDataGate,
  EarlyDataRefusal,
  PskSource,
} from '../tls13/ports.ts'
import type { Chain, WorkerBundle } from './bundle.ts'
import { type ProvisionedContext, Role, readContext } from './provisioned-context.ts'
import { ProvisionedEpoch } from './provisioned-epoch.ts'
import { nextEpochKey } from './provisioned-keys.ts'
import { ProvisionedPsk } from './provisioned-psk.ts'
import {
  type ImportedIdentity,
  readImportedIdentity,
  secretOf,
  TARGET_PROTOCOL_TLS13,
  targetKdfOf,
} from './psk-importer.ts'
import { REPLAY_WINDOW_SIZE } from './replay-window.ts'

/** How far the time inside a PSK may be from the worker's clock, ms, for early data to be accepted. */
export const FRESHNESS: number = limits.earlyDataAge

/** Clients of one epoch whose counters are tracked. None is ever forgotten: further ones get no early data. */
export const MAX_PROVISIONED_CLIENTS: number = limits.provisionedClients

export interface ProvisionedServerOptions {
  /** ms between the client's clock and ours for early data. Default FRESHNESS. */
  readonly freshness?: number
  /** Counters tracked for each client. Default REPLAY_WINDOW_SIZE. */
  readonly windowSize?: number
  /** Default MAX_PROVISIONED_CLIENTS. */
  readonly maxClients?: number
}

/** From when to when an epoch is good, Unix ms. */
export interface EpochLife {
  readonly notBefore: number
  readonly expires: number
}

/**
 * The worker's half: finds the PSKs of all its clients, and judges their early data. A bundle may be given to one
 * server once: after a restart, or in a second copy restored from a snapshot, the window would be empty again. The
 * roots of ratchets are taken out of it: a TypeError says that it was used before.
 */
export class ProvisionedServer implements PskSource, EarlyDataGate {
  readonly #backend: CryptoBackend
  readonly #options: Required<ProvisionedServerOptions>
  readonly #revoked = new Set<string>()
  readonly #decoy: ProvisionedEpoch
  #current: ProvisionedEpoch
  #previous: ProvisionedEpoch | undefined = undefined

  constructor(backend: CryptoBackend, bundle: WorkerBundle, options: ProvisionedServerOptions = {}) {
    this.#backend = backend
    this.#options = {
      freshness: options.freshness ?? FRESHNESS,
      windowSize: options.windowSize ?? REPLAY_WINDOW_SIZE,
      maxClients: options.maxClients ?? MAX_PROVISIONED_CLIENTS,
    }
    this.#decoy = this.#epoch({ ...bundle, key: backend.random(bundle.key.length), chains: [] })
    this.#current = this.#epoch(bundle)
  }

  get epoch(): number {
    return this.#current.bundle.epoch
  }

  /** A PSK for 1-RTT at least; whether its early data is taken is `admit`'s to say, once the binder was verified. */
  find(identity: Uint8Array, _obfuscatedAge: number, unixTime: number): ProvisionedPsk | undefined {
    const imported = readImportedIdentity(identity)
    const context = imported && readContext(imported.context)
    // Not of our making, which its form shows to anybody: no time to be kept secret.
    if (imported === undefined || context === undefined) return undefined
    const epoch = this.#epochOf(context.epoch)
    return this.#derive(epoch ?? this.#decoy, epoch !== undefined, identity, imported, context, unixTime)
  }

  /** True once for each PSK, while it is fresh. */
  admit(attempt: EarlyDataAttempt): boolean {
    const refusal = this.#refusalOf(attempt)
    if (refusal !== undefined) attempt.refusal = refusal
    return refusal === undefined
  }

  /**
   * The `authorize` of a provisioned worker: PSKs speak for themselves; tickets, which inherit peer, edge and epoch, are
   * good while the epoch is and the peer was not revoked.
   */
  authorize({ psk }: Pick<AuthorizationQuestion, 'psk'>): Authorization | 'anyone' | undefined {
    const { authorization } = psk
    if (authorization === undefined) return 'anyone'
    const isGood = this.#epochOf(authorization.epoch) !== undefined && !this.#revoked.has(authorization.peer)
    return isGood ? authorization : undefined
  }

  /** Whether what was granted still holds: of sessions that are open. */
  isRevoked({ peer, epoch }: Authorization): boolean {
    return this.#revoked.has(peer) || this.#epochOf(epoch) === undefined
  }

  /**
   * Begins the next epoch. Clients need new halves for it; those of the epoch that ends now are still accepted, those
   * of the one before no longer. The oldest key is forgotten. Throws a TypeError with a ratchet: see `renew`.
   */
  advanceEpoch(life: EpochLife): void {
    const { bundle } = this.#current
    if (bundle.isRatcheted)
      throw new TypeError('a ratcheted worker is renewed by a bundle: its clients have new chains')
    const key = nextEpochKey(this.#backend, bundle.key)
    this.renew({ ...bundle, ...life, key, epoch: bundle.epoch + 1 })
  }

  /** The same, by a bundle that the platform made. Throws a RangeError for one of another instance or no later epoch. */
  renew(bundle: WorkerBundle): void {
    const before = this.#current.bundle
    if (!equal(bundle.instanceId, before.instanceId)) throw new RangeError('this bundle is for another instance')
    if (bundle.epoch <= before.epoch) throw new RangeError(`epoch ${bundle.epoch} does not follow ${before.epoch}`)
    this.#previous = bundle.epoch === before.epoch + 1 ? this.#current : undefined
    this.#current = this.#epoch(bundle)
  }

  /** One more client of a ratcheted worker. Throws a RangeError when there are too many, a TypeError without a ratchet. */
  addChain(chain: Chain): void {
    this.#current.addChain(chain)
  }

  /** From now on this client is unknown, also by its tickets. Connections it has are the caller's to close. */
  revoke(clientId: string): void {
    this.#revoked.add(clientId)
  }

  /**
   * The same work whether the client is known or not: a stranger's identity is carried through to the end.
   */
  #derive(
    epoch: ProvisionedEpoch,
    isEpochKnown: boolean,
    identity: Uint8Array,
    imported: ImportedIdentity,
    context: ProvisionedContext,
    unixTime: number,
  ): ProvisionedPsk | undefined {
    const { bundle, hash } = epoch
    const caller = epoch.identities.open(imported.externalIdentity)
    const { parties, epskx } = epoch.keysOf(caller, context.counter, unixTime)
    const secret = secretOf(this.#backend, epskx ?? NO_EPSKX, identity, hash)
    const isOurs = constantTimeEqual(parties, context.parties) && isForUs(imported, context, hash)
    if (caller === undefined || epskx === undefined || !isEpochKnown || !isOurs) return undefined
    if (this.#revoked.has(caller.clientId) || caller.clientId === bundle.ownClientId) return undefined
    if (unixTime < bundle.notBefore - this.#options.freshness || unixTime >= bundle.expires) return undefined
    return new ProvisionedPsk(this, bundle, caller, context, secret)
  }

  #refusalOf(attempt: EarlyDataAttempt): EarlyDataRefusal | undefined {
    const { psk, unixTime } = attempt
    if (!(psk instanceof ProvisionedPsk) || psk.source !== this) return 'unknown'
    attempt.skew = unixTime - psk.time
    if (psk.earlyData === undefined) return 'unwanted'
    const epoch = this.#epochOf(psk.epoch)
    if (epoch === undefined || this.#revoked.has(psk.clientId)) return 'revoked'
    if (Math.abs(attempt.skew) > this.#options.freshness) return 'expired'
    if (psk.counter >= epoch.bundle.maxUses) return 'exhausted'
    return epoch.use(psk.clientId, psk.counter, unixTime)
  }

  #epochOf(number: number): ProvisionedEpoch | undefined {
    if (this.#current.bundle.epoch === number) return this.#current
    return this.#previous?.bundle.epoch === number ? this.#previous : undefined
  }

  #epoch(bundle: WorkerBundle): ProvisionedEpoch {
    return new ProvisionedEpoch(this.#backend, bundle, this.#options)
  }
}

/** RFC 9257 §4.1, Selfie: a PSK that names the server as its sender is our own, reflected. */
function isForUs(imported: ImportedIdentity, context: ProvisionedContext, hash: HashName): boolean {
  return (
    context.role === Role.Client &&
    imported.targetProtocol === TARGET_PROTOCOL_TLS13 &&
    imported.targetKdf === targetKdfOf(hash)
  )
}

const NO_EPSKX: Uint8Array = new Uint8Array(32)

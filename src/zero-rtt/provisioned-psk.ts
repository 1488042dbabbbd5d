// PSKs handed in from outside, on both sides: every connection imports a new one (RFC 9258), so that early data is
// accepted at most once without asking another machine (RFC 8446 §8: one place is authoritative for a key, because the
// key was born with the instance that accepts it).

import { constantTimeEqual } from '../bytes/equal.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import { cipherSuite, type HashName } from '../crypto/cipher-suite.ts'
import { limits } from '../limits.ts'
import type { EarlyDataAttempt, EarlyDataGate, EarlyDataTerms, Psk, PskKind, PskSource } from '../tls13/ports.ts'
import type { BundleTerms, ClientBundle, WorkerBundle } from './bundle.ts'
import { type ProvisionedContext, Role, readContext, writeContext } from './provisioned-context.ts'
import { type ClientKeys, clientKey, clientKeys, IdentitySealer, nextEpochKey } from './provisioned-keys.ts'
import {
  type ImportedIdentity,
  importedSecret,
  importPsk,
  readImportedIdentity,
  TARGET_PROTOCOL_TLS13,
  targetKdfOf,
} from './psk-importer.ts'
import { REPLAY_WINDOW_SIZE, ReplayWindow } from './replay-window.ts'
import type { Resumption } from './resumption.ts'
import type { TicketStore } from './ticket-store.ts'

/** How far the time inside a PSK may be from the worker's clock, ms, for early data to be accepted. */
export const FRESHNESS: number = limits.earlyDataAge

/** Clients of one epoch whose counters are tracked. None is ever forgotten: further ones get no early data. */
export const MAX_PROVISIONED_CLIENTS: number = limits.provisionedClients

/**
 * The client's half as a store: every `take` is a PSK that was never used before. One bundle belongs to one process;
 * two that share it share its counter without knowing, and lose early data.
 */
export class ProvisionedClient implements TicketStore {
  readonly #backend: CryptoBackend
  readonly #bundle: ClientBundle
  readonly #clock: () => number
  readonly #hash: HashName
  readonly #keys: ClientKeys
  #counter = 0

  /** `clock` gives Unix ms. */
  constructor(backend: CryptoBackend, bundle: ClientBundle, clock: () => number) {
    this.#backend = backend
    this.#bundle = bundle
    this.#clock = clock
    this.#hash = hashOf(bundle)
    this.#keys = clientKeys(backend, bundle.key, bundle.clientId, bundle.instanceId)
  }

  /** PSKs handed out so far. */
  get uses(): number {
    return this.#counter
  }

  /** Undefined for an origin that is not the instance's, outside the bundle's life, and after `maxUses`. */
  take(origin: string): Resumption | undefined {
    const unixTime = Math.floor(this.#clock())
    const { addresses, notBefore, expires, maxUses } = this.#bundle
    if (!addresses.includes(origin) || unixTime < notBefore || unixTime >= expires) return undefined
    return this.#counter < maxUses ? this.#import(this.#counter++, unixTime) : undefined
  }

  /** Tickets of the connection are not kept here: see `firstTickets`. */
  put(_origin: string, _resumption: Resumption): void {}

  #import(counter: number, unixTime: number): Resumption {
    const bundle = this.#bundle
    const { epsk, parties } = this.#keys
    const context = writeContext({ role: Role.Client, parties, epoch: bundle.epoch, counter, time: unixTime })
    const imported = importPsk(this.#backend, {
      externalIdentity: bundle.identity,
      epsk,
      context,
      hash: this.#hash,
    })
    return {
      kind: 'provisioned',
      ...imported,
      hash: this.#hash,
      cipherSuite: bundle.cipherSuite,
      version: bundle.version,
      alpn: bundle.alpn,
      serverName: bundle.serverName,
      issued: unixTime,
      lifetime: bundle.expires - unixTime,
      ageAdd: 0,
      allowsEarlyData: bundle.earlyRequests !== 'never',
      transportParameters: bundle.transportParameters,
      appState: bundle.appState,
      token: bundle.token,
      pins: bundle.pins,
      initialRtt: bundle.initialRtt,
    }
  }
}

/** A PSK found by a ProvisionedServer, with the name of who holds it. */
export class ProvisionedPsk implements Psk {
  readonly kind: PskKind = 'imported'
  readonly secret: Uint8Array
  readonly hash: HashName
  readonly earlyData: EarlyDataTerms | undefined
  readonly expires: number
  readonly appState: Uint8Array
  readonly clientId: string
  readonly epoch: number
  readonly counter: number
  /** Unix ms, as the client says, under its binder. */
  readonly time: number
  /** Who found it, and may admit its early data. */
  readonly source: PskSource

  constructor(
    source: PskSource,
    terms: BundleTerms,
    clientId: string,
    context: ProvisionedContext,
    secret: Uint8Array,
  ) {
    this.secret = secret
    this.hash = hashOf(terms)
    this.earlyData = terms.earlyRequests === 'never' ? undefined : termsOf(terms)
    this.expires = terms.expires
    this.appState = terms.appState
    this.clientId = clientId
    this.epoch = context.epoch
    this.counter = context.counter
    this.time = context.time
    this.source = source
  }
}

export interface ProvisionedServerOptions {
  /** ms between the client's clock and ours for early data. Default FRESHNESS. */
  readonly freshness?: number
  /** Counters tracked for each client. Default REPLAY_WINDOW_SIZE. */
  readonly windowSize?: number
  /** Default MAX_PROVISIONED_CLIENTS. */
  readonly maxClients?: number
}

/**
 * The worker's half: finds the PSKs of all its clients, and judges their early data. A bundle may be given to one
 * server once: after a restart, or in a second copy restored from a snapshot, the window would be empty again.
 */
export class ProvisionedServer implements PskSource, EarlyDataGate {
  readonly #backend: CryptoBackend
  readonly #freshness: number
  readonly #windowSize: number
  readonly #maxClients: number
  readonly #revoked = new Set<string>()
  readonly #decoy: Epoch
  #current: Epoch
  #previous: Epoch | undefined = undefined

  constructor(backend: CryptoBackend, bundle: WorkerBundle, options: ProvisionedServerOptions = {}) {
    this.#backend = backend
    this.#freshness = options.freshness ?? FRESHNESS
    this.#windowSize = options.windowSize ?? REPLAY_WINDOW_SIZE
    this.#maxClients = options.maxClients ?? MAX_PROVISIONED_CLIENTS
    this.#current = new Epoch(backend, bundle)
    this.#decoy = new Epoch(backend, { ...bundle, key: backend.random(bundle.key.length) })
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
    const { psk, unixTime } = attempt
    if (!(psk instanceof ProvisionedPsk) || psk.source !== this || psk.earlyData === undefined) return false
    const epoch = this.#epochOf(psk.epoch)
    if (epoch === undefined || this.#revoked.has(psk.clientId)) return false
    if (Math.abs(unixTime - psk.time) > this.#freshness || psk.counter >= epoch.bundle.maxUses) return false
    return this.#windowOf(epoch, psk.clientId)?.accept(psk.counter) ?? false
  }

  /**
   * Begins the next epoch. Clients need new halves for it; those of the epoch that ends now are still accepted, those
   * of the one before no longer. The oldest key is forgotten.
   */
  advanceEpoch(life: { readonly notBefore: number; readonly expires: number }): void {
    const { bundle } = this.#current
    const key = nextEpochKey(this.#backend, bundle.key)
    this.#previous = this.#current
    this.#current = new Epoch(this.#backend, { ...bundle, ...life, key, epoch: bundle.epoch + 1 })
  }

  /** From now on this client is unknown. Connections it has are the caller's to close. */
  revoke(clientId: string): void {
    this.#revoked.add(clientId)
  }

  /**
   * The same work whether the client is known or not: a stranger's identity is carried through to the end. What may
   * differ is the few microseconds in which a backend reports a wrong tag.
   */
  #derive(
    epoch: Epoch,
    isEpochKnown: boolean,
    identity: Uint8Array,
    imported: ImportedIdentity,
    context: ProvisionedContext,
    unixTime: number,
  ): ProvisionedPsk | undefined {
    const { bundle } = epoch
    const clientId = epoch.identities.open(imported.externalIdentity)
    const name = clientId ?? STRANGER
    const keys = clientKeys(this.#backend, clientKey(this.#backend, bundle.key, name), name, bundle.instanceId)
    const { hash } = epoch
    const secret = importedSecret(this.#backend, { epsk: keys.epsk, hash }, identity)
    const isOurs = constantTimeEqual(keys.parties, context.parties) && isForUs(imported, context, hash)
    if (clientId === undefined || !isEpochKnown || !isOurs || this.#revoked.has(clientId)) return undefined
    if (unixTime < bundle.notBefore - this.#freshness || unixTime >= bundle.expires) return undefined
    return new ProvisionedPsk(this, bundle, clientId, context, secret)
  }

  #epochOf(number: number): Epoch | undefined {
    if (this.#current.bundle.epoch === number) return this.#current
    return this.#previous?.bundle.epoch === number ? this.#previous : undefined
  }

  #windowOf(epoch: Epoch, clientId: string): ReplayWindow | undefined {
    const known = epoch.windows.get(clientId)
    if (known !== undefined || epoch.windows.size >= this.#maxClients) return known
    const window = new ReplayWindow(this.#windowSize)
    epoch.windows.set(clientId, window)
    return window
  }
}

/** One key of the instance, and what was used of it. */
class Epoch {
  readonly bundle: WorkerBundle
  readonly hash: HashName
  readonly identities: IdentitySealer
  readonly windows = new Map<string, ReplayWindow>()

  constructor(backend: CryptoBackend, bundle: WorkerBundle) {
    this.bundle = bundle
    this.hash = hashOf(bundle)
    this.identities = new IdentitySealer(backend, bundle.key)
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

function hashOf(terms: BundleTerms): HashName {
  const suite = cipherSuite(terms.cipherSuite)
  if (suite === undefined) throw new RangeError(`cipher suite ${terms.cipherSuite} is not known`)
  return suite.hash
}

function termsOf(terms: BundleTerms): EarlyDataTerms {
  return {
    cipherSuite: terms.cipherSuite,
    alpn: terms.alpn,
    serverName: terms.serverName,
    transportParameters: terms.transportParameters,
  }
}

const STRANGER = 'stranger'

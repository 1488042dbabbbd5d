// Makes the two halves of what a worker instance and its clients need for 0-RTT. Run it where the worker is launched,
// once for each launch: the key of an instance must not exist before the instance does (RFC 8446 §8.2), and a process
// restored from a snapshot counts as a new one.

import type { CryptoBackend } from '../crypto/backend.ts'
import { cipherSuite } from '../crypto/cipher-suite.ts'
import { QUIC_V1 } from '../packet/version.ts'
import { AddressTokens } from './address-token.ts'
import type { Chain, ClientBundle, WorkerBundle } from './bundle.ts'
import type { EarlyRequests } from './early-data-policy.ts'
import { type Caller, clientKey, IdentitySealer, INSTANCE_KEY_LENGTH, nextEpochKey } from './provisioned-keys.ts'

export interface WorkerOptions {
  readonly backend: CryptoBackend
  /** Now, Unix ms. */
  readonly unixTime: number
  /** The server's transport parameters, encoded (`writeRemembered`). */
  readonly transportParameters: Uint8Array
  /** HTTP/3 SETTINGS of the server. Default empty. */
  readonly appState?: Uint8Array
  /** Default 16 random bytes. */
  readonly instanceId?: Uint8Array
  /** Default the backend's first. */
  readonly cipherSuite?: number
  /** QUIC version. Default 1. */
  readonly version?: number
  /** Default `h3`. */
  readonly alpn?: string
  readonly serverName?: string
  /** Default `safe`. */
  readonly earlyRequests?: EarlyRequests
  /** ms from `unixTime`. Default BUNDLE_LIFETIME. */
  readonly lifetime?: number
  /** Connections of one client. Default MAX_USES. */
  readonly maxUses?: number
  /** The function the worker is, where edges between functions are told apart. Default: they are not. */
  readonly callee?: string
  /** The client id under which the worker itself calls others, so that it knows its own reflection. Default none. */
  readonly ownClientId?: string
  /**
   * Forward secrecy for early data: each key is made of the one before, and forgotten by both sides with its use. The
   * worker must then be told of each client (`provisionClient`). Default false.
   */
  readonly ratchet?: boolean
}

export interface ClientOptions {
  /** 1 to 63 bytes of UTF-8. One name for one process: a replica, not a deployment. */
  readonly clientId: string
  /** The function the client is, where edges between functions are told apart. Default: they are not. */
  readonly caller?: string
  /** As `originOf` writes them. */
  readonly addresses: readonly string[]
  /** SHA-256 of the worker's SubjectPublicKeyInfo. Default none. */
  readonly pins?: readonly Uint8Array[]
  /** ms. Default none. */
  readonly initialRtt?: number
  /** False: no address validation token, the worker stays bound by the amplification limit. Default true. */
  readonly withToken?: boolean
}

/** Defaults. */
export const BUNDLE_LIFETIME: number = 600_000
export const MAX_USES: number = 0xffffffff

/** Both halves for one instance and its first client. */
export function provision(options: WorkerOptions & ClientOptions): { worker: WorkerBundle; client: ClientBundle } {
  const bare = workerBundle(options)
  const { client, chain } = provisionClient(options.backend, bare, options, options.unixTime)
  return { worker: chain ? { ...bare, chains: [chain] } : bare, client }
}

export function workerBundle(options: WorkerOptions): WorkerBundle {
  const { backend, unixTime } = options
  const suite = options.cipherSuite ?? (backend.cipherSuites[0]?.id as number)
  if (cipherSuite(suite) === undefined) throw new RangeError(`cipher suite ${suite} is not known`)
  const lifetime = options.lifetime ?? BUNDLE_LIFETIME
  if (!(lifetime > 0)) throw new RangeError(`a lifetime of ${lifetime} ms is over before it begins`)
  return {
    instanceId: options.instanceId ?? backend.random(16),
    epoch: 0,
    cipherSuite: suite,
    version: options.version ?? QUIC_V1,
    alpn: options.alpn ?? 'h3',
    serverName: options.serverName,
    transportParameters: options.transportParameters,
    appState: options.appState ?? new Uint8Array(0),
    earlyRequests: options.earlyRequests ?? 'safe',
    notBefore: Math.floor(unixTime),
    expires: Math.floor(unixTime + lifetime),
    maxUses: options.maxUses ?? MAX_USES,
    callee: options.callee ?? '',
    isRatcheted: options.ratchet ?? false,
    ownClientId: options.ownClientId ?? '',
    chains: [],
    key: backend.random(INSTANCE_KEY_LENGTH),
    tokenKey: backend.random(32),
  }
}

/**
 * The half of one more client of an instance, which the instance need not be told about. Throws a TypeError for a
 * ratcheted one, which must be.
 */
export function clientBundle(
  backend: CryptoBackend,
  worker: WorkerBundle,
  options: ClientOptions,
  unixTime: number,
): ClientBundle {
  if (worker.isRatcheted) throw new TypeError('a ratcheted worker must be told of each client: use provisionClient')
  return provisionClient(backend, worker, options, unixTime).client
}

/** The same for any instance; a ratcheted one has to be given `chain` (`ProvisionedServer.addChain`). */
export function provisionClient(
  backend: CryptoBackend,
  worker: WorkerBundle,
  options: ClientOptions,
  unixTime: number,
): { readonly client: ClientBundle; readonly chain: Chain | undefined } {
  const who: Caller = { clientId: options.clientId, caller: options.caller ?? '' }
  const key = worker.isRatcheted ? backend.random(32) : clientKey(backend, worker.key, who)
  // Field by field: spreading an object of so many costs more than all the cryptography here.
  const client: ClientBundle = {
    instanceId: worker.instanceId,
    epoch: worker.epoch,
    cipherSuite: worker.cipherSuite,
    version: worker.version,
    alpn: worker.alpn,
    serverName: worker.serverName,
    transportParameters: worker.transportParameters,
    appState: worker.appState,
    earlyRequests: worker.earlyRequests,
    notBefore: worker.notBefore,
    expires: worker.expires,
    maxUses: worker.maxUses,
    callee: worker.callee,
    isRatcheted: worker.isRatcheted,
    clientId: who.clientId,
    caller: who.caller,
    key,
    identity: new IdentitySealer(backend, worker.key).seal(who),
    addresses: options.addresses,
    token: options.withToken === false ? new Uint8Array(0) : tokenOf(backend, worker, unixTime),
    pins: options.pins ?? [],
    initialRtt: options.initialRtt,
  }
  return { client, chain: worker.isRatcheted ? { ...who, key: key.slice() } : undefined }
}

function tokenOf(backend: CryptoBackend, worker: WorkerBundle, unixTime: number): Uint8Array {
  return AddressTokens.ofInstance(backend, worker).provisionedToken(worker.expires, unixTime)
}

/** What the worker becomes with `ProvisionedServer.advanceEpoch`: to make the clients' halves of the next epoch. */
export function nextEpoch(
  backend: CryptoBackend,
  worker: WorkerBundle,
  life: { readonly notBefore: number; readonly expires: number },
): WorkerBundle {
  return { ...worker, ...life, epoch: worker.epoch + 1, key: nextEpochKey(backend, worker.key) }
}

// What a platform hands to each side so that the very first flight between them can carry data (RFC 9258 §5.1: whatever
// early data depends on is provisioned with the key). Both halves hold keys: a pipe or a tmpfs file, never an
// environment variable, never an argument.

import type { EarlyRequests } from './early-data-policy.ts'
import { INSTANCE_KEY_LENGTH, MAX_CLIENT_ID_LENGTH, MAX_FUNCTION_LENGTH } from './provisioned-keys.ts'
import { bytes, type Fields, flag, group, listOf, oneOf, optional, RecordFormat, text, uint } from './record-format.ts'
import { MAX_BLOB, MAX_PINS } from './resumption.ts'

/** What both halves say alike. */
export interface BundleTerms {
  /** Names one start of one worker: unique for each launch, never for a function, template or host. */
  readonly instanceId: Uint8Array
  readonly epoch: number
  /** The one cipher suite of early data. */
  readonly cipherSuite: number
  /** QUIC version. */
  readonly version: number
  readonly alpn: string
  readonly serverName: string | undefined
  /** The server's transport parameters, encoded: the client may use their limits at once, the server must grant them. */
  readonly transportParameters: Uint8Array
  /** HTTP/3 SETTINGS of the server, opaque here. */
  readonly appState: Uint8Array
  readonly earlyRequests: EarlyRequests
  /** Unix ms. */
  readonly notBefore: number
  /** Unix ms. */
  readonly expires: number
  /** Connections one client may make; later ones get no early data. */
  readonly maxUses: number
  /** The function this instance is, where edges between functions are told apart; empty: they are not. */
  readonly callee: string
  /** Each key is the digest of the one before, and both sides forget it with its use: forward secrecy for early data. */
  readonly isRatcheted: boolean
}

/** What a ratcheted worker has to be told of a client: nothing it keeps could make that client's keys. */
export interface Chain {
  readonly clientId: string
  readonly caller: string
  /** The root of the ratchet. */
  readonly key: Uint8Array
}

/** For the worker alone. */
export interface WorkerBundle extends BundleTerms {
  /** K_w of `epoch`. */
  readonly key: Uint8Array
  /** Key of the address validation tokens in the clients' halves. */
  readonly tokenKey: Uint8Array
  /** The client id under which this instance calls others: who comes with that name is its own reflection. Else empty. */
  readonly ownClientId: string
  /** The clients of a ratcheted instance; others have none. */
  readonly chains: readonly Chain[]
}

/** For one client alone. */
export interface ClientBundle extends BundleTerms {
  readonly clientId: string
  /** The function this client is, where edges are told apart; else empty. */
  readonly caller: string
  /** K_wg, or the root of the ratchet. */
  readonly key: Uint8Array
  /** External identity, opaque. */
  readonly identity: Uint8Array
  /** Where the instance listens, as `originOf` writes it. */
  readonly addresses: readonly string[]
  /** Address validation token for the first Initial packet; empty when none. */
  readonly token: Uint8Array
  /** SHA-256 of the worker's SubjectPublicKeyInfo, so that falling back to a certificate stays authenticated. */
  readonly pins: readonly Uint8Array[]
  /** ms. */
  readonly initialRtt: number | undefined
}

export const MAX_ADDRESSES: number = 16
/** Clients a ratcheted worker is told of in its bundle; more can be added later. */
export const MAX_CHAINS: number = 256

/** The binary form. */
export function writeWorkerBundle(bundle: WorkerBundle): Uint8Array {
  return workerFormat.write(bundle)
}

/**
 * Throws a TypeError for anything that is not exactly one worker bundle of a known version. Nothing of `encoded` is kept:
 * it can be wiped.
 */
export function readWorkerBundle(encoded: Uint8Array): WorkerBundle {
  return legal(workerFormat.read(Uint8Array.from(encoded)))
}

export function workerBundleToJson(bundle: WorkerBundle): string {
  return workerFormat.toJson(bundle)
}

/** As strict as `readWorkerBundle`. */
export function workerBundleFromJson(json: string): WorkerBundle {
  return legal(workerFormat.fromJson(json))
}

export function writeClientBundle(bundle: ClientBundle): Uint8Array {
  return clientFormat.write(bundle)
}

/** As `readWorkerBundle`, of a client bundle. */
export function readClientBundle(encoded: Uint8Array): ClientBundle {
  return legal(clientFormat.read(Uint8Array.from(encoded)))
}

export function clientBundleToJson(bundle: ClientBundle): string {
  return clientFormat.toJson(bundle)
}

/** As strict as `readClientBundle`. */
export function clientBundleFromJson(json: string): ClientBundle {
  return legal(clientFormat.fromJson(json))
}

function legal<T extends BundleTerms>(bundle: T): T {
  if (bundle.notBefore >= bundle.expires) throw new TypeError('a bundle that expires before it begins')
  return bundle
}

const FORMAT_VERSION = 2

const terms: Fields<BundleTerms> = {
  instanceId: bytes(8, 64),
  epoch: uint(0xffffffff),
  cipherSuite: uint(0xffff),
  version: uint(0xffffffff),
  alpn: text(1, 255),
  serverName: optional(text(1, 255)),
  transportParameters: bytes(0, MAX_BLOB),
  appState: bytes(0, MAX_BLOB),
  earlyRequests: oneOf('never', 'safe', 'all'),
  notBefore: uint(),
  expires: uint(),
  maxUses: uint(0xffffffff),
  callee: text(0, MAX_FUNCTION_LENGTH),
  isRatcheted: flag(),
}

const workerFormat: RecordFormat<WorkerBundle> = new RecordFormat<WorkerBundle>(
  'ZTWB',
  'zerotrip worker bundle',
  FORMAT_VERSION,
  {
    ...terms,
    key: bytes(INSTANCE_KEY_LENGTH, INSTANCE_KEY_LENGTH),
    tokenKey: bytes(32, 32),
    ownClientId: text(0, MAX_CLIENT_ID_LENGTH),
    chains: listOf(
      group<Chain>({
        clientId: text(1, MAX_CLIENT_ID_LENGTH),
        caller: text(0, MAX_FUNCTION_LENGTH),
        key: bytes(32, 32),
      }),
      MAX_CHAINS,
    ),
  },
  true,
)

const clientFormat: RecordFormat<ClientBundle> = new RecordFormat<ClientBundle>(
  'ZTCB',
  'zerotrip client bundle',
  FORMAT_VERSION,
  {
    ...terms,
    clientId: text(1, MAX_CLIENT_ID_LENGTH),
    caller: text(0, MAX_FUNCTION_LENGTH),
    key: bytes(32, 32),
    identity: bytes(1, 1024),
    addresses: listOf(text(1, 300), MAX_ADDRESSES),
    token: bytes(0, 1024),
    pins: listOf(bytes(32, 32), MAX_PINS),
    initialRtt: optional(uint(60_000)),
  },
  true,
)

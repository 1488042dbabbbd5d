// The key schedule (RFC 8446 §7.1). One class per row of its drawing; each is made by the one before it from what that
// step needs, so no secret can be asked for too early.

import type { CryptoBackend } from '../crypto/backend.ts'
import type { HashName } from '../crypto/cipher-suite.ts'
import { hkdfExpandLabel, hkdfExtract } from '../crypto/hkdf.ts'
import type { PskKind } from './ports.ts'

/** What every stage carries: backend, hash and the secret of its row. */
class Stage {
  protected readonly backend: CryptoBackend
  protected readonly hash: HashName
  readonly #secret: Uint8Array

  constructor(backend: CryptoBackend, hash: HashName, secret: Uint8Array) {
    this.backend = backend
    this.hash = hash
    this.#secret = secret
  }

  /** Derive-Secret, with the transcript already hashed. */
  protected derive(label: string, transcriptHash: Uint8Array): Uint8Array {
    return expandLabel(this.backend, this.hash, this.#secret, label, transcriptHash)
  }

  /** Derive-Secret(., label, ""): over no messages at all. */
  protected deriveEmpty(label: string): Uint8Array {
    return this.derive(label, emptyHash(this.backend, this.hash))
  }

  /** The secret of the next row. */
  protected extractNext(input: Uint8Array): Uint8Array {
    return hkdfExtract(this.backend, this.hash, this.deriveEmpty('derived'), input)
  }
}

/** Row one: knows the PSK, or that there is none. */
export class EarlyStage extends Stage {
  constructor(backend: CryptoBackend, hash: HashName, psk: Uint8Array | undefined) {
    const zeros = new Uint8Array(hashLength(hash))
    super(backend, hash, psk === undefined ? withoutPsk(backend, hash) : hkdfExtract(backend, hash, zeros, psk))
  }

  /** RFC 8446 §4.2.11.2: a Finished under the binder key. */
  binder(kind: PskKind, truncatedHash: Uint8Array): Uint8Array {
    return verifyData(this.backend, this.hash, this.deriveEmpty(BINDER_LABELS[kind]), truncatedHash)
  }

  /** client_early_traffic_secret. */
  earlyTraffic(clientHelloHash: Uint8Array): Uint8Array {
    return this.derive('c e traffic', clientHelloHash)
  }

  /** `helloHash` covers ClientHello to ServerHello. */
  handshake(sharedSecret: Uint8Array, helloHash: Uint8Array): HandshakeStage {
    return new HandshakeStage(this.backend, this.hash, this.extractNext(sharedSecret), helloHash)
  }
}

/** Row two: knows the result of the key exchange. */
export class HandshakeStage extends Stage {
  readonly clientSecret: Uint8Array
  readonly serverSecret: Uint8Array

  constructor(backend: CryptoBackend, hash: HashName, secret: Uint8Array, helloHash: Uint8Array) {
    super(backend, hash, secret)
    this.clientSecret = this.derive('c hs traffic', helloHash)
    this.serverSecret = this.derive('s hs traffic', helloHash)
  }

  /** The verify_data of the client's Finished over the transcript before it (RFC 8446 §4.4.4). */
  clientFinished(transcriptHash: Uint8Array): Uint8Array {
    return verifyData(this.backend, this.hash, this.clientSecret, transcriptHash)
  }

  serverFinished(transcriptHash: Uint8Array): Uint8Array {
    return verifyData(this.backend, this.hash, this.serverSecret, transcriptHash)
  }

  /** `serverFinishedHash` covers ClientHello to the server's Finished. */
  application(serverFinishedHash: Uint8Array): ApplicationStage {
    const secret = this.extractNext(new Uint8Array(hashLength(this.hash)))
    return new ApplicationStage(this.backend, this.hash, secret, serverFinishedHash)
  }
}

/** Row three: knows that the server has finished. */
export class ApplicationStage extends Stage {
  readonly clientSecret: Uint8Array
  readonly serverSecret: Uint8Array
  readonly exporterSecret: Uint8Array

  constructor(backend: CryptoBackend, hash: HashName, secret: Uint8Array, serverFinishedHash: Uint8Array) {
    super(backend, hash, secret)
    this.clientSecret = this.derive('c ap traffic', serverFinishedHash)
    this.serverSecret = this.derive('s ap traffic', serverFinishedHash)
    this.exporterSecret = this.derive('exp master', serverFinishedHash)
  }

  /** `clientFinishedHash` covers ClientHello to the client's Finished. */
  resumption(clientFinishedHash: Uint8Array): ResumptionStage {
    return new ResumptionStage(this.backend, this.hash, this.derive('res master', clientFinishedHash))
  }

  /** All that is kept of the schedule once the handshake is over. */
  exporter(): Exporter {
    return new Exporter(this.backend, this.hash, this.exporterSecret)
  }
}

/** RFC 8446 §7.5. */
export class Exporter {
  readonly #backend: CryptoBackend
  readonly #hash: HashName
  readonly #secret: Uint8Array

  constructor(backend: CryptoBackend, hash: HashName, secret: Uint8Array) {
    this.#backend = backend
    this.#hash = hash
    this.#secret = secret
  }

  exportKey(label: string, context: Uint8Array, length: number): Uint8Array {
    const backend = this.#backend
    const hash = this.#hash
    const secret = expandLabel(backend, hash, this.#secret, label, emptyHash(backend, hash))
    return hkdfExpandLabel(backend, hash, secret, 'exporter', backend.hash(hash, context), length)
  }
}

/** The end: knows that the client has finished. */
export class ResumptionStage {
  readonly secret: Uint8Array
  readonly #backend: CryptoBackend
  readonly #hash: HashName

  constructor(backend: CryptoBackend, hash: HashName, secret: Uint8Array) {
    this.#backend = backend
    this.#hash = hash
    this.secret = secret
  }

  /** The PSK that goes with a ticket (RFC 8446 §4.6.1). */
  ticketSecret(nonce: Uint8Array): Uint8Array {
    return expandLabel(this.#backend, this.#hash, this.secret, 'resumption', nonce)
  }
}

export function hashLength(hash: HashName): number {
  return hash === 'sha256' ? 32 : 48
}

/** Where a PSK came from is part of its binder, so that one kind is never taken for another (RFC 9258 §5.2). */
const BINDER_LABELS: Readonly<Record<PskKind, string>> = {
  resumption: 'res binder',
  external: 'ext binder',
  imported: 'imp binder',
}

/** The hash of nothing, a constant. */
function emptyHash(backend: CryptoBackend, hash: HashName): Uint8Array {
  let known = emptyHashes.get(hash)
  if (known === undefined) {
    known = backend.hash(hash, new Uint8Array(0))
    emptyHashes.set(hash, known)
  }
  return known
}

const emptyHashes = new Map<HashName, Uint8Array>()

/** The early secret of a handshake without PSK, another constant. */
function withoutPsk(backend: CryptoBackend, hash: HashName): Uint8Array {
  let known = secretsWithoutPsk.get(hash)
  if (known === undefined) {
    const zeros = new Uint8Array(hashLength(hash))
    known = hkdfExtract(backend, hash, zeros, zeros)
    secretsWithoutPsk.set(hash, known)
  }
  return known
}

const secretsWithoutPsk = new Map<HashName, Uint8Array>()

/** HKDF-Expand-Label to the length of the hash. */
function expandLabel(
  backend: CryptoBackend,
  hash: HashName,
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
): Uint8Array {
  return hkdfExpandLabel(backend, hash, secret, label, context, hashLength(hash))
}

/** RFC 8446 §4.4.4: HMAC under finished_key. */
function verifyData(
  backend: CryptoBackend,
  hash: HashName,
  baseKey: Uint8Array,
  transcriptHash: Uint8Array,
): Uint8Array {
  return backend.hmac(hash, expandLabel(backend, hash, baseKey, 'finished', new Uint8Array(0)), transcriptHash)
}

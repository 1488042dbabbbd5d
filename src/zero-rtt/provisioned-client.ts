// The client's half of provisioned keys: every connection imports a PSK of its own (RFC 9258), whose identity carries a
// counter and the time, so that its early data is good once and for a moment.

import { toHex } from '../bytes/hex.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import type { HashName } from '../crypto/cipher-suite.ts'
import { limits } from '../limits.ts'
import type { Authorization } from '../tls13/ports.ts'
import type { ClientBundle } from './bundle.ts'
import { Role, writeContext } from './provisioned-context.ts'
import { epskOf, partiesOf } from './provisioned-keys.ts'
import { edgeOf, hashOf } from './provisioned-psk.ts'
import { extractEpsk, importedIdentity, secretOf } from './psk-importer.ts'
import { SendingRatchet } from './ratchet.ts'
import type { Resumption } from './resumption.ts'

/**
 * The client's half as a store: every `take` is a PSK that was never used before. One bundle belongs to one process;
 * two that share it share its counter without knowing, and lose early data.
 */
export class ProvisionedClient {
  readonly #backend: CryptoBackend
  readonly #bundle: ClientBundle
  readonly #clock: () => number
  readonly #hash: HashName
  readonly #parties: Uint8Array
  readonly #authorization: Authorization
  /** What is extracted of the EPSK (RFC 9258 §5.1): another one for each connection with a ratchet. */
  readonly #epskxs: { next(): Uint8Array }
  #counter = 0

  /**
   * `clock` gives Unix ms. The key of a ratcheted bundle is taken out of it: a TypeError says that it was used before.
   */
  constructor(backend: CryptoBackend, bundle: ClientBundle, clock: () => number) {
    this.#backend = backend
    this.#bundle = bundle
    this.#clock = clock
    this.#hash = hashOf(bundle)
    const { instanceId, key, isRatcheted, epoch } = bundle
    this.#parties = partiesOf(backend, key, bundle, bundle)
    this.#authorization = { peer: toHex(instanceId), edge: edgeOf(bundle.caller, bundle.callee), epoch }
    if (isRatcheted) {
      const ratchet = new SendingRatchet(backend, key)
      this.#epskxs = { next: () => extractEpsk(backend, ratchet.next()) }
    } else {
      const epskx = extractEpsk(backend, epskOf(backend, key))
      this.#epskxs = { next: () => epskx }
    }
  }

  /** PSKs handed out so far. */
  get uses(): number {
    return this.#counter
  }

  /**
   * Undefined for an origin that is not the instance's, outside the bundle's life, and after `maxUses`. A clock that is
   * behind that of the Generator may be so far behind as early data may be old.
   */
  take(origin: string): Resumption | undefined {
    const unixTime = Math.floor(this.#clock())
    const { addresses, notBefore, expires, maxUses } = this.#bundle
    if (!addresses.includes(origin) || unixTime < notBefore - SKEW || unixTime >= expires) return undefined
    return this.#counter < maxUses ? this.#import(this.#counter++, unixTime) : undefined
  }

  /** Tickets of the connection are not kept here: see `firstTickets`. */
  put(_origin: string, _resumption: Resumption): void {}

  #import(counter: number, unixTime: number): Resumption {
    const bundle = this.#bundle
    const { epoch } = bundle
    const context = writeContext({ role: Role.Client, parties: this.#parties, epoch, counter, time: unixTime })
    const identity = importedIdentity(bundle.identity, context, this.#hash)
    return {
      kind: 'provisioned',
      identity,
      secret: secretOf(this.#backend, this.#epskxs.next(), identity, this.#hash),
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
      authorization: this.#authorization,
    }
  }
}

/** ms. */
const SKEW = limits.earlyDataAge

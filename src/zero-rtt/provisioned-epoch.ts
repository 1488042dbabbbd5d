// One key of a worker instance: whose keys can be made of it, and what was used of them.

import type { CryptoBackend } from '../crypto/backend.ts'
import type { HashName } from '../crypto/cipher-suite.ts'
import type { EarlyDataRefusal } from '../tls13/ports.ts'
import type { Chain, WorkerBundle } from './bundle.ts'
import { type Caller, clientKey, epskOf, IdentitySealer, partiesOf } from './provisioned-keys.ts'
import { hashOf } from './provisioned-psk.ts'
import { ReceivingRatchet } from './ratchet.ts'
import { ReplayWindow } from './replay-window.ts'

export interface EpochLimits {
  /** ms; the keys of links that a ratchet passes over live twice as long. */
  readonly freshness: number
  readonly windowSize: number
  readonly maxClients: number
}

export interface CallerKeys {
  readonly parties: Uint8Array
  /** Undefined: used, or never to be. */
  readonly epsk: Uint8Array | undefined
}

interface KnownChain {
  readonly caller: string
  readonly parties: Uint8Array
  readonly ratchet: ReceivingRatchet
}

export class ProvisionedEpoch {
  readonly bundle: WorkerBundle
  readonly hash: HashName
  readonly identities: IdentitySealer
  readonly #backend: CryptoBackend
  readonly #limits: EpochLimits
  readonly #windows = new Map<string, ReplayWindow>()
  readonly #chains = new Map<string, KnownChain>()
  readonly #stranger: KnownChain | undefined

  constructor(backend: CryptoBackend, bundle: WorkerBundle, limits: EpochLimits) {
    this.bundle = bundle
    this.hash = hashOf(bundle)
    this.identities = new IdentitySealer(backend, bundle.key)
    this.#backend = backend
    this.#limits = limits
    this.#stranger = bundle.isRatcheted ? this.#chain({ ...STRANGER, key: backend.random(32) }) : undefined
    for (const chain of bundle.chains) this.addChain(chain)
  }

  addChain(chain: Chain): void {
    if (!this.bundle.isRatcheted) throw new TypeError('chains are for ratcheted workers')
    if (this.#chains.size >= this.#limits.maxClients && !this.#chains.has(chain.clientId)) {
      throw new RangeError(`more than ${this.#limits.maxClients} clients`)
    }
    this.#chains.set(chain.clientId, this.#chain(chain))
  }

  /** For a caller that is not known: keys that took as long to make. */
  keysOf(caller: Caller | undefined, counter: number, unixTime: number): CallerKeys {
    const name = caller ?? STRANGER
    if (this.#stranger === undefined) {
      const key = clientKey(this.#backend, this.bundle.key, name)
      return { parties: partiesOf(this.#backend, key, name, this.bundle), epsk: epskOf(this.#backend, key) }
    }
    const known = this.#chains.get(name.clientId)
    const chain = known?.caller === name.caller ? known : this.#stranger
    const epsk = chain.ratchet.peek(counter, unixTime)
    return { parties: chain.parties, epsk: chain === this.#stranger ? undefined : epsk }
  }

  /** Undefined once for each counter of each client; else why it is refused. */
  use(clientId: string, counter: number, unixTime: number): EarlyDataRefusal | undefined {
    if (this.bundle.isRatcheted) {
      return this.#chains.get(clientId)?.ratchet.use(counter, unixTime) ? undefined : 'replayed'
    }
    const window = this.#windowOf(clientId)
    const answer = window?.check(counter) ?? 'old'
    if (answer !== 'fresh') return answer === 'seen' ? 'replayed' : 'undecided'
    return window?.accept(counter) ? undefined : 'undecided'
  }

  #windowOf(clientId: string): ReplayWindow | undefined {
    const known = this.#windows.get(clientId)
    if (known !== undefined || this.#windows.size >= this.#limits.maxClients) return known
    const window = new ReplayWindow(this.#limits.windowSize)
    this.#windows.set(clientId, window)
    return window
  }

  #chain(chain: Chain): KnownChain {
    const { freshness } = this.#limits
    const parties = partiesOf(this.#backend, chain.key, chain, this.bundle)
    return { caller: chain.caller, parties, ratchet: new ReceivingRatchet(this.#backend, chain.key, 2 * freshness) }
  }
}

const STRANGER: Caller = { clientId: 'stranger', caller: '' }

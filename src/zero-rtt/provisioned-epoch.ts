// One key of a worker instance: whose keys can be made of it, and what was used of them.

import type { CryptoBackend } from '../crypto/backend.ts'
import type { HashName } from '../crypto/cipher-suite.ts'
import type { EarlyDataRefusal } from '../tls13/ports.ts'
import type { Chain, WorkerBundle } from './bundle.ts'
import { PARTIES_LENGTH } from './provisioned-context.ts'
import { type Caller, clientKey, epskOf, IdentitySealer, partiesOf } from './provisioned-keys.ts'
import { hashOf } from './provisioned-psk.ts'
import { extractEpsk } from './psk-importer.ts'
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
  readonly epskx: Uint8Array | undefined
}

/** A client that has called: what is made of its names, and the counters it has used. */
interface KnownCaller {
  readonly caller: string
  /** `parties` and `epskx`, a character for each byte: there may be thousands, and an array takes four times as much. */
  readonly keys: string
  window: ReplayWindow | undefined
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
  /** Whose identity opened, and so was sealed by the Generator: a stranger cannot fill it. */
  readonly #callers = new Map<string, KnownCaller>()
  readonly #decoy: string
  readonly #words: WindowWords
  readonly #chains = new Map<string, KnownChain>()
  readonly #stranger: KnownChain | undefined

  constructor(backend: CryptoBackend, bundle: WorkerBundle, limits: EpochLimits) {
    this.bundle = bundle
    this.hash = hashOf(bundle)
    this.identities = new IdentitySealer(backend, bundle.key)
    this.#backend = backend
    this.#limits = limits
    this.#words = new WindowWords(limits.windowSize)
    this.#decoy = this.#keys(STRANGER)
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
    const stranger = this.#stranger
    if (stranger === undefined) {
      const keys = caller === undefined ? this.#decoy : this.#keysOf(caller)
      return { parties: bytesOf(keys, 0, PARTIES_LENGTH), epskx: bytesOf(keys, PARTIES_LENGTH, keys.length) }
    }
    const known = caller && this.#chains.get(caller.clientId)
    const chain = known?.caller === caller?.caller ? (known ?? stranger) : stranger
    const epsk = chain.ratchet.peek(counter, unixTime)
    const epskx = epsk && extractEpsk(this.#backend, epsk)
    return { parties: chain.parties, epskx: chain === stranger ? undefined : epskx }
  }

  /** Made at the first contact. */
  #keysOf(from: Caller): string {
    const known = this.#callers.get(from.clientId)
    if (known?.caller === from.caller) return known.keys
    const keys = this.#keys(from)
    if (known === undefined && this.#callers.size < this.#limits.maxClients) {
      this.#callers.set(from.clientId, { caller: from.caller, keys, window: undefined })
    }
    return keys
  }

  #keys(from: Caller): string {
    const backend = this.#backend
    const key = clientKey(backend, this.bundle.key, from)
    const epskx = extractEpsk(backend, epskOf(backend, key))
    return String.fromCharCode(...partiesOf(backend, key, from, this.bundle), ...epskx)
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
    const known = this.#callers.get(clientId)
    // It has been found, so that there was no room if it is not here.
    if (known === undefined) return undefined
    known.window ??= this.#words.window()
    return known.window
  }

  #chain(chain: Chain): KnownChain {
    const { freshness } = this.#limits
    const parties = partiesOf(this.#backend, chain.key, chain, this.bundle)
    return { caller: chain.caller, parties, ratchet: new ReceivingRatchet(this.#backend, chain.key, 2 * freshness) }
  }
}

/** Memory for windows, many at a time: that of an array of its own for each would be twice as much again. */
class WindowWords {
  readonly #size: number
  #words: Int32Array = new Int32Array(0)
  #next = 0

  constructor(size: number) {
    this.#size = size
  }

  window(): ReplayWindow {
    const length = this.#size / 32
    if (this.#next === this.#words.length) {
      this.#words = new Int32Array(WINDOWS_AT_A_TIME * length)
      this.#next = 0
    }
    const window = new ReplayWindow(this.#size, this.#words, this.#next)
    this.#next += length
    return window
  }
}

function bytesOf(text: string, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - start)
  for (let i = start; i < end; i++) bytes[i - start] = text.charCodeAt(i)
  return bytes
}

const WINDOWS_AT_A_TIME = 32
const STRANGER: Caller = { clientId: 'stranger', caller: '' }

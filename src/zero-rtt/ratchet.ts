// Forward secrecy for early data: a chain of keys, each the digest of the one before, of which both sides forget what
// they have used (RFC 8446 §2.3: what 0-RTT data lacks; §8.1: single use gives it).
//
//   K_0 ── next ──> K_1 ── next ──> K_2 ...        one way: K_2 says nothing about K_1
//    └─ epsk ──> EPSK_0                            into the importer, for one connection, then gone

import type { CryptoBackend } from '../crypto/backend.ts'
import { limits } from '../limits.ts'
import { derive } from './provisioned-keys.ts'

/** Links that may be skipped, and the keys of links skipped that are kept. */
export const RATCHET_SKIP: number = limits.ratchetSkip

/** K_0. The root is overwritten: whoever holds the bundle cannot begin again. */
function firstLink(backend: CryptoBackend, root: Uint8Array): Uint8Array {
  if (root.every(byte => byte === 0)) throw new TypeError('this bundle was used: a ratchet begins once')
  const link = derive(backend, root, 'ratchet')
  root.fill(0)
  return link
}

function epskOf(backend: CryptoBackend, link: Uint8Array): Uint8Array {
  return derive(backend, link, 'epsk')
}

/** The next link, in the place of the one that is gone now. */
function step(backend: CryptoBackend, link: Uint8Array): void {
  link.set(derive(backend, link, 'next'))
}

/** The client's end: each key is given out once, and cannot be made again. Overwrites `root`, as the other end does. */
export class SendingRatchet {
  readonly #backend: CryptoBackend
  readonly #link: Uint8Array

  constructor(backend: CryptoBackend, root: Uint8Array) {
    this.#backend = backend
    this.#link = firstLink(backend, root)
  }

  next(): Uint8Array {
    const epsk = epskOf(this.#backend, this.#link)
    step(this.#backend, this.#link)
    return epsk
  }
}

interface Skipped {
  readonly epsk: Uint8Array
  /** Unix ms. */
  readonly expires: number
}

/** The worker's end: knows the key of a link until it was used, was left too far behind, or `lifetime` after it was passed. */
export class ReceivingRatchet {
  readonly #backend: CryptoBackend
  readonly #link: Uint8Array
  readonly #lifetime: number
  readonly #skip: number
  readonly #skipped = new Map<number, Skipped>()
  #next = 0

  /** `lifetime`: ms that the key of a link passed over is kept. `skip`: links that may be passed over at once. */
  constructor(backend: CryptoBackend, root: Uint8Array, lifetime: number, skip: number = RATCHET_SKIP) {
    this.#backend = backend
    this.#link = firstLink(backend, root)
    this.#lifetime = lifetime
    this.#skip = skip
  }

  /** Keys that can still be had without a step. */
  get size(): number {
    return this.#skipped.size
  }

  /** The key of link `index`, if there still is one. Changes nothing but what time has ended: nobody is proven yet. */
  peek(index: number, unixTime: number): Uint8Array | undefined {
    this.#forgetExpired(unixTime)
    if (index < this.#next) return this.#skipped.get(index)?.epsk
    if (index - this.#next > this.#skip) return undefined
    const link = this.#link.slice()
    for (let at = this.#next; at < index; at++) step(this.#backend, link)
    return epskOf(this.#backend, link)
  }

  /** True once for each link; its key is gone then. The peer is proven: the chain moves on past it. */
  use(index: number, unixTime: number): boolean {
    this.#forgetExpired(unixTime)
    if (index < this.#next) return this.#forget(index)
    if (index - this.#next > this.#skip) return false
    while (this.#next < index) {
      this.#skipped.set(this.#next++, {
        epsk: epskOf(this.#backend, this.#link),
        expires: unixTime + this.#lifetime,
      })
      step(this.#backend, this.#link)
    }
    this.#next++
    step(this.#backend, this.#link)
    // The oldest first: a Map keeps the order.
    for (const left of this.#skipped.keys()) {
      if (this.#skipped.size <= this.#skip) break
      this.#forget(left)
    }
    return true
  }

  #forget(index: number): boolean {
    this.#skipped.get(index)?.epsk.fill(0)
    return this.#skipped.delete(index)
  }

  #forgetExpired(unixTime: number): void {
    for (const [index, { expires }] of this.#skipped) {
      if (unixTime < expires) return
      this.#forget(index)
    }
  }
}

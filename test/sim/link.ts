// One direction of a path: what happens to a datagram between two hosts.

import type { Happening, World } from './world.ts'

export interface LinkOptions {
  /** One-way delay, ms. Default 10. */
  readonly delay?: number
  /** Probabilities from 0 to 1. Default 0. */
  readonly loss?: number
  readonly duplicate?: number
  readonly corrupt?: number
  /** Share of datagrams that are held up by up to another `delay`. Default 0. */
  readonly reorder?: number
  /** Each datagram takes up to this much longer, ms; they may overtake each other. Default 0. */
  readonly jitter?: number
  /** Larger datagrams vanish. Default: none do. */
  readonly mtu?: number
  /** From when to when nothing gets in, ms. */
  readonly blackout?: readonly [from: number, to: number]
  /** Bytes per ms; 0: no limit. Default 0. */
  readonly rate?: number
  /** Bytes that may wait for the rate; more are dropped. Default 64 KiB. */
  readonly queue?: number
  /** Drops the datagrams for which it is true, by their index from 0. */
  readonly drop?: (index: number, datagram: Uint8Array) => boolean
}

type Deliver = (datagram: Uint8Array) => void

export class Link {
  readonly #world: World
  readonly #options: Required<Omit<LinkOptions, 'blackout' | 'drop'>> & Pick<LinkOptions, 'blackout' | 'drop'>
  #index = 0
  /** When the last byte of what waits will have left. */
  #freeAt = 0
  /** What was sent last. */
  #newest: Happening | undefined
  carried = 0
  bytes = 0
  /** Datagrams for which the queue had no room. */
  overflowed = 0

  constructor(world: World, options: LinkOptions = {}) {
    this.#world = world
    this.#options = { ...flawless, ...options }
  }

  /** What arrives may not be what was sent. */
  get mayCorrupt(): boolean {
    return this.#options.corrupt > 0
  }

  /** `isOurs`: nobody else has a use for these bytes, which receivers change in place. */
  send(datagram: Uint8Array, deliver: Deliver, isOurs = false): void {
    const { loss, duplicate, mtu, blackout, drop } = this.#options
    const index = this.#index++
    if (drop?.(index, datagram) || this.#chance(loss) || datagram.length > mtu) return
    if (blackout !== undefined && this.#world.now >= blackout[0] && this.#world.now < blackout[1]) return
    this.#carry(isOurs && duplicate === 0 ? datagram : datagram.slice(), deliver)
    if (this.#chance(duplicate)) this.#carry(datagram.slice(), deliver)
  }

  #carry(copy: Uint8Array, deliver: Deliver): void {
    const { delay, reorder, jitter, corrupt, rate, queue } = this.#options
    const { now, random } = this.#world
    if (this.#chance(corrupt)) {
      const at = Math.floor(random() * copy.length)
      copy[at] = (copy[at] as number) ^ (1 + Math.floor(random() * 255))
    }
    let leaves = now
    if (rate > 0) {
      const waiting = Math.max(0, this.#freeAt - now) * rate
      if (waiting + copy.length > queue) {
        this.overflowed++
        return
      }
      leaves = Math.max(now, this.#freeAt) + copy.length / rate
      this.#freeAt = leaves
    }
    const late = (this.#chance(reorder) ? random() * delay : 0) + (jitter > 0 ? random() * jitter : 0)
    this.carried++
    this.bytes += copy.length
    this.#newest = this.#world.plan(leaves + delay + late, deliver, copy, this.#newest)
  }

  /** Bytes that wait for the rate. */
  get queued(): number {
    return Math.max(0, this.#freeAt - this.#world.now) * this.#options.rate
  }

  #chance(probability: number): boolean {
    return probability > 0 && this.#world.random() < probability
  }
}

const flawless = {
  delay: 10,
  loss: 0,
  duplicate: 0,
  corrupt: 0,
  reorder: 0,
  jitter: 0,
  mtu: Number.POSITIVE_INFINITY,
  rate: 0,
  queue: 65_536,
}

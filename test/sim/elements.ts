// What a way is made of, as a list: [client, delay(10), loss(0.1), queue({ rate, bytes }), server].
//
// Each element hands a datagram on to the next with the time at which it gets there. Time itself passes once, at the
// end: a datagram costs one happening, however long the list is. Only before a queue those that are late have to be
// waited for, since whoever comes first goes first.

import type { World } from './world.ts'

export type Deliver = (datagram: Uint8Array) => void

/** One element of one direction of a way, in one world. */
export abstract class Stage {
  next: Stage = nowhere
  abstract pass(datagram: Uint8Array, at: number, deliver: Deliver): void
}

/** How an element is made, and for which direction it is; both unless said otherwise. */
export interface Element {
  readonly make: (world: World) => Stage
  readonly only?: 'toServer' | 'toClient'
  /** What arrives may not be what was sent. */
  readonly isCorrupting?: boolean
}

export const client = 'client'
export const server = 'server'

/** A way from the client to the server. What goes back passes the elements the other way round. */
export type Topology = readonly [typeof client, ...(readonly Element[]), typeof server]

/** The elements of one direction, in the order they are passed. */
export function elementsOf(topology: Topology, direction: 'toServer' | 'toClient'): readonly Element[] {
  const elements = topology.filter((part): part is Element => typeof part === 'object')
  const ours = elements.filter(({ only = direction }) => only === direction)
  return direction === 'toServer' ? ours : ours.reverse()
}

/** Elements of one direction only. */
export function toServer(...elements: readonly Element[]): Element[] {
  return elements.map(element => ({ ...element, only: 'toServer' }))
}

export function toClient(...elements: readonly Element[]): Element[] {
  return elements.map(element => ({ ...element, only: 'toClient' }))
}

/** One way, ms. */
export function delay(ms: number): Element {
  return later(() => ms)
}

/** Each datagram takes up to `ms` longer; they may overtake each other. */
export function jitter(ms: number): Element {
  return later(random => random() * ms)
}

/** A share of the datagrams is held up by up to `ms`. */
export function reorder(share: number, ms: number): Element {
  return later(random => (random() < share ? random() * ms : 0))
}

/** So many vanish, from 0 to 1. */
export function loss(probability: number): Element {
  return passing(
    ({ random }) =>
      () =>
        random() >= probability,
  )
}

/** Larger ones vanish; with `from`, since then: the way goes another way. */
export function mtu(bytes: number, from = Number.NEGATIVE_INFINITY): Element {
  return passing(() => (datagram, at) => datagram.length <= bytes || at < from)
}

/** Nothing passes from then on until then, ms. */
export function blackout(from: number, to: number): Element {
  return passing(() => (_, at) => at < from || at >= to)
}

/** Those vanish for which it is true, by their index from 0. */
export function drop(isDropped: (index: number, datagram: Uint8Array) => boolean): Element {
  return passing(() => {
    let index = 0
    return datagram => !isDropped(index++, datagram)
  })
}

/** Some come twice. */
export function duplicate(probability: number): Element {
  return { make: ({ random }) => new Duplicate(random, probability) }
}

/** Some come with one byte changed. */
export function corrupt(probability: number): Element {
  return { make: ({ random }) => new Corrupt(random, probability), isCorrupting: true }
}

/** A bottleneck: `rate` bytes leave in a ms, `bytes` may wait for it. Default 64 KiB. */
export function queue(options: { readonly rate: number; readonly bytes?: number }): Element {
  return { make: world => new Queue(world, options.rate, options.bytes ?? 65_536) }
}

function later(extra: (random: () => number) => number): Element {
  return { make: ({ random }) => new Later(random, extra) }
}

function passing(make: (world: World) => (datagram: Uint8Array, at: number) => boolean): Element {
  return { make: world => new Passing(make(world)) }
}

class Later extends Stage {
  readonly #random: () => number
  readonly #extra: (random: () => number) => number

  constructor(random: () => number, extra: (random: () => number) => number) {
    super()
    this.#random = random
    this.#extra = extra
  }

  pass(datagram: Uint8Array, at: number, deliver: Deliver): void {
    this.next.pass(datagram, at + this.#extra(this.#random), deliver)
  }
}

class Passing extends Stage {
  readonly #passes: (datagram: Uint8Array, at: number) => boolean

  constructor(passes: (datagram: Uint8Array, at: number) => boolean) {
    super()
    this.#passes = passes
  }

  pass(datagram: Uint8Array, at: number, deliver: Deliver): void {
    if (this.#passes(datagram, at)) this.next.pass(datagram, at, deliver)
  }
}

class Duplicate extends Stage {
  readonly #random: () => number
  readonly #probability: number

  constructor(random: () => number, probability: number) {
    super()
    this.#random = random
    this.#probability = probability
  }

  pass(datagram: Uint8Array, at: number, deliver: Deliver): void {
    const twin = datagram.slice()
    this.next.pass(datagram, at, deliver)
    if (this.#random() < this.#probability) this.next.pass(twin, at, deliver)
  }
}

class Corrupt extends Stage {
  readonly #random: () => number
  readonly #probability: number

  constructor(random: () => number, probability: number) {
    super()
    this.#random = random
    this.#probability = probability
  }

  pass(datagram: Uint8Array, at: number, deliver: Deliver): void {
    const random = this.#random
    if (random() < this.#probability) {
      const place = Math.floor(random() * datagram.length)
      datagram[place] = (datagram[place] as number) ^ (1 + Math.floor(random() * 255))
    }
    this.next.pass(datagram, at, deliver)
  }
}

export class Queue extends Stage {
  readonly #world: World
  readonly #rate: number
  readonly #bytes: number
  /** When the last byte of what waits will have left. */
  #freeAt = 0
  /** Datagrams for which there was no room. */
  overflowed = 0

  constructor(world: World, rate: number, bytes: number) {
    super()
    this.#world = world
    this.#rate = rate
    this.#bytes = bytes
  }

  /** Bytes that wait. */
  get queued(): number {
    return Math.max(0, this.#freeAt - this.#world.now) * this.#rate
  }

  pass(datagram: Uint8Array, at: number, deliver: Deliver): void {
    const { now } = this.#world
    if (at > now) {
      this.#world.plan(at, bytes => this.pass(bytes, at, deliver), datagram)
      return
    }
    if (this.queued + datagram.length > this.#bytes) {
      this.overflowed++
      return
    }
    this.#freeAt = Math.max(now, this.#freeAt) + datagram.length / this.#rate
    this.next.pass(datagram, this.#freeAt, deliver)
  }
}

/** Stands where nothing was joined yet. */
const nowhere: Stage = {
  get next(): Stage {
    return nowhere
  },
  pass: () => {},
}

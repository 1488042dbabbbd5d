// One direction of a way: the elements between two hosts, joined.

import type { Deliver, Element } from './elements.ts'
import * as elements from './elements.ts'
import type { Happening, World } from './world.ts'

/** A short form of the usual list. */
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

/** The list that the options are short for. */
export function usual(options: LinkOptions): Element[] {
  const { delay = 10, rate = 0, queue, blackout } = options
  const list: Element[] = []
  if (options.drop) list.push(elements.drop(options.drop))
  if (options.loss) list.push(elements.loss(options.loss))
  if (options.mtu) list.push(elements.mtu(options.mtu))
  if (blackout) list.push(elements.blackout(...blackout))
  if (options.duplicate) list.push(elements.duplicate(options.duplicate))
  if (options.corrupt) list.push(elements.corrupt(options.corrupt))
  if (rate > 0) list.push(elements.queue({ rate, ...(queue !== undefined && { bytes: queue }) }))
  list.push(elements.delay(delay))
  if (options.reorder) list.push(elements.reorder(options.reorder, delay))
  if (options.jitter) list.push(elements.jitter(options.jitter))
  return list
}

/** The end of a way: a datagram arrives. */
class Arrival extends elements.Stage {
  readonly #world: World
  /** What was sent last. */
  #newest: Happening | undefined
  carried = 0
  bytes = 0

  constructor(world: World) {
    super()
    this.#world = world
  }

  pass(datagram: Uint8Array, at: number, deliver: Deliver): void {
    this.carried++
    this.bytes += datagram.length
    this.#newest = this.#world.plan(at, deliver, datagram, this.#newest)
  }
}

export class Link {
  readonly #world: World
  readonly #first: elements.Stage
  readonly #arrival: Arrival
  readonly #queues: elements.Queue[] = []
  /** What arrives may not be what was sent. */
  readonly mayCorrupt: boolean

  constructor(world: World, way: LinkOptions | readonly Element[] = {}) {
    const list = isList(way) ? way : usual(way)
    this.#world = world
    this.mayCorrupt = list.some(({ isCorrupting }) => isCorrupting)
    this.#arrival = new Arrival(world)
    this.#first = this.#join(list)
  }

  /** `isOurs`: nobody else has a use for these bytes, which receivers change in place. */
  send(datagram: Uint8Array, deliver: Deliver, isOurs = false): void {
    this.#first.pass(isOurs ? datagram : datagram.slice(), this.#world.now, deliver)
  }

  /** Datagrams that were not lost, and their bytes. */
  get carried(): number {
    return this.#arrival.carried
  }

  get bytes(): number {
    return this.#arrival.bytes
  }

  /** Bytes that wait in queues. */
  get queued(): number {
    return this.#queues.reduce((sum, { queued }) => sum + queued, 0)
  }

  /** Datagrams for which queues had no room. */
  get overflowed(): number {
    return this.#queues.reduce((sum, { overflowed }) => sum + overflowed, 0)
  }

  #join(list: readonly Element[]): elements.Stage {
    let first: elements.Stage = this.#arrival
    for (const { make } of list.toReversed()) {
      const stage = make(this.#world)
      stage.next = first
      if (stage instanceof elements.Queue) this.#queues.push(stage)
      first = stage
    }
    return first
  }
}

function isList(way: LinkOptions | readonly Element[]): way is readonly Element[] {
  return Array.isArray(way)
}

// One stream that never ends, from a client to a server, checked as it is read.

import type { TransportOptions } from '../../src/connection/config.ts'
import { randomBytes, seededRandom } from '../reference/random.ts'
import type { Host } from './host.ts'
import { Invariants } from './invariants.ts'
import type { Link } from './link.ts'
import { Pair } from './pair.ts'
import type { World } from './world.ts'

/** What every flow sends, over and over. */
const CHUNK = randomBytes(seededRandom(4711), 65_536)
/** One in so many reads is compared whole, of the others the first byte and the last. */
const COMPARED = 16

/** What is looked at besides. */
class FlowInvariants extends Invariants {
  /** When slow start was left, ms, and how many packets had been lost by then; undefined: not yet. */
  exit: { readonly at: number; readonly packetsLost: number } | undefined
  /** The most bytes that left at one moment, since `judgedFrom`. */
  largestBurst = 0
  judgedFrom = 0
  #burst = 0
  #burstAt = -1

  override onSent(host: Host, size: number, to: Parameters<Invariants['onSent']>[2]): void {
    super.onSent(host, size, to)
    const { now } = host.world
    if (now < this.judgedFrom) return
    this.#burst = now === this.#burstAt ? this.#burst + size : size
    this.#burstAt = now
    this.largestBurst = Math.max(this.largestBurst, this.#burst)
  }

  override afterFlush(host: Host): void {
    super.afterFlush(host)
    if (this.exit !== undefined) return
    const { slowStartThreshold, packetsLost } = host.connection.diagnostics
    if (slowStartThreshold !== Number.POSITIVE_INFINITY) this.exit = { at: host.world.now, packetsLost }
  }
}

export interface FlowOptions {
  readonly transport: TransportOptions
  readonly datagramSize: number
  /** What happened before is not judged, ms. */
  readonly judgedFrom: number
  /** Of both hosts' timers, ms; 0: exact. */
  readonly timerGrain: number
}

export class Flow {
  readonly pair: Pair
  readonly invariants: FlowInvariants
  readonly #judgedFrom: number
  /** Bytes that came since. */
  received = 0
  #offset = 0
  #reads = 0

  constructor(world: World, options: FlowOptions, links: { toServer: Link; toClient: Link }) {
    const { transport, datagramSize, judgedFrom, timerGrain } = options
    const pair = new Pair({ world, links, bufferSize: datagramSize, client: { transport }, server: { transport } })
    for (const host of [pair.client, pair.server]) {
      host.keepsRecords = false
      host.timerGrain = timerGrain
    }
    this.#judgedFrom = judgedFrom
    this.invariants = new FlowInvariants(false, datagramSize)
    this.invariants.judgedFrom = judgedFrom
    pair.client.observer = this.invariants
    pair.server.observer = new Invariants(true, datagramSize)
    this.pair = pair
    this.#watch(pair.client, pair.server)
  }

  #watch(client: Host, server: Host): void {
    client.onEvent = event => {
      if (event.type === 'closed') throw new Error(`closed: ${event.errorCode} ${event.reason}`)
      if (event.type === 'handshakeComplete') fill(client, client.connection.openStream('uni') as number)
      if (event.type === 'writable') fill(client, event.id)
    }
    server.onEvent = event => {
      if (event.type !== 'readable') return
      const { connection } = server
      for (let chunk = connection.read(event.id); chunk; chunk = connection.read(event.id)) {
        this.#check(chunk.data)
        if (server.world.now >= this.#judgedFrom) this.received += chunk.data.length
        server.world.memory.give(chunk.data)
      }
    }
  }

  /** Throws unless these are the next bytes. */
  #check(data: Uint8Array): void {
    const isWhole = this.#reads++ % COMPARED === 0
    for (let at = 0; at < data.length; ) {
      const from = (this.#offset + at) % CHUNK.length
      const length = Math.min(data.length - at, CHUNK.length - from)
      const last = length - 1
      const isSame = isWhole
        ? Buffer.compare(data.subarray(at, at + length), CHUNK.subarray(from, from + length)) === 0
        : data[at] === CHUNK[from] && data[at + last] === CHUNK[from + last]
      if (!isSame) throw new Error(`other bytes from ${this.#offset + at}`)
      at += length
    }
    this.#offset += data.length
  }
}

function fill(host: Host, id: number): void {
  while (host.connection.write(id, CHUNK, false) > 0);
}

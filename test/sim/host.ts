// A connection at one end of a link, driven as the endpoint drives it: receive, drain events, flush, arm one timer.

import type { Connection } from '../../src/connection/connection.ts'
import type { ConnectionEvent } from '../../src/connection/events.ts'
import type { Address } from '../../src/connection/path.ts'
import type { Link } from './link.ts'
import type { World } from './world.ts'

/** Datagrams that one flush may send; more means that `transmit` never ends. */
const MAX_BURST = 5000

/** Who looks over a host's shoulder. */
export interface Observer {
  onReceived(host: Host, size: number, from: Address): void
  onSent(host: Host, size: number, to: Address): void
  /** The host is about to lose its connection. */
  onForgotten(host: Host): void
  /** Around each turn in which the connection may send. */
  beforeFlush(host: Host): void
  afterFlush(host: Host): void
}

export class Host {
  readonly world: World
  /** May change: then the host has moved, and what is on its way to the old address is lost. */
  address: Address
  /** Further addresses, which a connection knows by `via` 1, 2... */
  readonly others: Address[] = []
  readonly events: ConnectionEvent[] = []
  /** Told of each event as it happens, before the flush. */
  onEvent: (event: ConnectionEvent) => void = () => {}
  /** One-way trips on the longest chain of datagrams, each caused by the one before, that led here. */
  trips = 0
  /** Bytes and datagrams that came in and went out. */
  received = 0
  sentBytes = 0
  sentCount = 0
  /** Every datagram sent, while records are kept. */
  readonly sent: Uint8Array[] = []
  /** False: `sent` and `events` stay empty. For long transfers. */
  keepsRecords = true
  observer: Observer | undefined
  /** Timers last so many ms, or twice as many, ...: Node's go by whole ones. 0: they are exact. */
  timerGrain = 0
  /** What becomes of a datagram before it is received; undefined: nothing is. */
  filter: (datagram: Uint8Array) => Uint8Array | undefined = datagram => datagram
  /** Answers the datagrams that arrive before there is a connection (server). */
  accept: ((datagram: Uint8Array, from: Address) => Connection | undefined) | undefined
  readonly #out: Link
  #connection: Connection | undefined
  #peer: Host | undefined
  #timerAt = Number.POSITIVE_INFINITY
  /** What the connection said last of when it is to be called again. */
  deadline = Number.POSITIVE_INFINITY
  /** Where the next datagram is written. */
  #buffer: Uint8Array

  constructor(world: World, address: Address, out: Link, bufferSize = 1500) {
    this.world = world
    this.address = address
    this.#out = out
    this.#buffer = world.memory.take(bufferSize)
  }

  get connection(): Connection {
    if (this.#connection === undefined) throw new Error('no connection yet')
    return this.#connection
  }

  get hasConnection(): boolean {
    return this.#connection !== undefined
  }

  join(peer: Host): void {
    this.#peer = peer
  }

  start(connection: Connection): void {
    this.#connection = connection
    this.flush()
  }

  /** Loses its connection, as a process does that is started again. */
  forget(): void {
    if (this.#connection !== undefined) this.observer?.onForgotten(this)
    this.#connection = undefined
  }

  receive(datagram: Uint8Array, from: Address): void {
    const passed = this.filter(datagram)
    if (passed === undefined) return
    this.received += passed.length
    this.observer?.onReceived(this, passed.length, from)
    this.#connection ??= this.accept?.(passed, from)
    if (this.#connection === undefined) return
    this.#connection.receive(passed, from, this.world.now)
    // An Initial whose ids were changed on the way: an endpoint would route the next one elsewhere.
    if (this.accept !== undefined && this.#connection.stats.packetsReceived === 0) return this.forget()
    this.flush()
  }

  /** Puts a datagram on the link that no connection made. */
  send(datagram: Uint8Array, to: Address = (this.#peer as Host).address): void {
    const peer = this.#peer as Host
    const from = to.via ? (this.others[to.via - 1] as Address) : this.address
    const trips = this.trips + 1
    this.sentCount++
    this.sentBytes += datagram.length
    if (this.keepsRecords) this.sent.push(datagram)
    this.observer?.onSent(this, datagram.length, to)
    const deliver = (arrived: Uint8Array): void => {
      const via = peer.viaOf(to)
      if (via === undefined) return
      peer.trips = Math.max(peer.trips, trips)
      peer.receive(arrived, via === 0 ? from : { ...from, via })
    }
    this.#out.send(datagram, deliver, !this.keepsRecords)
  }

  /** Which of its addresses somebody writes to; undefined: none. */
  viaOf({ host, port }: Address): number | undefined {
    if (this.address.port === port && this.address.host === host) return 0
    const at = this.others.findIndex(own => own.port === port && own.host === host)
    return at < 0 ? undefined : at + 1
  }

  /** Drains events, sends what is due, arms the timer. */
  flush(): void {
    const connection = this.#connection
    if (connection === undefined) return
    this.#drain(connection)
    this.observer?.beforeFlush(this)
    const { now } = this.world
    let burst = 0
    for (let t = connection.transmit(this.#buffer, now); t; t = connection.transmit(this.#buffer, now)) {
      if (++burst > MAX_BURST) throw new Error(`transmit does not end at ${now} ms`)
      this.send(this.#take(t.length), t.to)
    }
    this.#drain(connection)
    this.#arm(connection)
    this.observer?.afterFlush(this)
  }

  /** The datagram that was written: a large one that nobody keeps takes the buffer along, and is not copied. */
  #take(length: number): Uint8Array {
    const buffer = this.#buffer
    if (this.keepsRecords || 2 * length < buffer.length) return buffer.slice(0, length)
    this.#buffer = this.world.memory.take(buffer.length)
    return length === buffer.length ? buffer : buffer.subarray(0, length)
  }

  /** Does something to the connection, and lets it send. */
  act(act: (connection: Connection) => void): void {
    act(this.connection)
    this.flush()
  }

  has(type: ConnectionEvent['type']): boolean {
    return this.events.some(event => event.type === type)
  }

  find<T extends ConnectionEvent['type']>(type: T): Extract<ConnectionEvent, { type: T }> | undefined {
    return this.events.find((event): event is Extract<ConnectionEvent, { type: T }> => event.type === type)
  }

  #drain(connection: Connection): void {
    for (let event = connection.poll(); event !== undefined; event = connection.poll()) {
      if (this.keepsRecords) this.events.push(event)
      this.onEvent(event)
    }
  }

  #arm(connection: Connection): void {
    const deadline = connection.nextTimeout()
    this.deadline = deadline
    if (deadline === Number.POSITIVE_INFINITY || deadline >= this.#timerAt) return
    this.#timerAt = deadline
    const { now } = this.world
    const { timerGrain } = this
    const late = timerGrain > 0 ? Math.max(1, Math.ceil((deadline - now) / timerGrain)) * timerGrain : deadline - now
    this.world.plan(now + late, () => this.#onTimer(connection, deadline))
  }

  #onTimer(connection: Connection, planned: number): void {
    if (this.#timerAt === planned) this.#timerAt = Number.POSITIVE_INFINITY
    if (connection !== this.#connection) return
    if (connection.nextTimeout() <= this.world.now) connection.onTimeout(this.world.now)
    this.flush()
  }
}

// A connection at one end of a link, driven as the endpoint drives it: receive, drain events, flush, arm one timer.

import type { Connection } from '../../src/connection/connection.ts'
import type { ConnectionEvent } from '../../src/connection/events.ts'
import type { Address } from '../../src/connection/path.ts'
import type { Link } from './link.ts'
import type { World } from './world.ts'

export class Host {
  readonly world: World
  readonly address: Address
  readonly events: ConnectionEvent[] = []
  /** Told of each event as it happens, before the flush. */
  onEvent: (event: ConnectionEvent) => void = () => {}
  readonly #out: Link
  #connection: Connection | undefined
  #peer: Host | undefined
  #timerAt = Number.POSITIVE_INFINITY
  readonly #buffer: Uint8Array
  /** Every datagram sent, when it is asked for. */
  sent: Uint8Array[] | undefined
  /** Makes the connection for the first datagram that arrives (server). */
  accept: ((datagram: Uint8Array, from: Address) => Connection | undefined) | undefined

  constructor(world: World, address: Address, out: Link, bufferSize = 1500) {
    this.world = world
    this.address = address
    this.#out = out
    this.#buffer = new Uint8Array(bufferSize)
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

  receive(datagram: Uint8Array, from: Address): void {
    this.#connection ??= this.accept?.(datagram, from)
    if (this.#connection === undefined) return
    this.#connection.receive(datagram, from, this.world.now)
    this.flush()
  }

  /** Drains events, sends what is due, arms the timer. */
  flush(): void {
    const connection = this.#connection
    if (connection === undefined) return
    this.#drain(connection)
    for (let t = connection.transmit(this.#buffer, this.world.now); t; t = connection.transmit(this.#buffer, this.world.now)) {
      const datagram = this.#buffer.slice(0, t.length)
      this.sent?.push(datagram)
      const peer = this.#peer as Host
      this.#out.send(datagram, arrived => peer.receive(arrived, this.address))
    }
    this.#drain(connection)
    this.#arm(connection)
  }

  has(type: ConnectionEvent['type']): boolean {
    return this.events.some(event => event.type === type)
  }

  find<T extends ConnectionEvent['type']>(type: T): Extract<ConnectionEvent, { type: T }> | undefined {
    return this.events.find((event): event is Extract<ConnectionEvent, { type: T }> => event.type === type)
  }

  #drain(connection: Connection): void {
    for (let event = connection.poll(); event !== undefined; event = connection.poll()) {
      this.events.push(event)
      this.onEvent(event)
    }
  }

  #arm(connection: Connection): void {
    const deadline = connection.nextTimeout()
    if (deadline === Number.POSITIVE_INFINITY || deadline >= this.#timerAt) return
    this.#timerAt = deadline
    this.world.plan(deadline, () => this.#onTimer(connection, deadline))
  }

  #onTimer(connection: Connection, planned: number): void {
    if (this.#timerAt === planned) this.#timerAt = Number.POSITIVE_INFINITY
    if (connection.nextTimeout() <= this.world.now) connection.onTimeout(this.world.now)
    this.flush()
  }
}

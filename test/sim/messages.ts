// DATAGRAM frames beside the streams (RFC 9221): each arrives once at most, and of each is told once what became of it.

import type { ConnectionEvent, DatagramFate } from '../../src/connection/events.ts'
import { integer } from '../reference/random.ts'
import type { Pair } from './pair.ts'
import type { Side } from './traffic.ts'

const LARGEST = 900
/** ms within which they are sent. */
const PERIOD = 3000

interface Told {
  readonly fates: Map<number, DatagramFate>
  readonly arrived: Set<number>
  sent: number
}

export class Messages {
  readonly #pair: Pair
  readonly #of: Record<Side, Told> = { client: nothing(), server: nothing() }

  constructor(pair: Pair) {
    this.#pair = pair
  }

  /** Plans `count` of each side. */
  plan(count: number): void {
    const { world } = this.#pair
    for (let i = 0; i < count; i++) {
      for (const side of ['client', 'server'] as const) world.plan(world.random() * PERIOD, () => this.#send(side))
    }
  }

  onEvent(side: Side, event: ConnectionEvent): void {
    if (event.type === 'datagramSettled') {
      const { fates, sent } = this.#of[side]
      const isKnown = event.id >= 1 && event.id <= sent
      if (!isKnown || fates.has(event.id)) throw new Error(`${side}: datagram ${event.id} settled, ${event.fate}`)
      fates.set(event.id, event.fate)
    }
    if (event.type === 'datagram') this.#arrive(side === 'client' ? 'server' : 'client', event.data)
  }

  /** When both are closed: nothing was left in the dark, and what is said to have arrived has. */
  check(): void {
    for (const side of ['client', 'server'] as const) {
      const { fates, arrived, sent } = this.#of[side]
      if (fates.size !== sent) throw new Error(`${side}: ${fates.size} of ${sent} datagrams settled`)
      for (const [id, fate] of fates) {
        const isWrong = fate === 'acked' ? !arrived.has(id) : fate !== 'lost' && fate !== 'unknown' && arrived.has(id)
        if (isWrong) throw new Error(`${side}: datagram ${id} is ${fate}, arrived: ${arrived.has(id)}`)
      }
    }
  }

  #send(side: Side): void {
    const host = this.#pair[side]
    if (!host.hasConnection) return
    const told = this.#of[side]
    const { random } = this.#pair.world
    const data = new Uint8Array(4 + integer(random, LARGEST))
    const id = told.sent + 1
    data.fill(id)
    new DataView(data.buffer).setUint32(0, id)
    host.act(connection => {
      // It may be settled, for want of room, before the call returns: events come later.
      if (connection.sendDatagram(data, id)) told.sent++
    })
  }

  #arrive(from: Side, data: Uint8Array): void {
    const id = new DataView(data.buffer, data.byteOffset).getUint32(0)
    // Those that nobody counts (run-seed.ts).
    if (id === 0) return
    const { arrived, sent } = this.#of[from]
    if (id > sent || arrived.has(id)) throw new Error(`datagram ${id} of the ${from} came again, or was never sent`)
    if (data.subarray(4).some(byte => byte !== (id & 255))) throw new Error(`datagram ${id}: other bytes`)
    arrived.add(id)
  }
}

function nothing(): Told {
  return { fates: new Map(), arrived: new Set(), sent: 0 }
}

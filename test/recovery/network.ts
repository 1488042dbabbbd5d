// A bottleneck shared by senders who always have data: recovery at one end, received packets at the other, and no
// connection between them. Times are ms, rates bytes per ms.

import { Reader } from '../../src/bytes/reader.ts'
import { readAck } from '../../src/packet/frames/ack.ts'
import type { AckFrame } from '../../src/packet/frames/frame.ts'
import { Level, Space } from '../../src/packet/level.ts'
import { PacketWriter } from '../../src/packet/packet-writer.ts'
import type { SentFrame } from '../../src/packet/sent-frame.ts'
import type { CongestionFactory } from '../../src/recovery/congestion/controller.ts'
import { ReceivedPackets } from '../../src/recovery/received-packets.ts'
import type { Recovery } from '../../src/recovery/recovery.ts'
import { SentPacket } from '../../src/recovery/sent-packets.ts'
import { confirmed, seeded } from './support.ts'

const App = Space.Application
const EXPONENT = 8 / 1000

export interface NetworkOptions {
  /** Bytes per ms of the bottleneck. */
  rate: number
  /** Round-trip time without queue. */
  rtt: number
  /** Bytes that may wait. */
  queue: number
  /** Probability that a packet is lost before the bottleneck. */
  loss?: number
  /** This share of the packets is late by up to `lateBy` ms, and so overtaken. */
  late?: number
  lateBy?: number
  /** Every ACK is late by up to this much: hosts are never in step. Few are overtaken. */
  noise?: number
  seed?: number
}

/** 100 Mbit/s, 50 ms, and a queue of one bandwidth-delay product. */
export const LONG_FAT: NetworkOptions = { rate: 12_500, rtt: 50, queue: 625_000 }

export class Network {
  now = 1000
  readonly random: () => number
  readonly options: NetworkOptions
  dropped = 0
  /** Nothing arrives. */
  isDown = false
  /** Bytes per ms of now. */
  rate: number
  /** The path has become this much longer, in ms. */
  extraDelay = 0
  #freeAt = 0
  readonly #queue = new EventQueue()

  constructor(options: NetworkOptions) {
    this.options = options
    this.rate = options.rate
    this.random = seeded(options.seed ?? 1)
  }

  at(time: number, run: () => void): void {
    this.#queue.push(Math.max(time, this.now), run)
  }

  /** Through the bottleneck. */
  send(size: number, deliver: () => void): void {
    const { rate } = this
    const { rtt, queue, loss = 0, late = 0, lateBy = 0 } = this.options
    if (this.isDown || (loss > 0 && this.random() < loss)) return
    const waiting = Math.max(this.#freeAt - this.now, 0) * rate
    if (waiting + size > queue) {
      this.dropped++
      return
    }
    this.#freeAt = Math.max(this.#freeAt, this.now) + size / rate
    const isLate = late > 0 && this.random() < late
    this.at(this.#freeAt + rtt / 2 + this.extraDelay + (isLate ? this.random() * lateBy : 0), deliver)
  }

  /** What waits at the bottleneck, in bytes. */
  get backlog(): number {
    return Math.max(this.#freeAt - this.now, 0) * this.rate
  }

  /** The way back has room for everything. */
  reply(deliver: () => void): void {
    const { rtt, noise = 0 } = this.options
    this.at(this.now + rtt / 2 + (noise > 0 ? this.random() * noise : 0), deliver)
  }

  run(until: number): void {
    for (;;) {
      const event = this.#queue.popBefore(until)
      if (event === undefined) break
      this.now = event.time
      event.run()
    }
    this.now = until
  }
}

export interface FlowOptions {
  size?: number
  /** False: only what is `offered` is sent. */
  isGreedy?: boolean
}

/** A sender with more data than it can send, and its receiver. */
export class Flow {
  readonly recovery: Recovery
  readonly received = new ReceivedPackets(App)
  delivered = 0
  acksSent = 0
  /** Packets left to send; Infinity for a greedy one. */
  offered: number
  readonly #network: Network
  readonly #size: number
  readonly #writer = new PacketWriter(Level.OneRtt, new Uint8Array(1500), 0, 1500)
  #wakeAt = Number.POSITIVE_INFINITY
  #ackAt = Number.POSITIVE_INFINITY

  constructor(network: Network, congestion: CongestionFactory, options: FlowOptions = {}) {
    this.#network = network
    this.#size = options.size ?? 1200
    this.offered = options.isGreedy === false ? 0 : Number.POSITIVE_INFINITY
    this.recovery = confirmed({ congestion, maxDatagramSize: this.#size })
  }

  start(at: number): void {
    this.#network.at(at, () => this.wake())
  }

  offer(packets: number): void {
    this.offered += packets
    this.wake()
  }

  /** The timers, and then whatever may leave. */
  wake(): void {
    const { now } = this.#network
    const { recovery } = this
    if (now >= recovery.nextTimeout()) this.offered += recovery.onTimeout(now).lost.length
    while (recovery.pendingProbes(App) > 0) this.#send()
    while (this.offered > 0 && recovery.canSend(now)) this.#send()
    recovery.setApplicationLimited(this.offered === 0)
    const next = Math.min(recovery.nextTimeout(), this.offered > 0 ? recovery.nextSendTime(now) : Infinity)
    if (next === this.#wakeAt || next === Number.POSITIVE_INFINITY) return
    this.#wakeAt = next
    this.#network.at(next, () => {
      if (this.#wakeAt !== next) return
      this.#wakeAt = Number.POSITIVE_INFINITY
      this.wake()
    })
  }

  #send(): void {
    const network = this.#network
    const number = this.recovery.nextNumber(App)
    this.recovery.onPacketSent(new SentPacket(number, App, network.now, this.#size, true, true, []))
    if (this.offered > 0) this.offered--
    network.send(this.#size, () => this.#receive(number))
  }

  #receive(number: number): void {
    const { now } = this.#network
    if (this.received.isDuplicate(number)) return
    this.delivered += this.#size
    this.received.onReceived(number, true, now)
    this.#acknowledge()
  }

  #acknowledge(): void {
    const { now } = this.#network
    if (this.received.isAckDue(now)) {
      const ack = this.#writeAck(now)
      if (ack !== undefined) this.#network.reply(() => this.#receiveAck(ack))
    }
    const deadline = this.received.ackDeadline
    if (deadline === this.#ackAt || deadline === Number.POSITIVE_INFINITY) return
    this.#ackAt = deadline
    this.#network.at(deadline, () => {
      if (this.#ackAt !== deadline) return
      this.#ackAt = Number.POSITIVE_INFINITY
      this.#acknowledge()
    })
  }

  #writeAck(now: number): AckFrame | undefined {
    const writer = this.#writer
    writer.pos = 0
    writer.frames.length = 0
    writer.isAckEliciting = false
    this.received.write(writer, now, false)
    if (writer.pos === 0) return undefined
    this.acksSent++
    // Every eighth is acknowledged, two round trips later.
    const record = writer.frames[0] as SentFrame
    if (this.acksSent % 8 === 0)
      this.#network.at(now + 2 * this.#network.options.rtt, () => this.received.onAcked(record))
    const reader = new Reader(writer.bytes, 0, writer.pos)
    return readAck(reader, reader.u8())
  }

  #receiveAck(frame: AckFrame): void {
    // What was lost is sent again, in another packet.
    this.offered += this.recovery.onAck(App, frame, frame.ackDelay * EXPONENT, this.#network.now).lost.length
    this.wake()
  }
}

export function jain(shares: readonly number[]): number {
  const sum = shares.reduce((a, b) => a + b, 0)
  return (sum * sum) / (shares.length * shares.reduce((a, b) => a + b * b, 0))
}

/** A binary heap. Events of one time happen in the order in which they were planned. */
class EventQueue {
  readonly #heap: { time: number; order: number; run: () => void }[] = []
  #order = 0

  push(time: number, run: () => void): void {
    const heap = this.#heap
    const event = { time, order: this.#order++, run }
    let i = heap.length
    heap.push(event)
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!isBefore(event, heap[parent] as typeof event)) break
      heap[i] = heap[parent] as typeof event
      i = parent
    }
    heap[i] = event
  }

  popBefore(until: number): { time: number; run: () => void } | undefined {
    const heap = this.#heap
    const first = heap[0]
    if (first === undefined || first.time > until) return undefined
    const last = heap.pop() as typeof first
    if (heap.length === 0) return first
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as typeof first, heap[child] as typeof first)) child++
      if (!isBefore(heap[child] as typeof first, last)) break
      heap[i] = heap[child] as typeof first
      i = child
    }
    heap[i] = last
    return first
  }
}

function isBefore(a: { time: number; order: number }, b: { time: number; order: number }): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order)
}

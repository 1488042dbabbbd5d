// Unreliable datagrams (RFC 9221).

import type { MemoryAccount } from '../bytes/memory-budget.ts'
import { limits } from '../limits.ts'
import { writeDatagram } from '../packet/frames/datagram.ts'
import { FrameType } from '../packet/frames/frame.ts'
import type { FrameOwner, PacketWriter } from '../packet/packet-writer.ts'
import { SentFrame, SentKind } from '../packet/sent-frame.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import type { EventQueue } from './event-queue.ts'
import type { DatagramFate } from './events.ts'

/** Datagrams waiting to be sent; when another comes, the oldest of the least urgent is dropped. */
export const MAX_QUEUED_DATAGRAMS: number = limits.queuedDatagrams
/** Type, and a length of at most 4 bytes. */
const FRAME_OVERHEAD = 5

/** Of those nobody asks after. */
const datagramRecord = new SentFrame(SentKind.Datagram)

export class DatagramStats {
  sent = 0
  acked = 0
  /** Declared lost; some of them may have been acknowledged later. */
  lost = 0
  received = 0
  /** Never sent: newer or more urgent ones took their place. */
  overflowed = 0
  /** Never sent: the path, or the peer, takes less than when they were queued. */
  tooLarge = 0
  /** Received, and pushed out by newer ones before anybody polled for them. */
  unread = 0
}

interface Queued {
  readonly data: Uint8Array
  /** 0: nobody asks after it. */
  readonly id: number
  readonly urgency: number
}

export class Datagrams implements FrameOwner {
  readonly stats: DatagramStats = new DatagramStats()
  readonly #events: EventQueue
  readonly #memory: MemoryAccount
  readonly #localMaximum: number
  #peerMaximum = 0
  /** By urgency, and then by age. */
  readonly #queue: Queued[] = []
  /** Sent, of unknown fate. Bounded by the packets in flight. */
  #awaited: Set<number> | undefined
  /** Somebody found no room. */
  #isFull = false

  /** `localMaximum` is our max_datagram_frame_size; 0 forbids the peer to send any. */
  constructor(localMaximum: number, events: EventQueue, memory: MemoryAccount) {
    this.#memory = memory
    this.#localMaximum = localMaximum
    this.#events = events
  }

  setPeerMaximum(maxDatagramFrameSize: number): void {
    this.#peerMaximum = maxDatagramFrameSize
  }

  /** The largest payload the peer takes and one packet of `packetSize` bytes of frames can hold. */
  maxSize(packetSize: number): number {
    return Math.max(0, Math.min(this.#peerMaximum, packetSize) - FRAME_OVERHEAD)
  }

  get hasDue(): boolean {
    return this.#queue.length > 0
  }

  /** RFC 9221 §5.1: that of the next one; -1 when none waits. */
  get urgency(): number {
    return this.#queue.length === 0 ? -1 : (this.#queue[0] as Queued).urgency
  }

  /** How many more may be queued before the oldest is dropped. Zero: `datagramsWritable` will be said. */
  get room(): number {
    const room = MAX_QUEUED_DATAGRAMS - this.#queue.length
    if (room === 0) this.#isFull = true
    return room
  }

  /**
   * Queues a datagram; false when the peer takes none that large. With an `id` its fate will be told. Throws a RangeError
   * for an urgency that is none.
   */
  send(data: Uint8Array, id: number, packetSize: number, urgency = 0): boolean {
    if (!Number.isInteger(urgency) || urgency < 0 || urgency > 7)
      throw new RangeError(`urgency must be an integer from 0 to 7, not ${urgency}`)
    if (!this.#fits(data, packetSize)) return false
    this.#insert({ data, id, urgency })
    this.#memory.add(data.length)
    if (this.#queue.length > MAX_QUEUED_DATAGRAMS) this.#drop('overflowed', this.#oldestOfLeastUrgent())
    return true
  }

  /** Drops what can no longer be sent: the packets of this path hold only `packetSize` bytes of frames now. */
  trim(packetSize: number): void {
    while (this.#queue.length > 0 && !this.#fits((this.#queue[0] as Queued).data, packetSize)) this.#drop('tooLarge', 0)
  }

  /** The connection is over: what was queued never left, and of what is on its way nothing will be heard. */
  abandon(): void {
    for (const { data, id } of this.#queue) {
      this.#memory.add(-data.length)
      this.#tell(id, 'unsent')
    }
    for (const id of this.#awaited ?? []) this.#tell(id, 'unknown')
    this.#queue.length = 0
    this.#awaited = undefined
  }

  /** RFC 9221 §3: a frame, with type and length, larger than what we announced breaks the protocol. */
  check(frameSize: number): void {
    if (frameSize > this.#localMaximum) {
      throw new TransportError(ErrorCode.ProtocolViolation, 'DATAGRAM larger than announced', FrameType.Datagram)
    }
  }

  onDatagram(data: Uint8Array): void {
    this.stats.received++
    const isPinning = data.length * limits.pinnedPerByte < data.buffer.byteLength
    if (!this.#events.pushDatagram(isPinning ? data.slice() : data)) this.stats.unread++
  }

  /** Those of the first urgency. False: one of them has no room. */
  write(packet: PacketWriter): boolean {
    const first = this.urgency
    for (let next = this.#queue[0]; next !== undefined && next.urgency === first; next = this.#queue[0]) {
      const { data, id } = next
      if (data.length + FRAME_OVERHEAD > packet.remaining) return false
      writeDatagram(packet, data)
      packet.record(id === 0 ? datagramRecord : new SentFrame(SentKind.Datagram, id))
      if (id !== 0) this.#expect(id)
      this.stats.sent++
      this.#take(0)
    }
    return true
  }

  onAcked(frame: SentFrame): void {
    this.stats.acked++
    this.#settle(frame.id, 'acked')
  }

  /** RFC 9221 §5: never sent again. */
  onLost(frame: SentFrame): void {
    this.stats.lost++
    this.#settle(frame.id, 'lost')
  }

  #fits(data: Uint8Array, packetSize: number): boolean {
    return this.#peerMaximum > 0 && data.length <= this.maxSize(packetSize)
  }

  /** Most often at the end: it is looked for from there. */
  #insert(queued: Queued): void {
    let at = this.#queue.length
    while (at > 0 && (this.#queue[at - 1] as Queued).urgency > queued.urgency) at--
    if (at === this.#queue.length) this.#queue.push(queued)
    else this.#queue.splice(at, 0, queued)
  }

  #oldestOfLeastUrgent(): number {
    let at = this.#queue.length - 1
    const { urgency } = this.#queue[at] as Queued
    while (at > 0 && (this.#queue[at - 1] as Queued).urgency === urgency) at--
    return at
  }

  #drop(fate: 'overflowed' | 'tooLarge', at: number): void {
    this.stats[fate]++
    this.#tell(this.#take(at).id, fate)
  }

  #take(at: number): Queued {
    const taken = (at === 0 ? this.#queue.shift() : this.#queue.splice(at, 1)[0]) as Queued
    this.#memory.add(-taken.data.length)
    if (this.#isFull && this.#queue.length <= MAX_QUEUED_DATAGRAMS / 2) {
      this.#isFull = false
      this.#events.push({ type: 'datagramsWritable' })
    }
    return taken
  }

  #expect(id: number): void {
    this.#awaited ??= new Set()
    this.#awaited.add(id)
  }

  /** Once: what was called lost may be acknowledged later. */
  #settle(id: number, fate: DatagramFate): void {
    if (id !== 0 && this.#awaited?.delete(id)) this.#tell(id, fate)
  }

  #tell(id: number, fate: DatagramFate): void {
    if (id !== 0) this.#events.push({ type: 'datagramSettled', id, fate })
  }
}

// Whose turn it is: which streams have something due, and what of it goes into the next packet.

import type { PacketWriter } from '../packet/packet-writer.ts'
import type { ConnectionCredit } from './connection-credit.ts'
import { Due, Scheduler, TurnQueue } from './scheduler.ts'
import type { Stream } from './stream.ts'
import { writeControl } from './stream-control.ts'
import type { StreamMemory } from './stream-memory.ts'
import type { StreamTable } from './stream-table.ts'
import type { WindowTuner } from './window-tuner.ts'

export class StreamTurns {
  readonly #table: StreamTable
  readonly #memory: StreamMemory
  readonly #tuner: WindowTuner
  readonly #credit: ConnectionCredit
  /** Those with frames other than STREAM due. */
  readonly #control: TurnQueue<Stream> = new TurnQueue()
  /** Those with STREAM frames due. */
  readonly #scheduler: Scheduler<Stream> = new Scheduler()

  constructor(table: StreamTable, memory: StreamMemory, tuner: WindowTuner, credit: ConnectionCredit) {
    this.#table = table
    this.#memory = memory
    this.#tuner = tuner
    this.#credit = credit
  }

  /** After anything happened to a stream: into the queues it belongs in, or out of the table. */
  settle(stream: Stream): void {
    this.#memory.count(stream)
    if (stream.isDone) {
      stream.control.queue?.remove(stream.control)
      stream.data.queue?.remove(stream.data)
      this.#memory.forget(stream)
      this.#table.forget(stream)
      return
    }
    const isAllowed = this.#table.isAllowed(stream)
    if (!isAllowed || !stream.isControlDue) stream.control.queue?.remove(stream.control)
    else if (stream.control.queue === undefined) this.#control.push(stream.control)
    this.#scheduler.place(stream.data, isAllowed ? stream.due : Due.Nothing, stream.urgency, stream.isIncremental)
  }

  /** True when `write` would put something into an empty packet. */
  get isAnyDue(): boolean {
    return (
      !this.#control.isEmpty ||
      this.#scheduler.next(this.#credit.data.available > 0) !== undefined ||
      this.#credit.isDue(this.#scheduler.hasFresh)
    )
  }

  /** Into packets of 0-RTT and 1-RTT; no data of streams that are not more urgent than `before`. */
  write(packet: PacketWriter, now: number, before: number): void {
    this.#tuner.now = now
    this.#credit.writeLimits(packet, this.#tuner)
    this.#writeControl(packet)
    this.#writeData(packet, before)
    // Using up a stream's credit has made STREAM_DATA_BLOCKED due: better now than in a packet of its own.
    this.#writeControl(packet)
    this.#credit.writeBlocked(packet, this.#scheduler.hasFresh)
  }

  #writeControl(packet: PacketWriter): void {
    for (;;) {
      const turn = this.#control.first
      if (turn === undefined || !writeControl(turn.owner, packet, this.#tuner)) return
      this.#control.remove(turn)
      this.settle(turn.owner)
    }
  }

  #writeData(packet: PacketWriter, before: number): void {
    const credit = this.#credit.data
    for (;;) {
      const stream = this.#scheduler.next(credit.available > 0, before)
      const used = stream?.send?.write(packet, credit.available)
      if (stream === undefined || used === undefined || used < 0) return
      credit.use(used)
      this.#scheduler.rotate(stream.data, stream.urgency)
      this.settle(stream)
    }
  }
}

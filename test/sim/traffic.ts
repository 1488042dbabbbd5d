// What two applications do to each other over a connection: streams of known bytes, some cut short, compared on arrival.

import type { Connection } from '../../src/connection/connection.ts'
import type { ConnectionEvent } from '../../src/connection/events.ts'
import type { StreamDirection } from '../../src/packet/frames/frame.ts'
import { randomBytes, seededRandom } from '../reference/random.ts'
import type { Host } from './host.ts'
import type { Pair } from './pair.ts'

export type Side = 'client' | 'server'

/** One stream: what goes each way, and what cuts it short. */
export interface StreamPlan {
  readonly opener: Side
  readonly direction: StreamDirection
  /** Bytes of the opener. */
  readonly up: number
  /** Bytes of the other side; on bidirectional streams. */
  readonly down: number
  /** The answer does not wait for the end of the question. */
  readonly isAtOnce?: boolean
  /** The opener resets after it has written this much. */
  readonly resetAt?: number
  /** So many bytes arrive all the same (RESET_STREAM_AT); no more than `resetAt`. */
  readonly reliableSize?: number
  /** The other side asks it to stop after it has read this much. */
  readonly stopAt?: number
}

export const RESET_CODE = 7
export const STOP_CODE = 9
const STEP = 16_384
const PATTERN_PERIOD = 65_521
const pattern = periodic(randomBytes(seededRandom(4711), PATTERN_PERIOD), STEP)

/** One direction of one stream. */
class Half {
  readonly id: number
  readonly writer: Side
  readonly length: number
  readonly resetAt: number
  readonly stopAt: number
  readonly onOver: () => void
  /** Of what is reset, so many bytes arrive. */
  reliableSize = 0
  written = 0
  got = 0
  isEnded = false
  /** The writer was asked to stop. */
  isStopped = false
  /** The reader expects nothing more. */
  isOver = false

  constructor(id: number, writer: Side, length: number, resetAt: number, stopAt: number, onOver: () => void) {
    this.id = id
    this.writer = writer
    this.length = length
    this.resetAt = resetAt
    this.stopAt = stopAt
    this.onOver = onOver
  }

  /** The bytes from `offset`, at most STEP of them. */
  bytes(offset: number, length: number): Uint8Array {
    const at = (offset + this.id * 977 + (this.writer === 'client' ? 0 : 31)) % PATTERN_PERIOD
    return pattern.subarray(at, at + length)
  }
}

export class Traffic {
  readonly pair: Pair
  /** Told of every event of either side, after it was acted upon. */
  onEvent: (side: Side, event: ConnectionEvent) => void = () => {}
  readonly #plans: Record<Side, Record<StreamDirection, StreamPlan[]>>
  readonly #opened: Record<Side, Record<StreamDirection, number>>
  /** By stream id, and whether the client writes. */
  readonly #halves = new Map<number, Half>()
  #remaining = 0
  /** Either side's end, or a breach of what was planned. */
  closed: { side: Side; event: Extract<ConnectionEvent, { type: 'closed' }> }[] = []
  /** Bytes that arrived and were as they should be. */
  bytes = 0

  constructor(pair: Pair, plans: readonly StreamPlan[]) {
    this.pair = pair
    this.#plans = { client: { bidi: [], uni: [] }, server: { bidi: [], uni: [] } }
    this.#opened = { client: { bidi: 0, uni: 0 }, server: { bidi: 0, uni: 0 } }
    for (const plan of plans) {
      this.#plans[plan.opener][plan.direction].push(plan)
      this.#remaining += plan.direction === 'bidi' ? 2 : 1
    }
    pair.client.onEvent = event => this.#onEvent('client', event)
    pair.server.onEvent = event => this.#onEvent('server', event)
  }

  /** The client begins before it has heard from the server. */
  beginEarly(connection: Connection): void {
    this.#openAll('client', connection)
  }

  get isDone(): boolean {
    return this.#remaining === 0
  }

  /** Halves of streams that are not over. */
  get remaining(): number {
    return this.#remaining
  }

  #host(side: Side): Host {
    return this.pair[side]
  }

  #onEvent(side: Side, event: ConnectionEvent): void {
    const { connection } = this.#host(side)
    switch (event.type) {
      case 'handshakeComplete':
        this.#openAll(side, connection)
        break
      case 'streamsAvailable':
        this.#open(side, event.direction, connection)
        break
      case 'streamOpened':
        this.#accept(side, event.id, connection)
        break
      case 'readable':
        this.#accept(side, event.id, connection)
        this.#read(side, event.id, connection)
        break
      case 'writable':
        this.#pump(this.#half(event.id, side), connection)
        break
      case 'streamReset':
        this.#accept(side, event.id, connection)
        this.#onReset(side, event.id, event.errorCode)
        break
      case 'streamStopped':
        this.#onStopped(side, event.id, event.errorCode, connection)
        break
      case 'closed':
        this.closed.push({ side, event })
        break
    }
    this.onEvent(side, event)
  }

  #openAll(side: Side, connection: Connection): void {
    this.#open(side, 'bidi', connection)
    this.#open(side, 'uni', connection)
  }

  #open(side: Side, direction: StreamDirection, connection: Connection): void {
    const plans = this.#plans[side][direction]
    for (;;) {
      const plan = plans[this.#opened[side][direction]]
      if (plan === undefined) return
      const id = connection.openStream(direction)
      if (id === undefined) return
      this.#opened[side][direction]++
      const half = this.#add(id, side, plan.up, plan)
      this.#pump(half, connection)
    }
  }

  /** The other side's halves begin to exist when the first thing of a stream arrives. */
  #accept(side: Side, id: number, connection: Connection): void {
    const opener: Side = (id & 1) === 0 ? 'client' : 'server'
    const direction: StreamDirection = (id & 2) === 0 ? 'bidi' : 'uni'
    if (opener === side || direction === 'uni' || this.#halves.has(keyOf(id, side))) return
    const plan = this.#plans[opener][direction][Math.floor(id / 4)]
    if (plan === undefined) throw new Error(`${side}: stream ${id} was never planned`)
    const half = this.#add(id, side, plan.down, undefined)
    if (plan.isAtOnce) this.#pump(half, connection)
  }

  #add(id: number, writer: Side, length: number, plan: StreamPlan | undefined): Half {
    const onOver = (): void => {
      // The answer to a question that has ended.
      const reader: Side = writer === 'client' ? 'server' : 'client'
      const answer = this.#halves.get(keyOf(id, reader))
      if (plan !== undefined && answer !== undefined) this.#pump(answer, this.#host(reader).connection)
    }
    const resetAt = plan?.resetAt ?? Number.POSITIVE_INFINITY
    const half = new Half(id, writer, length, resetAt, plan?.stopAt ?? Number.POSITIVE_INFINITY, onOver)
    half.reliableSize = plan?.reliableSize ?? 0
    this.#halves.set(keyOf(id, writer), half)
    return half
  }

  #half(id: number, writer: Side): Half {
    const half = this.#halves.get(keyOf(id, writer))
    if (half === undefined) throw new Error(`stream ${id} of the ${writer} does not exist`)
    return half
  }

  #pump(half: Half, connection: Connection): void {
    while (!half.isEnded) {
      if (half.written >= half.resetAt) {
        half.isEnded = true
        // A client that speaks early does not know yet whether the server can do that.
        if (connection.resetAt(half.id, RESET_CODE, half.reliableSize)) return
        half.reliableSize = 0
        connection.reset(half.id, RESET_CODE)
        return
      }
      const length = Math.min(STEP, half.length - half.written)
      const isLast = half.written + length === half.length
      const room = connection.write(half.id, half.bytes(half.written, length), isLast)
      half.written += length
      half.isEnded = isLast
      if (room <= 0) return
    }
  }

  #read(side: Side, id: number, connection: Connection): void {
    const half = this.#half(id, side === 'client' ? 'server' : 'client')
    while (!half.isOver) {
      if (half.got >= half.stopAt) {
        connection.stop(id, STOP_CODE)
        this.#finish(half)
        return
      }
      const chunk = connection.read(id)
      if (chunk === undefined) return
      this.#compare(half, chunk.data)
      this.pair.world.memory.give(chunk.data)
      if (!chunk.fin) continue
      if (half.got !== half.length) throw new Error(`${side}: stream ${id} ends at ${half.got}, not ${half.length}`)
      this.#finish(half)
    }
  }

  #compare(half: Half, data: Uint8Array): void {
    for (let at = 0; at < data.length; at += STEP) {
      const length = Math.min(STEP, data.length - at)
      if (Buffer.compare(data.subarray(at, at + length), half.bytes(half.got + at, length)) !== 0) {
        throw new Error(`stream ${half.id} of the ${half.writer}: other bytes from ${half.got + at}`)
      }
    }
    half.got += data.length
    this.bytes += data.length
    if (half.got > half.length) throw new Error(`stream ${half.id} of the ${half.writer}: more bytes than were sent`)
  }

  #onReset(side: Side, id: number, errorCode: number): void {
    const half = this.#half(id, side === 'client' ? 'server' : 'client')
    const expected = half.isStopped ? STOP_CODE : RESET_CODE
    const wasReset = half.isStopped || half.written >= half.resetAt
    if (!wasReset || (errorCode !== expected && errorCode !== RESET_CODE)) {
      throw new Error(`${side}: stream ${id} was reset with ${errorCode}`)
    }
    if (!half.isOver && !half.isStopped && half.got < half.reliableSize) {
      throw new Error(`${side}: stream ${id} was reset at ${half.got}, with ${half.reliableSize} bytes promised`)
    }
    if (!half.isOver) this.#finish(half)
  }

  #onStopped(side: Side, id: number, errorCode: number, connection: Connection): void {
    const half = this.#half(id, side)
    if (half.got < half.stopAt || errorCode !== STOP_CODE) throw new Error(`${side}: stream ${id} was stopped`)
    half.isStopped = true
    if (half.isEnded) return
    half.isEnded = true
    connection.reset(id, errorCode)
  }

  #finish(half: Half): void {
    half.isOver = true
    this.#remaining--
    half.onOver()
  }
}

function keyOf(id: number, writer: Side): number {
  return 2 * id + (writer === 'client' ? 1 : 0)
}

/** `period` and the first `more` bytes of it again. */
function periodic(period: Uint8Array, more: number): Uint8Array {
  const bytes = new Uint8Array(period.length + more)
  bytes.set(period)
  bytes.set(period.subarray(0, more), period.length)
  return bytes
}

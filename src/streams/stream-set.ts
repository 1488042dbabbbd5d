// All streams of one connection (RFC 9000 §2-4): the door of the room.

import { MemoryAccount, MemoryBudget } from '../bytes/memory-budget.ts'
import {
  type DataBlockedFrame,
  FrameType,
  type MaxDataFrame,
  type MaxStreamDataFrame,
  type MaxStreamsFrame,
  type ResetStreamAtFrame,
  type ResetStreamFrame,
  type StopSendingFrame,
  type StreamDataBlockedFrame,
  type StreamDirection,
  type StreamFrame,
  type StreamsBlockedFrame,
} from '../packet/frames/frame.ts'
import type { FrameOwner, PacketWriter } from '../packet/packet-writer.ts'
import { type SentFrame, SentKind } from '../packet/sent-frame.ts'
import { ConnectionCredit } from './connection-credit.ts'
import { HighWaterMark } from './high-water-mark.ts'
import type { Chunk, ReceiveStream } from './receive-stream.ts'
import { Due, URGENCIES } from './scheduler.ts'
import type { Stream } from './stream.ts'
import { onStreamAcked, onStreamLost } from './stream-delivery.ts'
import type { StreamFacts } from './stream-fact.ts'
import { directionOf, type Role, streamId } from './stream-id.ts'
import { type LocalStreams, noLimits, type StreamLimits, streamCountLimit, streamDataLimit } from './stream-limits.ts'
import { StreamMemory } from './stream-memory.ts'
import type { StreamSetOptions } from './stream-options.ts'
import { StreamTable } from './stream-table.ts'
import { StreamTurns } from './stream-turns.ts'
import { WindowTuner } from './window-tuner.ts'

export type { Chunk } from './receive-stream.ts'
export type { StreamFact, StreamFacts } from './stream-fact.ts'
export type { StreamLimits } from './stream-limits.ts'
export type { StreamSetOptions } from './stream-options.ts'

export interface StreamStats {
  readonly opened: number
  readonly accepted: number
  readonly closed: number
  /** Without retransmissions. */
  readonly bytesSent: number
  /** By largest offsets: as counted against MAX_DATA. */
  readonly bytesReceived: number
  readonly bytesRead: number
}

/** Of one stream, in bytes: as counted against the limits on data. */
export interface StreamCount {
  readonly sent: number
  readonly received: number
  readonly read: number
  /** Nothing more will be received. */
  readonly isFinal: boolean
}

export class StreamSet implements FrameOwner {
  readonly #facts: StreamFacts
  readonly #highWater: HighWaterMark
  readonly #memory: StreamMemory
  readonly #tuner: WindowTuner
  readonly #credit: ConnectionCredit
  readonly #table: StreamTable
  readonly #turns: StreamTurns

  /** `local` is what we announce to the peer. Facts are pushed in the order they happen. */
  constructor(role: Role, local: StreamLimits, facts: StreamFacts, options: StreamSetOptions = {}) {
    this.#facts = facts
    this.#credit = new ConnectionCredit(role, local, options.maxConnectionWindow ?? 0)
    const account = options.memory ?? new MemoryAccount(new MemoryBudget())
    this.#highWater = new HighWaterMark(options.sendBufferSize, account)
    this.#memory = new StreamMemory(account, this.#credit.window, this.#highWater)
    this.#tuner = new WindowTuner(this.#credit.window, this.#memory)
    this.#table = new StreamTable(role, local, this.#credit, facts, options.maxStreamWindow ?? 0, account)
    this.#turns = new StreamTurns(this.#table, this.#memory, this.#tuner, this.#credit)
  }

  // The application's side.

  /** Opens a stream; undefined when the peer allows no more, and then `streamsAvailable` is said later. */
  open(direction: StreamDirection): number | undefined {
    return this.#table.open(direction)?.id
  }

  /**
   * Queues bytes, which must not change afterwards, and the end of the stream if `fin`. Returns the room left below
   * the high-water mark: at zero or less, wait for `writable`. Throws when the stream cannot be written to; one that
   * the peer has stopped takes everything and sends nothing.
   */
  send(id: number, bytes: Uint8Array, fin: boolean): number {
    const stream = this.#table.get(id)
    const send = stream?.send
    if (stream === undefined || send === undefined) throw new RangeError(`stream ${id} is not open for sending`)
    if (send.isEnded) throw new TypeError(`stream ${id} has been ended`)
    send.send(bytes, fin)
    const room = this.#highWater.of(stream.sent) - send.buffered
    if (room <= 0) send.isFull = true
    this.#turns.settle(stream)
    return room
  }

  /** The next bytes of a stream, without copying; undefined when there are none now, or never again. */
  receive(id: number): Chunk | undefined {
    const stream = this.#table.get(id)
    const chunk = stream?.receive?.receive()
    if (stream !== undefined && chunk !== undefined) this.#onRead(stream)
    return chunk
  }

  /**
   * Abandons sending, but for the first `reliableSize` bytes. Needed, or a FIN, to let go of a stream that the peer has
   * stopped.
   */
  reset(id: number, errorCode: number, reliableSize = 0): void {
    const stream = this.#find(id, errorCode)
    if (stream === undefined) return
    if (stream.send === undefined) throw new TypeError(`stream ${id} is receive-only`)
    stream.send.reset(errorCode, reliableSize)
    stream.send.isEnded = true
    this.#turns.settle(stream)
  }

  /** Abandons receiving. What has arrived is dropped. */
  stop(id: number, errorCode: number): void {
    const stream = this.#find(id, errorCode)
    if (stream === undefined) return
    if (stream.receive === undefined) throw new TypeError(`stream ${id} is send-only`)
    stream.receive.stop(errorCode)
    this.#turns.settle(stream)
  }

  /**
   * RFC 9218 §4, §10: urgency 0 (first) to 7; an incremental stream shares with its equals, others follow by id. Default
   * 3, incremental. A stream gets nothing while one of higher urgency can send.
   */
  setPriority(id: number, urgency: number, isIncremental: boolean): void {
    if (!Number.isInteger(urgency) || urgency < 0 || urgency >= URGENCIES) throw new RangeError(`urgency ${urgency}`)
    const stream = this.#table.get(id)
    if (stream === undefined) return
    stream.urgency = urgency
    stream.isIncremental = isIncremental
    this.#turns.settle(stream)
  }

  /** Some of what was received on it came as 0-RTT data. */
  isEarly(id: number): boolean {
    return this.#table.get(id)?.receive?.isEarly ?? false
  }

  /**
   * What a stream has taken of the limits on data, and from now on `streamCounted` with each byte received: for who has
   * limits of its own above those of QUIC. Undefined for a stream that is closed.
   */
  count(id: number): StreamCount | undefined {
    const stream = this.#table.get(id)
    if (stream === undefined) return undefined
    const { send, receive } = stream
    if (receive !== undefined) receive.counted = receive.window.received
    const { received = 0, consumed = 0 } = receive?.window ?? {}
    return { sent: send?.committed ?? 0, received, read: consumed, isFinal: receive?.hasFinalSize ?? true }
  }

  /** Lets go of all bytes, read or not: the connection is over, and memory is needed elsewhere. */
  discard(): void {
    for (const stream of this.#table.all()) {
      stream.send?.discard()
      stream.receive?.discard()
    }
  }

  get openCount(): number {
    return this.#table.size
  }

  get stats(): StreamStats {
    const credit = this.#credit
    return {
      opened: credit.localBidi.opened + credit.localUni.opened,
      accepted: credit.remoteBidi.opened + credit.remoteUni.opened,
      closed: this.#table.closed,
      bytesSent: credit.data.used,
      bytesReceived: credit.window.received,
      bytesRead: credit.window.consumed,
    }
  }

  // The handshake's side.

  /** The peer's limits: remembered ones for early data, later the real ones. Limits only ever grow. */
  applyPeerLimits(limits: StreamLimits): void {
    this.#table.peerLimits = limits
    this.#credit.data.raise(limits.maxData)
    for (const stream of this.#table.all()) {
      stream.send?.credit.raise(streamDataLimit(limits, !stream.isOurs, directionOf(stream.id)))
    }
    this.#raiseStreams(this.#credit.localBidi, streamCountLimit(limits, 'bidi'))
    this.#raiseStreams(this.#credit.localUni, streamCountLimit(limits, 'uni'))
    for (const stream of this.#table.all()) this.#turns.settle(stream)
  }

  /**
   * RFC 9001 §4.6.2: 0-RTT was rejected. What was sent is due again, from the first byte and with no credit used, as
   * soon as `applyPeerLimits` brings limits.
   */
  rejectEarly(): void {
    this.#table.peerLimits = noLimits
    this.#credit.restart()
    for (const stream of this.#table.all()) {
      stream.send?.rewind()
      stream.receive?.onStopLost()
      this.#turns.settle(stream)
    }
  }

  // The peer's side: frames. Those for streams that are closed are late, and ignored.

  onStream(frame: StreamFrame, isEarly: boolean, now: number): void {
    const stream = this.#table.forReceiving(frame.id, FrameType.Stream)
    const receive = stream?.receive
    if (stream === undefined || receive === undefined) return
    receive.onStream(frame, now)
    if (isEarly) receive.isEarly = true
    this.#tellCount(frame.id, receive)
    if (receive.isReadable && !receive.isAnnounced) {
      receive.isAnnounced = true
      this.#facts.push({ type: 'readable', id: frame.id })
    }
    this.#turns.settle(stream)
    this.#memory.check()
  }

  onResetStream(frame: ResetStreamFrame | ResetStreamAtFrame): void {
    const stream = this.#table.forReceiving(frame.id, frame.type)
    if (stream === undefined) return
    stream.receive?.onResetStream(frame)
    if (stream.receive !== undefined) this.#tellCount(frame.id, stream.receive)
    this.#onRead(stream)
  }

  /** RFC 9000 §3.5: answered by RESET_STREAM with the same code. */
  onStopSending(frame: StopSendingFrame): void {
    const stream = this.#table.forSending(frame.id, FrameType.StopSending)
    if (!stream?.send?.isOpen) return
    stream.send.reset(frame.errorCode)
    this.#facts.push({ type: 'streamStopped', id: frame.id, errorCode: frame.errorCode })
    this.#turns.settle(stream)
  }

  onMaxData(frame: MaxDataFrame): void {
    this.#credit.data.raise(frame.maximum)
  }

  onMaxStreamData(frame: MaxStreamDataFrame): void {
    const stream = this.#table.forSending(frame.id, FrameType.MaxStreamData)
    if (stream?.send?.credit.raise(frame.maximum)) this.#turns.settle(stream)
  }

  onMaxStreams(frame: MaxStreamsFrame): void {
    const isBidi = frame.type === FrameType.MaxStreamsBidi
    this.#raiseStreams(this.#credit.local(isBidi), frame.maximum)
  }

  /** RFC 9000 §4.1: limits follow consumption, never what a peer says of its wishes. */
  onDataBlocked(_frame: DataBlockedFrame): void {}

  onStreamDataBlocked(frame: StreamDataBlockedFrame): void {
    this.#table.forReceiving(frame.id, FrameType.StreamDataBlocked)
  }

  onStreamsBlocked(_frame: StreamsBlockedFrame): void {}

  // The packet's side.

  /** True when `write` would put something into an empty packet. */
  get hasDataToSend(): boolean {
    return this.#turns.isAnyDue
  }

  /** The peer has asked on a stream of its own, and nothing is due on any of these. */
  get isAnswerAwaited(): boolean {
    let isAwaited = false
    for (const stream of this.#table.all()) {
      if (stream.isOurs || stream.send === undefined) continue
      if (stream.due !== Due.Nothing) return false
      isAwaited = true
    }
    return isAwaited
  }

  /** A stream of ours is open on which the peer answers. */
  get isExpecting(): boolean {
    return this.#table.openLocalBidi > 0
  }

  /** By largest offsets. */
  get bytesReceived(): number {
    return this.#credit.window.received
  }

  /** Bytes were written and are not acknowledged. */
  get isHolding(): boolean {
    return this.#highWater.held > 0
  }

  /** RFC 9000 §4.1: whatever waits for credit says so again. Rare: looks at every stream. */
  repeatBlocked(): void {
    this.#credit.data.repeatBlocked()
    for (const stream of this.#table.all()) {
      if (stream.send === undefined) continue
      stream.send.credit.repeatBlocked()
      this.#turns.settle(stream)
    }
  }

  /** Into packets of 0-RTT and 1-RTT; no data of streams that are not more urgent than `before`, which is any if absent. */
  write(packet: PacketWriter, now: number, before: number = URGENCIES): void {
    this.#turns.write(packet, now, before)
  }

  /** What the path is like, from the first ACK on: smoothed round-trip time in ms, congestion window in bytes. */
  adapt(rtt: number, congestionWindow: number): void {
    this.#tuner.rtt = rtt
    this.#highWater.adapt(congestionWindow)
  }

  onAcked(frame: SentFrame): void {
    const stream = this.#table.get(frame.id)
    if (stream === undefined || !onStreamAcked(stream, frame, this.#highWater, this.#facts)) return
    this.#turns.settle(stream)
  }

  onLost(frame: SentFrame): void {
    switch (frame.kind) {
      case SentKind.MaxData:
      case SentKind.DataBlocked:
      case SentKind.MaxStreams:
      case SentKind.StreamsBlocked:
        this.#credit.onLost(frame)
        return
      default: {
        const stream = this.#table.get(frame.id)
        if (stream === undefined) return
        onStreamLost(stream, frame)
        this.#turns.settle(stream)
      }
    }
  }

  /** A reset is told when nothing is left to be read before it. */
  #onRead(stream: Stream): void {
    const errorCode = stream.receive?.takeReset() ?? -1
    if (errorCode >= 0) this.#facts.push({ type: 'streamReset', id: stream.id, errorCode })
    this.#turns.settle(stream)
  }

  #tellCount(id: number, receive: ReceiveStream): void {
    const { received: length } = receive.window
    if (receive.counted < 0 || (length === receive.counted && !receive.hasFinalSize)) return
    const isFinal = receive.hasFinalSize
    receive.counted = isFinal ? -1 : length
    this.#facts.push({ type: 'streamCounted', id, length, isFinal })
  }

  #raiseStreams(streams: LocalStreams, limit: number): void {
    const before = streams.credit.limit
    if (!streams.credit.raise(limit)) return
    for (let index = before; index < Math.min(limit, streams.opened); index++) {
      const stream = this.#table.get(streamId(streams.kind, index))
      if (stream !== undefined) this.#turns.settle(stream)
    }
    if (!streams.isWanted || streams.credit.available <= 0) return
    streams.isWanted = false
    this.#facts.push({ type: 'streamsAvailable', direction: streams.direction })
  }

  #find(id: number, errorCode: number): Stream | undefined {
    if (!Number.isSafeInteger(errorCode) || errorCode < 0) {
      throw new RangeError(`error code ${errorCode}`)
    }
    if (!this.#table.wasOpened(id)) throw new RangeError(`stream ${id} was never opened`)
    return this.#table.get(id)
  }
}

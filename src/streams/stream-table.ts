// Which streams there are, and which there may be (RFC 9000 §2.1, §3.2, §4.6).

import type { MemoryAccount } from '../bytes/memory-budget.ts'
import type { StreamDirection } from '../packet/frames/frame.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import type { ConnectionCredit } from './connection-credit.ts'
import { ReceiveStream } from './receive-stream.ts'
import { SendStream } from './send-stream.ts'
import { Stream } from './stream.ts'
import type { StreamFacts } from './stream-fact.ts'
import { directionOf, indexOf, initiatorOf, type Role, streamId } from './stream-id.ts'
import { noLimits, type RemoteStreams, type StreamLimits, streamDataLimit } from './stream-limits.ts'

/** The objects of an open stream, here and at its application, bytes. */
export const STREAM_COST: number = 4096

/**
 * Holds open streams only. A closed one is forgotten: that it was there is known from the number of streams opened,
 * since ids are used in order.
 */
export class StreamTable {
  /** What the peer allows on each stream; remembered from an earlier connection while that is all we have. */
  peerLimits: StreamLimits = noLimits
  closed = 0
  /** Of ours, bidirectional. */
  openLocalBidi = 0
  readonly #role: Role
  readonly #local: StreamLimits
  readonly #credit: ConnectionCredit
  readonly #facts: StreamFacts
  readonly #maxStreamWindow: number
  readonly #memory: MemoryAccount
  readonly #streams: Map<number, Stream> = new Map()

  constructor(
    role: Role,
    local: StreamLimits,
    credit: ConnectionCredit,
    facts: StreamFacts,
    maxStreamWindow: number,
    memory: MemoryAccount,
  ) {
    this.#role = role
    this.#local = local
    this.#credit = credit
    this.#facts = facts
    this.#maxStreamWindow = maxStreamWindow
    this.#memory = memory
  }

  get size(): number {
    return this.#streams.size
  }

  all(): Iterable<Stream> {
    return this.#streams.values()
  }

  /** An open stream; undefined when it is closed, or was never opened. */
  get(id: number): Stream | undefined {
    return this.#streams.get(id)
  }

  /** True for a stream that is or was open. */
  wasOpened(id: number): boolean {
    const direction = directionOf(id)
    if (initiatorOf(id) === this.#role) return indexOf(id) < this.#credit.local(direction === 'bidi').opened
    return indexOf(id) < this.#remote(direction).opened
  }

  open(direction: StreamDirection): Stream | undefined {
    const id = this.#credit.local(direction === 'bidi').open()
    return id === undefined ? undefined : this.#create(id)
  }

  /**
   * The stream for a frame that the sender of a stream sends: STREAM, RESET_STREAM, STREAM_DATA_BLOCKED. Undefined
   * when the stream is closed.
   */
  forReceiving(id: number, frameType: number): Stream | undefined {
    if (initiatorOf(id) === this.#role && directionOf(id) === 'uni') {
      throw new TransportError(ErrorCode.StreamStateError, `stream ${id} is send-only`, frameType)
    }
    return this.#streams.get(id) ?? this.#expect(id, frameType)
  }

  /** The stream for a frame that the receiver of a stream sends: MAX_STREAM_DATA, STOP_SENDING. */
  forSending(id: number, frameType: number): Stream | undefined {
    if (initiatorOf(id) !== this.#role && directionOf(id) === 'uni') {
      throw new TransportError(ErrorCode.StreamStateError, `stream ${id} is receive-only`, frameType)
    }
    return this.#streams.get(id) ?? this.#expect(id, frameType)
  }

  /** After rejected early data, a stream of ours may be beyond the new limit: nothing may be sent on it yet. */
  isAllowed(stream: Stream): boolean {
    return !stream.isOurs || indexOf(stream.id) < this.#credit.local(directionOf(stream.id) === 'bidi').credit.limit
  }

  forget(stream: Stream): void {
    this.#streams.delete(stream.id)
    this.#memory.add(-STREAM_COST)
    this.closed++
    if (stream.isOurs && stream.receive !== undefined) this.openLocalBidi--
    if (!stream.isOurs) this.#remote(directionOf(stream.id)).window.consume(1)
  }

  /** A stream that is not open: closed, new, or not allowed. */
  #expect(id: number, frameType: number): Stream | undefined {
    if (this.wasOpened(id)) return undefined
    if (initiatorOf(id) === this.#role) {
      throw new TransportError(ErrorCode.StreamStateError, `stream ${id} was never opened`, frameType)
    }
    const streams = this.#remote(directionOf(id))
    const index = indexOf(id)
    if (index >= streams.window.limit) {
      throw new TransportError(ErrorCode.StreamLimitError, `stream ${id} is beyond the limit`, frameType)
    }
    return this.#accept(streams, index)
  }

  /** RFC 9000 §3.2: before a stream is created, all of its kind with lower ids must be. */
  #accept(streams: RemoteStreams, index: number): Stream {
    for (;;) {
      const id = streamId(streams.kind, streams.opened)
      streams.window.receive(1)
      const stream = this.#create(id)
      this.#facts.push({ type: 'streamOpened', id })
      if (streams.opened > index) return stream
    }
  }

  #create(id: number): Stream {
    const direction = directionOf(id)
    const isOurs = initiatorOf(id) === this.#role
    const canSend = isOurs || direction === 'bidi'
    const canReceive = !isOurs || direction === 'bidi'
    const stream = new Stream(
      id,
      this.#role,
      canSend ? new SendStream(id, streamDataLimit(this.peerLimits, !isOurs, direction)) : undefined,
      canReceive ? this.#receiving(streamDataLimit(this.#local, isOurs, direction)) : undefined,
    )
    this.#streams.set(id, stream)
    if (isOurs && canReceive) this.openLocalBidi++
    this.#memory.add(STREAM_COST)
    return stream
  }

  #receiving(window: number): ReceiveStream {
    return new ReceiveStream(window, this.#maxStreamWindow, this.#credit.window)
  }

  #remote(direction: StreamDirection): RemoteStreams {
    return direction === 'bidi' ? this.#credit.remoteBidi : this.#credit.remoteUni
  }
}

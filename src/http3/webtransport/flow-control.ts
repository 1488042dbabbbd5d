// Flow control of one session (section 5): limits on data and streams above those of QUIC, in capsules.

import { Http3StreamError } from '../error-codes.ts'
import type { WebTransportLimits } from '../settings.ts'
import { CapsuleType, readMaximum, WebTransportCode, writeMaximum } from './wire.ts'

/** One thing that is counted, both ways: what the peer allows us, and what we allow the peer. */
class Lane {
  readonly max: number
  readonly blocked: number
  /** The largest maximum the peer can announce. */
  readonly #most: bigint
  /** How far the peer's limit is kept ahead of what is done with. */
  readonly #size: number
  #peerLimit: bigint
  #used = 0
  /** The limit of which the peer was told that it blocks us. */
  #reported = -1n
  #isWanted = false
  #limit: number
  #received = 0
  #consumed = 0

  constructor(max: number, blocked: number, own: number, peer: number, most: bigint) {
    this.max = max
    this.blocked = blocked
    this.#most = most
    this.#size = this.#limit = own
    this.#peerLimit = BigInt(peer)
  }

  get available(): number {
    return Number(this.#peerLimit) - this.#used
  }

  use(amount: number): void {
    this.#used += amount
  }

  /** There is more to send than is allowed. */
  want(): void {
    this.#isWanted = true
  }

  /** The peer allows more. Capsules come in order, so that a limit which does not grow is a fault (section 5.6.2). */
  raise(limit: bigint): void {
    if (limit <= this.#peerLimit) throw violation('a limit that does not grow')
    this.check(limit)
    this.#peerLimit = limit
    this.#isWanted = false
  }

  check(limit: bigint): void {
    if (limit > this.#most) throw violation('a limit on streams that cannot be')
  }

  receive(amount: number): void {
    this.#received += amount
    if (this.#received > this.#limit) throw violation('more than the limit of the session')
  }

  consume(amount: number): void {
    this.#consumed += amount
  }

  /** The capsule that is due, if any: a limit is raised by half a window or more, a blockade told once. */
  due(): Uint8Array | undefined {
    const limit = this.#consumed + this.#size
    if (limit - this.#limit >= Math.max(1, this.#size / 2)) {
      this.#limit = limit
      return writeMaximum(this.max, limit)
    }
    if (!this.#isWanted || this.#reported === this.#peerLimit) return undefined
    this.#reported = this.#peerLimit
    return writeMaximum(this.blocked, Number(this.#peerLimit))
  }
}

export class SessionFlow {
  readonly data: Lane
  readonly #bidi: Lane
  readonly #uni: Lane

  constructor(own: WebTransportLimits, peer: WebTransportLimits) {
    const { MaxData, MaxStreamsBidi, MaxStreamsUni, DataBlocked, StreamsBlockedBidi, StreamsBlockedUni } = CapsuleType
    const { bidirectionalStreams: bidi, unidirectionalStreams: uni } = own
    this.data = new Lane(MaxData, DataBlocked, own.data, peer.data, MAX_VARINT)
    this.#bidi = new Lane(MaxStreamsBidi, StreamsBlockedBidi, bidi, peer.bidirectionalStreams, MAX_STREAMS)
    this.#uni = new Lane(MaxStreamsUni, StreamsBlockedUni, uni, peer.unidirectionalStreams, MAX_STREAMS)
  }

  streams(isUnidirectional: boolean): Lane {
    return isUnidirectional ? this.#uni : this.#bidi
  }

  /** False: it is none of flow control. Throws WT_FLOW_CONTROL_ERROR, or H3_MESSAGE_ERROR for what is no integer. */
  onCapsule(type: number, value: Uint8Array): boolean {
    for (const lane of [this.data, this.#bidi, this.#uni]) {
      if (type === lane.max) lane.raise(readMaximum(value))
      else if (type === lane.blocked) lane.check(readMaximum(value))
      else continue
      return true
    }
    return false
  }

  /** The next capsule that is due; undefined when none is. */
  due(): Uint8Array | undefined {
    return this.data.due() ?? this.#bidi.due() ?? this.#uni.due()
  }
}

/** Whose session it is. */
export interface FlowOwner {
  /** Undefined: there is no flow control. */
  readonly flow: SessionFlow | undefined
  /** A capsule may be due. */
  onFlowDue(): void
  /** More may be sent. */
  onCredit(): void
}

/** What one stream has taken of the data of its session; the header that says whose it is does not count. */
export class StreamFlow {
  /** Bytes of the peer's header. */
  readonly #header: number
  #owner: FlowOwner | undefined = undefined
  #received: number
  #counted = 0
  #consumed = 0
  #sent = 0
  #isAbandoned = false

  constructor(header: number, received: number) {
    this.#header = header
    this.#received = received
  }

  get owner(): FlowOwner | undefined {
    return this.#owner
  }

  /** Its session is there. Throws WT_FLOW_CONTROL_ERROR. */
  attach(owner: FlowOwner): void {
    this.#owner = owner
    this.onReceived(this.#received)
  }

  /** So many bytes of the stream came by now, read or not. Throws WT_FLOW_CONTROL_ERROR. */
  onReceived(length: number): void {
    this.#received = length
    const more = length - this.#header - this.#counted
    if (this.#owner === undefined || more <= 0) return
    this.#counted += more
    this.#owner.flow?.data.receive(more)
    if (this.#isAbandoned) this.abandon()
  }

  onRead(amount: number): void {
    this.#consumed += amount
    this.#owner?.flow?.data.consume(amount)
    this.#owner?.onFlowDue()
  }

  /** Nothing more is read: what came, and what is still to come, is done with. */
  abandon(): void {
    this.#isAbandoned = true
    if (this.#counted > this.#consumed) this.onRead(this.#counted - this.#consumed)
  }

  /** How many of `wanted` bytes may be sent now; they count as sent. */
  take(wanted: number): number {
    const lane = this.#owner?.flow?.data
    const amount = Math.min(wanted, lane?.available ?? wanted)
    this.#sent += amount
    lane?.use(amount)
    if (amount < wanted) {
      lane?.want()
      this.#owner?.onFlowDue()
    }
    return amount
  }

  /** It was reset when `total` bytes had been sent: those that were only written do not count (RFC 9000 §4.5). */
  onReset(total: number): void {
    if (total >= this.#sent) return
    this.#owner?.flow?.data.use(total - this.#sent)
    this.#sent = total
    this.#owner?.onCredit()
  }
}

/** Whether both ends have said that they want it (section 5.1). */
export function isFlowControlled(own: WebTransportLimits, peer: WebTransportLimits): boolean {
  return hasAny(own) && hasAny(peer)
}

function hasAny({ data, bidirectionalStreams, unidirectionalStreams }: WebTransportLimits): boolean {
  return data > 0 || bidirectionalStreams > 0 || unidirectionalStreams > 0
}

function violation(reason: string): Http3StreamError {
  return new Http3StreamError(WebTransportCode.FlowControlError, reason)
}

const MAX_VARINT = 2n ** 62n - 1n
/** Section 5.6.2. */
const MAX_STREAMS = 2n ** 60n

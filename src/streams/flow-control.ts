// Credit for sending and windows for receiving (RFC 9000 §4): bytes of a stream, bytes of the connection, streams of
// one direction. One arithmetic for all three.

import { MAX_EXACT } from '../bytes/varint.ts'

/** How much the peer allows us. */
export class SendCredit {
  /** The largest limit the peer has announced. */
  limit = 0
  used = 0
  /** The limit for which a *_BLOCKED frame was sent and not lost; -1 for none. */
  #reported = -1

  constructor(limit = 0) {
    this.limit = limit
  }

  /** Zero or less: blocked. Less than zero only after early data was rejected, when limits may shrink. */
  get available(): number {
    return this.limit - this.used
  }

  use(amount: number): void {
    this.used += amount
  }

  /** RFC 9000 §4.1: frames that do not increase a limit are ignored. True when it was increased. */
  raise(limit: number): boolean {
    if (limit <= this.limit) return false
    this.limit = limit
    return true
  }

  /** Blocked, and the peer was not told of it: a *_BLOCKED frame is sent once per limit. */
  get isBlockedDue(): boolean {
    return this.used >= this.limit && this.#reported !== this.limit
  }

  onBlockedSent(): void {
    this.#reported = this.limit
  }

  /** RFC 9000 §13.3: sent again only while blocked on the same limit, which `isBlockedDue` sees to. */
  onBlockedLost(limit: number): void {
    if (limit === this.#reported) this.#reported = -1
  }

  /** RFC 9000 §4.1: it is to be said again. */
  repeatBlocked(): void {
    this.#reported = -1
  }

  /** RFC 9001 §4.6.2: after rejected early data nothing is known and nothing was used. */
  restart(used = 0): void {
    this.limit = 0
    this.used = used
    this.#reported = -1
  }
}

/**
 * How much we allow the peer: a window of `size` that slides as things are consumed. One of bytes grows with the pace of
 * its reader, up to `max` (RFC 9000 §4.2 leaves to us how).
 */
export class ReceiveWindow {
  /** The limit announced last. */
  limit: number
  /** How far the limit is kept ahead of what is consumed. */
  size: number
  readonly initial: number
  readonly max: number
  /** RFC 9000 §19.10: by largest offset, not by bytes that arrived. */
  received = 0
  consumed = 0
  readonly #step: number
  #isLost = false
  /** When `tune` was called last, ms, and what was consumed then. */
  #tunedAt: number = Number.NEGATIVE_INFINITY
  #tunedFrom = 0

  /** A new limit is due when it is at least `step` windows above the one announced. */
  constructor(size: number, max: number = size, step = 0.5) {
    this.limit = size
    this.size = size
    this.initial = size
    this.max = Math.max(size, max)
    this.#step = step
  }

  canReceive(amount: number): boolean {
    return this.received + amount <= this.limit
  }

  receive(amount: number): void {
    this.received += amount
  }

  consume(amount: number): void {
    this.consumed += amount
  }

  get isDue(): boolean {
    return this.#isLost || this.consumed + this.size - this.limit >= Math.max(1, this.size * this.#step)
  }

  /** The limit to send now. Never falls, also when the window was made smaller. */
  announce(): number {
    this.limit = Math.max(this.limit, Math.min(this.consumed + this.size, MAX_EXACT))
    this.#isLost = false
    return this.limit
  }

  /** RFC 9000 §13.3: an updated value is sent when the most recent one was lost. */
  onLost(limit: number): void {
    if (limit === this.limit) this.#isLost = true
  }

  /** The first bytes have come: the pace is measured from here. */
  begin(now: number): void {
    if (this.#tunedAt === Number.NEGATIVE_INFINITY) this.#tunedAt = now
  }

  /**
   * Before a limit is announced: the size that the pace of consumption since the last time asks for. A window should hold
   * four times what is consumed in a round trip of `rtt` ms, so that half of it, which has to be consumed before a sender
   * hears of more, takes two round trips: one for the news, and one in which a sender in slow start doubles its pace.
   */
  tune(rtt: number, now: number): number {
    const isShort = 4 * (this.consumed - this.#tunedFrom) * rtt > this.size * (now - this.#tunedAt)
    this.#tunedAt = now
    this.#tunedFrom = this.consumed
    return isShort ? Math.min(2 * this.size, this.max) : this.size
  }

  /** Takes effect with the next announcement. */
  resize(size: number): void {
    this.size = size
  }
}

// Bytes written and not yet acknowledged: the caller's own chunks, never copied before they go into a packet.

import { RangeSet } from '../bytes/range-set.ts'
import type { Writer } from '../bytes/writer.ts'

export class SendBuffer {
  /** Chunks in order; those before `#head` are acknowledged and dropped. */
  readonly #chunks: (Uint8Array | undefined)[] = []
  /** The offset of each chunk in the stream. */
  readonly #starts: number[] = []
  #head = 0
  /** The chunk copied from last: the next copy most often starts in it or in the one behind. */
  #hint = 0
  #end = 0
  #sent = 0
  #acked = 0
  /** Bytes from here on need not arrive. */
  #needed: number = Number.POSITIVE_INFINITY
  readonly #ackedAbove: RangeSet = new RangeSet()
  readonly #lost: RangeSet = new RangeSet()

  /** The offset behind the last byte written. */
  get end(): number {
    return this.#end
  }

  /** The offset behind the last byte that ever was in a packet. */
  get sent(): number {
    return this.#sent
  }

  /** All below this offset was acknowledged. */
  get acked(): number {
    return this.#acked
  }

  /** How much is held that has to arrive. */
  get length(): number {
    return Math.max(0, Math.min(this.#end, this.#needed) - this.#acked)
  }

  /** The memory of it: a chunk is let go of as a whole. */
  get held(): number {
    return this.#head === this.#chunks.length ? 0 : this.#end - (this.#starts[this.#head] as number)
  }

  get unsent(): number {
    return this.#end - this.#sent
  }

  get hasLost(): boolean {
    return !this.#lost.isEmpty
  }

  /** The first range that is due again; only when `hasLost`. */
  get lostStart(): number {
    return this.#lost.start(0)
  }

  get lostEnd(): number {
    return this.#lost.end(0)
  }

  /** Keeps `chunk`, which must not change from now on. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#starts.push(this.#end)
    this.#end += chunk.length
  }

  /** Writes `[offset, offset + length)`, which must be held, from as many chunks as it takes. */
  copyTo(writer: Writer, offset: number, length: number): void {
    let i = this.#indexOf(offset)
    let at = offset
    const end = offset + length
    while (at < end) {
      const chunk = this.#chunks[i] as Uint8Array
      const from = at - (this.#starts[i] as number)
      const count = Math.min(chunk.length - from, end - at)
      writer.put(count === chunk.length ? chunk : chunk.subarray(from, from + count))
      at += count
      this.#hint = i++
    }
  }

  onSent(offset: number, length: number): void {
    const end = offset + length
    if (!this.#lost.isEmpty) this.#lost.remove(offset, end)
    if (end > this.#sent) this.#sent = end
  }

  onAcked(offset: number, length: number): void {
    const end = Math.min(offset + length, this.#sent)
    if (end <= this.#acked) return
    if (!this.#lost.isEmpty) this.#lost.remove(offset, end)
    if (offset > this.#acked) {
      this.#ackedAbove.add(offset, end)
      return
    }
    this.#acked = end
    while (!this.#ackedAbove.isEmpty && this.#ackedAbove.start(0) <= this.#acked) {
      this.#acked = Math.max(this.#acked, this.#ackedAbove.end(0))
      this.#ackedAbove.shift()
    }
    this.#drop()
  }

  /** RFC 9000 §13.3: due again, but for what was acknowledged in the meantime. */
  onLost(offset: number, length: number): void {
    const start = Math.max(offset, this.#acked)
    const end = Math.min(offset + length, this.#sent, this.#needed)
    if (start >= end) return
    this.#lost.add(start, end)
    const acked = this.#ackedAbove
    for (let i = 0; i < acked.count && acked.start(i) < end; i++) {
      if (acked.end(i) > start) this.#lost.remove(acked.start(i), acked.end(i))
    }
  }

  /** Everything that was sent and not acknowledged is due again. */
  resend(): void {
    this.onLost(this.#acked, this.#sent - this.#acked)
  }

  /** As if nothing had ever been sent: all that is held is to be sent for the first time. */
  rewind(): void {
    if (this.#chunks.length === 0) this.#end = this.#acked = 0
    this.#end = Math.max(this.#acked, Math.min(this.#end, this.#needed))
    this.#sent = this.#acked
    this.#ackedAbove.clear()
    this.#lost.clear()
  }

  /** Bytes from `size` on need not arrive: they are not repeated, nor sent for the first time. */
  cutAt(size: number): void {
    this.#needed = size
    this.#end = Math.min(this.#end, Math.max(this.#sent, size))
    if (size < this.#sent) this.#lost.remove(size, this.#sent)
  }

  /** Gives up all that is held. */
  clear(): void {
    this.#end = this.#acked = this.#sent
    this.#ackedAbove.clear()
    this.#lost.clear()
    this.#chunks.length = this.#starts.length = this.#head = this.#hint = 0
  }

  #drop(): void {
    const chunks = this.#chunks
    while (this.#head < chunks.length) {
      const next = this.#head + 1 < chunks.length ? (this.#starts[this.#head + 1] as number) : this.#end
      if (next > this.#acked) break
      chunks[this.#head++] = undefined
    }
    // The array is shortened only when half of it is empty, so that each chunk is moved once on average.
    if (this.#head === chunks.length || this.#head >= COMPACT_FROM) this.#compact()
  }

  #compact(): void {
    if (this.#head * 2 < this.#chunks.length) return
    this.#chunks.splice(0, this.#head)
    this.#starts.splice(0, this.#head)
    this.#hint = Math.max(0, this.#hint - this.#head)
    this.#head = 0
  }

  /** The chunk that holds `offset`. */
  #indexOf(offset: number): number {
    if (this.#holds(this.#hint, offset)) return this.#hint
    if (this.#holds(this.#hint + 1, offset)) return this.#hint + 1
    let low = this.#head
    let high = this.#starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#starts[middle] as number) <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  #holds(i: number, offset: number): boolean {
    if (i < this.#head || i >= this.#starts.length || (this.#starts[i] as number) > offset) return false
    return i + 1 === this.#starts.length || (this.#starts[i + 1] as number) > offset
  }
}

const COMPACT_FROM = 64

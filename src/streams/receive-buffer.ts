// Reassembly (RFC 9000 §2.2): views of what arrived, in order of offset, without overlap.

import { RangeSet } from '../bytes/range-set.ts'
import { limits } from '../limits.ts'

/**
 * How many separate ranges may wait for what is missing between them. A peer that sends every other byte would
 * otherwise make us keep an object for each of its bytes.
 */
export const MAX_GAPS: number = limits.streamGaps

/** Chunks shorter than this are joined with their neighbours: an object and a buffer for each would weigh more. */
export const MIN_VIEW = 512

/** A view that keeps more than this many times its own length in memory is replaced by a copy. */
export const MAX_PINNED: number = limits.pinnedPerByte

/** Beside its bytes: two objects, the allocation, places in arrays. */
const CHUNK_COST = 256

export class ReceiveBuffer {
  /** What all chunks keep in memory, bytes: the whole of what they are views of, and the objects. */
  held = 0
  readonly #chunks: Uint8Array[] = []
  readonly #starts: number[] = []
  /** What each chunk keeps in memory: noted, because to ask a small array for its buffer makes it one. */
  readonly #costs: number[] = []
  /** Chunks before this one are read. */
  #head = 0
  #read = 0
  /** All that ever arrived, read or not: what is in here already is not kept twice. */
  readonly #arrived: RangeSet = new RangeSet()
  /** Where small chunks at the end are gathered; the last chunk is a view of its first `#slabUsed` bytes. */
  #slab: Uint8Array | undefined = undefined
  #slabUsed = 0
  #defragmentAt: number = MAX_GAPS

  /** The offset of the next byte to be read. */
  get readOffset(): number {
    return this.#read
  }

  /** All below this offset has arrived. */
  get contiguous(): number {
    return this.#arrived.min === 0 ? this.#arrived.end(0) : 0
  }

  get isReadable(): boolean {
    return this.contiguous > this.#read
  }

  get hasTooManyGaps(): boolean {
    return this.#arrived.count > MAX_GAPS
  }

  /** Keeps the part of `data` that is new. The memory must stay as it is: no copy is made of what is worth a view. */
  insert(offset: number, data: Uint8Array): void {
    const end = offset + data.length
    if (end === offset) return
    const arrived = this.#arrived
    if (offset > arrived.max) this.#append(offset, data)
    else this.#fill(offset, end, data)
    arrived.add(offset, end)
  }

  /** The next contiguous bytes, as they arrived; undefined when there are none. */
  read(): Uint8Array | undefined {
    if (this.#head === this.#chunks.length || this.#starts[this.#head] !== this.#read) return undefined
    const chunk = this.#chunks[this.#head] as Uint8Array
    this.held -= this.#costs[this.#head] as number
    this.#read += chunk.length
    this.#chunks[this.#head++] = EMPTY
    if (this.#head === this.#chunks.length) this.#forget()
    else if (this.#head >= COMPACT_FROM && this.#head * 2 >= this.#chunks.length) this.#compact()
    return chunk
  }

  /** Gives up all that is held; what arrives later is still kept, so the owner must not insert any more. */
  clear(): void {
    this.#forget()
    this.#arrived.clear()
  }

  /** By `pop`, and not by setting lengths: there is one chunk most often, and the arrays keep their memory. */
  #forget(): void {
    while (this.#chunks.length > 0) {
      this.#chunks.pop()
      this.#starts.pop()
      this.#costs.pop()
    }
    this.#head = 0
    this.held = 0
    this.#slab = undefined
  }

  #compact(): void {
    this.#chunks.splice(0, this.#head)
    this.#starts.splice(0, this.#head)
    this.#costs.splice(0, this.#head)
    this.#head = 0
  }

  /** The common case: behind everything else. */
  #append(offset: number, data: Uint8Array): void {
    if (isWorthView(data)) this.#push(offset, data, data.buffer.byteLength)
    else this.#gather(offset, data)
  }

  #push(offset: number, chunk: Uint8Array, pinned: number): void {
    this.#chunks.push(chunk)
    this.#starts.push(offset)
    this.#costs.push(pinned + CHUNK_COST)
    this.held += pinned + CHUNK_COST
  }

  /** Joins a small chunk with a small one directly before it, in a slab that leaves room for more of them. */
  #gather(offset: number, data: Uint8Array): void {
    const last = this.#chunks.length - 1
    const previous = last >= this.#head ? (this.#chunks[last] as Uint8Array) : EMPTY
    const isNext = previous.length > 0 && (this.#starts[last] as number) + previous.length === offset
    const used = previous.length + data.length
    if (isNext && this.#slab !== undefined && previous.buffer === this.#slab.buffer && used <= this.#slab.length) {
      this.#slab.set(data, this.#slabUsed)
    } else if (isNext && previous.length < MIN_VIEW) {
      this.#slab = new Uint8Array(Math.max(used, Math.min(MAX_PINNED * used, MAX_SLAB)))
      const cost = this.#slab.length + CHUNK_COST
      this.held += cost - (this.#costs[last] as number)
      this.#costs[last] = cost
      this.#slab.set(previous)
      this.#slab.set(data, previous.length)
    } else {
      this.#push(offset, new Uint8Array(data), data.length)
      return
    }
    this.#slabUsed = used
    this.#chunks[last] = this.#slab.subarray(0, used)
  }

  /** Inserts those pieces of `[offset, end)` that have not arrived. */
  #fill(offset: number, end: number, data: Uint8Array): void {
    const arrived = this.#arrived
    let at = offset
    for (let i = 0; i < arrived.count && at < end; i++) {
      const start = arrived.start(i)
      if (arrived.end(i) <= at) continue
      if (start >= end) break
      if (start > at) this.#insertAt(at, data.subarray(at - offset, start - offset))
      at = arrived.end(i)
    }
    if (at < end) this.#insertAt(at, data.subarray(at - offset))
  }

  #insertAt(offset: number, data: Uint8Array): void {
    let low = this.#head
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#starts[middle] as number) < offset) low = middle + 1
      else high = middle
    }
    if (low === this.#chunks.length) return this.#append(offset, data)
    const isView = isWorthView(data)
    const cost = (isView ? data.buffer.byteLength : data.length) + CHUNK_COST
    this.held += cost
    this.#costs.splice(low, 0, cost)
    this.#chunks.splice(low, 0, isView ? data : new Uint8Array(data))
    this.#starts.splice(low, 0, offset)
    if (this.#chunks.length - this.#head > this.#defragmentAt) this.#defragment()
  }

  /**
   * Joins small neighbours. Arrival in descending order makes one chunk per frame without a gap between them, so
   * the bound on gaps alone would not hold; doubling the distance to the next run keeps the cost constant per chunk.
   */
  #defragment(): void {
    this.#compact()
    this.#slab = undefined
    const chunks = this.#chunks
    const starts = this.#starts
    const costs = this.#costs
    let kept = 0
    this.held = 0
    for (let i = 0; i < chunks.length; kept++) {
      const behind = this.#endOfRun(i)
      starts[kept] = starts[i] as number
      const isAlone = behind === i + 1
      const chunk = isAlone ? (chunks[i] as Uint8Array) : join(chunks, i, behind)
      const cost = isAlone ? (costs[i] as number) : chunk.length + CHUNK_COST
      chunks[kept] = chunk
      costs[kept] = cost
      this.held += cost
      i = behind
    }
    chunks.length = starts.length = costs.length = kept
    this.#defragmentAt = Math.max(MAX_GAPS, 2 * kept)
  }

  /** The index behind the last small chunk that continues chunk `i`; `i + 1` when there is nothing to join. */
  #endOfRun(i: number): number {
    const chunks = this.#chunks
    const starts = this.#starts
    while (i + 1 < chunks.length) {
      const chunk = chunks[i] as Uint8Array
      const next = chunks[i + 1] as Uint8Array
      const touches = (starts[i] as number) + chunk.length === starts[i + 1]
      if (!touches || chunk.length >= MIN_VIEW || next.length >= MIN_VIEW) break
      i++
    }
    return i + 1
  }
}

function isWorthView(data: Uint8Array): boolean {
  return data.length >= MIN_VIEW && data.length * MAX_PINNED >= data.buffer.byteLength
}

function join(chunks: readonly Uint8Array[], from: number, to: number): Uint8Array {
  let length = 0
  for (let i = from; i < to; i++) length += (chunks[i] as Uint8Array).length
  const joined = new Uint8Array(length)
  let at = 0
  for (let i = from; i < to; i++) {
    joined.set(chunks[i] as Uint8Array, at)
    at += (chunks[i] as Uint8Array).length
  }
  return joined
}

const EMPTY = new Uint8Array(0)
const MAX_SLAB = 2048
const COMPACT_FROM = 64

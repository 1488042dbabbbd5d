// The dynamic table (RFC 9204 §3.2): fields in the order of their insertion; the oldest leave to make room.

import { Ring } from '../../bytes/ring.ts'
import { type Field, fieldSize } from '../field.ts'

export class TableEntry {
  /** RFC 9204 §3.2.4. */
  readonly absoluteIndex: number
  readonly field: Field
  readonly size: number
  /** Bytes that were inserted before it, ever. */
  readonly offset: number
  /** Encoder: field sections that refer to it and are not acknowledged. */
  references = 0

  constructor(absoluteIndex: number, field: Field, offset: number) {
    this.absoluteIndex = absoluteIndex
    this.field = field
    this.size = fieldSize(field[0], field[1])
    this.offset = offset
  }
}

export class DynamicTable {
  /** Bytes, 32 for each entry included. */
  capacity = 0
  /** How many entries were ever inserted. */
  insertCount = 0
  #size = 0
  /** Bytes ever inserted. */
  #end = 0
  readonly #entries = new Ring<TableEntry>()

  get size(): number {
    return this.#size
  }

  /** Undefined when it was evicted, or not inserted yet. */
  get(absoluteIndex: number): TableEntry | undefined {
    return this.#entries.get(absoluteIndex)
  }

  /** By age: 0 is the one that leaves next. */
  at(age: number): TableEntry | undefined {
    return this.#entries.at(age)
  }

  /** How many bytes more can be inserted before this entry leaves. */
  distance(entry: TableEntry): number {
    return entry.offset + this.capacity - this.#end
  }

  evict(): TableEntry | undefined {
    const entry = this.at(0)
    if (entry === undefined) return undefined
    this.#entries.delete(entry.absoluteIndex)
    this.#size -= entry.size
    return entry
  }

  /** Evicts what must leave for it. The caller has seen to it that it fits the capacity. */
  insert(field: Field): TableEntry {
    const entry = new TableEntry(this.insertCount, field, this.#end)
    this.#shrink(this.capacity - entry.size)
    this.#entries.push(entry.absoluteIndex, entry)
    this.insertCount++
    this.#size += entry.size
    this.#end += entry.size
    return entry
  }

  setCapacity(capacity: number): void {
    this.capacity = capacity
    this.#shrink(capacity)
  }

  #shrink(size: number): void {
    while (this.#size > size) this.evict()
  }
}

/** RFC 9204 §4.5.1.1: what the Required Insert Count wraps around at is twice this. */
export function maxEntries(maxTableCapacity: number): number {
  return Math.floor(maxTableCapacity / 32)
}

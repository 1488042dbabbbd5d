// The QPACK encoder (RFC 9204 §2.1): field sections out, and instructions for the peer's dynamic table beside them. No
// section makes more streams wait than the peer allows, and no entry leaves that a section on its way refers to.

import { Writer } from '../../bytes/writer.ts'
import { limits } from '../../limits.ts'
import { type Field, fieldSize } from '../field.ts'
import { DynamicTable, maxEntries, type TableEntry } from './dynamic-table.ts'
import { NameIndex, type NameRecord } from './name-index.ts'
import { writePrefixInteger } from './prefix-integer.ts'
import { SentSections } from './sent-sections.ts'
import { writeString } from './string-literal.ts'

/** Bytes left free before a section for its prefix, written last: two integers. */
const PREFIX_ROOM = 12
/** More than a prefixed integer of ours ever takes. */
const INTEGER_ROOM = 6
/** Buffers up to this size are kept. */
const MAX_SCRATCH = 16_384

export class QpackEncoder {
  /** RFC 9204 §2.1: what the decoder stream of the peer is about. */
  readonly sections: SentSections = new SentSections()
  readonly #table = new DynamicTable()
  readonly #names = new NameIndex()
  #maxEntries = 0
  /** The capacity to be announced with the first insertion. */
  #announced = 0
  #scratch: Uint8Array = empty
  #instructions = new Writer(empty)

  // Of the section being written:
  #base = 0
  #isStopped = false
  #mayBlock = false
  #required = 0
  #entries: TableEntry[] = []

  /** How many entries were ever inserted. */
  get insertCount(): number {
    return this.#table.insertCount
  }

  /** Bytes of the dynamic table in use. */
  get tableSize(): number {
    return this.#table.size
  }

  /** The peer lets us use the dynamic table. */
  get isEnabled(): boolean {
    return this.#table.capacity > 0
  }

  /** What the peer's SETTINGS allow (RFC 9204 §5). Until then, and with 0, the table is not used. */
  setLimits(maxTableCapacity: number, maxBlockedStreams: number): void {
    this.#maxEntries = maxEntries(maxTableCapacity)
    this.#table.setCapacity(Math.min(maxTableCapacity, limits.qpackEncoderCapacity))
    this.sections.maxBlockedStreams = Math.min(maxBlockedStreams, limits.qpackRiskedStreams)
  }

  /**
   * The encoded field section: a view that is good until the next call. Strings are one byte per char. What
   * `takeInstructions` then has must be sent no later. `mayInsert` false: nothing is inserted now.
   */
  encode(fields: readonly Field[], streamId = 0, mayInsert = false): Uint8Array {
    const { sections } = this
    this.#base = this.#table.insertCount
    this.#isStopped = this.#table.capacity === 0 || !sections.hasRoom
    this.#mayBlock = !this.#isStopped && sections.mayBlock(streamId)
    this.#required = 0
    const writer = new Writer(this.#room(fields), PREFIX_ROOM)
    for (const [name, value] of fields) this.#field(writer, name, value, mayInsert)
    if (this.#required > 0) {
      sections.onSent(streamId, this.#required, this.#entries)
      this.#entries = []
    }
    return this.#withPrefix(writer)
  }

  /** The section encoded last was not sent. */
  revoke(streamId: number): void {
    if (this.#required > 0) this.sections.onUnsent(streamId)
    this.#required = 0
  }

  /** Instructions for the encoder stream: bytes of their own, or undefined. */
  takeInstructions(): Uint8Array | undefined {
    if (this.#instructions.pos === 0) return undefined
    const bytes = this.#instructions.finish().slice()
    this.#instructions.pos = 0
    return bytes
  }

  #field(writer: Writer, name: string, value: string, mayInsert: boolean): void {
    const record = this.#names.of(name)
    const isSecret = record.isSecret(value)
    if (!isSecret) {
      const index = record.inStatic?.values.get(value)
      if (index !== undefined) return writePrefixInteger(writer, 0xc0, 6, index)
      const entry = this.#isStopped ? undefined : this.#entryFor(record, name, value, mayInsert)
      if (entry !== undefined) return this.#refer(writer, entry, 0x80, 6, 0x10, 4)
    }
    this.#literal(writer, record, name, isSecret)
    writeString(writer, 0x00, 7, value)
  }

  /** The entry of a field that a section may refer to, inserted or brought forward if need be. */
  #entryFor(record: NameRecord, name: string, value: string, mayInsert: boolean): TableEntry | undefined {
    const entry = record.values.get(value)
    if (entry === undefined) {
      if (!mayInsert || !this.#isWorthInserting(record, name, value)) return undefined
      const inserted = this.#insert(record, name, value)
      return inserted !== undefined && this.#mayBlock ? inserted : undefined
    }
    record.onHit()
    if (!this.#isUsable(entry)) return undefined
    // RFC 9204 §2.1.1.1: an entry that is about to leave is not held back, but goes to the front.
    const isDraining = this.#table.distance(entry) < this.#table.capacity >>> 2
    if (!isDraining || !mayInsert || !this.#mayBlock) return entry
    return this.#duplicate(record, entry) ?? entry
  }

  #isWorthInserting(record: NameRecord, name: string, value: string): boolean {
    // One that fills the table would drive out all others.
    if (fieldSize(name, value) > (this.#table.capacity * 3) >>> 2) return false
    return record.isWorthInserting(value)
  }

  #insert(record: NameRecord, name: string, value: string): TableEntry | undefined {
    if (!this.#makeRoom(fieldSize(name, value))) return undefined
    const writer = this.#instruct(name.length + value.length)
    // RFC 9204 §4.3.2-3.
    if (record.inStatic !== undefined) writePrefixInteger(writer, 0xc0, 6, record.inStatic.index)
    else if (record.latest !== undefined) writePrefixInteger(writer, 0x80, 6, this.#fromEnd(record.latest))
    else writeString(writer, 0x40, 5, name)
    writeString(writer, 0x00, 7, value)
    return this.#onInserted(record, this.#table.insert([name, value]))
  }

  /** RFC 9204 §4.3.4. */
  #duplicate(record: NameRecord, entry: TableEntry): TableEntry | undefined {
    const index = this.#fromEnd(entry)
    if (!this.#makeRoom(entry.size)) return undefined
    writePrefixInteger(this.#instruct(0), 0x00, 5, index)
    return this.#onInserted(record, this.#table.insert(entry.field))
  }

  #onInserted(record: NameRecord, entry: TableEntry): TableEntry {
    record.onInserted(entry)
    return entry
  }

  /**
   * RFC 9204 §2.1.1: an entry can leave when its insertion was acknowledged and so was every section that refers to it.
   * Those that leave are forgotten here at once, so that nothing refers to them from now on.
   */
  #makeRoom(size: number): boolean {
    const table = this.#table
    for (let index = 0, room = table.capacity - table.size; room < size; index++) {
      const entry = table.at(index)
      if (entry === undefined || entry.references > 0) return false
      if (entry.absoluteIndex >= this.sections.knownReceivedCount) return false
      room += entry.size
    }
    while (table.capacity - table.size < size) this.#names.onEvicted(table.evict() as TableEntry)
    return true
  }

  #isUsable(entry: TableEntry): boolean {
    return this.#mayBlock || entry.absoluteIndex < this.sections.knownReceivedCount
  }

  #literal(writer: Writer, record: NameRecord, name: string, isSecret: boolean): void {
    const { latest, inStatic } = record
    if (inStatic !== undefined) return writePrefixInteger(writer, isSecret ? 0x70 : 0x50, 4, inStatic.index)
    if (latest === undefined || this.#isStopped || !this.#isUsable(latest)) {
      return writeString(writer, isSecret ? 0x30 : 0x20, 3, name)
    }
    this.#refer(writer, latest, isSecret ? 0x60 : 0x40, 4, isSecret ? 0x08 : 0x00, 3)
  }

  /** By an index relative to the Base, or after it (RFC 9204 §3.2.5-6). */
  #refer(writer: Writer, entry: TableEntry, flags: number, bits: number, postFlags: number, postBits: number): void {
    const { absoluteIndex } = entry
    entry.references++
    this.#entries.push(entry)
    if (absoluteIndex >= this.#required) this.#required = absoluteIndex + 1
    if (absoluteIndex < this.#base) writePrefixInteger(writer, flags, bits, this.#base - 1 - absoluteIndex)
    else writePrefixInteger(writer, postFlags, postBits, absoluteIndex - this.#base)
  }

  #fromEnd(entry: TableEntry): number {
    return this.#table.insertCount - 1 - entry.absoluteIndex
  }

  /** RFC 9204 §4.5.1. */
  #withPrefix(writer: Writer): Uint8Array {
    const required = this.#required
    const prefix = new Writer(this.#scratch, 0, PREFIX_ROOM)
    if (required === 0) prefix.u16(0)
    else {
      writePrefixInteger(prefix, 0x00, 8, (required % (2 * this.#maxEntries)) + 1)
      const isNegative = this.#base < required
      const delta = isNegative ? required - this.#base - 1 : this.#base - required
      writePrefixInteger(prefix, isNegative ? 0x80 : 0x00, 7, delta)
    }
    const start = PREFIX_ROOM - prefix.pos
    this.#scratch.copyWithin(start, 0, prefix.pos)
    const section = this.#scratch.subarray(start, writer.pos)
    if (this.#scratch.length > MAX_SCRATCH) this.#scratch = empty
    return section
  }

  /** No string becomes longer than it is. */
  #room(fields: readonly Field[]): Uint8Array {
    let size = PREFIX_ROOM
    for (const [name, value] of fields) size += name.length + value.length + 2 * INTEGER_ROOM
    if (size > this.#scratch.length) this.#scratch = new Uint8Array(Math.max(512, 2 * size))
    return this.#scratch
  }

  /** Where instructions are written; the capacity is announced before the first. */
  #instruct(length: number): Writer {
    const isFirst = this.#announced !== this.#table.capacity
    const size = this.#instructions.pos + length + 3 * INTEGER_ROOM
    if (size > this.#instructions.end) {
      const grown = new Writer(new Uint8Array(Math.max(256, 2 * size)))
      grown.put(this.#instructions.finish())
      this.#instructions = grown
    }
    if (isFirst) {
      // RFC 9204 §4.3.1.
      writePrefixInteger(this.#instructions, 0x20, 5, this.#table.capacity)
      this.#announced = this.#table.capacity
    }
    return this.#instructions
  }
}

const empty = new Uint8Array(0)

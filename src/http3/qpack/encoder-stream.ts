// The peer's encoder stream (RFC 9204 §4.3): instructions that fill our dynamic table, in pieces of any size.

import { OutOfBytes, Reader } from '../../bytes/reader.ts'
import { Http3Error, Http3ErrorCode } from '../error-codes.ts'
import { FIELD_OVERHEAD, type Field, fieldSize } from '../field.ts'
import type { DynamicTable } from './dynamic-table.ts'
import { EndlessInteger, readPrefixInteger } from './prefix-integer.ts'
import { staticTable } from './static-table.ts'
import { StringReader } from './string-literal.ts'

export class EncoderStream {
  readonly #table: DynamicTable
  /** SETTINGS_QPACK_MAX_TABLE_CAPACITY. */
  readonly #maxCapacity: number
  readonly #strings = new StringReader()
  /** An instruction that has not ended; no longer than what fits the table. */
  #rest: Uint8Array = empty

  constructor(table: DynamicTable, maxCapacity: number) {
    this.#table = table
    this.#maxCapacity = maxCapacity
  }

  /** Follows what is complete, and returns how many instructions that were. Throws QPACK_ENCODER_STREAM_ERROR. */
  receive(bytes: Uint8Array): number {
    const reader = new Reader(this.#rest.length === 0 ? bytes : joined(this.#rest, bytes))
    let count = 0
    let start = 0
    try {
      for (; !reader.isDone; count++) {
        start = reader.pos
        this.#follow(reader)
      }
      this.#rest = empty
    } catch (error) {
      if (!(error instanceof OutOfBytes)) throw error
      if (error instanceof EndlessInteger) throw wrong('an integer without end')
      this.#rest = reader.bytes.slice(start)
    }
    return count
  }

  #follow(reader: Reader): void {
    const first = reader.peek()
    if (first >= 0x80) this.#insertNamed(reader, first)
    else if (first >= 0x40) this.#insertLiteral(reader)
    else if (first >= 0x20) this.#setCapacity(readPrefixInteger(reader, 5))
    else this.#insert(this.#relative(readPrefixInteger(reader, 5)))
  }

  /** RFC 9204 §4.3.2. */
  #insertNamed(reader: Reader, first: number): void {
    const index = readPrefixInteger(reader, 6)
    const [name] = (first & 0x40) !== 0 ? staticField(index) : this.#relative(index)
    this.#insert([name, this.#string(reader, 7)])
  }

  /** RFC 9204 §4.3.3. */
  #insertLiteral(reader: Reader): void {
    const name = this.#string(reader, 5)
    this.#insert([name, this.#string(reader, 7)])
  }

  /** RFC 9204 §4.3.1. */
  #setCapacity(capacity: number): void {
    if (capacity > this.#maxCapacity) throw wrong('capacity beyond the limit')
    this.#table.setCapacity(capacity)
  }

  /** RFC 9204 §3.2.2. */
  #insert(field: Field): void {
    if (fieldSize(field[0], field[1]) > this.#table.capacity) throw wrong('an entry larger than the table')
    this.#table.insert(field)
  }

  #relative(index: number): Field {
    const entry = this.#table.get(this.#table.insertCount - 1 - index)
    if (entry === undefined) throw wrong('reference to an entry that is not in the dynamic table')
    return entry.field
  }

  /** What cannot fit the table is refused before it is held. */
  #string(reader: Reader, bits: number): string {
    const text = this.#strings.read(reader, bits, Math.max(0, this.#table.capacity - FIELD_OVERHEAD))
    if (typeof text === 'number') throw wrong('a string that is wrong, or too long for the table')
    return text
  }
}

function staticField(index: number): Field {
  const field = staticTable[index]
  if (field === undefined) throw wrong(`static table has no index ${index}`)
  return field
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

function wrong(reason: string): Http3Error {
  return new Http3Error(Http3ErrorCode.QpackEncoderStreamError, reason)
}

const empty = new Uint8Array(0)

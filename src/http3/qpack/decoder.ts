// The QPACK decoder (RFC 9204 §2.2): field sections in, fields out, or "not yet" while insertions they refer to are on
// their way.

import { OutOfBytes, Reader } from '../../bytes/reader.ts'
import { Writer } from '../../bytes/writer.ts'
import { limits } from '../../limits.ts'
import { FieldSectionTooLarge, Http3Error, Http3ErrorCode, Http3StreamError } from '../error-codes.ts'
import { FIELD_OVERHEAD, type Field } from '../field.ts'
import { DynamicTable, maxEntries } from './dynamic-table.ts'
import { EndlessInteger, readPrefixInteger, writePrefixInteger } from './prefix-integer.ts'
import { staticTable } from './static-table.ts'
import { StringReader, TOO_LONG, WRONG_CODING } from './string-literal.ts'

export interface DecoderLimits {
  /** Bytes of names and values plus 32 per field (RFC 9114 §4.2.2). */
  readonly maxFieldSectionSize: number
  readonly maxFields: number
  /** SETTINGS_QPACK_MAX_TABLE_CAPACITY. Default 0. */
  readonly maxTableCapacity?: number
  /** SETTINGS_QPACK_BLOCKED_STREAMS. Default 0. */
  readonly maxBlockedStreams?: number
}

export class QpackDecoder {
  /** What the peer's encoder stream fills. */
  readonly table: DynamicTable = new DynamicTable()
  readonly maxTableCapacity: number
  readonly #limits: DecoderLimits
  readonly #strings = new StringReader()
  /** Streams whose next section waits: what it needs, and how many bytes of it are held. */
  readonly #blocked = new Map<number, { readonly required: number; readonly size: number }>()
  #blockedBytes = 0
  /** Insertions the peer knows of that we have (RFC 9204 §2.1.4). */
  #acknowledged = 0
  #instructions = new Writer(empty)

  // Of the section being read:
  #required = 0
  #base = 0
  /** What is left of the size limit: counted *while* decoding, not after. */
  #budget = 0

  constructor(decoderLimits: DecoderLimits) {
    this.#limits = decoderLimits
    this.maxTableCapacity = decoderLimits.maxTableCapacity ?? 0
  }

  /** Streams whose section waits for insertions. */
  get blockedCount(): number {
    return this.#blocked.size
  }

  /**
   * The fields, or undefined while insertions are missing: then call it again with the same section, once `takeReady`
   * names the stream. Throws Http3Error QPACK_DECOMPRESSION_FAILED for what cannot be read, Http3StreamError for integers
   * of more than 62 bits, FieldSectionTooLarge for what is too much: then, as whenever a stream is given up, call `cancel`.
   */
  decode(section: Uint8Array, streamId = 0): Field[] | undefined {
    const reader = new Reader(section)
    try {
      this.#readPrefix(reader)
      if (this.#required > this.table.insertCount) {
        this.#block(streamId, section.length)
        return undefined
      }
      this.#unblock(streamId)
      const fields = this.#fields(reader)
      if (this.#required > 0) this.#acknowledge(streamId)
      return fields
    } catch (error) {
      // RFC 9204 §7.4: what is too large for us is an error of its stream alone.
      if (error instanceof EndlessInteger) {
        throw new Http3StreamError(Http3ErrorCode.QpackDecompressionFailed, error.message)
      }
      if (error instanceof OutOfBytes) throw failed('truncated field section')
      throw error
    }
  }

  /** One of the streams whose section can be decoded now; undefined when there is none. */
  takeReady(): number | undefined {
    for (const [id, { required }] of this.#blocked) {
      if (required > this.table.insertCount) continue
      this.#unblock(id)
      return id
    }
    return undefined
  }

  /** RFC 9204 §2.2.2.2: no more of this stream is read, whatever sections may be on it. */
  cancel(streamId: number): void {
    this.#unblock(streamId)
    // RFC 9204 §4.4.2.
    if (this.maxTableCapacity > 0) writePrefixInteger(this.#instruct(), 0x40, 6, streamId)
  }

  get hasInstructions(): boolean {
    return this.#instructions.pos > 0 || this.table.insertCount > this.#acknowledged
  }

  /** Bytes of instructions not taken. */
  get pendingBytes(): number {
    return this.#instructions.pos
  }

  /** Instructions for the decoder stream: bytes of their own, or undefined. */
  takeInstructions(): Uint8Array | undefined {
    const inserted = this.table.insertCount - this.#acknowledged
    if (inserted > 0) {
      // RFC 9204 §4.4.3.
      writePrefixInteger(this.#instruct(), 0x00, 6, inserted)
      this.#acknowledged = this.table.insertCount
    }
    if (this.#instructions.pos === 0) return undefined
    const bytes = this.#instructions.finish().slice()
    this.#instructions.pos = 0
    return bytes
  }

  #fields(reader: Reader): Field[] {
    this.#budget = this.#limits.maxFieldSectionSize
    const fields: Field[] = []
    while (!reader.isDone) {
      if (fields.length === this.#limits.maxFields) throw tooLarge('too many fields')
      this.#spend(FIELD_OVERHEAD)
      fields.push(this.#field(reader))
    }
    return fields
  }

  /** RFC 9204 §4.5.2-6. */
  #field(reader: Reader): Field {
    const first = reader.peek()
    if (first >= 0xc0) return this.#known(staticField(readPrefixInteger(reader, 6)))
    if (first >= 0x80) return this.#known(this.#relative(readPrefixInteger(reader, 6)))
    if (first >= 0x50 && (first & 0x10) !== 0) return this.#named(staticField(readPrefixInteger(reader, 4)), reader)
    if (first >= 0x40) return this.#named(this.#relative(readPrefixInteger(reader, 4)), reader)
    if (first >= 0x20) return [this.#string(reader, 3), this.#string(reader, 7)]
    if (first >= 0x10) return this.#known(this.#postBase(readPrefixInteger(reader, 4)))
    return this.#named(this.#postBase(readPrefixInteger(reader, 3)), reader)
  }

  #known(field: Field): Field {
    this.#spend(field[0].length + field[1].length)
    return field
  }

  #named(field: Field, reader: Reader): Field {
    this.#spend(field[0].length)
    return [field[0], this.#string(reader, 7)]
  }

  #relative(index: number): Field {
    return this.#entry(this.#base - 1 - index)
  }

  #postBase(index: number): Field {
    return this.#entry(this.#base + index)
  }

  /** RFC 9204 §2.2.3. */
  #entry(absoluteIndex: number): Field {
    const entry = absoluteIndex < this.#required ? this.table.get(absoluteIndex) : undefined
    if (entry === undefined) throw failed('reference to an entry that is not in the dynamic table')
    return entry.field
  }

  #string(reader: Reader, bits: number): string {
    const text = this.#strings.read(reader, bits, this.#budget)
    if (text === WRONG_CODING) throw failed('wrong Huffman coding')
    if (text === TOO_LONG) throw tooLarge('field section too large')
    this.#spend(text.length)
    return text
  }

  #spend(size: number): void {
    this.#budget -= size
    if (this.#budget < 0) throw tooLarge('field section too large')
  }

  /** RFC 9204 §4.5.1. */
  #readPrefix(reader: Reader): void {
    const required = this.#requiredInsertCount(readPrefixInteger(reader, 8))
    const isNegative = (reader.peek() & 0x80) !== 0
    const delta = readPrefixInteger(reader, 7)
    const base = isNegative ? required - delta - 1 : required + delta
    if (base < 0) throw failed('negative Base')
    this.#required = required
    this.#base = base
  }

  /** RFC 9204 §4.5.1.1. */
  #requiredInsertCount(encoded: number): number {
    if (encoded === 0) return 0
    const most = maxEntries(this.maxTableCapacity)
    const fullRange = 2 * most
    if (encoded > fullRange) throw failed('Required Insert Count out of range')
    const maxValue = this.table.insertCount + most
    const required = Math.floor(maxValue / fullRange) * fullRange + encoded - 1
    if (required <= maxValue) {
      if (required === 0) throw failed('Required Insert Count of 0, encoded as another')
      return required
    }
    if (required <= fullRange) throw failed('Required Insert Count out of range')
    return required - fullRange
  }

  #block(id: number, size: number): void {
    if (this.#blocked.has(id)) return
    // RFC 9204 §2.1.2.
    if (this.#blocked.size >= (this.#limits.maxBlockedStreams ?? 0)) throw failed('more blocked streams than allowed')
    this.#blockedBytes += size
    if (this.#blockedBytes > limits.qpackBlockedBytes) {
      throw new Http3Error(Http3ErrorCode.ExcessiveLoad, 'too much waits for the encoder stream')
    }
    this.#blocked.set(id, { required: this.#required, size })
  }

  #unblock(id: number): void {
    const blocked = this.#blocked.get(id)
    if (blocked === undefined) return
    this.#blockedBytes -= blocked.size
    this.#blocked.delete(id)
  }

  /** RFC 9204 §4.4.1. */
  #acknowledge(streamId: number): void {
    writePrefixInteger(this.#instruct(), 0x80, 7, streamId)
    if (this.#required > this.#acknowledged) this.#acknowledged = this.#required
  }

  #instruct(): Writer {
    if (this.#instructions.remaining < MAX_INSTRUCTION) {
      const grown = Writer.allocate(Math.max(32, 2 * this.#instructions.pos))
      grown.put(this.#instructions.finish())
      this.#instructions = grown
    }
    return this.#instructions
  }
}

function staticField(index: number): Field {
  const field = staticTable[index]
  if (field === undefined) throw failed(`static table has no index ${index}`)
  return field
}

function failed(reason: string): Http3Error {
  return new Http3Error(Http3ErrorCode.QpackDecompressionFailed, reason)
}

function tooLarge(reason: string): FieldSectionTooLarge {
  return new FieldSectionTooLarge(Http3ErrorCode.ExcessiveLoad, reason)
}

/** More than a prefixed integer of ours ever takes; room for an increment is kept behind it. */
const MAX_INSTRUCTION = 20
const empty = new Uint8Array(0)

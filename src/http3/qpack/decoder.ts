// The QPACK decoder (RFC 9204 §4.5) with a dynamic table of capacity 0: what it needs is all in the field section.

import { OutOfBytes, Reader } from '../../bytes/reader.ts'
import { FieldSectionTooLarge, Http3Error, Http3ErrorCode } from '../error-codes.ts'
import { FIELD_OVERHEAD, type Field } from '../field.ts'
import { readHuffman } from './huffman.ts'
import { readPrefixInteger } from './prefix-integer.ts'
import { staticTable } from './static-table.ts'

export interface DecoderLimits {
  /** Bytes of names and values plus 32 per field (RFC 9114 §4.2.2). */
  readonly maxFieldSectionSize: number
  readonly maxFields: number
}

export class QpackDecoder {
  readonly #limits: DecoderLimits
  /** Where Huffman strings are unpacked; grows up to the size limit. */
  #scratch: Uint8Array = new Uint8Array(256)
  /** What is left of the size limit in the section being read: counted *while* decoding, not after. */
  #budget = 0

  constructor(limits: DecoderLimits) {
    this.#limits = limits
  }

  /**
   * Throws Http3Error QPACK_DECOMPRESSION_FAILED for what cannot be read, FieldSectionTooLarge for what is too much.
   * A section given up half way harms no other one: without a dynamic table there is no state.
   */
  decode(section: Uint8Array): Field[] {
    this.#budget = this.#limits.maxFieldSectionSize
    const reader = new Reader(section)
    const fields: Field[] = []
    try {
      readPrefix(reader)
      while (!reader.isDone) {
        if (fields.length === this.#limits.maxFields) throw tooLarge('too many fields')
        this.#spend(FIELD_OVERHEAD)
        fields.push(this.#field(reader))
      }
    } catch (error) {
      if (error instanceof OutOfBytes) throw failed('truncated field section')
      throw error
    }
    return fields
  }

  #field(reader: Reader): Field {
    const first = reader.peek()
    if ((first & 0x80) !== 0) {
      if ((first & 0x40) === 0) throw failed('reference to a dynamic table of capacity 0')
      const field = staticField(readPrefixInteger(reader, 6))
      this.#spend(field[0].length + field[1].length)
      return field
    }
    if ((first & 0x40) !== 0) {
      if ((first & 0x10) === 0) throw failed('name reference to a dynamic table of capacity 0')
      const name = staticField(readPrefixInteger(reader, 4))[0]
      this.#spend(name.length)
      return [name, this.#string(reader, 7)]
    }
    if ((first & 0x20) === 0) throw failed('post-Base reference to a dynamic table of capacity 0')
    const name = this.#string(reader, 3)
    return [name, this.#string(reader, 7)]
  }

  #string(reader: Reader, bits: number): string {
    const isHuffman = (reader.peek() & (1 << bits)) !== 0
    const length = readPrefixInteger(reader, bits)
    const bytes = reader.view(length)
    return isHuffman ? this.#unpack(bytes) : this.#text(bytes)
  }

  #unpack(bytes: Uint8Array): string {
    // The shortest code has 5 bits: no more than 8 bytes come out of 5.
    const most = Math.min(Math.ceil((bytes.length * 8) / 5), this.#budget)
    if (most > this.#scratch.length) this.#scratch = new Uint8Array(most)
    const length = readHuffman(bytes, this.#scratch.subarray(0, most))
    if (length === -1) throw failed('wrong Huffman coding')
    if (length === -2) throw tooLarge('field section too large')
    return this.#text(this.#scratch.subarray(0, length))
  }

  #text(bytes: Uint8Array): string {
    this.#spend(bytes.length)
    // One byte, one char. (A TextDecoder for latin1 would be windows-1252.)
    if (bytes.length <= MAX_ARGUMENTS) return String.fromCharCode.apply(null, bytes as unknown as number[])
    let text = ''
    for (let at = 0; at < bytes.length; at += MAX_ARGUMENTS) {
      text += String.fromCharCode.apply(null, bytes.subarray(at, at + MAX_ARGUMENTS) as unknown as number[])
    }
    return text
  }

  #spend(size: number): void {
    this.#budget -= size
    if (this.#budget < 0) throw tooLarge('field section too large')
  }
}

/** RFC 9204 §4.5.1: with a table of capacity 0 the only Required Insert Count is 0, and the Base cannot be below it. */
function readPrefix(reader: Reader): void {
  if (readPrefixInteger(reader, 8) !== 0) throw failed('Required Insert Count above 0')
  const isNegative = (reader.peek() & 0x80) !== 0
  readPrefixInteger(reader, 7)
  if (isNegative) throw failed('negative Base')
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

const MAX_ARGUMENTS = 4096

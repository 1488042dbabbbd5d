// The QPACK encoder (RFC 9204 §4.5): static table, literals and Huffman; the dynamic table is never used, so that no
// field section ever waits for another stream and nothing secret is shared between fields.

import { Writer } from '../../bytes/writer.ts'
import type { Field } from '../field.ts'
import { huffmanSize, writeHuffman } from './huffman.ts'
import { writePrefixInteger } from './prefix-integer.ts'
import { staticNames } from './static-table.ts'

export class QpackEncoder {
  #scratch: Uint8Array = new Uint8Array(512)

  /** The encoded field section: a view that is good until the next call. Strings are one byte per char. */
  encode(fields: readonly Field[]): Uint8Array {
    const writer = new Writer(this.#room(fields))
    // RFC 9204 §4.5.1: Required Insert Count 0, Base 0.
    writer.u16(0)
    for (const [name, value] of fields) writeField(writer, name, value)
    return writer.finish()
  }

  /** No string becomes longer than it is, and no integer before it takes more than 6 bytes. */
  #room(fields: readonly Field[]): Uint8Array {
    let size = 2
    for (const [name, value] of fields) size += name.length + value.length + 12
    if (size > this.#scratch.length) {
      if (size > MAX_SCRATCH) return new Uint8Array(size)
      this.#scratch = new Uint8Array(2 * size)
    }
    return this.#scratch
  }
}

function writeField(writer: Writer, name: string, value: string): void {
  const known = staticNames.get(name)
  const index = known?.values.get(value)
  const isSecret = neverIndexed.has(name)
  if (index !== undefined && !isSecret) {
    writePrefixInteger(writer, 0xc0, 6, index)
  } else if (known !== undefined) {
    writePrefixInteger(writer, isSecret ? 0x70 : 0x50, 4, known.index)
    writeString(writer, 0x00, 7, value)
  } else {
    writeString(writer, isSecret ? 0x30 : 0x20, 3, name)
    writeString(writer, 0x00, 7, value)
  }
}

/** A string literal with a length of `bits` bits; the Huffman flag is the bit above them (RFC 9204 §4.1.2). */
function writeString(writer: Writer, flags: number, bits: number, text: string): void {
  const coded = huffmanSize(text)
  if (coded < text.length) {
    writePrefixInteger(writer, flags | (1 << bits), bits, coded)
    writeHuffman(writer, text)
  } else {
    writePrefixInteger(writer, flags, bits, text.length)
    for (let i = 0; i < text.length; i++) writer.u8(text.charCodeAt(i))
  }
}

const MAX_SCRATCH = 16_384

/** RFC 9204 §7.1.3: sent as literals that no intermediary may put in a dynamic table. */
const neverIndexed: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie'])

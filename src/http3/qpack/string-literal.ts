// String literals (RFC 9204 §4.1.2): plain or Huffman-coded, one char for each byte.

import type { Reader } from '../../bytes/reader.ts'
import type { Writer } from '../../bytes/writer.ts'
import { huffmanSize, readHuffman, writeHuffman } from './huffman.ts'
import { readPrefixInteger, writePrefixInteger } from './prefix-integer.ts'

/** A string with a length of `bits` bits, Huffman where that is shorter; the flag of it is the bit above them. */
export function writeString(writer: Writer, flags: number, bits: number, text: string): void {
  const coded = huffmanSize(text)
  if (coded < text.length) {
    writePrefixInteger(writer, flags | (1 << bits), bits, coded)
    writeHuffman(writer, text, coded)
    return
  }
  writePrefixInteger(writer, flags, bits, text.length)
  const { bytes } = writer
  const at = writer.reserve(text.length)
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i)
}

/** What a string that is no string came to. */
export const TOO_LONG = -2
export const WRONG_CODING = -1

/** Where Huffman strings are unpacked. */
export class StringReader {
  #scratch: Uint8Array = new Uint8Array(256)

  /**
   * A string of at most `most` bytes when unpacked, or why it is none. Throws OutOfBytes when it does not end; one that
   * is too long is found out by its length already.
   */
  read(reader: Reader, bits: number, most: number): string | typeof TOO_LONG | typeof WRONG_CODING {
    const isHuffman = (reader.peek() & (1 << bits)) !== 0
    const length = readPrefixInteger(reader, bits)
    // The longest code has 30 bits: no fewer than 8 bytes come out of 30.
    if (length > (isHuffman ? 4 * most + 4 : most)) return TOO_LONG
    const from = reader.pos
    reader.skip(length)
    return isHuffman ? this.#unpack(reader.bytes, from, reader.pos, most) : latin1(reader.bytes, from, reader.pos)
  }

  #unpack(bytes: Uint8Array, from: number, to: number, most: number): string | typeof TOO_LONG | typeof WRONG_CODING {
    // The shortest code has 5 bits: no more than 8 bytes come out of 5.
    const room = Math.min(Math.ceil(((to - from) * 8) / 5), most)
    if (room > this.#scratch.length) this.#scratch = new Uint8Array(room)
    const out = room < this.#scratch.length && room === most ? this.#scratch.subarray(0, room) : this.#scratch
    const length = readHuffman(bytes, out, from, to)
    return length < 0 ? (length as typeof TOO_LONG) : latin1(out, 0, length)
  }
}

/** One byte, one char. (A TextDecoder for latin1 would be windows-1252.) */
function latin1(bytes: Uint8Array, from: number, to: number): string {
  let text = ''
  for (let at = from; at < to; at += MAX_ARGUMENTS) {
    const piece = bytes.subarray(at, Math.min(to, at + MAX_ARGUMENTS))
    text += String.fromCharCode.apply(null, piece as unknown as number[])
  }
  return text
}

const MAX_ARGUMENTS = 4096

// The Huffman code of string literals (RFC 7541 §5.2).

import type { Writer } from '../../bytes/writer.ts'
import { huffmanCodes, huffmanLengths } from './huffman-table.ts'

/** How many bytes `text` (one char, one byte) takes when coded. */
export function huffmanSize(text: string): number {
  let bits = 0
  for (let i = 0; i < text.length; i++) bits += huffmanLengths[text.charCodeAt(i)] as number
  return (bits + 7) >>> 3
}

/** `size`: what `huffmanSize` said of the text. */
export function writeHuffman(writer: Writer, text: string, size: number = huffmanSize(text)): void {
  const { bytes } = writer
  let at = writer.reserve(size)
  let held = 0 // bits not yet written, right-aligned; fewer than 8 between symbols
  let count = 0
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i)
    const code = huffmanCodes[symbol] as number
    let length = huffmanLengths[symbol] as number
    // 7 bits held and a code of 30 would not fit 32: the long ones go in two parts.
    if (length > 16) {
      length -= 16
      held = (held << length) | (code >>> 16)
      count += length
      for (; count >= 8; count -= 8) bytes[at++] = held >>> (count - 8)
      length = 16
    }
    held = (held << length) | (code & 0xffff)
    count += length
    for (; count >= 8; count -= 8) bytes[at++] = held >>> (count - 8)
  }
  // The rest of the last byte is the beginning of EOS: ones.
  if (count > 0) bytes[at] = (held << (8 - count)) | (0xff >>> count)
}

/**
 * Decodes `bytes` from `from` up to `to` into `out` and returns how many bytes came out; -1 when the coding is wrong, -2
 * when `out` is full. RFC 7541 §5.2: padding is at most 7 bits, all ones; EOS must not occur.
 */
export function readHuffman(bytes: Uint8Array, out: Uint8Array, from = 0, to: number = bytes.length): number {
  const room = out.length
  let at = from
  let held = 0 // the bits after those decoded, right-aligned, `count` of them
  let count = 0
  let written = 0
  for (;;) {
    while (count <= 16 && at < to) {
      held = (held << 8) | (bytes[at++] as number)
      count += 8
    }
    // Behind the end there are ones: they complete no symbol of those that are looked up.
    const next = count >= LOOKUP ? held >>> (count - LOOKUP) : (held << (LOOKUP - count)) | (LOOKUP_MASK >>> count)
    const found = shortCodes[next & LOOKUP_MASK] as number
    const length = found >>> 8
    if (length !== 0 && length <= count) {
      if (written === room) return -2
      out[written++] = found
      count -= length
      continue
    }
    const position = at * 8 - count
    const long = length !== 0 ? 0 : readLongCode(bytes, position, to * 8)
    if (long === 0) return isPadding(bytes, position, to * 8) ? written : -1
    if ((long & 0x1ff) === EOS) return -1
    if (written === room) return -2
    out[written++] = long
    const after = position + (long >>> 9)
    at = (after + 7) >>> 3
    count = at * 8 - after
    held = count === 0 ? 0 : (bytes[at - 1] as number)
  }
}

/** One symbol bit by bit, as `length << 9 | symbol`; 0 when the bytes end before the code does. */
function readLongCode(bytes: Uint8Array, start: number, end: number): number {
  let code = 0
  for (let pos = start, length = 1; pos < end && length <= MAX_LENGTH; pos++, length++) {
    code = (code << 1) | (((bytes[pos >>> 3] as number) >>> (7 - (pos & 7))) & 1)
    const index = code - (firstCode[length] as number)
    if (index >= 0 && index < (countOf[length] as number)) {
      return (length << 9) | (symbolsByCode[(firstIndex[length] as number) + index] as number)
    }
  }
  return 0
}

function isPadding(bytes: Uint8Array, pos: number, end: number): boolean {
  if (end - pos > 7) return false
  const mask = 0xff >>> (pos & 7)
  return pos === end || ((bytes[pos >>> 3] as number) & mask) === mask
}

const EOS = 256
const MAX_LENGTH = 30
/** Codes up to this many bits are found by one look-up: all of printable ASCII but a few that are rare. */
const LOOKUP = 10
const LOOKUP_MASK = (1 << LOOKUP) - 1

// The code is canonical: the codes of one length are consecutive, in the order of their symbols. So per length its
// first code, how many there are, and where their symbols stand in the list sorted by (length, symbol).
const firstCode = new Int32Array(MAX_LENGTH + 1)
const countOf = new Int32Array(MAX_LENGTH + 1)
const firstIndex = new Int32Array(MAX_LENGTH + 1)
const symbolsByCode = new Uint16Array(EOS + 1)
/** For the next LOOKUP bits: `length << 8 | symbol` when a code of at most so many starts there, else 0. */
const shortCodes = new Uint16Array(1 << LOOKUP)

function buildTables(): void {
  for (const length of huffmanLengths) countOf[length] = (countOf[length] as number) + 1
  let code = 0
  let index = 0
  const next = new Int32Array(MAX_LENGTH + 1)
  for (let length = 1; length <= MAX_LENGTH; length++) {
    code <<= 1
    firstCode[length] = code
    firstIndex[length] = index
    next[length] = index
    code += countOf[length] as number
    index += countOf[length] as number
  }
  for (let symbol = 0; symbol <= EOS; symbol++) {
    const length = huffmanLengths[symbol] as number
    const at = next[length] as number
    symbolsByCode[at] = symbol
    next[length] = at + 1
    if (length > LOOKUP) continue
    const first = (huffmanCodes[symbol] as number) << (LOOKUP - length)
    shortCodes.fill((length << 8) | symbol, first, first + (1 << (LOOKUP - length)))
  }
}

buildTables()

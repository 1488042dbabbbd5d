// The Huffman code of string literals (RFC 7541 §5.2).

import type { Writer } from '../../bytes/writer.ts'
import { huffmanCodes, huffmanLengths } from './huffman-table.ts'

/** How many bytes `text` (one char, one byte) takes when coded. */
export function huffmanSize(text: string): number {
  let bits = 0
  for (let i = 0; i < text.length; i++) bits += huffmanLengths[text.charCodeAt(i)] as number
  return (bits + 7) >>> 3
}

export function writeHuffman(writer: Writer, text: string): void {
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
      for (; count >= 8; count -= 8) writer.u8((held >>> (count - 8)) & 0xff)
      length = 16
    }
    held = (held << length) | (code & 0xffff)
    count += length
    for (; count >= 8; count -= 8) writer.u8((held >>> (count - 8)) & 0xff)
  }
  // The rest of the last byte is the beginning of EOS: ones.
  if (count > 0) writer.u8(((held << (8 - count)) | (0xff >>> count)) & 0xff)
}

/**
 * Decodes `bytes` into `out` and returns how many bytes came out; -1 when the coding is wrong, -2 when `out` is full.
 * RFC 7541 §5.2: padding is at most 7 bits, all ones; EOS must not occur.
 */
export function readHuffman(bytes: Uint8Array, out: Uint8Array): number {
  const end = bytes.length * 8
  let pos = 0
  let written = 0
  while (pos < end) {
    const at = pos >>> 3
    const two = ((bytes[at] as number) << 8) | (at + 1 < bytes.length ? (bytes[at + 1] as number) : 0xff)
    const short = shortCodes[(two >>> (8 - (pos & 7))) & 0xff] as number
    let symbol = short & 0xff
    let length = short >>> 8
    if (length === 0) {
      const long = readLongCode(bytes, pos, end)
      symbol = long & 0x1ff
      length = long >>> 9
    }
    if (length === 0 || length > end - pos) return isPadding(bytes, pos, end) ? written : -1
    if (symbol === EOS) return -1
    if (written === out.length) return -2
    out[written++] = symbol
    pos += length
  }
  return written
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
  return ((bytes[pos >>> 3] as number) & mask) === mask
}

const EOS = 256
const MAX_LENGTH = 30

// The code is canonical: the codes of one length are consecutive, in the order of their symbols. So per length its
// first code, how many there are, and where their symbols stand in the list sorted by (length, symbol).
const firstCode = new Int32Array(MAX_LENGTH + 1)
const countOf = new Int32Array(MAX_LENGTH + 1)
const firstIndex = new Int32Array(MAX_LENGTH + 1)
const symbolsByCode = new Uint16Array(EOS + 1)
/** For the next 8 bits: `length << 8 | symbol` when a code of at most 8 bits starts there, else 0. */
const shortCodes = new Uint16Array(256)

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
    if (length > 8) continue
    const first = (huffmanCodes[symbol] as number) << (8 - length)
    shortCodes.fill((length << 8) | symbol, first, first + (1 << (8 - length)))
  }
}

buildTables()

import { describe, expect, test } from 'vitest'
import { Writer } from '../../../src/bytes/writer.ts'
import { huffmanSize, readHuffman, writeHuffman } from '../../../src/http3/qpack/huffman.ts'
import { huffmanCodes, huffmanLengths } from '../../../src/http3/qpack/huffman-table.ts'

function encode(text: string): string {
  const writer = Writer.allocate(4 * text.length + 8)
  writeHuffman(writer, text)
  expect(writer.pos).toBe(huffmanSize(text))
  return Buffer.from(writer.finish()).toString('hex')
}

function decode(hex: string, room = 1000): string | number {
  const out = new Uint8Array(room)
  const length = readHuffman(Buffer.from(hex.replaceAll(' ', ''), 'hex'), out)
  return length < 0 ? length : Buffer.from(out.subarray(0, length)).toString('latin1')
}

/** RFC 7541 appendix C.4 and C.6. */
const vectors: [string, string][] = [
  ['www.example.com', 'f1e3 c2e5 f23a 6ba0 ab90 f4ff'],
  ['no-cache', 'a8eb 1064 9cbf'],
  ['custom-key', '25a8 49e9 5ba9 7d7f'],
  ['custom-value', '25a8 49e9 5bb8 e8b4 bf'],
  ['302', '6402'],
  ['private', 'aec3 771a 4b'],
  ['Mon, 21 Oct 2013 20:13:21 GMT', 'd07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff'],
  ['https://www.example.com', '9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3'],
  ['307', '640e ff'],
  ['Mon, 21 Oct 2013 20:13:22 GMT', 'd07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff'],
  ['gzip', '9bd9 ab'],
  [
    'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
    '94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
  ],
]

describe('RFC 7541 appendix C', () => {
  test.each(vectors)('%s', (text, hex) => {
    expect(encode(text)).toBe(hex.replaceAll(' ', ''))
    expect(decode(hex)).toBe(text)
  })
})

describe('RFC 7541 appendix B', () => {
  test('the code is complete and prefix-free', () => {
    let kraft = 0
    for (const length of huffmanLengths) kraft += 2 ** -length
    expect(kraft).toBe(1)
    expect(huffmanLengths.length).toBe(257)
    const texts = Array.from(huffmanCodes, (code, i) => code.toString(2).padStart(huffmanLengths[i] as number, '0'))
    texts.sort()
    for (let i = 1; i < texts.length; i++) expect((texts[i] as string).startsWith(texts[i - 1] as string)).toBe(false)
  })

  test('some rows as printed there', () => {
    const rows: [number, number, number][] = [
      [0, 0x1ff8, 13],
      [10, 0x3ffffffc, 30],
      [48, 0x0, 5],
      [92, 0x7fff0, 19],
      [127, 0xffffffc, 28],
      [128, 0xfffe6, 20],
      [199, 0x1ffffec, 25],
      [249, 0xffffffe, 28],
      [255, 0x3ffffee, 26],
      [256, 0x3fffffff, 30],
    ]
    for (const [symbol, code, length] of rows) {
      expect([symbol, huffmanCodes[symbol], huffmanLengths[symbol]]).toEqual([symbol, code, length])
    }
  })
})

test('every byte, alone and among others, comes back', () => {
  let all = ''
  for (let i = 0; i < 256; i++) {
    const char = String.fromCharCode(i)
    all += char
    expect(decode(encode(char))).toBe(char)
    expect(decode(encode(`a${char}b${char}`))).toBe(`a${char}b${char}`)
  }
  expect(decode(encode(all))).toBe(all)
  expect(decode(encode([...all].reverse().join('')))).toBe([...all].reverse().join(''))
})

describe('RFC 7541 §5.2', () => {
  test('padding of more than 7 bits is refused', () => {
    expect(decode('1f')).toBe('a') // 00011 then 111
    expect(decode('1fff')).toBe(-1)
    expect(decode('ff')).toBe(-1)
  })
  test('padding that is not ones is refused', () => {
    expect(decode('18')).toBe(-1) // 00011 then 000
    expect(decode('1e')).toBe(-1)
  })
  test('EOS in the string is refused', () => {
    expect(decode('ffff ffff')).toBe(-1)
    expect(decode('1fff ffff ffff')).toBe(-1)
  })
  test('a code cut short is refused', () => {
    expect(decode('ffff f8')).toBe(-1)
  })
  test('nothing is nothing', () => {
    expect(decode('')).toBe('')
    expect(encode('')).toBe('')
  })
})

test('stops when the room is used up', () => {
  expect(decode(encode('aaaaaaaa'), 7)).toBe(-2)
  expect(decode(encode('aaaaaaaa'), 8)).toBe('aaaaaaaa')
})

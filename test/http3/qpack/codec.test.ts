import { describe, expect, test } from 'vitest'
import { OutOfBytes, Reader } from '../../../src/bytes/reader.ts'
import { Writer } from '../../../src/bytes/writer.ts'
import { FieldSectionTooLarge, Http3Error, Http3ErrorCode } from '../../../src/http3/error-codes.ts'
import type { Field } from '../../../src/http3/field.ts'
import { QpackDecoder } from '../../../src/http3/qpack/decoder.ts'
import { DecoderStream } from '../../../src/http3/qpack/decoder-stream.ts'
import { DynamicTable } from '../../../src/http3/qpack/dynamic-table.ts'
import { QpackEncoder } from '../../../src/http3/qpack/encoder.ts'
import { EncoderStream } from '../../../src/http3/qpack/encoder-stream.ts'
import { readPrefixInteger, writePrefixInteger } from '../../../src/http3/qpack/prefix-integer.ts'
import { staticNames, staticTable } from '../../../src/http3/qpack/static-table.ts'
import { bytes, concat, hex } from '../helpers.ts'

const limits = { maxFieldSectionSize: 65_536, maxFields: 256 }

function decode(section: string | Uint8Array, limit = limits): Field[] {
  return new QpackDecoder(limit).decode(typeof section === 'string' ? bytes(section) : section) as Field[]
}

function encode(...fields: Field[]): string {
  return hex(new QpackEncoder().encode(fields))
}

function codeOf(action: () => unknown): number {
  try {
    action()
  } catch (error) {
    if (error instanceof Http3Error) return error.code
    throw error
  }
  return -1
}

describe('RFC 7541 appendix C.1: prefixed integers', () => {
  test.each([
    [10, 5, '0a'],
    [1337, 5, '1f9a0a'],
    [42, 8, '2a'],
    [30, 5, '1e'],
    [31, 5, '1f00'],
    [158, 5, '1f7f'],
    [159, 5, '1f8001'],
    [2 ** 53 - 1, 7, '7f80ffffffffffff0f'],
  ])('%d with %d bits', (value, bits, text) => {
    const writer = Writer.allocate(12)
    writePrefixInteger(writer, 0, bits, value)
    expect(hex(writer.finish())).toBe(text)
    const reader = new Reader(bytes(text))
    expect(readPrefixInteger(reader, bits)).toBe(value)
    expect(reader.isDone).toBe(true)
  })

  test('RFC 9204 §4.1.1: 62 bits are read, more are refused', () => {
    expect(readPrefixInteger(new Reader(bytes('ff 80ff ffff ffff ffff 3f')), 8)).toBeGreaterThan(2 ** 60)
    expect(() => readPrefixInteger(new Reader(bytes('ff 8080 8080 8080 8080 8001')), 8)).toThrow(OutOfBytes)
    expect(() => readPrefixInteger(new Reader(bytes('ff80')), 8)).toThrow(OutOfBytes)
  })
})

describe('RFC 9204 appendix A: static table', () => {
  test('99 entries', () => {
    expect(staticTable.length).toBe(99)
    expect(staticTable[0]).toEqual([':authority', ''])
    expect(staticTable[29]).toEqual(['accept', '*/*'])
    expect(staticTable[86]).toEqual(['early-data', '1'])
    expect(staticTable[98]).toEqual(['x-frame-options', 'sameorigin'])
  })
  test('by name', () => {
    expect(staticNames.get(':status')?.index).toBe(24)
    expect(staticNames.get(':status')?.values.get('425')).toBe(70)
    expect(staticNames.get('x-other')).toBeUndefined()
  })
  test('every entry comes back by its index', () => {
    for (const [index, field] of staticTable.entries()) {
      const writer = Writer.allocate(8)
      writer.u16(0)
      writePrefixInteger(writer, 0xc0, 6, index)
      expect(decode(writer.finish())).toEqual([field])
    }
  })
})

describe('RFC 9204 §4.5: field lines', () => {
  test('appendix B.1: literal with name reference', () => {
    expect(decode('0000 510b 2f69 6e64 6578 2e68 746d 6c')).toEqual([[':path', '/index.html']])
  })
  test('indexed', () => {
    expect(encode([':method', 'GET'], [':path', '/'], [':status', '200'], ['x-frame-options', 'deny'])).toBe(
      '0000d1c1d9ff22',
    )
    expect(decode('0000 d1c1 d9ff 22')).toEqual([
      [':method', 'GET'],
      [':path', '/'],
      [':status', '200'],
      ['x-frame-options', 'deny'],
    ])
  })
  test('literal with name reference and Huffman', () => {
    expect(encode([':authority', 'www.example.com'])).toBe('0000508cf1e3c2e5f23a6ba0ab90f4ff')
  })
  test('literal name, Huffman only where shorter', () => {
    expect(encode(['x', '\xff\xfe'])).toBe('0000217802fffe')
    expect(encode(['custom-key', 'custom-value'])).toBe('00002f0125a849e95ba97d7f8925a849e95bb8e8b4bf')
  })
  test('RFC 9204 §7.1.3: credentials are marked never to be indexed', () => {
    expect(encode(['authorization', ''])).toBe('00007f4500')
    expect(encode(['cookie', 'a'])).toBe('0000750161')
    expect(encode(['proxy-authorization', ''])).toMatch(/^00003f/)
    expect(decode('0000 7f45 00')).toEqual([['authorization', '']])
  })
  test('plain strings', () => {
    expect(decode('0000 2378 2d61 0162')).toEqual([['x-a', 'b']])
  })
  test('anything comes back, long values in a grown buffer too', () => {
    const encoder = new QpackEncoder()
    const fields: Field[] = [
      [':path', `/${'a'.repeat(3000)}`],
      ['x-long', '\x80'.repeat(20_000)],
      ['x-empty', ''],
      ['set-cookie', 'a=b'],
    ]
    expect(decode(encoder.encode(fields))).toEqual(fields)
    expect(decode(encoder.encode([['x-empty', '']]))).toEqual([['x-empty', '']])
  })
})

describe('RFC 9204 §6: QPACK_DECOMPRESSION_FAILED', () => {
  test.each([
    ['Required Insert Count above 0 (§4.5.1.1)', '0200 c1'],
    ['negative Base (§4.5.1.2)', '0080 c1'],
    ['indexed, dynamic (§4.5.2)', '0000 80'],
    ['indexed, post-Base (§4.5.3)', '0000 10'],
    ['name reference, dynamic (§4.5.4)', '0000 4001 61'],
    ['name reference, post-Base (§4.5.5)', '0000 0001 61'],
    ['static index 99 (§3.1)', '0000 ff24'],
    ['static name index 99', '0000 5f54 00'],
    ['nothing at all', ''],
    ['no Base', '00'],
    ['integer without end', '0000 ff'],
    ['value missing', '0000 51'],
    ['value cut short', '0000 5103 6161'],
    ['name cut short', '0000 2778'],
    ['wrong Huffman padding', '0000 5181 18'],
    ['EOS', '0000 5184 ffff ffff'],
  ])('%s', (_, section) => {
    expect(codeOf(() => decode(section))).toBe(Http3ErrorCode.QpackDecompressionFailed)
  })
})

describe('RFC 9114 §4.2.2: size limits hold while decoding', () => {
  const small = { maxFieldSectionSize: 100, maxFields: 3 }
  test('fields are counted with 32 bytes each', () => {
    // 38 each: two fit 100, three do not.
    expect(decode('0000 c1c1', small).length).toBe(2)
    expect(() => decode('0000 c1c1 c1', small)).toThrow(FieldSectionTooLarge)
  })
  test('number of fields', () => {
    const many = { maxFieldSectionSize: 10_000, maxFields: 3 }
    expect(decode('0000 c1c1 c1', many).length).toBe(3)
    expect(() => decode('0000 c1c1 c1c1', many)).toThrow(FieldSectionTooLarge)
  })
  test('a Huffman string that unpacks to too much', () => {
    // 50 bytes of "0" (5 bits each) are 80 characters.
    const section = concat(bytes('0000 51b2'), new Uint8Array(50))
    expect(() => decode(section, small)).toThrow(FieldSectionTooLarge)
    expect(decode(section)).toEqual([[':path', '0'.repeat(80)]])
  })
  test('a plain string that is too long', () => {
    const section = concat(bytes('0000 517f 01'), new Uint8Array(128).fill(0x61))
    expect(() => decode(section, small)).toThrow(FieldSectionTooLarge)
  })
  test('a decoder goes on after a section it gave up', () => {
    const decoder = new QpackDecoder(small)
    expect(() => decoder.decode(bytes('0000 c1c1 c1'))).toThrow(FieldSectionTooLarge)
    expect(decoder.decode(bytes('0000 c1'))).toEqual([[':path', '/']])
  })
})

describe('RFC 9204 §4.3: encoder stream with a capacity of 0', () => {
  test('Set Dynamic Table Capacity to 0 may be said', () => {
    expect(new EncoderStream(new DynamicTable(), 0).receive(bytes('20 2020'))).toBe(3)
  })
  test.each([
    ['a larger capacity', '21'],
    ['a much larger capacity', '3fe1 1f'],
    ['insert with name reference', 'c001 61'],
    ['insert with literal name', '4161 0161'],
    ['duplicate', '00'],
  ])('%s: QPACK_ENCODER_STREAM_ERROR', (_, data) => {
    expect(codeOf(() => new EncoderStream(new DynamicTable(), 0).receive(bytes(data)))).toBe(
      Http3ErrorCode.QpackEncoderStreamError,
    )
  })
})

describe('RFC 9204 §4.4: decoder stream', () => {
  test('stream cancellations, in pieces', () => {
    const instructions = new DecoderStream(new QpackEncoder())
    // Of streams of which nothing is known: all four say nothing.
    expect(instructions.receive(bytes('44 7f'))).toBe(1)
    expect(instructions.receive(bytes('80'))).toBe(0)
    expect(instructions.receive(bytes('01 40'))).toBe(2)
  })
  test.each([
    ['section acknowledgment (§4.4.1)', '80'],
    ['insert count increment (§4.4.3)', '01'],
    ['insert count increment of 0', '00'],
    ['a stream id without end', '7fff ffff ffff ffff ffff ff'],
  ])('%s: QPACK_DECODER_STREAM_ERROR', (_, data) => {
    const instructions = new DecoderStream(new QpackEncoder())
    expect(codeOf(() => instructions.receive(bytes(data)))).toBe(Http3ErrorCode.QpackDecoderStreamError)
  })
})

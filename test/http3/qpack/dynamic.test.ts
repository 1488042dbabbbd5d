import { describe, expect, test } from 'vitest'
import { Http3ErrorCode as Code, Http3Error } from '../../../src/http3/error-codes.ts'
import type { Field } from '../../../src/http3/field.ts'
import { QpackDecoder } from '../../../src/http3/qpack/decoder.ts'
import { DecoderStream } from '../../../src/http3/qpack/decoder-stream.ts'
import { QpackEncoder } from '../../../src/http3/qpack/encoder.ts'
import { EncoderStream } from '../../../src/http3/qpack/encoder-stream.ts'
import { limits } from '../../../src/limits.ts'
import { bytes, concat, hex } from '../helpers.ts'

function codeOf(action: () => unknown): number {
  try {
    action()
  } catch (error) {
    if (error instanceof Http3Error) return error.code
    throw error
  }
  return -1
}

/** A decoder with the stream that fills its table. */
function receiver(maxTableCapacity: number, maxBlockedStreams = 10): { decoder: QpackDecoder; stream: EncoderStream } {
  const decoder = new QpackDecoder({ maxFieldSectionSize: 65_536, maxFields: 256, maxTableCapacity, maxBlockedStreams })
  return { decoder, stream: new EncoderStream(decoder.table, maxTableCapacity) }
}

function sender(capacity: number, blockedStreams = 10): { encoder: QpackEncoder; stream: DecoderStream } {
  const encoder = new QpackEncoder()
  encoder.setLimits(capacity, blockedStreams)
  return { encoder, stream: new DecoderStream(encoder) }
}

const encoded = (encoder: QpackEncoder, fields: Field[], id = 0): string => hex(encoder.encode(fields, id, true))
const taken = (from: { takeInstructions(): Uint8Array | undefined }): string => {
  const instructions = from.takeInstructions()
  return instructions === undefined ? '' : hex(instructions)
}

describe('RFC 9204 appendix B: the example of a connection', () => {
  const { decoder, stream } = receiver(220)
  test('B.2: dynamic table', () => {
    stream.receive(bytes('3fbd01 c00f 7777 772e 6578 616d 706c 652e 636f 6d c10c 2f73 616d 706c 652f 7061 7468'))
    expect(decoder.table.size).toBe(106)
    expect(decoder.decode(bytes('0381 1011'), 4)).toEqual([
      [':authority', 'www.example.com'],
      [':path', '/sample/path'],
    ])
    expect(taken(decoder)).toBe('84')
  })
  test('B.3: speculative insert', () => {
    stream.receive(bytes('4a63 7573 746f 6d2d 6b65 790c 6375 7374 6f6d 2d76 616c 7565'))
    expect(taken(decoder)).toBe('01')
    expect(decoder.table.size).toBe(160)
  })
  test('B.4: duplicate, and a stream cancelled', () => {
    stream.receive(bytes('02'))
    expect(decoder.table.size).toBe(217)
    decoder.cancel(8)
    expect(taken(decoder)).toBe('4801')
    expect(decoder.decode(bytes('0500 80 c1 81'), 8)).toEqual([
      [':authority', 'www.example.com'],
      [':path', '/'],
      ['custom-key', 'custom-value'],
    ])
  })
  test('B.5: insert with eviction', () => {
    stream.receive(bytes('810d 6375 7374 6f6d 2d76 616c 7565 32'))
    expect(decoder.table.size).toBe(215)
    expect(decoder.table.get(0)).toBeUndefined()
    expect(decoder.table.get(4)?.field).toEqual(['custom-key', 'custom-value2'])
  })
})

describe('RFC 9204 §2.1: what the encoder does', () => {
  const agent: Field = ['user-agent', 'abc']
  test('without SETTINGS of the peer the table is not used', () => {
    const encoder = new QpackEncoder()
    expect(encoded(encoder, [agent])).toBe('00005f50821c64')
    expect(taken(encoder)).toBe('')
  })
  test('capacity is announced, then the insertion; the section refers to it by a post-Base index', () => {
    const { encoder } = sender(4096)
    expect(encoded(encoder, [agent])).toBe('0280 10'.replace(' ', ''))
    expect(taken(encoder)).toBe('3fe11f' + 'ff20' + '821c64')
    expect(encoded(encoder, [agent], 4)).toBe('020080')
    expect(taken(encoder)).toBe('')
  })
  test('§2.1.2: no more streams are put at risk than the peer allows', () => {
    const { encoder, stream } = sender(4096, 1)
    expect(encoded(encoder, [agent], 0)).toBe('028010')
    // The second stream has to spell it out, the first may go on.
    expect(encoded(encoder, [agent], 4)).toMatch(/^0000/)
    expect(encoded(encoder, [agent], 0)).toBe('020080')
    stream.receive(bytes('01'))
    expect(encoded(encoder, [agent], 4)).toBe('020080')
  })
  test('§2.1.2: with 0 blocked streams insertions are made, and used when acknowledged', () => {
    const { encoder, stream } = sender(4096, 0)
    expect(encoded(encoder, [agent])).toMatch(/^0000/)
    expect(encoder.insertCount).toBe(1)
    stream.receive(bytes('01'))
    expect(encoded(encoder, [agent])).toBe('020080')
  })
  test('§2.1.1: nothing leaves that is not acknowledged, or that a section refers to', () => {
    const { encoder, stream } = sender(80)
    const first: Field = ['x-a', 'first']
    const second: Field = ['x-b', 'second']
    const third: Field = ['x-c', 'third']
    encoder.encode([first, second], 0, true)
    expect(encoder.insertCount).toBe(1)
    stream.receive(bytes('01'))
    encoder.encode([second], 4, true)
    // Stream 0 still refers to the first.
    expect(encoder.insertCount).toBe(1)
    stream.receive(bytes('80'))
    encoder.encode([second], 4, true)
    expect(encoder.insertCount).toBe(2)
    stream.receive(bytes('01'))
    encoder.encode([third], 8, true)
    expect(encoder.insertCount).toBe(2)
    // §2.2.2.2: a cancellation frees as well.
    stream.receive(bytes('44'))
    encoder.encode([third], 8, true)
    expect(encoder.insertCount).toBe(3)
  })
  test('§2.1.1.1: what is about to leave is duplicated', () => {
    const { encoder, stream } = sender(400)
    const kept: Field = ['x-kept', 'always the same']
    encoder.encode([kept], 0, true)
    stream.receive(bytes('80'))
    for (let i = 1; i < 40; i++) {
      const section = encoder.encode([kept, [`x-${i}`, 'something else']], 4 * i, true)
      expect(section.length).toBeLessThan(8)
      stream.receive(i < 32 ? Uint8Array.of(0x80 + 4 * i) : Uint8Array.of(0xff, 4 * i - 127))
    }
  })
  test('§7.1.3: secrets are in no table', () => {
    const { encoder } = sender(4096)
    encoder.encode(
      [
        ['authorization', 'Bearer something long enough'],
        ['set-cookie', 'a=0123456789012345678901234'],
      ],
      0,
      true,
    )
    encoder.encode(
      [
        ['cookie', 'short=1'],
        ['proxy-authorization', 'Basic 0123456789'],
      ],
      0,
      true,
    )
    expect(encoder.insertCount).toBe(0)
    encoder.encode([['cookie', 'long=0123456789012345678901']], 0, true)
    expect(encoder.insertCount).toBe(1)
  })
  test('values that change every time are not inserted for ever, those that repeat are', () => {
    const { encoder } = sender(4096)
    for (let i = 0; i < 20; i++) encoder.encode([['x-request-id', `number ${i}`]], 0, true)
    expect(encoder.insertCount).toBe(3)
    encoder.encode([['x-request-id', 'number 19']], 0, true)
    expect(encoder.insertCount).toBe(4)
    encoder.encode([[':path', '/once']], 0, true)
    expect(encoder.insertCount).toBe(4)
  })
  test('names without end do not make memory without end', () => {
    const { encoder, stream } = sender(4096)
    for (let i = 0; i < 5000; i++) {
      encoder.encode([[`x-${i}`, 'v']], 0, true)
      encoder.takeInstructions()
      stream.receive(bytes('80'))
    }
    expect(encoder.tableSize).toBeLessThanOrEqual(4096)
  })
  test('a peer that never acknowledges sections gets literals', () => {
    const { encoder } = sender(4096, 100)
    for (let i = 0; i < limits.qpackUnacknowledgedSections; i++) {
      expect(encoded(encoder, [agent], 0)).not.toMatch(/^0000/)
    }
    expect(encoded(encoder, [agent], 0)).toMatch(/^0000/)
  })
  test('a capacity of ours bounds what the peer allows', () => {
    const { encoder } = sender(1_000_000)
    encoder.encode([agent], 0, true)
    expect(taken(encoder)).toMatch(/^3fe11f/)
  })
})

describe('RFC 9204 §2.2: what the decoder does', () => {
  test('§2.1.2: a section waits for the insertion it needs', () => {
    const { decoder, stream } = receiver(4096)
    expect(decoder.decode(bytes('0280 10'), 4)).toBeUndefined()
    expect(decoder.takeReady()).toBeUndefined()
    expect(taken(decoder)).toBe('')
    stream.receive(bytes('3fe11f ff20 821c'))
    expect(decoder.takeReady()).toBeUndefined()
    stream.receive(bytes('64'))
    expect(decoder.takeReady()).toBe(4)
    expect(decoder.decode(bytes('0280 10'), 4)).toEqual([['user-agent', 'abc']])
    expect(taken(decoder)).toBe('84')
  })
  test('§2.2.2.2: one that waits can be given up', () => {
    const { decoder, stream } = receiver(4096, 1)
    decoder.decode(bytes('0280 10'), 4)
    decoder.cancel(4)
    expect(decoder.blockedCount).toBe(0)
    stream.receive(bytes('3fe11f ff20 821c64'))
    expect(decoder.takeReady()).toBeUndefined()
    expect(taken(decoder)).toBe('4401')
  })
  test('§2.1.2: more blocked streams than promised: QPACK_DECOMPRESSION_FAILED', () => {
    const { decoder } = receiver(4096, 2)
    decoder.decode(bytes('0280 10'), 0)
    decoder.decode(bytes('0280 10'), 4)
    expect(codeOf(() => decoder.decode(bytes('0280 10'), 8))).toBe(Code.QpackDecompressionFailed)
  })
  test('sections that wait are bounded by their bytes: H3_EXCESSIVE_LOAD', () => {
    const { decoder } = receiver(4096, 1000)
    const section = concat(bytes('0280'), new Uint8Array(60_000).fill(0x10))
    let id = 0
    while (id < 4) expect(decoder.decode(section, id++)).toBeUndefined()
    expect(60_002 * 4).toBeLessThan(limits.qpackBlockedBytes)
    expect(codeOf(() => decoder.decode(section, 99))).toBe(Code.ExcessiveLoad)
  })
  test('entries of the table count against the size of a section as literals do', () => {
    const { decoder, stream } = receiver(4096)
    stream.receive(concat(bytes('3fe11f 4178 7f d10e'), new Uint8Array(2000).fill(0x61)))
    // 34 references of one byte to 2,033 bytes each.
    expect(() => decoder.decode(concat(bytes('0200'), new Uint8Array(34).fill(0x80)), 0)).toThrow(/too large/)
    expect(decoder.decode(concat(bytes('0200'), new Uint8Array(30).fill(0x80)), 0)?.length).toBe(30)
  })
  test('§4.5.1.1: the Required Insert Count wraps around', () => {
    const { decoder, stream } = receiver(64)
    stream.receive(bytes('3f21'))
    // MaxEntries is 2: counts 1 to 4 are encoded as 2, 3, 4, 1.
    for (let count = 1; count < 40; count++) {
      stream.receive(Uint8Array.of(0x41, 0x78, 0x01, 0x40 + count))
      const section = Uint8Array.of((count % 4) + 1, 0x00, 0x80)
      expect(decoder.decode(section, 0)).toEqual([['x', String.fromCharCode(0x40 + count)]])
    }
  })
})

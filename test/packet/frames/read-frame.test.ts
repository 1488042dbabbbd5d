import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../src/bytes/hex.ts'
import { Reader } from '../../../src/bytes/reader.ts'
import type { Frame } from '../../../src/packet/frames/frame.ts'
import { isAckEliciting, isProbing, readFrame } from '../../../src/packet/frames/read-frame.ts'
import { Level } from '../../../src/packet/level.ts'
import { ErrorCode, TransportError } from '../../../src/packet/transport-error.ts'
import { integer, randomBytes, seededRandom } from '../../reference/random.ts'
import { encodeVarint } from '../../reference/varint.ts'
import { fault, read } from './support.ts'

// RFC 9000 §12.4, Table 3, in its own letters, with a valid example of each type: Pkts, Spec, ack-eliciting.
const table: [name: string, hex: string, packets: string, spec: string][] = [
  ['PADDING', '00', 'IH01', 'NP'],
  ['PING', '01', 'IH01', ''],
  ['ACK', '02 05 00 00 00', 'IH_1', 'NC'],
  ['ACK with ECN', '03 05 00 00 00 01 01 01', 'IH_1', 'NC'],
  ['RESET_STREAM', '04 00 00 00', '__01', ''],
  ['STOP_SENDING', '05 00 00', '__01', ''],
  ['CRYPTO', '06 00 01 aa', 'IH_1', ''],
  ['NEW_TOKEN', '07 01 aa', '___1', ''],
  ...[8, 9, 10, 11, 12, 13, 14, 15].map((type): [string, string, string, string] => [
    `STREAM 0x0${type.toString(16)}`,
    `0${type.toString(16)} 00 ${type & 4 ? '00' : ''} ${type & 2 ? '00' : ''}`,
    '__01',
    'F',
  ]),
  ['MAX_DATA', '10 00', '__01', ''],
  ['MAX_STREAM_DATA', '11 00 00', '__01', ''],
  ['MAX_STREAMS bidi', '12 00', '__01', ''],
  ['MAX_STREAMS uni', '13 00', '__01', ''],
  ['DATA_BLOCKED', '14 00', '__01', ''],
  ['STREAM_DATA_BLOCKED', '15 00 00', '__01', ''],
  ['STREAMS_BLOCKED bidi', '16 00', '__01', ''],
  ['STREAMS_BLOCKED uni', '17 00', '__01', ''],
  ['NEW_CONNECTION_ID', `18 01 00 01 aa ${'00'.repeat(16)}`, '__01', 'P'],
  ['RETIRE_CONNECTION_ID', '19 00', '__01', ''],
  ['PATH_CHALLENGE', `1a ${'00'.repeat(8)}`, '__01', 'P'],
  ['PATH_RESPONSE', `1b ${'00'.repeat(8)}`, '___1', 'P'],
  ['CONNECTION_CLOSE transport', '1c 00 00 00', 'IH01', 'N'],
  ['CONNECTION_CLOSE application', '1d 00 00', '__01', 'N'],
  ['HANDSHAKE_DONE', '1e', '___1', ''],
  ['DATAGRAM', '30 aa', '__01', ''],
  ['DATAGRAM with length', '31 01 aa', '__01', ''],
  ['RESET_STREAM_AT', '24 00 00 00 00', '__01', ''],
  // QUIC Acknowledgment Frequency §3: not in 0-RTT packets.
  ['IMMEDIATE_ACK', '1f', '___1', ''],
  ['ACK_FREQUENCY', '40af 00 00 00 00', '___1', ''],
]

const columns = [Level.Initial, Level.Handshake, Level.ZeroRtt, Level.OneRtt]

describe.each(table)('RFC 9000 §12.4, Table 3: %s', (_, hex, packets, spec) => {
  test(`may be in packets ${packets}`, () => {
    columns.forEach((level, i) => {
      if (packets[i] !== '_') read(hex, level)
      else {
        expect(fault(hex, level)).toMatchObject({
          code: ErrorCode.ProtocolViolation,
          frameType: new Reader(fromHex(hex)).varint(),
        })
      }
    })
  })

  test(`is ack-eliciting and probing as "${spec}" says`, () => {
    const frame = read(hex)
    expect(isAckEliciting(frame)).toBe(!spec.includes('N'))
    expect(isProbing(frame)).toBe(spec.includes('P'))
  })

  test('cut off at any byte is FRAME_ENCODING_ERROR', () => {
    const bytes = fromHex(hex)
    const isOpenEnded = bytes[0] === 0x30
    for (let length = 1; length < bytes.length; length++) {
      if (!isOpenEnded) expect(fault(bytes.subarray(0, length)).code).toBe(ErrorCode.FrameEncodingError)
    }
  })
})

describe('types', () => {
  test.each([0x20, 0x2f, 0x32, 0x3f])('RFC 9000 §12.4: unknown type %d', type => {
    for (const level of columns) {
      expect(fault(Uint8Array.of(type), level)).toMatchObject({ code: ErrorCode.FrameEncodingError, frameType: type })
    }
  })

  test('unknown types of more than one byte', () => {
    expect(fault('40b0')).toMatchObject({ code: ErrorCode.FrameEncodingError, frameType: 0xb0 })
    expect(fault('80004000').frameType).toBe(0x4000)
    expect(fault('c000000040000000').frameType).toBe(0x40000000)
  })

  test('a type beyond exact numbers is not reported back', () => {
    expect(fault('ffffffffffffffff')).toMatchObject({ code: ErrorCode.FrameEncodingError, frameType: 0 })
  })

  test('31*N+27 is unknown', () => {
    const n = (2n ** 62n - 28n) / 31n
    expect(fault(encodeVarint(31n * n + 27n, 8)).code).toBe(ErrorCode.FrameEncodingError)
    expect(fault(encodeVarint(31n * 3n + 27n, 2)).frameType).toBe(120)
  })

  test.each(['4001', '80000001', 'c000000000000001', '4000', '80000070', 'c000000000000030'])(
    'RFC 9000 §12.4: %s is not the shortest form',
    hex => {
      expect(fault(`${hex} 00`).code).toBe(ErrorCode.ProtocolViolation)
    },
  )

  test('a type cut off', () => {
    expect(fault('40').code).toBe(ErrorCode.FrameEncodingError)
    expect(fault('').code).toBe(ErrorCode.FrameEncodingError)
  })
})

test('frames follow one another up to the end of the packet', () => {
  const frames: Frame[] = []
  const reader = new Reader(fromHex('01 0000 02 05 00 00 00 0a 04 01 aa 1e 08 04 bbbb'))
  while (!reader.isDone) frames.push(readFrame(reader, Level.OneRtt))
  expect(frames.map(frame => frame.type)).toEqual([0x01, 0x00, 0x02, 0x08, 0x1e, 0x08])
})

test('an exception that is not the peer’s fault passes through', () => {
  const broken = new Reader(fromHex('06 00 00'))
  broken.view = () => {
    throw new TypeError('broken')
  }
  expect(() => readFrame(broken, Level.OneRtt)).toThrow(TypeError)
})

test('random bytes are frames or a TransportError, and every frame moves on', () => {
  const random = seededRandom(11)
  const examples = table.map(row => fromHex(row[1]))
  for (let i = 0; i < 30_000; i++) {
    const bytes = random() < 0.3 ? randomBytes(random, integer(random, 40)) : mutated(examples, random)
    const reader = new Reader(bytes)
    const level = columns[integer(random, 4)] as Level
    try {
      while (!reader.isDone) {
        const before = reader.pos
        readFrame(reader, level)
        expect(reader.pos).toBeGreaterThan(before)
      }
    } catch (error) {
      if (!(error instanceof TransportError)) expect.fail(`${error} for ${toHex(bytes)}`)
      // It goes into a CONNECTION_CLOSE.
      expect(Number.isSafeInteger(error.frameType)).toBe(true)
    }
  }
})

function mutated(examples: Uint8Array[], random: () => number): Uint8Array {
  const bytes = (examples[integer(random, examples.length)] as Uint8Array).slice()
  for (let n = integer(random, 3); n >= 0; n--) bytes[integer(random, bytes.length)] = integer(random, 256)
  return bytes
}

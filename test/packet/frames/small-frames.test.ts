// The frames that are nothing but a few fields: stream control, flow control, ids, paths, tokens, datagrams, signals.

import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../src/bytes/hex.ts'
import type { Writer } from '../../../src/bytes/writer.ts'
import * as ids from '../../../src/packet/frames/connection-id.ts'
import { datagramSize, writeDatagram } from '../../../src/packet/frames/datagram.ts'
import * as flow from '../../../src/packet/frames/flow-control.ts'
import type { NewConnectionIdFrame, NewTokenFrame, PathFrame } from '../../../src/packet/frames/frame.ts'
import { PATH_FRAME_SIZE, writePathChallenge, writePathResponse } from '../../../src/packet/frames/path.ts'
import {
  SIGNAL_FRAME_SIZE,
  writeHandshakeDone,
  writeImmediateAck,
  writePadding,
  writePing,
} from '../../../src/packet/frames/signal.ts'
import * as control from '../../../src/packet/frames/stream-control.ts'
import { newTokenSize, writeNewToken } from '../../../src/packet/frames/token.ts'
import { ErrorCode } from '../../../src/packet/transport-error.ts'
import { fault, read, written } from './support.ts'

const top = 2 ** 53 - 1
const id = fromHex('01 02 03 04')
const longestId = new Uint8Array(20).fill(5)
const token = Uint8Array.from({ length: 16 }, (_, i) => 0xf0 + i)
const pathData = fromHex('01 02 03 04 05 06 07 08')

interface Case {
  name: string
  write: (w: Writer) => void
  size: number
  hex?: string
  frame: object
}

const cases: Case[] = [
  {
    name: 'RFC 9000 §19.4 RESET_STREAM',
    write: w => control.writeResetStream(w, 4, 0x10c, 1000),
    size: control.resetStreamSize(4, 0x10c, 1000),
    hex: '04 04 410c 43e8',
    frame: { type: 0x04, id: 4, errorCode: 0x10c, finalSize: 1000 },
  },
  {
    name: 'RFC 9000 §19.5 STOP_SENDING',
    write: w => control.writeStopSending(w, 4, 0x10c),
    size: control.stopSendingSize(4, 0x10c),
    hex: '05 04 410c',
    frame: { type: 0x05, id: 4, errorCode: 0x10c },
  },
  {
    name: 'RFC 9000 §19.7 NEW_TOKEN',
    write: w => writeNewToken(w, token),
    size: newTokenSize(token),
    hex: '07 10 f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff',
    frame: { type: 0x07, token },
  },
  {
    name: 'RFC 9000 §19.9 MAX_DATA',
    write: w => flow.writeMaxData(w, 16_384),
    size: flow.limitFrameSize(16_384),
    hex: '10 80004000',
    frame: { type: 0x10, maximum: 16_384 },
  },
  {
    name: 'RFC 9000 §19.10 MAX_STREAM_DATA',
    write: w => flow.writeMaxStreamData(w, 8, top),
    size: flow.streamLimitFrameSize(8, top),
    hex: '11 08 c01fffffffffffff',
    frame: { type: 0x11, id: 8, maximum: top },
  },
  {
    name: 'RFC 9000 §19.11 MAX_STREAMS, bidirectional',
    write: w => flow.writeMaxStreams(w, true, 100),
    size: flow.limitFrameSize(100),
    hex: '12 4064',
    frame: { type: 0x12, maximum: 100 },
  },
  {
    name: 'RFC 9000 §19.11 MAX_STREAMS, unidirectional',
    write: w => flow.writeMaxStreams(w, false, 3),
    size: flow.limitFrameSize(3),
    hex: '13 03',
    frame: { type: 0x13, maximum: 3 },
  },
  {
    name: 'RFC 9000 §19.12 DATA_BLOCKED',
    write: w => flow.writeDataBlocked(w, 5),
    size: flow.limitFrameSize(5),
    hex: '14 05',
    frame: { type: 0x14, limit: 5 },
  },
  {
    name: 'RFC 9000 §19.13 STREAM_DATA_BLOCKED',
    write: w => flow.writeStreamDataBlocked(w, 64, 5),
    size: flow.streamLimitFrameSize(64, 5),
    hex: '15 4040 05',
    frame: { type: 0x15, id: 64, limit: 5 },
  },
  {
    name: 'RFC 9000 §19.14 STREAMS_BLOCKED, bidirectional',
    write: w => flow.writeStreamsBlocked(w, true, 7),
    size: flow.limitFrameSize(7),
    hex: '16 07',
    frame: { type: 0x16, limit: 7 },
  },
  {
    name: 'RFC 9000 §19.14 STREAMS_BLOCKED, unidirectional',
    write: w => flow.writeStreamsBlocked(w, false, 7),
    size: flow.limitFrameSize(7),
    hex: '17 07',
    frame: { type: 0x17, limit: 7 },
  },
  {
    name: 'RFC 9000 §19.15 NEW_CONNECTION_ID',
    write: w => ids.writeNewConnectionId(w, 3, 2, id, token),
    size: ids.newConnectionIdSize(3, 2, id),
    hex: `18 03 02 04 01020304 ${toHex(token)}`,
    frame: { type: 0x18, sequence: 3, retirePriorTo: 2, id, statelessResetToken: token },
  },
  {
    name: 'RFC 9000 §19.15 NEW_CONNECTION_ID, longest',
    write: w => ids.writeNewConnectionId(w, top, top, longestId, token),
    size: ids.newConnectionIdSize(top, top, longestId),
    frame: { type: 0x18, sequence: top, retirePriorTo: top, id: longestId, statelessResetToken: token },
  },
  {
    name: 'RFC 9000 §19.16 RETIRE_CONNECTION_ID',
    write: w => ids.writeRetireConnectionId(w, 64),
    size: ids.retireConnectionIdSize(64),
    hex: '19 4040',
    frame: { type: 0x19, sequence: 64 },
  },
  {
    name: 'RFC 9000 §19.17 PATH_CHALLENGE',
    write: w => writePathChallenge(w, pathData),
    size: PATH_FRAME_SIZE,
    hex: '1a 0102030405060708',
    frame: { type: 0x1a, data: pathData },
  },
  {
    name: 'RFC 9000 §19.18 PATH_RESPONSE',
    write: w => writePathResponse(w, pathData),
    size: PATH_FRAME_SIZE,
    hex: '1b 0102030405060708',
    frame: { type: 0x1b, data: pathData },
  },
  {
    name: 'RFC 9000 §19.2 PING',
    write: w => writePing(w),
    size: SIGNAL_FRAME_SIZE,
    hex: '01',
    frame: { type: 0x01 },
  },
  {
    name: 'RFC 9000 §19.20 HANDSHAKE_DONE',
    write: w => writeHandshakeDone(w),
    size: SIGNAL_FRAME_SIZE,
    hex: '1e',
    frame: { type: 0x1e },
  },
  {
    name: 'RFC 9221 §4 DATAGRAM',
    write: w => writeDatagram(w, pathData),
    size: datagramSize(8),
    hex: '31 08 0102030405060708',
    frame: { type: 0x30, data: pathData },
  },
  {
    name: 'QUIC Acknowledgment Frequency §5: IMMEDIATE_ACK',
    write: w => writeImmediateAck(w),
    size: SIGNAL_FRAME_SIZE,
    hex: '1f',
    frame: { type: 0x1f },
  },
  {
    name: 'QUIC Stream Resets with Partial Delivery §4: RESET_STREAM_AT',
    write: w => control.writeResetStreamAt(w, 4, 0x10c, 1000, 99),
    size: control.resetStreamAtSize(4, 0x10c, 1000, 99),
    hex: '24 04 410c 43e8 4063',
    frame: { type: 0x24, id: 4, errorCode: 0x10c, finalSize: 1000, reliableSize: 99 },
  },
]

describe.each(cases)('$name', ({ write, size, hex, frame }) => {
  const bytes = written(write)

  test('goes there and back', () => {
    if (hex !== undefined) expect(bytes).toEqual(fromHex(hex))
    expect(bytes.length).toBe(size)
    expect(read(bytes)).toEqual(frame)
  })

  test('cut off at any byte is FRAME_ENCODING_ERROR', () => {
    for (let length = 1; length < bytes.length; length++) {
      expect(fault(bytes.subarray(0, length))).toMatchObject({
        code: ErrorCode.FrameEncodingError,
        frameType: bytes[0],
      })
    }
  })

  test('does not fit where there is less room', () => {
    expect(() => written(write, size - 1)).toThrow(RangeError)
  })
})

test('limit frames are never larger than announced', () => {
  expect(flow.limitFrameSize(top)).toBe(flow.LIMIT_FRAME_MAX_SIZE)
  expect(flow.streamLimitFrameSize(top, top)).toBe(flow.STREAM_LIMIT_FRAME_MAX_SIZE)
})

test('RFC 9000 §19.1: a row of PADDING is one frame', () => {
  expect(read(written(w => writePadding(w, 100)))).toEqual({ type: 0x00, length: 100 })
  expect(read('00')).toEqual({ type: 0x00, length: 1 })
})

test('QUIC Stream Resets with Partial Delivery §4: no more is delivered than there is', () => {
  expect(read('24 04 00 05 05')).toMatchObject({ finalSize: 5, reliableSize: 5 })
  expect(fault('24 04 00 05 06')).toMatchObject({ code: ErrorCode.FrameEncodingError, frameType: 0x24 })
})

test('RFC 9000 §19.7: a token is not empty', () => {
  expect(fault('07 00')).toMatchObject({ code: ErrorCode.FrameEncodingError, frameType: 0x07 })
})

test.each(['12', '13', '16', '17'])('RFC 9000 §19.11, §19.14: no more than 2^60 streams (type %s)', type => {
  expect(read(`${type} d000000000000000`)).toMatchObject({})
  for (const count of ['d000000000000001', 'ffffffffffffffff']) {
    expect(fault(type + count)).toMatchObject({
      code: ErrorCode.FrameEncodingError,
      frameType: Number.parseInt(type, 16),
    })
  }
})

test.each([
  ['an id of no bytes', `18 03 02 00 ${toHex(token)}`],
  ['an id of 21 bytes', `18 03 02 15 ${'00'.repeat(21)} ${toHex(token)}`],
  ['Retire Prior To above Sequence Number', `18 03 04 04 01020304 ${toHex(token)}`],
])('RFC 9000 §19.15: %s', (_, hex) => {
  expect(fault(hex)).toMatchObject({ code: ErrorCode.FrameEncodingError, frameType: 0x18 })
})

test('RFC 9221 §4: a DATAGRAM without length goes on to the end, and may be empty', () => {
  expect(read('30 aabb')).toEqual({ type: 0x30, data: fromHex('aabb') })
  expect(read('30')).toEqual({ type: 0x30, data: new Uint8Array(0) })
  expect(read('31 00')).toEqual({ type: 0x30, data: new Uint8Array(0) })
})

test('what outlives the packet is copied', () => {
  for (const [index, fields] of [
    [11, (f: NewConnectionIdFrame) => [f.id, f.statelessResetToken]],
    [14, (f: PathFrame) => [f.data]],
    [2, (f: NewTokenFrame) => [f.token]],
  ] as [number, (f: unknown) => Uint8Array[]][]) {
    const bytes = written((cases[index] as Case).write)
    const before = fields(read(bytes))
    for (const field of before) expect(field.buffer).not.toBe(bytes.buffer)
  }
})

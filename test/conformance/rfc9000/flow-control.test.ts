// RFC 9000 §4 and the frames of it: limits that a peer breaks.

import { describe, expect, test } from 'vitest'
import { FrameType } from '../../../src/packet/frames/frame.ts'
import { Level } from '../../../src/packet/level.ts'
import { ErrorCode } from '../../../src/packet/transport-error.ts'
import { bytes, MAX_VARINT, zeros } from '../bytes-by-hand.ts'
import { peerOf } from '../hand-made-peer.ts'

/** STREAM with offset and length; and with FIN. */
const STREAM = 0x0e
const STREAM_FIN = 0x0f
const transport = {
  initialMaxData: 1500,
  initialMaxStreamData: 1000,
  initialMaxStreamsBidi: 3,
  initialMaxStreamsUni: 3,
}

describe.each(['client', 'server'] as const)('a connection of a %s', role => {
  const peerBidi = role === 'server' ? 0 : 1
  const peerUni = peerBidi + 2
  const ownUni = (peerBidi ^ 1) + 2
  const stream = (id: number, offset: number, length: number, type = STREAM): Uint8Array =>
    bytes(type, id, offset, length, zeros(length))
  const reset = (id: number, finalSize: number): Uint8Array => bytes(FrameType.ResetStream, id, 0, finalSize)

  const violations: [title: string, code: number, ...frames: Uint8Array[]][] = [
    ['RFC 9000 §4.1: a byte beyond the limit of a stream', ErrorCode.FlowControlError, stream(peerBidi, 0, 1001)],
    ['RFC 9000 §4.1: a byte alone beyond the limit of a stream', ErrorCode.FlowControlError, stream(peerUni, 1000, 1)],
    [
      'RFC 9000 §4.1: streams that each keep their limit and together break that of the connection',
      ErrorCode.FlowControlError,
      stream(peerBidi, 0, 1000),
      stream(peerUni, 0, 501),
    ],
    [
      'RFC 9000 §4.5: a final size in RESET_STREAM counts against the limit of the stream',
      ErrorCode.FlowControlError,
      reset(peerBidi, 1001),
    ],
    [
      'RFC 9000 §4.5: final sizes in RESET_STREAM count against the limit of the connection',
      ErrorCode.FlowControlError,
      // Less than half of the window, which would open it further.
      reset(peerBidi, 700),
      reset(peerUni, 801),
    ],
    [
      'RFC 9000 §4.5: data beyond the final size',
      ErrorCode.FinalSizeError,
      stream(peerBidi, 0, 10, STREAM_FIN),
      stream(peerBidi, 10, 1),
    ],
    [
      'RFC 9000 §4.5: a second FIN elsewhere',
      ErrorCode.FinalSizeError,
      stream(peerBidi, 0, 10, STREAM_FIN),
      stream(peerBidi, 0, 9, STREAM_FIN),
    ],
    [
      'RFC 9000 §4.5: a FIN below what has arrived',
      ErrorCode.FinalSizeError,
      stream(peerBidi, 5, 10),
      stream(peerBidi, 0, 5, STREAM_FIN),
    ],
    [
      'RFC 9000 §4.5: RESET_STREAM with a final size below what has arrived',
      ErrorCode.FinalSizeError,
      stream(peerBidi, 0, 10),
      reset(peerBidi, 9),
    ],
    [
      'RFC 9000 §4.5: RESET_STREAM with another final size than the FIN',
      ErrorCode.FinalSizeError,
      stream(peerBidi, 5, 10, STREAM_FIN),
      reset(peerBidi, 16),
    ],
    ['RFC 9000 §4.6: MAX_STREAMS above 2^60', ErrorCode.FrameEncodingError, bytes(0x12, 2n ** 60n + 1n)],
    ['RFC 9000 §4.6: a stream beyond the limit', ErrorCode.StreamLimitError, stream(peerBidi + 12, 0, 1)],
    ['RFC 9000 §4.6: a unidirectional stream beyond the limit', ErrorCode.StreamLimitError, stream(peerUni + 12, 0, 0)],
    ['RFC 9000 §4.6: RESET_STREAM beyond the limit', ErrorCode.StreamLimitError, reset(peerUni + 12, 0)],
    [
      'RFC 9000 §4.6: STOP_SENDING beyond the limit',
      ErrorCode.StreamLimitError,
      bytes(FrameType.StopSending, peerBidi + 12, 0),
    ],
    [
      'RFC 9000 §4.6: MAX_STREAM_DATA beyond the limit',
      ErrorCode.StreamLimitError,
      bytes(FrameType.MaxStreamData, peerBidi + 12, 5000),
    ],
    [
      'RFC 9000 §4.6: STREAM_DATA_BLOCKED beyond the limit',
      ErrorCode.StreamLimitError,
      bytes(FrameType.StreamDataBlocked, peerBidi + 12, 0),
    ],
    [
      'RFC 9000 §4.6: the last stream id there is',
      ErrorCode.StreamLimitError,
      bytes(0x08, 2n ** 62n - 4n + BigInt(peerBidi)),
    ],
    [
      'RFC 9000 §19.8: the last stream id there is of ours',
      ErrorCode.StreamStateError,
      bytes(0x08, 2n ** 62n - 4n + BigInt(ownUni)),
    ],
    [
      'RFC 9000 §19.9: more data than the largest MAX_DATA',
      ErrorCode.FlowControlError,
      stream(peerBidi, 0, 900),
      stream(peerUni, 0, 601),
    ],
    [
      'RFC 9000 §19.10: more data than the largest MAX_STREAM_DATA',
      ErrorCode.FlowControlError,
      stream(peerUni, 990, 11),
    ],
    [
      'RFC 9000 §19.11: MAX_STREAMS above 2^60, unidirectional',
      ErrorCode.FrameEncodingError,
      bytes(0x13, 2n ** 60n + 1n),
    ],
    [
      'RFC 9000 §19.11: more streams than the largest MAX_STREAMS',
      ErrorCode.StreamLimitError,
      stream(peerUni + 12, 0, 1),
    ],
    ['RFC 9000 §19.14: STREAMS_BLOCKED above 2^60', ErrorCode.FrameEncodingError, bytes(0x16, 2n ** 60n + 1n)],
    [
      'RFC 9000 §19.14: STREAMS_BLOCKED above 2^60, unidirectional',
      ErrorCode.FrameEncodingError,
      bytes(0x17, 2n ** 60n + 1n),
    ],
  ]
  test.each(violations)('%s', (_, code, ...frames) => {
    const peer = peerOf(role, { transport }).reach('confirmed')
    for (const frame of frames.slice(0, -1)) peer.send(Level.OneRtt, frame).expectOpen()
    peer.send(Level.OneRtt, frames.at(-1) as Uint8Array).expectClose(code)
  })

  test('RFC 9000 §4.1: up to both limits, and again from the start, nothing is wrong', () => {
    const peer = peerOf(role, { transport }).reach('confirmed')
    for (let i = 0; i < 2; i++) {
      peer.send(Level.OneRtt, stream(peerBidi, 0, 1000)).send(Level.OneRtt, stream(peerUni, 0, 500))
    }
    peer.expectOpen()
  })

  test('RFC 9000 §4.1: MAX_DATA and MAX_STREAM_DATA that do not increase a limit are ignored', () => {
    const parameters = { initialMaxData: 100, initialMaxStreamDataUni: 80 }
    const peer = peerOf(role, { parameters }).reach('confirmed')
    const id = peer.connection.openStream('uni') as number
    peer.send(Level.OneRtt, bytes(FrameType.MaxData, 10, FrameType.MaxStreamData, id, 10))
    peer.act(connection => connection.write(id, zeros(200), false))
    expect(peer.frames(FrameType.Stream).reduce((sum, frame) => sum + frame.data.length, 0)).toBe(80)
    peer.send(Level.OneRtt, bytes(FrameType.MaxStreamData, id, 200, FrameType.MaxStreamData, id, 90))
    expect(peer.frames(FrameType.Stream).reduce((sum, frame) => sum + frame.data.length, 0)).toBe(100)
    peer.expectOpen()
  })

  test('RFC 9000 §4.4: after RESET_STREAM the other direction keeps its flow control', () => {
    const peer = peerOf(role, { parameters: { initialMaxStreamDataBidiLocal: 50 } }).reach('confirmed')
    peer.send(Level.OneRtt, stream(peerBidi, 0, 10)).send(Level.OneRtt, reset(peerBidi, 10))
    peer.act(connection => connection.write(peerBidi, zeros(80), true))
    peer.send(Level.OneRtt, bytes(FrameType.MaxStreamData, peerBidi, 60))
    const sent = peer.frames(FrameType.Stream).map(frame => [frame.offset, frame.data.length])
    expect(sent).toEqual([
      [0, 50],
      [50, 10],
    ])
  })

  test('RFC 9000 §4.6: MAX_STREAMS that does not increase the limit is ignored', () => {
    const peer = peerOf(role, { parameters: { initialMaxStreamsUni: 2 } }).reach('confirmed')
    peer.send(Level.OneRtt, bytes(FrameType.MaxStreamsUni, 1))
    const opened = [1, 2, 3].map(() => peer.connection.openStream('uni'))
    expect(opened).toEqual([ownUni, ownUni + 4, undefined])
  })

  test('RFC 9000 §19.11: MAX_STREAMS of less than before is ignored', () => {
    const peer = peerOf(role, { parameters: { initialMaxStreamsBidi: 0 } }).reach('confirmed')
    peer.send(Level.OneRtt, bytes(FrameType.MaxStreamsBidi, 2, FrameType.MaxStreamsBidi, 1))
    const opened = [1, 2, 3].map(() => peer.connection.openStream('bidi') !== undefined)
    expect(opened).toEqual([true, true, false])
  })

  test('RFC 9000 §4.6: closed streams make room for others, though the peer does not say that it waits', () => {
    const peer = peerOf(role, { transport }).reach('confirmed')
    for (const id of [peerUni, peerUni + 4, peerUni + 8]) {
      peer.send(Level.OneRtt, stream(id, 0, 1, STREAM_FIN)).act(connection => connection.read(id))
    }
    expect(peer.frames(FrameType.MaxStreamsUni).at(-1)?.maximum).toBe(6)
    peer.send(Level.OneRtt, stream(peerUni + 20, 0, 1)).expectOpen()
  })

  test('RFC 9000 §4.2: what is read makes room for more, though the peer does not say that it is blocked', () => {
    const peer = peerOf(role, { transport })
      .reach('confirmed')
      .send(Level.OneRtt, stream(peerUni, 0, 1000))
    peer.act(connection => connection.read(peerUni))
    expect(peer.frames(FrameType.MaxStreamData)).toMatchObject([{ id: peerUni, maximum: 2000 }])
    expect(peer.frames(FrameType.MaxData)).toMatchObject([{ maximum: 2500 }])
  })

  test('RFC 9000 §3.2: a stream opens all of its kind below', () => {
    const peer = peerOf(role, { transport })
      .reach('confirmed')
      .send(Level.OneRtt, stream(peerBidi + 8, 0, 1))
    const opened = peer.events.flatMap(event => (event.type === 'streamOpened' ? [event.id] : []))
    expect(opened).toEqual([peerBidi, peerBidi + 4, peerBidi + 8])
  })

  test('RFC 9000 §3.5: STOP_SENDING is answered by RESET_STREAM', () => {
    const peer = peerOf(role).reach('confirmed')
    const id = peer.connection.openStream('uni') as number
    peer.act(connection => connection.write(id, zeros(10), false))
    peer.send(Level.OneRtt, bytes(FrameType.StopSending, id, 77))
    expect(peer.frames(FrameType.ResetStream)).toMatchObject([{ id, errorCode: 77, finalSize: 10 }])
  })

  test('RFC 9000 §3.5: STOP_SENDING with the largest error code is answered as well', () => {
    const peer = peerOf(role).reach('confirmed')
    const id = peer.connection.openStream('uni') as number
    peer.send(Level.OneRtt, bytes(FrameType.StopSending, id, MAX_VARINT)).expectOpen()
    expect(peer.frames(FrameType.ResetStream)).toMatchObject([{ id, errorCode: 2 ** 53 - 1, finalSize: 0 }])
  })
})

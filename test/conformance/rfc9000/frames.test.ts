// RFC 9000 §12.4 and §19: frames that are malformed, misplaced, or about something that cannot be.

import { describe, expect, test } from 'vitest'
import { FrameType } from '../../../src/packet/frames/frame.ts'
import { Level, levelNames } from '../../../src/packet/level.ts'
import { ErrorCode } from '../../../src/packet/transport-error.ts'
import { offeredPsk } from '../../../src/zero-rtt/resumption.ts'
import { provisioned } from '../../connection/early.ts'
import { testTime } from '../../support/certificates.ts'
import { bytes, concat, MAX_VARINT, zeros } from '../bytes-by-hand.ts'
import { HandMadeClient, type HandMadePeer, peerOf, type Stage } from '../hand-made-peer.ts'

const { FrameEncodingError, ProtocolViolation, StreamStateError, FlowControlError, CryptoBufferExceeded } = ErrorCode
const id8 = Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9)

/** One good frame of each type, and where it may stand (RFC 9000 §12.4, Table 3; RFC 9221 §4). */
const table: [name: string, levels: string, frame: Uint8Array][] = [
  ['ACK', 'IH1', bytes(FrameType.Ack, 0, 0, 0, 0)],
  ['ACK with ECN counts', 'IH1', bytes(FrameType.AckEcn, 0, 0, 0, 0, 0, 0, 0)],
  ['RESET_STREAM', '01', bytes(FrameType.ResetStream, 0, 0, 0)],
  ['STOP_SENDING', '01', bytes(FrameType.StopSending, 0, 0)],
  ['CRYPTO', 'IH1', bytes(FrameType.Crypto, 0, 0)],
  ['NEW_TOKEN', '1', bytes(FrameType.NewToken, 1, zeros(1))],
  ['STREAM', '01', bytes(FrameType.Stream, 0)],
  ['STREAM with everything', '01', bytes(0x0f, 0, 0, 0)],
  ['MAX_DATA', '01', bytes(FrameType.MaxData, 0)],
  ['MAX_STREAM_DATA', '01', bytes(FrameType.MaxStreamData, 0, 0)],
  ['MAX_STREAMS', '01', bytes(FrameType.MaxStreamsBidi, 0)],
  ['MAX_STREAMS, unidirectional', '01', bytes(FrameType.MaxStreamsUni, 0)],
  ['DATA_BLOCKED', '01', bytes(FrameType.DataBlocked, 0)],
  ['STREAM_DATA_BLOCKED', '01', bytes(FrameType.StreamDataBlocked, 0, 0)],
  ['STREAMS_BLOCKED', '01', bytes(FrameType.StreamsBlockedBidi, 0)],
  ['STREAMS_BLOCKED, unidirectional', '01', bytes(FrameType.StreamsBlockedUni, 0)],
  ['NEW_CONNECTION_ID', '01', bytes(FrameType.NewConnectionId, 1, 0, 8, id8, zeros(16))],
  ['RETIRE_CONNECTION_ID', '01', bytes(FrameType.RetireConnectionId, 0)],
  ['PATH_CHALLENGE', '01', bytes(FrameType.PathChallenge, id8)],
  ['PATH_RESPONSE', '1', bytes(FrameType.PathResponse, id8)],
  ['CONNECTION_CLOSE of an application', '01', bytes(FrameType.ApplicationClose, 0, 0)],
  ['HANDSHAKE_DONE', '1', bytes(FrameType.HandshakeDone)],
  ['DATAGRAM', '01', bytes(FrameType.Datagram)],
  ['DATAGRAM with a length', '01', bytes(FrameType.Datagram + 1, 0)],
]

function misplacedIn(mark: string): [name: string, frame: Uint8Array][] {
  return table.filter(([, levels]) => !levels.includes(mark)).map(([name, , frame]) => [name, frame])
}

/** A client with early data under way. */
function early(): HandMadeClient {
  const { resumption, server } = provisioned()
  return new HandMadeClient({ server, psk: offeredPsk(resumption, testTime, true) }).speak(Level.Initial)
}

/** The level of packets that a peer sends at a stage. */
const levelAt: [Level, Stage][] = [
  [Level.Initial, 'initial'],
  [Level.Handshake, 'handshake'],
  [Level.OneRtt, 'confirmed'],
]

describe.each(['client', 'server'] as const)('a connection of a %s', role => {
  const peerBidi = role === 'server' ? 0 : 1
  const peerUni = peerBidi + 2
  const ownBidi = peerBidi ^ 1
  const ownUni = ownBidi + 2

  test.each(misplacedIn('I'))('RFC 9000 §12.4: a frame that is not permitted in an Initial packet: %s', (_, frame) => {
    peerOf(role).send(Level.Initial, frame).expectClose(ProtocolViolation)
  })

  test.each(misplacedIn('H'))(
    'RFC 9000 §17.2.4: a frame that is not permitted in a Handshake packet: %s',
    (_, frame) => {
      peerOf(role).reach('handshake').send(Level.Handshake, frame).expectClose(ProtocolViolation)
    },
  )

  test.each(levelAt)('RFC 9000 §12.4: a frame of unknown type (level %d)', (level, stage) => {
    peerOf(role).reach(stage).send(level, bytes(0x21)).expectClose(FrameEncodingError)
  })

  test('RFC 9000 §12.4: the last of all frame types is unknown', () => {
    peerOf(role).reach('confirmed').send(Level.OneRtt, bytes(MAX_VARINT)).expectClose(FrameEncodingError)
  })

  test.each(levelAt)('RFC 9000 §12.4: a frame type longer than it need be (level %d)', (level, stage) => {
    peerOf(role).reach(stage).send(level, Uint8Array.of(0x40, FrameType.Ping)).expectClose(ProtocolViolation)
  })

  test.each(levelAt)('RFC 9000 §12.4: a packet without frames (level %d)', (level, stage) => {
    const peer = peerOf(role).reach(stage)
    const packet = peer.packet(level, zeros(0), { padTo: 0 })
    // What follows an Initial makes the datagram large enough.
    peer.deliver(level === Level.Initial ? concat(packet, zeros(1200)) : packet).expectClose(ProtocolViolation)
  })

  test('RFC 9000 §12.5: CONNECTION_CLOSE of an application outside of the application data space', () => {
    const close = bytes(FrameType.ApplicationClose, 0, 0)
    peerOf(role).send(Level.Initial, close).expectClose(ProtocolViolation)
    peerOf(role).reach('handshake').send(Level.Handshake, close).expectClose(ProtocolViolation)
  })

  test('RFC 9000 §11.1: what makes the connection unusable is said with CONNECTION_CLOSE and the type of the frame', () => {
    const peer = peerOf(role)
      .reach('confirmed')
      .send(Level.OneRtt, bytes(FrameType.MaxStreamData, peerUni, 1))
    expect(peer.close).toMatchObject({ errorCode: StreamStateError, frameType: FrameType.MaxStreamData })
  })

  const cutOff: [name: string, frame: Uint8Array][] = table
    .filter(([, , frame]) => frame.length > 1 && (frame[0] as number) >> 1 !== 0x18)
    .map(([name, , frame]) => [name, frame.subarray(0, -1)])
  test.each(cutOff)('RFC 9000 §12.4: a frame that does not fit its packet: %s', (_, frame) => {
    peerOf(role).reach('confirmed').send(Level.OneRtt, frame).expectClose(FrameEncodingError)
  })

  const violations: [title: string, codes: readonly number[], frame: Uint8Array, stage?: Stage][] = [
    ['RFC 9000 §13.1: an ACK of a packet that was not sent', [ProtocolViolation], bytes(FrameType.Ack, 5000, 0, 0, 0)],
    ['RFC 9000 §13.1: an ACK of the last packet there is', [ProtocolViolation], bytes(2, MAX_VARINT, 0, 0, 0)],
    ['RFC 9000 §19.3.1: a first range below packet 0', [FrameEncodingError], bytes(FrameType.Ack, 0, 0, 0, 1)],
    ['RFC 9000 §19.3.1: a gap below packet 0', [FrameEncodingError], bytes(FrameType.Ack, 1, 0, 1, 0, 0, 0)],
    [
      'RFC 9000 §19.3.1: a range below packet 0',
      [FrameEncodingError],
      bytes(FrameType.AckEcn, 3, 0, 1, 0, 0, 2, 0, 0, 0),
    ],
    [
      'RFC 9000 §19.4: RESET_STREAM for a send-only stream',
      [StreamStateError],
      bytes(FrameType.ResetStream, ownUni, 0, 0),
    ],
    [
      'RFC 9000 §19.5: STOP_SENDING for a stream of ours that is not there yet',
      [StreamStateError],
      bytes(FrameType.StopSending, ownBidi, 0),
    ],
    [
      'RFC 9000 §19.5: STOP_SENDING for a receive-only stream',
      [StreamStateError],
      bytes(FrameType.StopSending, peerUni, 0),
    ],
    [
      'RFC 9000 §19.6: CRYPTO up to beyond 2^62-1',
      [CryptoBufferExceeded],
      bytes(FrameType.Crypto, MAX_VARINT, 1, zeros(1)),
    ],
    [
      'RFC 9000 §19.8: STREAM for a stream of ours that is not there yet',
      [StreamStateError],
      bytes(FrameType.Stream, ownBidi),
    ],
    ['RFC 9000 §19.8: STREAM for a send-only stream', [StreamStateError], bytes(FrameType.Stream, ownUni)],
    ['RFC 9000 §19.8: STREAM up to beyond 2^62-1', [FlowControlError], bytes(0x0e, peerBidi, MAX_VARINT, 1, zeros(1))],
    [
      'RFC 9000 §19.10: MAX_STREAM_DATA for a stream of ours that is not there yet',
      [StreamStateError],
      bytes(FrameType.MaxStreamData, ownBidi, 1),
    ],
    [
      'RFC 9000 §19.10: MAX_STREAM_DATA for a receive-only stream',
      [StreamStateError],
      bytes(FrameType.MaxStreamData, peerUni, 1),
    ],
    [
      'RFC 9000 §19.13: STREAM_DATA_BLOCKED for a send-only stream',
      [StreamStateError],
      bytes(FrameType.StreamDataBlocked, ownUni, 1),
    ],
  ]
  test.each(violations)('%s', (_, codes, frame) => {
    peerOf(role)
      .reach('confirmed')
      .send(Level.OneRtt, frame)
      .expectClose(...codes)
  })

  test('RFC 9000 §19.3: ACK frames with ECN counts are as good as those without', () => {
    const peer = peerOf(role).reach('confirmed')
    const id = peer.connection.openStream('uni') as number
    peer.act(connection => connection.write(id, zeros(10), true))
    const largest = peer.heard.findLast(packet => packet.level === Level.OneRtt)?.number as number
    peer.send(Level.OneRtt, bytes(FrameType.AckEcn, largest, 0, 0, 0, 1, 2, 3)).expectOpen()
    expect(peer.events.at(-1)).toEqual({ type: 'streamFinished', id })
  })

  test('RFC 9000 §19.17: PATH_CHALLENGE is answered with the same data', () => {
    const peer = peerOf(role).reach('confirmed').send(Level.OneRtt, bytes(FrameType.PathChallenge, id8))
    expect(peer.frames(FrameType.PathResponse)).toMatchObject([{ data: id8 }])
  })

  test('RFC 9000 §13.3: frames that are outdated are accepted', () => {
    const old = bytes(
      FrameType.MaxData,
      1,
      FrameType.MaxStreamsBidi,
      1,
      FrameType.DataBlocked,
      0,
      FrameType.StreamsBlockedUni,
      0,
    )
    peerOf(role).reach('confirmed').send(Level.OneRtt, old).send(Level.OneRtt, old).expectOpen()
  })
})

describe('a connection of a server', () => {
  // Table 3 permits RETIRE_CONNECTION_ID, which there is no use for either: §12.5.
  test.each(misplacedIn('0'))('RFC 9000 §12.4: a frame that is not permitted in a 0-RTT packet: %s', (_, frame) => {
    early().send(Level.ZeroRtt, frame).expectClose(ProtocolViolation)
  })

  test('RFC 9000 §12.4: 0-RTT packets obey the other rules as well', () => {
    early().send(Level.ZeroRtt, bytes(0x21)).expectClose(FrameEncodingError)
    early().send(Level.ZeroRtt, zeros(0)).expectClose(ProtocolViolation)
    early().send(Level.ZeroRtt, bytes(FrameType.Stream, 1)).expectClose(StreamStateError)
    expect(levelNames[Level.ZeroRtt]).toBe('0-RTT')
  })

  test('RFC 9000 §19.9: early data beyond the remembered limit of the connection', () => {
    const { resumption, server } = provisioned({ initialMaxData: 100 })
    const peer = new HandMadeClient({ server, psk: offeredPsk(resumption, testTime, true) }).speak(Level.Initial)
    peer.send(Level.ZeroRtt, bytes(FrameType.Stream, 0, zeros(101))).expectClose(FlowControlError)
  })

  test('RFC 9000 §19.10: early data beyond the remembered limit of a stream', () => {
    const { resumption, server } = provisioned({ initialMaxStreamData: 100 })
    const peer = new HandMadeClient({ server, psk: offeredPsk(resumption, testTime, true) }).speak(Level.Initial)
    peer.send(Level.ZeroRtt, bytes(FrameType.Stream, 0, zeros(101))).expectClose(FlowControlError)
  })

  test('RFC 9000 §19.11: early data on a stream beyond the remembered limit', () => {
    const { resumption, server } = provisioned({ initialMaxStreamsBidi: 1 })
    const peer = new HandMadeClient({ server, psk: offeredPsk(resumption, testTime, true) }).speak(Level.Initial)
    peer.send(Level.ZeroRtt, bytes(FrameType.Stream, 4)).expectClose(ErrorCode.StreamLimitError)
  })

  test('RFC 9000 §13.2.6: 0-RTT packets are acknowledged in 1-RTT packets', () => {
    const peer = early().send(Level.ZeroRtt, bytes(FrameType.Ping)).pass(30)
    expect(peer.frames(FrameType.Ack, Level.OneRtt).length).toBeGreaterThan(0)
    peer.expectOpen()
  })

  const fromClient: [title: string, frame: Uint8Array][] = [
    ['RFC 9000 §19.7: NEW_TOKEN from a client', bytes(FrameType.NewToken, 1, zeros(1))],
    ['RFC 9000 §19.20: HANDSHAKE_DONE from a client', bytes(FrameType.HandshakeDone)],
  ]
  test.each(fromClient)('%s', (_, frame) => {
    new HandMadeClient().reach('complete').send(Level.OneRtt, frame).expectClose(ProtocolViolation)
  })
})

test('RFC 9000 §19.7: NEW_TOKEN without a token', () => {
  const peer: HandMadePeer = peerOf('client').reach('confirmed')
  peer.send(Level.OneRtt, bytes(FrameType.NewToken, 0)).expectClose(FrameEncodingError)
})

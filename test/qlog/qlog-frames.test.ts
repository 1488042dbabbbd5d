import { describe, expect, test } from 'vitest'
import { type Frame, FrameType } from '../../src/packet/frames/frame.ts'
import { renderFrame } from '../../src/qlog/qlog-frames.ts'

const data = new TextEncoder().encode('secret')
const id = Uint8Array.of(0xaa, 0xbb)
const eight = new Uint8Array(8).fill(1)
const close = { errorCode: 0x0a, frameType: 0, reason: 'why' }

/** As the draft shows them: required fields, and those that matter. */
const frames: readonly (readonly [Frame, object])[] = [
  [
    { type: FrameType.Padding, length: 9 },
    { frame_type: 'padding', raw: { payload_length: 9 } },
  ],
  [{ type: FrameType.Ping }, { frame_type: 'ping' }],
  [
    { type: FrameType.Ack, largestAcknowledged: 9, ackDelay: 125, ranges: [9, 7, 4, 4], ecn: undefined },
    { frame_type: 'ack', ack_delay: 1, acked_ranges: [[7, 9], [4]] },
  ],
  [
    { type: FrameType.Ack, largestAcknowledged: 0, ackDelay: 0, ranges: [0, 0], ecn: { ect0: 1, ect1: 2, ce: 3 } },
    { frame_type: 'ack', ack_delay: 0, acked_ranges: [[0]], ect0: 1, ect1: 2, ce: 3 },
  ],
  [
    { type: FrameType.ResetStream, id: 4, errorCode: 0x10c, finalSize: 99 },
    { frame_type: 'reset_stream', stream_id: 4, error: 'unknown', error_code: 0x10c, final_size: 99 },
  ],
  [
    { type: FrameType.StopSending, id: 4, errorCode: 1 },
    { frame_type: 'stop_sending', stream_id: 4, error: 'unknown', error_code: 1 },
  ],
  [
    { type: FrameType.Crypto, offset: 3, data },
    { frame_type: 'crypto', offset: 3, raw: { length: 6, payload_length: 6 } },
  ],
  [
    { type: FrameType.NewToken, token: data },
    { frame_type: 'new_token', token: { type: 'resumption', raw: { length: 6 } } },
  ],
  [
    { type: FrameType.Stream, id: 8, offset: 5, data, fin: true },
    { frame_type: 'stream', stream_id: 8, offset: 5, fin: true, raw: { length: 6, payload_length: 6 } },
  ],
  [
    { type: FrameType.MaxData, maximum: 5 },
    { frame_type: 'max_data', maximum: 5 },
  ],
  [
    { type: FrameType.MaxStreamData, id: 1, maximum: 5 },
    { frame_type: 'max_stream_data', stream_id: 1, maximum: 5 },
  ],
  [
    { type: FrameType.MaxStreamsBidi, maximum: 5 },
    { frame_type: 'max_streams', stream_type: 'bidirectional', maximum: 5 },
  ],
  [
    { type: FrameType.MaxStreamsUni, maximum: 5 },
    { frame_type: 'max_streams', stream_type: 'unidirectional', maximum: 5 },
  ],
  [
    { type: FrameType.DataBlocked, limit: 5 },
    { frame_type: 'data_blocked', limit: 5 },
  ],
  [
    { type: FrameType.StreamDataBlocked, id: 1, limit: 5 },
    { frame_type: 'stream_data_blocked', stream_id: 1, limit: 5 },
  ],
  [
    { type: FrameType.StreamsBlockedBidi, limit: 5 },
    { frame_type: 'streams_blocked', stream_type: 'bidirectional', limit: 5 },
  ],
  [
    { type: FrameType.StreamsBlockedUni, limit: 5 },
    { frame_type: 'streams_blocked', stream_type: 'unidirectional', limit: 5 },
  ],
  [
    { type: FrameType.NewConnectionId, sequence: 2, retirePriorTo: 1, id, statelessResetToken: new Uint8Array(16) },
    {
      frame_type: 'new_connection_id',
      sequence_number: 2,
      retire_prior_to: 1,
      connection_id_length: 2,
      connection_id: 'aabb',
    },
  ],
  [
    { type: FrameType.RetireConnectionId, sequence: 2 },
    { frame_type: 'retire_connection_id', sequence_number: 2 },
  ],
  [
    { type: FrameType.PathChallenge, data: eight },
    { frame_type: 'path_challenge', data: '0101010101010101' },
  ],
  [
    { type: FrameType.PathResponse, data: eight },
    { frame_type: 'path_response', data: '0101010101010101' },
  ],
  [
    { type: FrameType.ConnectionClose, ...close, frameType: 8 },
    {
      frame_type: 'connection_close',
      error_space: 'transport',
      error: 'protocol_violation',
      reason: 'why',
      trigger_frame_type: 8,
    },
  ],
  [
    { type: FrameType.ConnectionClose, ...close, errorCode: 0x178 },
    { frame_type: 'connection_close', error_space: 'transport', error: 'crypto_error_0x178', reason: 'why' },
  ],
  [
    { type: FrameType.ApplicationClose, ...close },
    { frame_type: 'connection_close', error_space: 'application', error: 'unknown', error_code: 0x0a, reason: 'why' },
  ],
  [{ type: FrameType.HandshakeDone }, { frame_type: 'handshake_done' }],
  [
    { type: FrameType.Datagram, data },
    { frame_type: 'datagram', raw: { length: 6, payload_length: 6 } },
  ],
  [
    { type: FrameType.ResetStreamAt, id: 4, errorCode: 0x10c, finalSize: 99, reliableSize: 9 },
    {
      frame_type: 'reset_stream_at',
      stream_id: 4,
      error: 'unknown',
      error_code: 0x10c,
      final_size: 99,
      reliable_size: 9,
    },
  ],
  [{ type: FrameType.ImmediateAck }, { frame_type: 'immediate_ack' }],
  [
    {
      type: FrameType.AckFrequency,
      sequence: 1,
      ackElicitingThreshold: 9,
      requestedMaxAckDelay: 5000,
      reorderingThreshold: 3,
    },
    {
      frame_type: 'ack_frequency',
      sequence_number: 1,
      ack_eliciting_threshold: 9,
      requested_max_ack_delay: 5000,
      reordering_threshold: 3,
    },
  ],
]

describe('frames', () => {
  test.each(frames.map(([frame, shown]) => [JSON.stringify(shown), frame, shown] as const))('%s', (_, frame, shown) => {
    expect(JSON.parse(JSON.stringify(renderFrame(frame, 3)))).toEqual(shown)
  })

  test('every type is among them', () => {
    const shown = new Set(frames.map(([frame]) => frame.type as number))
    const missing = Object.entries(FrameType).filter(([, type]) => !shown.has(type))
    // An ACK with ECN counts is read as an ACK.
    expect(missing).toEqual([['AckEcn', FrameType.AckEcn]])
  })

  test('no data, no token, no reset token is shown', () => {
    const text = JSON.stringify(frames.map(([frame]) => renderFrame(frame, 3)))
    expect(text).not.toContain(Buffer.from(data).toString('hex'))
    expect(text).not.toContain('00000000000000000000000000000000')
  })
})

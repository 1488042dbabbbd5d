// Frames as qlog shows them (draft-ietf-quic-qlog-quic-events, QUIC Frames). Lengths, never contents: data, tokens and
// stateless reset tokens stay out of the log.

import { toHex } from '../bytes/hex.ts'
import { Reader } from '../bytes/reader.ts'
import { type AckFrame, type ConnectionCloseFrame, type Frame, FrameType } from '../packet/frames/frame.ts'
import { readFrame } from '../packet/frames/read-frame.ts'
import type { Level } from '../packet/level.ts'
import { TransportError } from '../packet/transport-error.ts'
import { streamType, transportError } from './qlog-names.ts'

/** What JSON.stringify turns into an object; undefined members vanish. */
export type QlogObject = { readonly [key: string]: unknown }

/** The frames of a plaintext, as far as they can be read; what cannot be ends the list as an unknown frame. */
export function renderPayload(payload: Uint8Array | readonly Frame[], level: Level, ackExponent: number): QlogObject[] {
  if (!(payload instanceof Uint8Array)) return payload.map(frame => renderFrame(frame, ackExponent))
  const rendered: QlogObject[] = []
  const reader = new Reader(payload)
  try {
    while (!reader.isDone) rendered.push(renderFrame(readFrame(reader, level), ackExponent))
  } catch (error) {
    if (!(error instanceof TransportError)) throw error
    rendered.push({ frame_type: 'unknown', frame_type_bytes: error.frameType })
  }
  return rendered
}

/** `ackExponent` is the ack_delay_exponent of whoever sent the frame. */
export function renderFrame(frame: Frame, ackExponent: number): QlogObject {
  switch (frame.type) {
    case FrameType.Padding:
      return { frame_type: 'padding', raw: { payload_length: frame.length } }
    case FrameType.Ping:
      return { frame_type: 'ping' }
    case FrameType.Ack:
      return renderAck(frame, ackExponent)
    case FrameType.Crypto:
      return { frame_type: 'crypto', offset: frame.offset, raw: lengthOf(frame.data) }
    case FrameType.NewToken:
      return { frame_type: 'new_token', token: { type: 'resumption', raw: { length: frame.token.length } } }
    case FrameType.Datagram:
      return { frame_type: 'datagram', raw: lengthOf(frame.data) }
    case FrameType.ConnectionClose:
    case FrameType.ApplicationClose:
      return renderClose(frame)
    case FrameType.HandshakeDone:
      return { frame_type: 'handshake_done' }
    case FrameType.NewConnectionId:
      return {
        frame_type: 'new_connection_id',
        sequence_number: frame.sequence,
        retire_prior_to: frame.retirePriorTo,
        connection_id_length: frame.id.length,
        connection_id: toHex(frame.id),
      }
    case FrameType.RetireConnectionId:
      return { frame_type: 'retire_connection_id', sequence_number: frame.sequence }
    case FrameType.PathChallenge:
      return { frame_type: 'path_challenge', data: toHex(frame.data) }
    case FrameType.PathResponse:
      return { frame_type: 'path_response', data: toHex(frame.data) }
    case FrameType.ImmediateAck:
      return { frame_type: 'immediate_ack' }
    case FrameType.AckFrequency:
      return {
        frame_type: 'ack_frequency',
        sequence_number: frame.sequence,
        ack_eliciting_threshold: frame.ackElicitingThreshold,
        requested_max_ack_delay: frame.requestedMaxAckDelay,
        reordering_threshold: frame.reorderingThreshold,
      }
    default:
      return renderStreamRelated(frame)
  }
}

type StreamRelated = Extract<
  Frame,
  {
    type:
      | typeof FrameType.Stream
      | typeof FrameType.ResetStream
      | typeof FrameType.ResetStreamAt
      | typeof FrameType.StopSending
      | typeof FrameType.MaxData
      | typeof FrameType.MaxStreamData
      | typeof FrameType.MaxStreamsBidi
      | typeof FrameType.MaxStreamsUni
      | typeof FrameType.DataBlocked
      | typeof FrameType.StreamDataBlocked
      | typeof FrameType.StreamsBlockedBidi
      | typeof FrameType.StreamsBlockedUni
  }
>

function renderStreamRelated(frame: StreamRelated): QlogObject {
  switch (frame.type) {
    case FrameType.Stream:
      return {
        frame_type: 'stream',
        stream_id: frame.id,
        offset: frame.offset,
        fin: frame.fin,
        raw: lengthOf(frame.data),
      }
    case FrameType.ResetStream:
      return {
        frame_type: 'reset_stream',
        stream_id: frame.id,
        error: 'unknown',
        error_code: frame.errorCode,
        final_size: frame.finalSize,
      }
    case FrameType.ResetStreamAt:
      return {
        frame_type: 'reset_stream_at',
        stream_id: frame.id,
        error: 'unknown',
        error_code: frame.errorCode,
        final_size: frame.finalSize,
        reliable_size: frame.reliableSize,
      }
    case FrameType.StopSending:
      return { frame_type: 'stop_sending', stream_id: frame.id, error: 'unknown', error_code: frame.errorCode }
    case FrameType.MaxData:
      return { frame_type: 'max_data', maximum: frame.maximum }
    case FrameType.MaxStreamData:
      return { frame_type: 'max_stream_data', stream_id: frame.id, maximum: frame.maximum }
    case FrameType.MaxStreamsBidi:
    case FrameType.MaxStreamsUni:
      return { frame_type: 'max_streams', stream_type: directionOf(frame.type), maximum: frame.maximum }
    case FrameType.DataBlocked:
      return { frame_type: 'data_blocked', limit: frame.limit }
    case FrameType.StreamDataBlocked:
      return { frame_type: 'stream_data_blocked', stream_id: frame.id, limit: frame.limit }
    case FrameType.StreamsBlockedBidi:
    case FrameType.StreamsBlockedUni:
      return { frame_type: 'streams_blocked', stream_type: directionOf(frame.type), limit: frame.limit }
  }
}

/** RFC 9000 §19.3: the delay comes in units of 2^exponent µs. */
function renderAck(frame: AckFrame, ackExponent: number): QlogObject {
  const ranges: number[][] = []
  for (let i = 0; i + 1 < frame.ranges.length; i += 2) {
    const largest = frame.ranges[i] as number
    const smallest = frame.ranges[i + 1] as number
    ranges.push(largest === smallest ? [largest] : [smallest, largest])
  }
  const delay = (frame.ackDelay * 2 ** ackExponent) / 1000
  return { frame_type: 'ack', ack_delay: delay, acked_ranges: ranges, ...frame.ecn }
}

function renderClose(frame: ConnectionCloseFrame): QlogObject {
  const { reason } = frame
  if (frame.type === FrameType.ApplicationClose) {
    const error = { error: 'unknown', error_code: frame.errorCode }
    return { frame_type: 'connection_close', error_space: 'application', ...error, reason }
  }
  const error = transportError(frame.errorCode)
  const cause = frame.frameType === 0 ? undefined : frame.frameType
  return { frame_type: 'connection_close', error_space: 'transport', ...error, reason, trigger_frame_type: cause }
}

/** The length of the frame's data. */
function lengthOf(data: Uint8Array): QlogObject {
  return { length: data.length, payload_length: data.length }
}

/** Even types are those of bidirectional streams. */
function directionOf(type: number): string {
  return streamType(type % 2 === 0 ? 0 : 2)
}

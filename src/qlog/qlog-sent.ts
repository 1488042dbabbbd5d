// What is to be sent again, as frames: from the records that are kept of sent packets (marked_for_retransmit).

import { type SentFrame, SentKind } from '../packet/sent-frame.ts'
import type { QlogObject } from './qlog-frames.ts'
import { streamType } from './qlog-names.ts'

/** Undefined for what is not repeated: ACK, PING, PATH_RESPONSE, DATAGRAM, CONNECTION_CLOSE (RFC 9000 §13.3). */
export function renderSent(frame: SentFrame): QlogObject | undefined {
  const { kind, id, offset, length, flag } = frame
  switch (kind) {
    case SentKind.Crypto:
      return { frame_type: 'crypto', offset, raw: { length, payload_length: length } }
    case SentKind.Stream:
      return { frame_type: 'stream', stream_id: id, offset, fin: flag, raw: { length, payload_length: length } }
    case SentKind.MaxData:
      return { frame_type: 'max_data', maximum: offset }
    case SentKind.MaxStreamData:
      return { frame_type: 'max_stream_data', stream_id: id, maximum: offset }
    case SentKind.MaxStreams:
      return { frame_type: 'max_streams', stream_type: streamType(flag ? 0 : 2), maximum: offset }
    case SentKind.DataBlocked:
      return { frame_type: 'data_blocked', limit: offset }
    case SentKind.StreamDataBlocked:
      return { frame_type: 'stream_data_blocked', stream_id: id, limit: offset }
    case SentKind.StreamsBlocked:
      return { frame_type: 'streams_blocked', stream_type: streamType(flag ? 0 : 2), limit: offset }
    case SentKind.RetireConnectionId:
      return { frame_type: 'retire_connection_id', sequence_number: id }
    case SentKind.PathChallenge:
      return { frame_type: 'path_challenge' }
    case SentKind.HandshakeDone:
      return { frame_type: 'handshake_done' }
    default:
      return undefined
  }
}

/** Several packets' worth, one list. */
export function renderAllSent(frames: readonly SentFrame[]): QlogObject[] {
  return frames.map(renderSent).filter(frame => frame !== undefined)
}

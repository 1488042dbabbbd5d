// The frames of one stream that carry no data: RESET_STREAM, STOP_SENDING (RFC 9000 §19.4-5), MAX_STREAM_DATA and
// STREAM_DATA_BLOCKED (§19.10, §19.13), RESET_STREAM_AT (QUIC Stream Resets with Partial Delivery §4).

import {
  STREAM_LIMIT_FRAME_MAX_SIZE,
  writeMaxStreamData,
  writeStreamDataBlocked,
} from '../packet/frames/flow-control.ts'
import {
  resetStreamAtSize,
  resetStreamSize,
  stopSendingSize,
  writeResetStream,
  writeResetStreamAt,
  writeStopSending,
} from '../packet/frames/stream-control.ts'
import type { PacketWriter } from '../packet/packet-writer.ts'
import { SentFrame, SentKind } from '../packet/sent-frame.ts'
import type { ReceiveStream } from './receive-stream.ts'
import type { SendStream } from './send-stream.ts'
import type { Stream } from './stream.ts'
import type { WindowTuner } from './window-tuner.ts'

/** Writes those that are due. False when the packet had no room for one of them. */
export function writeControl(stream: Stream, packet: PacketWriter, tuner: WindowTuner): boolean {
  const { id, send, receive } = stream
  if (send?.isResetDue && !writeReset(id, send, packet)) return false
  if (receive?.isStopDue && !writeStop(id, receive, packet)) return false
  if (receive?.isCreditDue && !writeCredit(id, receive, packet, tuner)) return false
  return !send?.isBlockedDue || writeBlocked(id, send, packet)
}

function writeReset(id: number, send: SendStream, packet: PacketWriter): boolean {
  const { resetCode, finalSize, reliableSize } = send
  if (reliableSize === 0) {
    if (packet.remaining < resetStreamSize(id, resetCode, finalSize)) return false
    writeResetStream(packet, id, resetCode, finalSize)
  } else {
    if (packet.remaining < resetStreamAtSize(id, resetCode, finalSize, reliableSize)) return false
    writeResetStreamAt(packet, id, resetCode, finalSize, reliableSize)
  }
  packet.record(new SentFrame(SentKind.ResetStream, id, reliableSize))
  send.onResetSent()
  return true
}

function writeStop(id: number, receive: ReceiveStream, packet: PacketWriter): boolean {
  if (packet.remaining < stopSendingSize(id, receive.stopCode)) return false
  writeStopSending(packet, id, receive.stopCode)
  packet.record(new SentFrame(SentKind.StopSending, id))
  receive.isStopDue = false
  return true
}

function writeCredit(id: number, receive: ReceiveStream, packet: PacketWriter, tuner: WindowTuner): boolean {
  if (packet.remaining < STREAM_LIMIT_FRAME_MAX_SIZE) return false
  if (!tuner.tuneStream(receive.window)) return true
  const limit = receive.window.announce()
  writeMaxStreamData(packet, id, limit)
  packet.record(new SentFrame(SentKind.MaxStreamData, id, limit))
  return true
}

function writeBlocked(id: number, send: SendStream, packet: PacketWriter): boolean {
  if (packet.remaining < STREAM_LIMIT_FRAME_MAX_SIZE) return false
  writeStreamDataBlocked(packet, id, send.credit.limit)
  packet.record(new SentFrame(SentKind.StreamDataBlocked, id, send.credit.limit))
  send.onBlockedSent()
  return true
}

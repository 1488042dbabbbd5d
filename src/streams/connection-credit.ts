// Credit of the connection as a whole: bytes of all streams (RFC 9000 §4.1) and numbers of streams (§4.6).

import {
  LIMIT_FRAME_MAX_SIZE,
  writeDataBlocked,
  writeMaxData,
  writeMaxStreams,
  writeStreamsBlocked,
} from '../packet/frames/flow-control.ts'
import type { PacketWriter } from '../packet/packet-writer.ts'
import { SentFrame, SentKind } from '../packet/sent-frame.ts'
import { ReceiveWindow, SendCredit } from './flow-control.ts'
import { type Role, streamKind } from './stream-id.ts'
import { LocalStreams, RemoteStreams, type StreamLimits } from './stream-limits.ts'
import type { WindowTuner } from './window-tuner.ts'

export class ConnectionCredit {
  /** What we may send. */
  readonly data: SendCredit = new SendCredit()
  /** What we allow the peer to send. */
  readonly window: ReceiveWindow
  readonly localBidi: LocalStreams
  readonly localUni: LocalStreams
  readonly remoteBidi: RemoteStreams
  readonly remoteUni: RemoteStreams

  /** `maxWindow`: how far the window may grow. */
  constructor(role: Role, local: StreamLimits, maxWindow: number) {
    const peer = role === 'client' ? 'server' : 'client'
    this.window = new ReceiveWindow(local.maxData, maxWindow)
    this.localBidi = new LocalStreams('bidi', streamKind(role, 'bidi'))
    this.localUni = new LocalStreams('uni', streamKind(role, 'uni'))
    this.remoteBidi = new RemoteStreams('bidi', streamKind(peer, 'bidi'), local.maxStreamsBidi)
    this.remoteUni = new RemoteStreams('uni', streamKind(peer, 'uni'), local.maxStreamsUni)
  }

  /** Whether `write` has anything to say. `hasFresh`: there are bytes that wait for nothing but this credit. */
  isDue(hasFresh: boolean): boolean {
    return (
      this.window.isDue ||
      this.remoteBidi.window.isDue ||
      this.remoteUni.window.isDue ||
      (hasFresh && this.data.isBlockedDue) ||
      this.localBidi.isBlockedDue ||
      this.localUni.isBlockedDue
    )
  }

  /** MAX_DATA and MAX_STREAMS. */
  writeLimits(packet: PacketWriter, tuner: WindowTuner): void {
    if (this.window.isDue && hasRoom(packet) && tuner.tuneConnection()) {
      const limit = this.window.announce()
      writeMaxData(packet, limit)
      packet.record(new SentFrame(SentKind.MaxData, 0, limit))
    }
    this.#writeMaxStreams(packet, this.remoteBidi)
    this.#writeMaxStreams(packet, this.remoteUni)
  }

  /** DATA_BLOCKED and STREAMS_BLOCKED, once for each limit. */
  writeBlocked(packet: PacketWriter, hasFresh: boolean): void {
    if (hasFresh && this.data.isBlockedDue && hasRoom(packet)) {
      writeDataBlocked(packet, this.data.limit)
      packet.record(new SentFrame(SentKind.DataBlocked, 0, this.data.limit))
      this.data.onBlockedSent()
    }
    this.#writeStreamsBlocked(packet, this.localBidi)
    this.#writeStreamsBlocked(packet, this.localUni)
  }

  onLost(frame: SentFrame): void {
    switch (frame.kind) {
      case SentKind.MaxData:
        this.window.onLost(frame.offset)
        break
      case SentKind.DataBlocked:
        this.data.onBlockedLost(frame.offset)
        break
      case SentKind.MaxStreams:
        this.#remote(frame.flag).window.onLost(frame.offset)
        break
      case SentKind.StreamsBlocked:
        this.local(frame.flag).credit.onBlockedLost(frame.offset)
        break
    }
  }

  local(isBidi: boolean): LocalStreams {
    return isBidi ? this.localBidi : this.localUni
  }

  #remote(isBidi: boolean): RemoteStreams {
    return isBidi ? this.remoteBidi : this.remoteUni
  }

  /** RFC 9001 §4.6.2: early data was rejected. */
  restart(): void {
    this.data.restart()
    this.localBidi.restart()
    this.localUni.restart()
  }

  #writeMaxStreams(packet: PacketWriter, streams: RemoteStreams): void {
    if (!streams.window.isDue || !hasRoom(packet)) return
    const limit = streams.window.announce()
    const isBidi = streams.direction === 'bidi'
    writeMaxStreams(packet, isBidi, limit)
    packet.record(new SentFrame(SentKind.MaxStreams, 0, limit, 0, isBidi))
  }

  #writeStreamsBlocked(packet: PacketWriter, streams: LocalStreams): void {
    if (!streams.isBlockedDue || !hasRoom(packet)) return
    const isBidi = streams.direction === 'bidi'
    writeStreamsBlocked(packet, isBidi, streams.credit.limit)
    packet.record(new SentFrame(SentKind.StreamsBlocked, 0, streams.credit.limit, 0, isBidi))
    streams.credit.onBlockedSent()
  }
}

function hasRoom(packet: PacketWriter): boolean {
  return packet.remaining >= LIMIT_FRAME_MAX_SIZE
}

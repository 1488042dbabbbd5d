// Flow control seen from outside (RFC 9000 §4): reads what each side sends, in the clear, and keeps accounts of its own.

import { Reader } from '../../src/bytes/reader.ts'
import type { TransportOptions } from '../../src/connection/config.ts'
import { type Frame, FrameType, type StreamDirection } from '../../src/packet/frames/frame.ts'
import { readFrame } from '../../src/packet/frames/read-frame.ts'
import type { Level } from '../../src/packet/level.ts'
import { NoRecorder, type RecordedPayload, type Recorder } from '../../src/qlog/recorder.ts'
import type { Side } from './traffic.ts'

/** What a side has allowed the other. */
interface Grants {
  data: number
  readonly streamData: number
  readonly byStream: Map<number, number>
  readonly streams: Record<StreamDirection, number>
}

export class Credit {
  readonly #grants: Record<Side, Grants>
  /** The highest offset sent, by stream. */
  readonly #sent: Record<Side, Map<number, number>> = { client: new Map(), server: new Map() }
  readonly #total: Record<Side, number> = { client: 0, server: 0 }
  #breach: string | undefined

  constructor(clientTransport: TransportOptions, serverTransport: TransportOptions) {
    this.#grants = { client: grantsOf(clientTransport), server: grantsOf(serverTransport) }
  }

  /** Throws if somebody sent more than he was allowed. */
  check(): void {
    if (this.#breach !== undefined) throw new Error(this.#breach)
  }

  /** RFC 9000 §7.4.1: what the client sent early does not count, and has not arrived. */
  onEarlyRejected(): void {
    this.#sent.client.clear()
    this.#total.client = 0
  }

  recorder(side: Side): Recorder {
    return {
      ...NoRecorder,
      enabled: true,
      packetSent: (level, _number, _size, payload) => this.#read(side, level, payload),
    }
  }

  #read(side: Side, level: Level, payload: RecordedPayload): void {
    if (!(payload instanceof Uint8Array)) return
    const reader = new Reader(payload)
    while (!reader.isDone) this.#note(side, readFrame(reader, level))
  }

  #note(side: Side, frame: Frame): void {
    const own = this.#grants[side]
    switch (frame.type) {
      case FrameType.MaxData:
        own.data = Math.max(own.data, frame.maximum)
        break
      case FrameType.MaxStreamData:
        own.byStream.set(frame.id, Math.max(own.byStream.get(frame.id) ?? own.streamData, frame.maximum))
        break
      case FrameType.MaxStreamsBidi:
        own.streams.bidi = Math.max(own.streams.bidi, frame.maximum)
        break
      case FrameType.MaxStreamsUni:
        own.streams.uni = Math.max(own.streams.uni, frame.maximum)
        break
      case FrameType.Stream:
        this.#spend(side, frame.id, frame.offset + frame.data.length)
        break
      case FrameType.ResetStream:
      case FrameType.ResetStreamAt:
        this.#spend(side, frame.id, frame.finalSize)
        break
    }
  }

  #spend(side: Side, id: number, end: number): void {
    const { data, streamData, byStream, streams } = this.#grants[side === 'client' ? 'server' : 'client']
    const before = this.#sent[side].get(id) ?? 0
    if (end > before) {
      this.#sent[side].set(id, end)
      this.#total[side] += end - before
    }
    const isOwn = (id & 1) === (side === 'client' ? 0 : 1)
    if (isOwn && Math.floor(id / 4) >= streams[(id & 2) === 0 ? 'bidi' : 'uni']) {
      this.#breach ??= `${side}: stream ${id} was not allowed`
    }
    const allowed = byStream.get(id) ?? streamData
    if (end > allowed) this.#breach ??= `${side}: ${end} bytes on stream ${id}, ${allowed} allowed`
    if (this.#total[side] > data) this.#breach ??= `${side}: ${this.#total[side]} bytes, ${data} allowed`
  }
}

function grantsOf(transport: TransportOptions): Grants {
  const { initialMaxData, initialMaxStreamData, initialMaxStreamsBidi, initialMaxStreamsUni } = transport
  return {
    data: initialMaxData ?? 0,
    streamData: initialMaxStreamData ?? 0,
    byStream: new Map(),
    streams: { bidi: initialMaxStreamsBidi ?? 0, uni: initialMaxStreamsUni ?? 0 },
  }
}

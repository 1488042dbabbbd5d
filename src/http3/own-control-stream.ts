// Our control stream (RFC 9114 §6.2.1): SETTINGS first, then what we have to say of the connection as a whole.

import { varintSize } from '../bytes/varint.ts'
import { Writer } from '../bytes/writer.ts'
import { FrameType, frameHeaderSize, idFrame, writeFrameHeader } from './frames.ts'
import { type Priority, writePriority } from './priority.ts'
import { type OwnSettings, reservedId, writeSettings } from './settings.ts'
import { StreamType } from './stream-type.ts'
import type { Http3Transport } from './transport.ts'

export class OwnControlStream {
  /** -1 until the peer allows it. */
  id = -1
  readonly #transport: Http3Transport
  readonly #settings: OwnSettings

  constructor(transport: Http3Transport, settings: OwnSettings) {
    this.#transport = transport
    this.#settings = settings
  }

  /** As soon as the peer allows it; asked again until then. */
  open(): void {
    if (this.id !== -1) return
    const id = this.#transport.openStream('uni')
    if (id === undefined) return
    this.id = id
    const settings = writeSettings(this.#settings)
    const writer = Writer.allocate(16 + settings.length)
    writer.u8(StreamType.Control)
    writeFrameHeader(writer, FrameType.Settings, settings.length)
    writer.put(settings)
    // RFC 9114 §7.2.8: a frame that means nothing.
    writeFrameHeader(writer, reservedId(this.#settings.grease), 0)
    this.#transport.write(id, writer.finish(), false)
    // Incremental, so that it takes turns with requests that are as urgent.
    this.#transport.setPriority?.(id, 0, true)
  }

  /** RFC 9114 §5.2. Infinity: the first of two, which only says that another will follow. */
  goaway(id: number): void {
    this.#write(id === Number.POSITIVE_INFINITY ? goawayToCome : idFrame(FrameType.Goaway, id))
  }

  /** RFC 9218 §7.2. */
  priorityUpdate(id: number, priority: Priority): void {
    const value = writePriority(priority)
    const length = varintSize(id) + value.length
    const writer = Writer.allocate(frameHeaderSize(FrameType.PriorityUpdateRequest, length) + length)
    writeFrameHeader(writer, FrameType.PriorityUpdateRequest, length)
    writer.varint(id)
    for (let i = 0; i < value.length; i++) writer.u8(value.charCodeAt(i))
    this.#write(writer.bytes)
  }

  #write(bytes: Uint8Array): void {
    if (this.id !== -1) this.#transport.write(this.id, bytes, false)
  }
}

/** GOAWAY with 2^62-4, the largest id of a request. */
const goawayToCome = Uint8Array.of(FrameType.Goaway, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc)

// QPACK on a connection (RFC 9204 §4.2): encoder and decoder, and the two streams of ours by which they talk to their
// counterparts.

import { Writer } from '../bytes/writer.ts'
import { limits } from '../limits.ts'
import { Http3Error, Http3ErrorCode } from './error-codes.ts'
import type { Field } from './field.ts'
import { QpackDecoder } from './qpack/decoder.ts'
import { DecoderStream } from './qpack/decoder-stream.ts'
import { QpackEncoder } from './qpack/encoder.ts'
import { EncoderStream } from './qpack/encoder-stream.ts'
import type { OwnSettings, Settings } from './settings.ts'
import { StreamType } from './stream-type.ts'
import type { Http3Transport } from './transport.ts'

/** Instructions that one field section accounts for. */
const INSTRUCTIONS_PER_SECTION = 64

export class QpackStreams {
  readonly #encoder = new QpackEncoder()
  readonly #decoder: QpackDecoder
  readonly #fromEncoder: EncoderStream
  readonly #fromDecoder: DecoderStream
  readonly #toDecoder: OwnStream
  readonly #toEncoder: OwnStream
  #instructionsLeft: number = limits.qpackInstructions

  constructor(transport: Http3Transport, options: OwnSettings & { readonly maxFields?: number }) {
    this.#decoder = new QpackDecoder({
      maxFieldSectionSize: options.maxFieldSectionSize ?? limits.fieldSectionSize,
      maxFields: options.maxFields ?? limits.fields,
      maxTableCapacity: options.qpackTableCapacity ?? limits.qpackTableCapacity,
      maxBlockedStreams: options.qpackBlockedStreams ?? limits.qpackBlockedStreams,
    })
    this.#fromEncoder = new EncoderStream(this.#decoder.table, this.#decoder.maxTableCapacity)
    this.#fromDecoder = new DecoderStream(this.#encoder)
    this.#toDecoder = new OwnStream(transport, StreamType.QpackEncoder)
    this.#toEncoder = new OwnStream(transport, StreamType.QpackDecoder)
  }

  /** Insertions into either table so far, for whoever wants to know whether it is used. */
  get insertions(): { readonly sent: number; readonly received: number } {
    return { sent: this.#encoder.insertCount, received: this.#decoder.table.insertCount }
  }

  /** The peer's SETTINGS came. Early data goes without the table: what was remembered may not be so any more. */
  onSettings({ qpackMaxTableCapacity, qpackBlockedStreams }: Settings): void {
    if (qpackMaxTableCapacity > 0) this.#encoder.setLimits(qpackMaxTableCapacity, qpackBlockedStreams)
  }

  /** The field section: a view that is good until the next call. What it needs is on its way before it. */
  encode(fields: readonly Field[], streamId: number): Uint8Array {
    const section = this.#encoder.encode(fields, streamId, this.#encoder.isEnabled && this.#toDecoder.hasRoom)
    const instructions = this.#encoder.takeInstructions()
    if (instructions !== undefined) this.#toDecoder.write(instructions)
    return section
  }

  /** The section encoded last for this stream could not be sent. */
  onUnsent(streamId: number): void {
    this.#encoder.revoke(streamId)
  }

  /** Undefined: insertions it refers to are missing. Then call `flush`. */
  decode(section: Uint8Array, streamId: number): Field[] | undefined {
    const fields = this.#decoder.decode(section, streamId)
    if (fields !== undefined) {
      this.#instructionsLeft = Math.min(limits.qpackInstructions, this.#instructionsLeft + INSTRUCTIONS_PER_SECTION)
    }
    return fields
  }

  /** No more is read from this stream, and not all of it was (RFC 9204 §2.2.2.2). */
  onAbandoned(streamId: number): void {
    this.#decoder.cancel(streamId)
  }

  /** The peer's encoder stream. Afterwards `takeReady` may name streams. */
  onEncoderData(data: Uint8Array): void {
    this.#instructionsLeft -= this.#fromEncoder.receive(data)
    if (this.#instructionsLeft < 0) throw excessive('insertions that nothing refers to')
  }

  /** The peer's decoder stream. Returns how many instructions said nothing. */
  onDecoderData(data: Uint8Array): number {
    return this.#fromDecoder.receive(data)
  }

  /** A stream whose section can be decoded now, and could not before. */
  takeReady(): number | undefined {
    return this.#decoder.takeReady()
  }

  /** Sends what the decoder has to say. */
  flush(): void {
    if (!this.#decoder.hasInstructions) return
    if (this.#toEncoder.hasRoom) this.#toEncoder.write(this.#decoder.takeInstructions() as Uint8Array)
    else if (this.#decoder.pendingBytes > limits.qpackBacklog) throw excessive('no credit for the decoder stream')
  }

  isOwn(id: number): boolean {
    return this.#toDecoder.id === id || this.#toEncoder.id === id
  }

  onWritable(id: number): void {
    if (this.#toDecoder.id === id) this.#toDecoder.onWritable()
    if (this.#toEncoder.id !== id) return
    this.#toEncoder.onWritable()
    this.flush()
  }
}

/** A stream of ours, opened when there is something to say. */
class OwnStream {
  id = -1
  readonly #transport: Http3Transport
  readonly #type: number
  #isTyped = false
  #isFull = false

  constructor(transport: Http3Transport, type: number) {
    this.#transport = transport
    this.#type = type
  }

  /** False while the peer allows no stream, or takes too little of it. */
  get hasRoom(): boolean {
    if (this.id === -1) this.#open()
    return this.id !== -1 && !this.#isFull
  }

  onWritable(): void {
    this.#isFull = false
  }

  /** Only when there is room. */
  write(bytes: Uint8Array): void {
    if (this.#isTyped) {
      this.#isFull = this.#transport.write(this.id, bytes, false) <= 0
      return
    }
    this.#isTyped = true
    const writer = Writer.allocate(1 + bytes.length)
    writer.u8(this.#type)
    writer.put(bytes)
    this.#isFull = this.#transport.write(this.id, writer.bytes, false) <= 0
  }

  #open(): void {
    this.id = this.#transport.openStream('uni') ?? -1
    // RFC 9204 §2.1.3: what requests wait for must not wait for requests. Incremental, so that it takes turns with
    // requests that are as urgent.
    if (this.id !== -1) this.#transport.setPriority?.(this.id, 0, true)
  }
}

function excessive(reason: string): Http3Error {
  return new Http3Error(Http3ErrorCode.ExcessiveLoad, reason)
}

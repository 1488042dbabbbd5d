// Unidirectional streams of the peer (RFC 9114 §6.2): first the type, then what the type says.

import { Reader } from '../bytes/reader.ts'
import { type ControlFrame, ControlStream } from './control-stream.ts'
import { Http3Error, Http3ErrorCode } from './error-codes.ts'
import type { ForeignStreams } from './foreign-streams.ts'
import { varintLength } from './frames.ts'
import { StreamType } from './stream-type.ts'
import type { Http3Transport } from './transport.ts'

/** What the streams need of their connection. */
export interface UniHost {
  readonly transport: Http3Transport
  readonly isServer: boolean
  onGlitch(): void
  onControlFrame(frame: ControlFrame): void
  /** Bytes of the peer's QPACK streams. */
  onEncoderData(data: Uint8Array): void
  onDecoderData(data: Uint8Array): void
  /** Who takes streams of WebTransport. */
  readonly foreign: ForeignStreams | undefined
}

export class UniStreams {
  readonly #host: UniHost
  readonly #streams = new Map<number, UniStream>()
  /** Types of critical streams the peer opened. */
  readonly #critical = new Set<number>()
  readonly #control: ControlStream

  constructor(host: UniHost) {
    this.#host = host
    this.#control = new ControlStream(host.isServer, () => host.onGlitch())
  }

  open(id: number): void {
    this.#streams.set(id, new UniStream(id))
    this.onReadable(id)
  }

  onReadable(id: number): void {
    const stream = this.#streams.get(id)
    if (stream === undefined) return
    // Until there is no more, or it was refused and nothing more of it is wanted.
    while (this.#streams.has(id)) {
      const chunk = this.#host.transport.read(id)
      if (chunk === undefined) return
      this.#onData(stream, chunk.data, chunk.fin)
      if (chunk.fin) this.#onEnd(stream)
    }
  }

  onReset(id: number): void {
    const stream = this.#streams.get(id)
    if (stream !== undefined) this.#onEnd(stream)
  }

  #onData(stream: UniStream, data: Uint8Array, isFinished: boolean): void {
    let rest = data
    if (stream.type === -1) {
      rest = stream.read(data)
      if (stream.value === -1) return
      stream.type = stream.value
      this.#onType(stream)
    }
    if (rest.length === 0) return
    if (stream.type === StreamType.WebTransport) return this.#onForeign(stream, rest, isFinished)
    if (stream.type === StreamType.Control) this.#onControlData(rest)
    else if (stream.type === StreamType.QpackEncoder) this.#host.onEncoderData(rest)
    else if (stream.type === StreamType.QpackDecoder) this.#host.onDecoderData(rest)
  }

  #onControlData(data: Uint8Array): void {
    this.#control.receive(data)
    for (let frame = this.#control.next(); frame !== undefined; frame = this.#control.next()) {
      this.#host.onControlFrame(frame)
    }
  }

  #onForeign(stream: UniStream, data: Uint8Array, isFinished: boolean): void {
    if (!this.#streams.has(stream.id)) return
    const rest = stream.read(data)
    if (stream.value === -1) return
    this.#streams.delete(stream.id)
    this.#host.foreign?.adopt(stream.id, stream.value, rest, isFinished)
  }

  #onType(stream: UniStream): void {
    if (stream.type === StreamType.WebTransport && this.#host.foreign !== undefined) return
    if (stream.isCritical) {
      // RFC 9114 §6.2.1, RFC 9204 §4.2: one of each.
      if (this.#critical.has(stream.type)) {
        throw new Http3Error(Http3ErrorCode.StreamCreationError, 'a second stream of a type that exists once')
      }
      this.#critical.add(stream.type)
      return
    }
    if (stream.type === StreamType.Push) {
      // RFC 9114 §6.2.2, §4.6: clients cannot push, and we never sent MAX_PUSH_ID.
      const code = this.#host.isServer ? Http3ErrorCode.StreamCreationError : Http3ErrorCode.IdError
      throw new Http3Error(code, 'push stream although push is not enabled')
    }
    // RFC 9114 §6.2: an unknown type is no fault, and none of our business.
    this.#streams.delete(stream.id)
    this.#host.transport.stop(stream.id, Http3ErrorCode.StreamCreationError)
    this.#host.onGlitch()
  }

  #onEnd(stream: UniStream): void {
    if (!this.#streams.delete(stream.id)) return
    if (stream.isCritical) throw criticalClosed()
    this.#host.onGlitch()
  }
}

class UniStream {
  readonly id: number
  /** -1 until it was read. */
  type = -1
  /** What `read` came to; -1 until it did. */
  value = -1
  readonly #partial: Uint8Array = new Uint8Array(8)
  #partialLength = 0

  constructor(id: number) {
    this.id = id
  }

  /** RFC 9114 §6.2.1, RFC 9204 §4.2: streams that must not end while the connection lives. */
  get isCritical(): boolean {
    return (
      this.type === StreamType.Control || this.type === StreamType.QpackEncoder || this.type === StreamType.QpackDecoder
    )
  }

  /** Reads an integer, which may come in pieces: the type, and then an owner. Returns what follows it in `data`. */
  read(data: Uint8Array): Uint8Array {
    this.value = -1
    for (let at = 0; at < data.length; at++) {
      this.#partial[this.#partialLength++] = data[at] as number
      if (this.#partialLength < varintLength(this.#partial[0] as number)) continue
      this.value = new Reader(this.#partial).varint()
      this.#partialLength = 0
      return data.subarray(at + 1)
    }
    return data.subarray(data.length)
  }
}

/** RFC 9114 §6.2.1. */
export function criticalClosed(): Http3Error {
  return new Http3Error(Http3ErrorCode.ClosedCriticalStream, 'a critical stream was closed')
}

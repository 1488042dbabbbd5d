// The receiving half of a request stream (RFC 9114 §4.1): bytes to header section, content, trailer section.

import { limits } from '../limits.ts'
import { FieldSectionTooLarge, Http3Error, Http3ErrorCode, Http3StreamError } from './error-codes.ts'
import type { Field } from './field.ts'
import { type RequestHead, type ResponseHead, readRequestHead, readResponseHead, readTrailers } from './fields.ts'
import type { ForeignStreams } from './foreign-streams.ts'
import { FrameReader, FrameType, frameError, isForbiddenFrameType } from './frames.ts'
import { MessagePart, MessageState, nextMessageState, unexpectedFrame } from './request-state.ts'
import type { Http3Transport } from './transport.ts'

/** What a message needs of its connection. */
export interface MessageHost {
  readonly transport: Http3Transport
  readonly isServer: boolean
  readonly maxFieldSectionSize: number
  /** A server said that CONNECT may have a protocol. */
  readonly hasExtendedConnect: boolean
  /** Whose streams that begin with `WT_STREAM` are. */
  readonly foreign: ForeignStreams | undefined
  /** RFC 9114 §5.2: a request with this id comes after our GOAWAY. */
  isRefused(id: number): boolean
  /** The fields of a section; undefined while it waits for the peer's encoder stream. */
  decodeSection(section: Uint8Array, streamId: number): Field[] | undefined
  /** Counts something that is legal and of no use; throws H3_EXCESSIVE_LOAD when there is too much of it. */
  onGlitch(): void
  /** Counts something useful. */
  onProgress(): void
}

/** What `advance` came to. */
export const Step = {
  /** More bytes are needed. */
  Wait: 0,
  /** `head` is there: of the request, or of the final response. */
  Head: 1,
  /** `interim` is there. */
  Interim: 2,
  /** Content can be taken with `piece`. */
  Content: 3,
  /** The message is complete. */
  End: 4,
  /** It is no request: `owner` says whose it is, `rest` is what came behind. */
  Foreign: 5,
} as const
export type Step = (typeof Step)[keyof typeof Step]

/** More interim responses than this: H3_EXCESSIVE_LOAD for the stream. */
export const MAX_INTERIM_RESPONSES: number = limits.interimResponses

export class IncomingMessage {
  request: RequestHead | undefined = undefined
  response: ResponseHead | undefined = undefined
  interim: ResponseHead | undefined = undefined
  trailers: readonly Field[] | undefined = undefined
  /** Client: the request was HEAD, so the response has no content whatever its fields say. */
  isHeadRequest = false
  /** The request was a CONNECT: what follows its head is neither counted nor ended by trailers. */
  isConnect = false
  readonly #host: MessageHost
  readonly #id: number
  readonly #frames = new FrameReader()
  #state: MessageState = MessageState.ExpectHead
  #isFinished = false
  /** A field section that waits for the peer's encoder stream (RFC 9204 §2.1.2). */
  #blocked: Uint8Array | undefined = undefined
  #hasFrames = false
  #contentLength = -1
  /** Sum of the lengths of the DATA frames so far. */
  #dataLength = 0
  #interimCount = 0

  constructor(host: MessageHost, id: number) {
    this.#host = host
    this.#id = id
  }

  get isEnded(): boolean {
    return this.#state === MessageState.Ended
  }

  get hasHead(): boolean {
    return this.#state !== MessageState.ExpectHead
  }

  /** All bytes of the stream were read, though perhaps not yet taken. */
  get isFinished(): boolean {
    return this.#isFinished
  }

  /**
   * Goes on to the next part, reading no more of the stream than that needs, so that content not taken stays with the
   * transport and its flow control. Throws Http3Error or Http3StreamError.
   */
  advance(): Step {
    for (;;) {
      const step = this.settle()
      if (step !== Step.Wait || this.#blocked !== undefined) return step
      const chunk = this.#host.transport.read(this.#id)
      if (chunk === undefined) return Step.Wait
      this.#isFinished = chunk.fin
      this.#frames.push(chunk.data)
    }
  }

  /** The same with what was read already. */
  settle(): Step {
    if (this.isEnded) return Step.End
    if (this.#blocked !== undefined) {
      const step = this.#onSection(this.#blocked)
      if (step !== undefined) return step
    }
    for (;;) {
      if (!this.#frames.isInFrame) {
        if (!this.#frames.readHeader()) return this.#isFinished ? this.#end() : Step.Wait
        if (this.#frames.type === WT_STREAM && this.#host.foreign !== undefined) return this.#foreign()
        this.#admit(this.#frames.type, this.#frames.length)
      }
      const step = this.#payload()
      if (step === undefined) continue
      if (step === Step.Wait && this.#isFinished && this.#blocked === undefined)
        throw frameError('stream ends within a frame')
      return step
    }
  }

  /** After `Step.Foreign`. */
  get owner(): number {
    return this.#frames.length
  }

  rest(): Uint8Array {
    return this.#frames.rest()
  }

  /** After `Step.Content`: the bytes at hand, a view. */
  piece(): Uint8Array {
    return this.#frames.piece()
  }

  /** Undefined: the frame is done with and says nothing. */
  #payload(): Step | undefined {
    const frames = this.#frames
    if (frames.type === FrameType.Data) {
      if (frames.remaining > 0) return frames.hasBytes ? Step.Content : Step.Wait
      frames.skip()
      return undefined
    }
    if (frames.type !== FrameType.Headers) return frames.skip() ? undefined : Step.Wait
    const section = frames.collect()
    return section === undefined ? Step.Wait : this.#onSection(section)
  }

  #onSection(section: Uint8Array): Step | undefined {
    const fields = this.#host.decodeSection(section, this.#id)
    if (fields === undefined) {
      // A copy: the datagram it came in is not kept for it.
      this.#blocked ??= section.slice()
      return Step.Wait
    }
    this.#blocked = undefined
    return this.#onFieldSection(fields)
  }

  /** The signal stands at the very beginning, or nowhere. */
  #foreign(): Step {
    if (this.#hasFrames) throw frameError('WT_STREAM where it cannot be')
    return Step.Foreign
  }

  /** Whether a frame may come now: decided before any of its payload is looked at. */
  #admit(type: number, length: number): void {
    this.#hasFrames = true
    if (type === FrameType.Data) this.#admitData(length)
    else if (type === FrameType.Headers) this.#admitHeaders(length)
    else if (type === FrameType.PushPromise && !this.#host.isServer) {
      // RFC 9114 §7.2.5: we never sent MAX_PUSH_ID, so every push id is too large.
      throw new Http3Error(Http3ErrorCode.IdError, 'PUSH_PROMISE although push is not enabled')
    } else if (controlOnly.has(type) || isForbiddenFrameType(type)) {
      throw unexpectedFrame(`frame 0x${type.toString(16)}`)
    } else this.#host.onGlitch()
  }

  #admitData(length: number): void {
    if (nextMessageState(this.#state, MessagePart.Data) === undefined) throw unexpectedFrame('DATA')
    if (length === 0) return this.#host.onGlitch()
    this.#host.onProgress()
    this.#dataLength += length
    if (this.#neverHasContent) throw malformed('content where there is none')
    if (this.#contentLength !== -1 && this.#dataLength > this.#contentLength) {
      throw malformed('more content than content-length')
    }
  }

  #admitHeaders(length: number): void {
    // RFC 9114 §4.4: nothing but DATA on the stream of a CONNECT.
    const isTunnel = this.isConnect && this.hasHead
    if (isTunnel || nextMessageState(this.#state, MessagePart.Headers) === undefined) throw unexpectedFrame('HEADERS')
    if (!this.hasHead && this.#host.isRefused(this.#id)) {
      throw new Http3StreamError(Http3ErrorCode.RequestRejected, 'a request after GOAWAY')
    }
    if (length > this.#host.maxFieldSectionSize) {
      throw new FieldSectionTooLarge(Http3ErrorCode.ExcessiveLoad, 'field section too large')
    }
  }

  #onFieldSection(section: readonly Field[]): Step | undefined {
    if (this.#state === MessageState.ExpectContent) {
      this.trailers = readTrailers(section)
      this.#enter(MessagePart.Headers)
      return undefined
    }
    if (this.#host.isServer) {
      this.request = readRequestHead(section, this.#host.hasExtendedConnect)
      this.isConnect = this.request.method === 'CONNECT'
      if (!this.isConnect) this.#contentLength = this.request.contentLength
    } else {
      const response = readResponseHead(section)
      if (response.isInterim) return this.#onInterim(response)
      this.response = response
      // A CONNECT that was refused is answered like anything else.
      if (this.isConnect && response.status > 299) this.isConnect = false
      if (!this.#neverHasContent && !this.isConnect) this.#contentLength = response.contentLength
    }
    this.#enter(MessagePart.Headers)
    return Step.Head
  }

  #onInterim(response: ResponseHead): Step {
    if (++this.#interimCount > MAX_INTERIM_RESPONSES) {
      throw new Http3StreamError(Http3ErrorCode.ExcessiveLoad, 'too many interim responses')
    }
    this.interim = response
    this.#enter(MessagePart.Interim)
    return Step.Interim
  }

  #end(): Step {
    if (!this.#frames.isAtBoundary) throw frameError('stream ends within a frame header')
    if (nextMessageState(this.#state, MessagePart.End) === undefined) {
      // RFC 9114 §4.1.
      throw this.#host.isServer
        ? new Http3StreamError(Http3ErrorCode.RequestIncomplete, 'stream ends before the request does')
        : malformed('stream ends before the response does')
    }
    // RFC 9114 §4.1.2.
    if (this.#contentLength !== -1 && this.#dataLength !== this.#contentLength) {
      throw malformed('less content than content-length')
    }
    this.#enter(MessagePart.End)
    return Step.End
  }

  #enter(part: MessagePart): void {
    this.#state = nextMessageState(this.#state, part) as MessageState
  }

  /** RFC 9110 §6.4.1. */
  get #neverHasContent(): boolean {
    const status = this.response?.status
    return this.isHeadRequest || status === 204 || status === 304
  }
}

function malformed(reason: string): Http3StreamError {
  return new Http3StreamError(Http3ErrorCode.MessageError, reason)
}

/** The first bytes of a bidirectional stream of WebTransport; what would be the length of a frame is the session. */
const WT_STREAM = 0x41

const controlOnly: ReadonlySet<number> = new Set([
  FrameType.CancelPush,
  FrameType.Settings,
  FrameType.PushPromise,
  FrameType.Goaway,
  FrameType.MaxPushId,
  FrameType.PriorityUpdateRequest,
  FrameType.PriorityUpdatePush,
])

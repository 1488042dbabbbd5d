// An HTTP/3 connection (RFC 9114): control and QPACK streams, GOAWAY, and who gets what of the transport's events.
// Both roles. No promises: events in, events out by `poll`.

import { Writer } from '../bytes/writer.ts'
import { limits } from '../limits.ts'
import type { ControlFrame } from './control-stream.ts'
import { Http3Error, Http3ErrorCode } from './error-codes.ts'
import type { Field } from './field.ts'
import { FrameType, idFrame, writeFrameHeader } from './frames.ts'
import { GlitchBudget } from './glitches.ts'
import { type Priority, readPriority } from './priority.ts'
import { QpackStreams } from './qpack-streams.ts'
import { type RequestEvent, type RequestHost, RequestStream } from './request-stream.ts'
import {
  assertNotReduced,
  DEFAULT_MAX_FIELD_SECTION_SIZE,
  defaultSettings,
  type OwnSettings,
  readSettings,
  reservedId,
  type Settings,
  writeSettings,
} from './settings.ts'
import { isClientInitiated, isRequestStream, isUnidirectional, StreamType } from './stream-type.ts'
import type { Http3Transport, Http3TransportEvent } from './transport.ts'
import { criticalClosed, type UniHost, UniStreams } from './uni-streams.ts'

export interface Http3ConnectionOptions extends OwnSettings {
  readonly role: 'client' | 'server'
  /** Fields in one section. Default 256. */
  readonly maxFields?: number
  /** Client, for early data: the server's SETTINGS of last time, as `peerSettingsBytes` gave them. */
  readonly rememberedSettings?: Uint8Array | undefined
}

export type Http3Event =
  | RequestEvent
  | { readonly type: 'settings' }
  /** Client: requests on streams from `id` on were not and will not be processed. */
  | { readonly type: 'goaway'; readonly id: number }
  /** A request may be opened that could not be before. */
  | { readonly type: 'requestsAvailable' }
  | { readonly type: 'handshakeConfirmed' }
  /** `isDelivered` became true. */
  | { readonly type: 'delivered' }
  | { readonly type: 'closed'; readonly error: Error | undefined }

/** Priorities kept for requests that did not arrive yet; beyond that PRIORITY_UPDATE is ignored (RFC 9218 §7). */
export const MAX_EARLY_PRIORITIES: number = limits.earlyPriorities

export class Http3Connection implements RequestHost, UniHost {
  readonly transport: Http3Transport
  readonly isServer: boolean
  readonly maxFieldSectionSize: number
  readonly qpack: QpackStreams
  readonly events: Http3Event[] = []
  /** What the peer said, or is assumed to have said; defaults until then. */
  peerSettings: Settings
  /** The payload of the peer's SETTINGS, to be remembered with a ticket; undefined until they came. */
  peerSettingsBytes: Uint8Array | undefined = undefined
  isHandshakeComplete: boolean
  isClosed = false
  /** Ids from here on are not processed: ours (server) or the peer's word (client). */
  goawayId: number = Number.POSITIVE_INFINITY
  readonly #own: OwnSettings
  #remembered: Settings | undefined
  /** Streams we ended whose last byte the peer has not acknowledged: closing now could lose it. */
  readonly #unacknowledged = new Set<number>()
  readonly #requests = new Map<number, RequestStream>()
  readonly #peerUni: UniStreams
  readonly #glitches = new GlitchBudget()
  readonly #priorities = new Map<number, Priority>()
  #isDispatching = false
  #ownControlId = -1
  #nextRequestId = 0
  #peerGoawayId = Number.POSITIVE_INFINITY

  constructor(transport: Http3Transport, options: Http3ConnectionOptions) {
    this.transport = transport
    this.isServer = options.role === 'server'
    this.maxFieldSectionSize = options.maxFieldSectionSize ?? DEFAULT_MAX_FIELD_SECTION_SIZE
    this.qpack = new QpackStreams(transport, options)
    this.#own = options
    this.#remembered = this.isServer ? undefined : parseRemembered(options.rememberedSettings)
    this.peerSettings = this.#remembered ?? defaultSettings
    this.#peerUni = new UniStreams(this)
    this.isHandshakeComplete = transport.isHandshakeConfirmed
    this.#openControlStream()
  }

  /** Client, before anything was sent: the server's SETTINGS of last time are known after all. */
  remember(settings: Uint8Array | undefined): void {
    this.#remembered = parseRemembered(settings)
    this.peerSettings = this.#remembered ?? this.peerSettings
  }

  get peerMaxFieldSectionSize(): number {
    return this.peerSettings.maxFieldSectionSize
  }

  /** Requests that are not done with. */
  get requestCount(): number {
    return this.#requests.size
  }

  /** Streams of requests whose header section is not here yet. */
  headless(): RequestStream[] {
    return Array.from(this.#requests.values()).filter(stream => !stream.hasHead)
  }

  /** Everything sent has arrived: the connection can be closed without loss. */
  get isDelivered(): boolean {
    return this.#unacknowledged.size === 0
  }

  /** Takes one event of the transport. Never throws: a fault of the peer closes the connection with its code. */
  onEvent(event: Http3TransportEvent): void {
    if (this.isClosed) return
    try {
      this.#isDispatching = true
      this.#dispatch(event)
      this.qpack.flush()
    } catch (error) {
      this.fail(error instanceof Http3Error ? error : new Http3Error(Http3ErrorCode.InternalError, String(error)))
    } finally {
      this.#isDispatching = false
    }
  }

  /** What happened, oldest first. */
  poll(): Http3Event | undefined {
    return this.events.shift()
  }

  /** Client: sends a request; undefined while the peer takes no more, until the event `requestsAvailable`. */
  openRequest(fields: readonly Field[], data: Uint8Array | undefined, end: boolean): RequestStream | undefined {
    if (this.isServer) throw new TypeError('a server sends no requests')
    if (this.isClosed) return undefined
    const id = this.transport.openStream('bidi')
    if (id === undefined) return undefined
    const stream = new RequestStream(this, id)
    this.#requests.set(id, stream)
    try {
      stream.send(fields, data, end)
    } catch (error) {
      stream.cancel(Http3ErrorCode.RequestCancelled)
      throw error
    }
    return stream
  }

  /** RFC 9114 §5.2: takes no request after those seen so far (server); asks for no more pushes (client). */
  goaway(): void {
    if (this.isClosed || this.#ownControlId === -1) return
    const id = this.isServer ? this.#nextRequestId : 0
    if (this.isServer) {
      if (id >= this.goawayId) return
      this.goawayId = id
    }
    this.transport.write(this.#ownControlId, idFrame(FrameType.Goaway, id), false)
  }

  close(errorCode: number = Http3ErrorCode.NoError, reason = ''): void {
    if (this.isClosed) return
    this.transport.close(errorCode, reason)
    this.#onClosed(undefined, false)
  }

  fail(error: Http3Error): void {
    if (this.isClosed) return
    this.transport.close(error.code, error.message)
    this.#onClosed(error, false)
  }

  onGlitch(): void {
    this.#glitches.spend()
  }

  onProgress(): void {
    this.#glitches.earn()
  }

  encodeSection(fields: readonly Field[], streamId: number): Uint8Array {
    return this.qpack.encode(fields, streamId)
  }

  onSectionUnsent(streamId: number): void {
    this.qpack.onUnsent(streamId)
  }

  decodeSection(section: Uint8Array, streamId: number): Field[] | undefined {
    const fields = this.qpack.decode(section, streamId)
    if (!this.#isDispatching) this.qpack.flush()
    return fields
  }

  onReadAbandoned(streamId: number): void {
    if (this.isClosed) return
    this.qpack.onAbandoned(streamId)
    if (this.#isDispatching) return
    try {
      this.qpack.flush()
    } catch (error) {
      this.fail(error as Http3Error)
    }
  }

  onEncoderData(data: Uint8Array): void {
    this.qpack.onEncoderData(data)
    for (let id = this.qpack.takeReady(); id !== undefined; id = this.qpack.takeReady()) this.#onReadable(id)
  }

  onDecoderData(data: Uint8Array): void {
    for (let useless = this.qpack.onDecoderData(data); useless > 0; useless--) this.#glitches.spend()
  }

  onSendEnded(stream: RequestStream): void {
    this.#unacknowledged.add(stream.id)
  }

  onStreamClosed(stream: RequestStream): void {
    this.#requests.delete(stream.id)
  }

  #dispatch(event: Http3TransportEvent): void {
    switch (event.type) {
      case 'streamOpened':
        return this.#onStreamOpened(event.id)
      case 'readable':
        return this.#onReadable(event.id)
      case 'writable':
        this.qpack.onWritable(event.id)
        return this.#requests.get(event.id)?.onWritable()
      case 'streamReset':
        return this.#onStreamReset(event.id, event.errorCode)
      case 'streamStopped':
        if (event.id === this.#ownControlId || this.qpack.isOwn(event.id)) throw criticalClosed()
        this.#onDelivered(event.id)
        return this.#requests.get(event.id)?.onStopped(event.errorCode)
      case 'streamFinished':
        return this.#onDelivered(event.id)
      case 'streamsAvailable':
        return this.#onStreamsAvailable()
      case 'handshakeComplete':
        this.isHandshakeComplete = true
        return this.#onStreamsAvailable()
      case 'handshakeConfirmed':
        this.isHandshakeComplete = true
        this.events.push(event)
        return
      case 'earlyRejected':
        return this.#onEarlyRejected()
      case 'closed':
        return this.#onClosed(event.error, true)
    }
  }

  #onDelivered(id: number): void {
    if (this.#unacknowledged.delete(id) && this.isDelivered) this.events.push({ type: 'delivered' })
  }

  #onStreamsAvailable(): void {
    this.#openControlStream()
    this.events.push({ type: 'requestsAvailable' })
  }

  /** Opens our control stream with SETTINGS (RFC 9114 §6.2.1), as soon as the peer allows one. */
  #openControlStream(): void {
    if (this.#ownControlId !== -1) return
    const id = this.transport.openStream('uni')
    if (id === undefined) return
    this.#ownControlId = id
    const settings = writeSettings(this.#own)
    const reserved = reservedId(this.#own.grease)
    const writer = Writer.allocate(16 + settings.length)
    writer.u8(StreamType.Control)
    writeFrameHeader(writer, FrameType.Settings, settings.length)
    writer.put(settings)
    // RFC 9114 §7.2.8: a frame that means nothing.
    writeFrameHeader(writer, reserved, 0)
    this.transport.write(id, writer.finish(), false)
    this.transport.setPriority?.(id, 0, true)
  }

  #onStreamOpened(id: number): void {
    if (isClientInitiated(id) !== this.isServer) return
    if (isUnidirectional(id)) {
      return this.#peerUni.open(id)
    }
    // RFC 9114 §6.1.
    if (!this.isServer) throw new Http3Error(Http3ErrorCode.StreamCreationError, 'bidirectional stream of a server')
    this.#nextRequestId = Math.max(this.#nextRequestId, id + 4)
    const stream = new RequestStream(this, id)
    this.#requests.set(id, stream)
    if (id >= this.goawayId) return stream.cancel(Http3ErrorCode.RequestRejected)
    const priority = this.#priorities.get(id)
    if (priority !== undefined) {
      this.#priorities.delete(id)
      this.#setPriority(id, priority)
    }
    this.#onReadable(id)
  }

  #onReadable(id: number): void {
    const request = this.#requests.get(id)
    if (request !== undefined) return this.#onRequestReadable(request)
    this.#peerUni.onReadable(id)
  }

  #onRequestReadable(stream: RequestStream): void {
    const isFirst = !stream.hasHead
    stream.onReadable()
    if (!isFirst || !this.isServer) return
    const priority = stream.request?.field('priority')
    if (priority !== undefined) this.#setPriority(stream.id, readPriority(priority))
  }

  #setPriority(id: number, priority: Priority): void {
    this.transport.setPriority?.(id, priority.urgency, priority.isIncremental)
  }

  onControlFrame(frame: ControlFrame): void {
    switch (frame.type) {
      case FrameType.Settings:
        // Without early data nothing was sent under the remembered ones: the caller then passes none.
        if (this.#remembered !== undefined) assertNotReduced(this.#remembered, frame.settings)
        this.peerSettings = frame.settings
        this.peerSettingsBytes = frame.bytes
        this.qpack.onSettings(frame.settings)
        this.events.push({ type: 'settings' })
        return
      case FrameType.Goaway:
        return this.#onGoaway(frame.id)
      case FrameType.PriorityUpdateRequest:
        return this.#onPriorityUpdate(frame.update.id, frame.update.priority)
    }
  }

  /** RFC 9114 §5.2. */
  #onGoaway(id: number): void {
    if (id > this.#peerGoawayId) throw new Http3Error(Http3ErrorCode.IdError, 'GOAWAY went up')
    if (!this.isServer && !isRequestStream(id)) throw new Http3Error(Http3ErrorCode.IdError, 'GOAWAY of no request')
    this.#peerGoawayId = id
    // A client's GOAWAY is about pushes, of which there are none.
    if (this.isServer) return
    this.goawayId = id
    this.events.push({ type: 'goaway', id })
  }

  #onPriorityUpdate(id: number, priority: Priority): void {
    if (id < this.#nextRequestId) {
      if (this.#requests.has(id)) this.#setPriority(id, priority)
    } else if (this.#priorities.size < MAX_EARLY_PRIORITIES || this.#priorities.has(id)) {
      this.#priorities.set(id, priority)
    }
  }

  #onStreamReset(id: number, errorCode: number): void {
    const request = this.#requests.get(id)
    if (request !== undefined) return request.onReset(errorCode)
    this.#peerUni.onReset(id)
  }

  /** RFC 9114 §7.2.4.2: what was remembered was for the early data that was refused. */
  #onEarlyRejected(): void {
    this.#remembered = undefined
    if (this.peerSettingsBytes === undefined) this.peerSettings = defaultSettings
  }

  #onClosed(error: Error | undefined, hasRest: boolean): void {
    this.isClosed = true
    // Most connections close with nothing left open: no error, and no stack, is made for them.
    if (this.#requests.size > 0) {
      const reason = error ?? new Http3Error(Http3ErrorCode.NoError, 'the connection was closed')
      for (const stream of this.#requests.values()) stream.onConnectionClosed(reason, hasRest)
      this.#requests.clear()
    }
    this.#unacknowledged.clear()
    this.events.push({ type: 'closed', error })
  }
}

/** What cannot be read was not remembered. */
function parseRemembered(bytes: Uint8Array | undefined): Settings | undefined {
  if (bytes === undefined) return undefined
  try {
    return readSettings(bytes)
  } catch {
    return undefined
  }
}

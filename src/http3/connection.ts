// An HTTP/3 connection (RFC 9114): control and QPACK streams, GOAWAY, and who gets what of the transport's events.
// Both roles. No promises: events in, events out by `poll`.

import type { Http3ConnectionOptions, Http3Event } from './connection-options.ts'
import type { ControlFrame } from './control-stream.ts'
import { Http3Error, Http3ErrorCode } from './error-codes.ts'
import type { Field } from './field.ts'
import { type ForeignStreams, tellForeign } from './foreign-streams.ts'
import { FrameType } from './frames.ts'
import { GlitchBudget } from './glitches.ts'
import { EarlyDatagrams, readHttpDatagram } from './http-datagrams.ts'
import { OwnControlStream } from './own-control-stream.ts'
import { EarlyPriorities, type Priority, readPriority } from './priority.ts'
import { QpackStreams } from './qpack-streams.ts'
import { type RequestHost, RequestStream } from './request-stream.ts'
import {
  assertConnectIsTaken,
  assertNotReduced,
  DEFAULT_MAX_FIELD_SECTION_SIZE,
  defaultSettings,
  type OwnSettings,
  readRemembered,
  type Settings,
} from './settings.ts'
import { isClientInitiated, isRequestStream, isUnidirectional } from './stream-type.ts'
import type { Http3Transport, Http3TransportEvent } from './transport.ts'
import { criticalClosed, type UniHost, UniStreams } from './uni-streams.ts'

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
  /** Who owns streams that are no requests; undefined: there are none. */
  foreign: ForeignStreams | undefined = undefined
  readonly own: OwnSettings
  readonly #ownControl: OwnControlStream
  #remembered: Settings | undefined
  /** Streams we ended whose last byte the peer has not acknowledged: closing now could lose it. */
  readonly #unacknowledged = new Set<number>()
  readonly #requests = new Map<number, RequestStream>()
  readonly #peerUni: UniStreams
  readonly #glitches = new GlitchBudget()
  readonly #priorities = new EarlyPriorities()
  readonly #earlyDatagrams = new EarlyDatagrams()
  #isDispatching = false
  #hasSaidGoaway = false
  #nextRequestId = 0
  #peerGoawayId = Number.POSITIVE_INFINITY

  constructor(transport: Http3Transport, options: Http3ConnectionOptions) {
    this.transport = transport
    this.isServer = options.role === 'server'
    this.maxFieldSectionSize = options.maxFieldSectionSize ?? DEFAULT_MAX_FIELD_SECTION_SIZE
    this.qpack = new QpackStreams(transport, options)
    this.own = options
    this.#ownControl = new OwnControlStream(transport, options)
    this.#remembered = this.isServer ? undefined : readRemembered(options.rememberedSettings)
    this.peerSettings = this.#remembered ?? defaultSettings
    this.#peerUni = new UniStreams(this)
    this.isHandshakeComplete = transport.isHandshakeConfirmed
    this.#ownControl.open()
  }

  get hasExtendedConnect(): boolean {
    return this.isServer && this.own.enableConnectProtocol === true
  }

  /** RFC 9297 §2.1.1: both ends have said so. */
  get hasDatagrams(): boolean {
    return this.own.h3Datagram === true && this.peerSettings.h3Datagram
  }

  /** Client, before anything was sent: the server's SETTINGS of last time are known after all. */
  remember(settings: Uint8Array | undefined): void {
    this.#remembered = readRemembered(settings)
    this.peerSettings = this.#remembered ?? this.peerSettings
  }

  get peerMaxFieldSectionSize(): number {
    return this.peerSettings.maxFieldSectionSize
  }

  /** Requests that are not done with. */
  get requestCount(): number {
    return this.#requests.size
  }

  get requests(): Iterable<RequestStream> {
    return this.#requests.values()
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
      assertConnectIsTaken(fields, this.peerSettings)
      stream.expectAnswerTo(fields)
      stream.send(fields, data, end)
    } catch (error) {
      stream.cancel(Http3ErrorCode.RequestCancelled)
      throw error
    }
    return stream
  }

  /**
   * RFC 9114 §5.2: takes no request after those seen so far (server); asks for no more pushes (client). With
   * `isAnnouncement` a server only says that it will, so that what is on its way is still taken.
   */
  goaway(isAnnouncement = false): void {
    if (this.isClosed || this.#ownControl.id === -1) return
    if (!this.isServer) return this.#ownControl.goaway(0)
    const id = isAnnouncement ? Number.POSITIVE_INFINITY : this.#nextRequestId
    if (id >= this.goawayId && this.#hasSaidGoaway) return
    this.#hasSaidGoaway = true
    this.goawayId = id
    this.#ownControl.goaway(id)
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

  /** RFC 9114 §5.2: not to be processed. */
  isRefused(id: number): boolean {
    return id >= this.goawayId && this.isServer
  }

  takeEarlyDatagrams(streamId: number): readonly Uint8Array[] {
    return this.#earlyDatagrams.take(streamId)
  }

  onPriority(stream: RequestStream, priority: Priority): void {
    this.#setPriority(stream.id, priority)
    // The header section says it itself; what is asked for later goes in a frame.
    if (!this.isServer && stream.hasSentHead) this.#ownControl.priorityUpdate(stream.id, priority)
  }

  onForeignStream(stream: RequestStream, owner: number, data: Uint8Array, isFinished: boolean): void {
    this.#requests.delete(stream.id)
    this.foreign?.adopt(stream.id, owner, data, isFinished)
  }

  onSendEnded(stream: RequestStream): void {
    this.#unacknowledged.add(stream.id)
  }

  onStreamClosed(stream: RequestStream): void {
    this.#requests.delete(stream.id)
  }

  #dispatch(event: Http3TransportEvent): void {
    if ('id' in event && this.foreign?.has(event.id)) return tellForeign(this.foreign, event)
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
        if (event.id === this.#ownControl.id || this.qpack.isOwn(event.id)) throw criticalClosed()
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
      case 'datagram':
        return this.#onDatagram(event.data)
      case 'datagramsWritable':
        return this.foreign?.onDatagramsWritable()
      case 'closed':
        return this.#onClosed(event.error, true)
    }
  }

  #onDelivered(id: number): void {
    if (this.#unacknowledged.delete(id) && this.isDelivered) this.events.push({ type: 'delivered' })
  }

  #onStreamsAvailable(): void {
    this.#ownControl.open()
    this.foreign?.onStreamsAvailable()
    this.events.push({ type: 'requestsAvailable' })
  }

  #onStreamOpened(id: number): void {
    if (isClientInitiated(id) !== this.isServer) return
    if (isUnidirectional(id)) {
      return this.#peerUni.open(id)
    }
    if (!this.isServer && this.foreign !== undefined) return this.foreign.open(id)
    // RFC 9114 §6.1.
    if (!this.isServer) throw new Http3Error(Http3ErrorCode.StreamCreationError, 'bidirectional stream of a server')
    this.#nextRequestId = Math.max(this.#nextRequestId, id + 4)
    const stream = new RequestStream(this, id)
    this.#requests.set(id, stream)
    if (this.isRefused(id) && this.foreign === undefined) return stream.cancel(Http3ErrorCode.RequestRejected)
    const priority = this.#priorities.take(id)
    if (priority !== undefined) stream.setPriority(priority)
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
    // RFC 9218 §7: a frame that came before says more.
    if (!isFirst || !this.isServer || stream.hasPriority) return
    const priority = stream.request?.field('priority')
    if (priority !== undefined) stream.setPriority(readPriority(priority))
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
        this.foreign?.onSettings()
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
    this.foreign?.onGoaway()
    this.events.push({ type: 'goaway', id })
  }

  #onPriorityUpdate(id: number, priority: Priority): void {
    if (id < this.#nextRequestId) {
      this.#requests.get(id)?.setPriority(priority)
    } else this.#priorities.keep(id, priority)
  }

  /** RFC 9297 §2.1. Those of requests that are over are dropped. */
  #onDatagram(data: Uint8Array): void {
    if (this.own.h3Datagram !== true) return
    const { id, payload } = readHttpDatagram(data)
    const stream = this.#requests.get(id)
    const isToCome = this.isServer && id >= this.#nextRequestId
    if (stream === undefined ? isToCome : !stream.onDatagram(payload)) this.#earlyDatagrams.keep(id, payload)
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
    this.foreign?.onClosed(error)
    this.events.push({ type: 'closed', error })
  }
}

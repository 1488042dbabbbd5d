// A session of WebTransport, with the shape W3C gave it: the same at a client and at a server.

import { CapsuleReader, malformedCapsule, writeCapsule } from '../capsules.ts'
import { Deferred } from '../deferred.ts'
import { Http3ErrorCode, Http3StreamError } from '../error-codes.ts'
import type { RequestStream } from '../request-stream.ts'
import { isUnidirectional } from '../stream-type.ts'
import type { Http3Transport } from '../transport.ts'
import { WebTransportDatagrams } from './datagrams.ts'
import { sessionError, type WebTransportError } from './error.ts'
import type { FlowOwner, SessionFlow } from './flow-control.ts'
import { IncomingStreams } from './incoming-streams.ts'
import type { StreamOwner, WebTransportStream } from './stream.ts'
import { CapsuleType, type CloseInfo, knownCapsules, readCloseInfo, writeCloseInfo } from './wire.ts'

/** What a session needs of its connection. */
export interface SessionHost {
  readonly transport: Http3Transport
  /** A stream of ours; waits while the peer's limit is reached. */
  openStream(session: WebTransportSession, direction: 'bidi' | 'uni'): Promise<WebTransportStream>
  /** Its peer allows more streams. */
  onStreamsAvailable(): void
  /** No stream is opened, and none comes any more. */
  onSessionEnded(session: WebTransportSession): void
}

export interface WebTransportStats {
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly packetsSent: number
  readonly packetsReceived: number
  readonly packetsLost: number
  readonly bytesLost: number
  /** ms */
  readonly smoothedRtt: number
  readonly rttVariation: number
  readonly minRtt: number
  /** Bits per second. */
  readonly estimatedSendRate: number
  readonly datagrams: { readonly droppedIncoming: number }
}

export class WebTransportSession implements StreamOwner, FlowOwner {
  /** Resolves when the session is established; rejects with a WebTransportError when it is not to be. */
  readonly ready: Promise<void>
  /** Resolves with how it was closed, by either side; rejects when it broke off. */
  readonly closed: Promise<CloseInfo>
  /** Resolves when the peer asks for an end: nothing new should be begun. */
  readonly draining: Promise<void>
  readonly datagrams: WebTransportDatagrams
  readonly reliability = 'supports-unreliable'
  readonly congestionControl = 'default'
  /** What was agreed on of the protocols that were offered; '' if nothing was. */
  protocol = ''
  /** For the connection: the limits of this session, before it is established; undefined: there are none. */
  flow: SessionFlow | undefined = undefined
  readonly #host: SessionHost
  readonly #ready = new Deferred<void>()
  readonly #closed = new Deferred<CloseInfo>()
  readonly #draining = new Deferred<void>()
  readonly #capsules = new CapsuleReader(knownCapsules)
  readonly #streams = new Set<WebTransportStream>()
  readonly #bidi = new IncomingStreams<WebTransportStream>()
  readonly #uni = new IncomingStreams<ReadableStream<Uint8Array>>()
  #stream: RequestStream | undefined = undefined
  /** The CONNECT stream takes capsules of flow control. */
  #hasRoom = true
  #isEnded = false
  #wasClosed = false

  constructor(host: SessionHost) {
    this.#host = host
    this.ready = this.#ready.promise
    this.closed = this.#closed.promise
    this.draining = this.#draining.promise
    this.datagrams = new WebTransportDatagrams(() => host.transport.datagramLimits?.room ?? 0)
  }

  get transport(): Http3Transport {
    return this.#host.transport
  }

  /** The id of its CONNECT stream; -1 before there is one. */
  get sessionId(): number {
    return this.#stream === undefined ? -1 : this.#stream.id
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  /** Streams the peer opens. */
  get incomingBidirectionalStreams(): ReadableStream<WebTransportStream> {
    return this.#bidi.readable
  }

  get incomingUnidirectionalStreams(): ReadableStream<ReadableStream<Uint8Array>> {
    return this.#uni.readable
  }

  /** Waits for the session to be ready, and while the peer takes no more streams. */
  async createBidirectionalStream(): Promise<WebTransportStream> {
    return this.#open('bidi')
  }

  async createUnidirectionalStream(): Promise<WritableStream<Uint8Array>> {
    return (await this.#open('uni')).writable
  }

  /** Numbers of the connection as a whole, and of this session's datagrams. */
  async getStats(): Promise<WebTransportStats> {
    const stats = this.transport.statistics?.()
    if (stats === undefined) throw sessionError('the transport keeps no statistics')
    const { rtt, pacingRate, bytesSent, bytesReceived, packetsSent, packetsReceived, packetsLost, bytesLost } = stats
    return {
      ...{ bytesSent, bytesReceived, packetsSent, packetsReceived, packetsLost, bytesLost },
      smoothedRtt: rtt.smoothed,
      rttVariation: rtt.variance,
      minRtt: rtt.min,
      estimatedSendRate: 8 * pacingRate,
      datagrams: { droppedIncoming: this.datagrams.droppedIncoming },
    }
  }

  /** Ends the session and all its streams; what is on its way on them is lost. The reason may have 1,024 bytes of UTF-8. */
  close({ closeCode = 0, reason = '' }: Partial<CloseInfo> = {}): void {
    if (!Number.isInteger(closeCode) || closeCode < 0 || closeCode > 0xffffffff) {
      throw new RangeError(`closeCode must be an integer of 32 bits, not ${closeCode}`)
    }
    if (this.#isEnded) return
    const stream = this.#stream
    if (stream === undefined || !this.#ready.isSettled) {
      stream?.cancel(Http3ErrorCode.RequestCancelled)
      return this.fail(sessionError('the session was closed before it was ready'))
    }
    this.#wasClosed = true
    if (stream.isWritable) {
      stream.write(writeCapsule(CapsuleType.CloseSession, writeCloseInfo({ closeCode, reason })), true)
    }
    this.#end({ closeCode, reason })
  }

  /** Asks the peer to come to an end (WT_DRAIN_SESSION); everything goes on meanwhile. */
  drain(): void {
    if (!this.#isEnded && this.#stream?.isWritable && this.#stream.hasSentHead) {
      this.#stream.write(writeCapsule(CapsuleType.DrainSession, new Uint8Array(0)))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
    await this.closed.catch(() => {})
  }

  /** For the connection: its CONNECT was answered with 2xx. */
  onEstablished(stream: RequestStream): void {
    this.#stream = stream
    this.datagrams.open(stream)
    this.#ready.resolve()
    this.onContent()
  }

  /** For the connection: its CONNECT is on its way. */
  onRequested(stream: RequestStream): void {
    this.#stream = stream
  }

  /** For the connection: a stream of the peer. */
  onStream(stream: WebTransportStream): void {
    this.#streams.add(stream)
    if (isUnidirectional(stream.id)) this.#uni.push(stream.readable)
    else this.#bidi.push(stream)
  }

  onStreamDone(stream: WebTransportStream): void {
    this.#streams.delete(stream)
    if (stream.isOurs || this.#isEnded) return
    this.flow?.streams(isUnidirectional(stream.id)).consume(1)
    this.onFlowDue()
  }

  /** Says what is due of flow control, while the CONNECT stream takes it. */
  onFlowDue(): void {
    const stream = this.#stream
    while (this.#hasRoom && !this.#isEnded && stream?.isWritable) {
      const capsule = this.flow?.due()
      if (capsule === undefined) return
      this.#hasRoom = stream.write(capsule) > 0
    }
  }

  onCredit(): void {
    for (const stream of this.#streams) stream.onCredit()
  }

  /** For the connection: the CONNECT stream takes more. */
  onWritable(): void {
    this.#hasRoom = true
    this.onFlowDue()
  }

  /** For the connection: runs what may find a fault of the peer, by which the session ends. False: it did. */
  guard(action: () => void): boolean {
    try {
      action()
    } catch (error) {
      if (!(error instanceof Http3StreamError)) throw error
      this.#stream?.abort(error)
      this.fail(sessionError(error.message, error))
    }
    return !this.#isEnded
  }

  onDraining(): void {
    this.#draining.resolve()
  }

  /** There may be capsules, or the end. */
  onContent(): void {
    const stream = this.#stream
    if (stream === undefined) return
    this.guard(() => {
      for (let piece = stream.read(); piece !== undefined; piece = stream.read()) this.#read(piece)
      if (stream.error !== undefined) return this.fail(sessionError('the session broke off', stream.error))
      if (!stream.isEnded) return
      if (!this.#capsules.isAtBoundary) throw malformedCapsule('the stream ends within a capsule')
      // RFC 9297 §3.3, section 6: an end without a word is one without a code.
      if (stream.isWritable) stream.end()
      this.#end({ closeCode: 0, reason: '' })
    })
  }

  /** Ends it for a failure; `isClosed`: the connection is gone. */
  fail(error: WebTransportError, isClosed = false): void {
    if (this.#isEnded) return
    this.#ready.reject(error)
    this.#closed.reject(error)
    this.#finish(error, false, isClosed)
  }

  async #open(direction: 'bidi' | 'uni'): Promise<WebTransportStream> {
    await this.ready
    if (this.#isEnded) throw sessionError('the session has ended')
    const stream = await this.#host.openStream(this, direction)
    this.#streams.add(stream)
    return stream
  }

  #read(content: Uint8Array): void {
    // Section 6: nothing comes after WT_CLOSE_SESSION.
    if (this.#isEnded && !this.#wasClosed) throw malformedCapsule('a capsule after the last')
    this.#capsules.push(content)
    for (let capsule = this.#capsules.next(); capsule !== undefined; capsule = this.#capsules.next()) {
      if (!this.#isEnded) this.#onCapsule(capsule.type, capsule.value)
    }
  }

  #onCapsule(type: number, value: Uint8Array): void {
    switch (type) {
      case CapsuleType.Datagram:
        return this.datagrams.receive(value)
      case CapsuleType.DrainSession:
        return this.onDraining()
      case CapsuleType.CloseSession: {
        const info = readCloseInfo(value)
        if (this.#stream?.isWritable) this.#stream.end()
        return this.#end(info)
      }
      case CapsuleType.MaxStreamData:
      case CapsuleType.StreamDataBlocked:
        throw malformedCapsule('a capsule that HTTP/3 has no use for')
      default:
        // Section 5.1: without flow control its capsules are ignored.
        if (this.flow?.onCapsule(type, value)) this.#onLimits()
    }
  }

  #onLimits(): void {
    this.onCredit()
    this.#host.onStreamsAvailable()
  }

  #end(info: CloseInfo): void {
    if (this.#isEnded) return
    this.#closed.resolve(info)
    this.#finish(sessionError(`the session was closed: ${info.closeCode} ${info.reason}`.trim()), true, false)
  }

  #finish(error: WebTransportError, isOrderly: boolean, isClosed: boolean): void {
    this.#isEnded = true
    for (const stream of [...this.#streams]) stream.onSessionEnded(error, isClosed)
    this.#streams.clear()
    this.#bidi.close(error, isOrderly)
    this.#uni.close(error, isOrderly)
    this.datagrams.close(error, isOrderly)
    this.#host.onSessionEnded(this)
  }
}

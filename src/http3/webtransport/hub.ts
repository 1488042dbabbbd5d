// WebTransport on one connection: which stream belongs to which session, and what came before its session.

import { limits } from '../../limits.ts'
import type { Http3Connection } from '../connection.ts'
import { Http3Error, Http3ErrorCode } from '../error-codes.ts'
import type { ForeignStreams } from '../foreign-streams.ts'
import { FrameReader, frameError } from '../frames.ts'
import { ownWebTransportLimits } from '../settings.ts'
import { isRequestStream, isUnidirectional } from '../stream-type.ts'
import type { Http3Transport } from '../transport.ts'
import { sessionError } from './error.ts'
import { isFlowControlled, SessionFlow, StreamFlow } from './flow-control.ts'
import type { SessionHost, WebTransportSession } from './session.ts'
import { WebTransportStream } from './stream.ts'
import { BIDI_SIGNAL, streamHeader, UNI_STREAM_TYPE, WebTransportCode } from './wire.ts'

interface EarlyStream {
  readonly id: number
  readonly owner: number
  readonly data: Uint8Array
  readonly isFinished: boolean
  readonly flow: StreamFlow
  /** It was reset meanwhile. */
  resetCode?: number
}

export class WebTransportHub implements ForeignStreams, SessionHost {
  readonly transport: Http3Transport
  /** Who may become a session: a server is thinking about it. */
  readonly expected: Set<object> = new Set()
  readonly #connection: Http3Connection
  readonly #sessions = new Map<number, WebTransportSession>()
  readonly #streams = new Map<number, WebTransportStream>()
  /** Of streams of which more may come, wanted or not: what is counted of them. */
  readonly #flows = new Map<number, StreamFlow>()
  /** Sessions that ended; the oldest are forgotten. */
  readonly #gone = new Set<number>()
  readonly #early: EarlyStream[] = []
  /** Client: streams of the server that have not said yet whose they are. */
  readonly #unnamed = new Map<number, FrameReader>()
  #waiting: (() => void)[] = []
  #unsettled: (() => void)[] = []

  constructor(connection: Http3Connection) {
    this.transport = connection.transport
    this.#connection = connection
    connection.foreign = this
  }

  /** Sessions that have not ended, and those that may come to be. */
  get sessionCount(): number {
    return this.#sessions.size + this.expected.size
  }

  /** Both ends said what it takes: section 3.1. */
  get isPossible(): boolean {
    const { peerSettings, isServer } = this.#connection
    const hasVersion = peerSettings.webTransport || peerSettings.webTransportDraft02
    return hasVersion && peerSettings.h3Datagram && (isServer || peerSettings.enableConnectProtocol)
  }

  /** Of a new session of the current draft; undefined: there is no flow control (section 5.1). */
  newFlow(): SessionFlow | undefined {
    const { peerSettings } = this.#connection
    const own = ownWebTransportLimits(this.#connection.own)
    const isWanted = isFlowControlled(own, peerSettings.webTransportLimits)
    return isWanted ? new SessionFlow(own, peerSettings.webTransportLimits) : undefined
  }

  /** A session is established: what came for it before is its own. */
  add(session: WebTransportSession): void {
    const { sessionId } = session
    this.#sessions.set(sessionId, session)
    for (const early of this.#early.splice(0)) {
      if (early.owner === sessionId) this.#give(session, early)
      else this.#early.push(early)
    }
  }

  onSessionEnded(session: WebTransportSession): void {
    const { sessionId } = session
    this.#sessions.delete(sessionId)
    for (const [id, flow] of this.#flows) if (flow.owner === session) this.#flows.delete(id)
    if (sessionId !== -1) this.refuse(sessionId)
    this.#wake()
  }

  /** There is no such session, and will be none. */
  refuse(sessionId: number): void {
    if (this.#gone.size === limits.webTransportGone) this.#gone.delete(this.#gone.values().next().value as number)
    this.#gone.add(sessionId)
    for (const early of this.#early.splice(0)) {
      if (early.owner === sessionId) this.#reject(early.id, WebTransportCode.SessionGone)
      else this.#early.push(early)
    }
  }

  async openStream(session: WebTransportSession, direction: 'bidi' | 'uni'): Promise<WebTransportStream> {
    let id = this.#tryOpen(session, direction)
    while (id === undefined) {
      await new Promise<void>(resolve => this.#waiting.push(resolve))
      if (session.isEnded) throw sessionError('the session has ended')
      id = this.#tryOpen(session, direction)
    }
    const header = streamHeader(direction === 'uni' ? UNI_STREAM_TYPE : BIDI_SIGNAL, session.sessionId)
    this.transport.write(id, header, false)
    const canRead = direction === 'bidi'
    const flow = new StreamFlow(0, 0)
    flow.attach(session)
    if (canRead && session.flow !== undefined) this.#count(id, flow)
    return this.#make(session, id, { canRead, canWrite: true, headerSize: header.length, flow })
  }

  /** Calls back when the peer's SETTINGS are there. */
  whenSettled(callback: () => void): void {
    if (this.#connection.peerSettingsBytes !== undefined) callback()
    else this.#unsettled.push(callback)
  }

  onSettings(): void {
    const unsettled = this.#unsettled
    this.#unsettled = []
    for (const callback of unsettled) callback()
  }

  has(id: number): boolean {
    return (
      this.#streams.has(id) ||
      this.#flows.has(id) ||
      this.#unnamed.has(id) ||
      this.#early.some(early => early.id === id)
    )
  }

  open(id: number): void {
    this.#unnamed.set(id, new FrameReader())
    this.onReadable(id)
  }

  /** Section 4: a session is a request of the client; anything else cannot be meant. */
  adopt(id: number, owner: number, data: Uint8Array, isFinished: boolean): void {
    if (!isRequestStream(owner)) throw new Http3Error(Http3ErrorCode.IdError, 'a session that is no request')
    const session = this.#sessions.get(owner)
    // A copy: the packet it came in is not kept for it.
    const early = { id, owner, data: data.slice(), isFinished, flow: this.#flowOf(id, data.length) }
    if (session !== undefined) return this.#give(session, early)
    if (this.#gone.has(owner)) return this.#reject(id, WebTransportCode.SessionGone)
    if (this.#early.length === limits.webTransportEarlyStreams) {
      return this.#reject(id, WebTransportCode.BufferedStreamRejected)
    }
    this.#early.push(early)
  }

  onReadable(id: number): void {
    const unnamed = this.#unnamed.get(id)
    if (unnamed !== undefined) return this.#readOwner(id, unnamed)
    this.#streams.get(id)?.onReadable()
  }

  onWritable(id: number): void {
    this.#streams.get(id)?.onWritable()
  }

  onReset(id: number, errorCode: number): void {
    this.#unnamed.delete(id)
    // Its session, should it come, has it on its account.
    const early = this.#early.find(stream => stream.id === id)
    if (early !== undefined) early.resetCode = errorCode
    this.#streams.get(id)?.onReset(errorCode)
  }

  onCounted(id: number, length: number, isFinal: boolean): void {
    const flow = this.#flows.get(id)
    if (isFinal) this.#flows.delete(id)
    const session = flow?.owner as WebTransportSession | undefined
    if (session === undefined) flow?.onReceived(length)
    else session.guard(() => flow?.onReceived(length))
  }

  onStopped(id: number, errorCode: number): void {
    this.#streams.get(id)?.onStopped(errorCode)
  }

  onFinished(id: number): void {
    this.#streams.get(id)?.onFinished()
  }

  /** Streams that could not be opened may be now. */
  onStreamsAvailable(): void {
    this.#wake()
  }

  onDatagramsWritable(): void {
    for (const session of this.#sessions.values()) session.datagrams.wake()
  }

  /** RFC 9114 §5.2, section 4.6. */
  onGoaway(): void {
    for (const session of this.#sessions.values()) session.onDraining()
  }

  /** Asks all sessions to come to an end. */
  drain(): void {
    for (const session of this.#sessions.values()) session.drain()
  }

  onClosed(error: Error | undefined): void {
    for (const session of [...this.#sessions.values()]) {
      session.fail(sessionError('the connection was closed', error), true)
    }
    // Those that wait to be asked for find out.
    this.onSettings()
    this.#early.length = 0
    this.#flows.clear()
    this.#unnamed.clear()
  }

  #give(session: WebTransportSession, { id, data, isFinished, flow, resetCode }: EarlyStream): void {
    const isUni = isUnidirectional(id)
    const isWithin = session.guard(() => {
      session.flow?.streams(isUni).receive(1)
      flow.attach(session)
    })
    if (!isWithin) return this.#reject(id, WebTransportCode.SessionGone)
    if (session.flow === undefined) this.#flows.delete(id)
    const stream = this.#make(session, id, { canRead: true, canWrite: !isUni, headerSize: 0, data, isFinished, flow })
    session.onStream(stream)
    if (resetCode !== undefined) stream.onReset(resetCode)
  }

  /** What came of a stream of the peer, `unread` bytes behind its header. */
  #flowOf(id: number, unread: number): StreamFlow {
    const count = this.transport.count(id)
    if (count === undefined) return new StreamFlow(0, unread)
    const flow = new StreamFlow(count.read - unread, count.received)
    if (!count.isFinal) this.#flows.set(id, flow)
    return flow
  }

  /** From now on `onCounted` is told of what comes. */
  #count(id: number, flow: StreamFlow): void {
    this.transport.count(id)
    this.#flows.set(id, flow)
  }

  /** Undefined: the session's limit is reached, or that of the connection. */
  #tryOpen(session: WebTransportSession, direction: 'bidi' | 'uni'): number | undefined {
    const lane = session.flow?.streams(direction === 'uni')
    if (lane !== undefined && lane.available <= 0) {
      lane.want()
      session.onFlowDue()
      return undefined
    }
    const id = this.transport.openStream(direction)
    if (id !== undefined) lane?.use(1)
    return id
  }

  #make(session: WebTransportSession, id: number, shape: MadeStream): WebTransportStream {
    const owner = {
      transport: this.transport,
      onStreamDone: (stream: WebTransportStream) => {
        this.#streams.delete(id)
        session.onStreamDone(stream)
      },
    }
    const { canRead, canWrite, headerSize, data = empty, isFinished = false, flow } = shape
    const stream = new WebTransportStream(owner, { id, canRead, canWrite, headerSize, data, isFinished, flow })
    this.#streams.set(id, stream)
    return stream
  }

  #readOwner(id: number, frames: FrameReader): void {
    for (;;) {
      const chunk = this.transport.read(id)
      if (chunk === undefined) return
      frames.push(chunk.data)
      if (frames.readHeader()) {
        this.#unnamed.delete(id)
        // RFC 9114 §6.1: a server opens none of any other kind.
        if (frames.type !== BIDI_SIGNAL) {
          throw new Http3Error(Http3ErrorCode.StreamCreationError, 'bidirectional stream of a server')
        }
        return this.adopt(id, frames.length, frames.rest(), chunk.fin)
      }
      if (chunk.fin) throw frameError('a stream ends before it says whose it is')
    }
  }

  #reject(id: number, errorCode: number): void {
    this.#flows.delete(id)
    this.transport.stop(id, errorCode)
    if (!isUnidirectional(id)) this.transport.reset(id, errorCode)
    this.#connection.onGlitch()
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

interface MadeStream {
  readonly canRead: boolean
  readonly canWrite: boolean
  readonly headerSize: number
  readonly data?: Uint8Array
  readonly isFinished?: boolean
  readonly flow: StreamFlow
}

const empty = new Uint8Array(0)

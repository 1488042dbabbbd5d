// WebTransport on one connection: which stream belongs to which session, and what came before its session.

import { limits } from '../../limits.ts'
import type { Http3Connection } from '../connection.ts'
import { Http3Error, Http3ErrorCode } from '../error-codes.ts'
import type { ForeignStreams } from '../foreign-streams.ts'
import { FrameReader, frameError } from '../frames.ts'
import { isRequestStream, isUnidirectional } from '../stream-type.ts'
import type { Http3Transport } from '../transport.ts'
import { sessionError } from './error.ts'
import type { SessionHost, WebTransportSession } from './session.ts'
import { WebTransportStream } from './stream.ts'
import { BIDI_SIGNAL, streamHeader, UNI_STREAM_TYPE, WebTransportCode } from './wire.ts'

interface EarlyStream {
  readonly id: number
  readonly owner: number
  readonly data: Uint8Array
  readonly isFinished: boolean
}

export class WebTransportHub implements ForeignStreams, SessionHost {
  readonly transport: Http3Transport
  readonly #connection: Http3Connection
  readonly #sessions = new Map<number, WebTransportSession>()
  readonly #streams = new Map<number, WebTransportStream>()
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

  /** Sessions that have not ended. */
  get sessionCount(): number {
    return this.#sessions.size
  }

  /** Both ends said what it takes: section 3.1. */
  get isPossible(): boolean {
    const { peerSettings, isServer } = this.#connection
    const hasVersion = peerSettings.webTransport || peerSettings.webTransportDraft02
    return hasVersion && peerSettings.h3Datagram && (isServer || peerSettings.enableConnectProtocol)
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
    let id = this.transport.openStream(direction)
    while (id === undefined) {
      await new Promise<void>(resolve => this.#waiting.push(resolve))
      if (session.isEnded) throw sessionError('the session has ended')
      id = this.transport.openStream(direction)
    }
    const header = streamHeader(direction === 'uni' ? UNI_STREAM_TYPE : BIDI_SIGNAL, session.sessionId)
    this.transport.write(id, header, false)
    const canRead = direction === 'bidi'
    return this.#make(session, id, { canRead, canWrite: true, headerSize: header.length })
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
    return this.#streams.has(id) || this.#unnamed.has(id) || this.#early.some(early => early.id === id)
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
    const early = { id, owner, data: data.slice(), isFinished }
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
    const early = this.#early.findIndex(stream => stream.id === id)
    if (early !== -1) this.#early.splice(early, 1)
    this.#streams.get(id)?.onReset(errorCode)
  }

  onStopped(id: number, errorCode: number): void {
    this.#streams.get(id)?.onStopped(errorCode)
  }

  onFinished(id: number): void {
    this.#streams.get(id)?.onFinished()
  }

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
    this.#unnamed.clear()
  }

  #give(session: WebTransportSession, { id, data, isFinished }: EarlyStream): void {
    const isUni = isUnidirectional(id)
    const stream = this.#make(session, id, { canRead: true, canWrite: !isUni, headerSize: 0, data, isFinished })
    session.onStream(stream, isUni)
  }

  #make(session: WebTransportSession, id: number, shape: MadeStream): WebTransportStream {
    const owner = {
      transport: this.transport,
      onStreamDone: (stream: WebTransportStream) => {
        this.#streams.delete(id)
        session.onStreamDone(stream)
      },
    }
    const { canRead, canWrite, headerSize, data = empty, isFinished = false } = shape
    const stream = new WebTransportStream(owner, { id, canRead, canWrite, headerSize, data, isFinished })
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
}

const empty = new Uint8Array(0)

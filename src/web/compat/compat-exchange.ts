// One request and its answer as (req, res): what happens on the stream becomes events of node's objects and the other way.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { Http3ErrorCode } from '../../http3/error-codes.ts'
import type { Field } from '../../http3/field.ts'
import type { RequestHead } from '../../http3/fields.ts'
import type { ChannelPeer, RequestChannel } from './channel.ts'
import { type CompatRequest, compatRequest, completeRequest, type RequestSource } from './request.ts'
import { compatResponse, drain, type ResponseSink } from './response.ts'
import { type SocketOwner, StreamSocket } from './stream-socket.ts'

/** What an exchange asks of its server. */
export interface CompatHost {
  readonly version: readonly [major: number, minor: number]
  readonly peer: ChannelPeer
  readonly date: () => string
  readonly isEarly: boolean
  readonly confirmed: Promise<void>
  onRequest(request: CompatRequest, response: ServerResponse<IncomingMessage>, exchange: CompatExchange): void
  /** Nothing more will happen. */
  onDone(): void
}

export class CompatExchange implements RequestSource, ResponseSink, SocketOwner {
  readonly #host: CompatHost
  readonly #channel: RequestChannel
  readonly #socket: StreamSocket
  readonly #request: CompatRequest
  readonly #response: ServerResponse<IncomingMessage>
  #head: Field[] | undefined = undefined
  #trailers: Field[] | undefined = undefined
  #isWanted = false
  /** `end` is at work: what it writes waits for it. */
  #isEnding = false
  #last: Uint8Array | undefined = undefined
  #sent: (() => void)[] = []
  #isRequestOver = false
  #isResponseOver = false
  #isDone = false

  constructor(channel: RequestChannel, host: CompatHost) {
    this.#host = host
    this.#channel = channel
    this.#socket = new StreamSocket(this)
    this.#request = compatRequest(channel.request as RequestHead, host.version, this.#socket, this)
    this.#response = compatResponse(this.#request, this.#socket, this)
  }

  get peer(): ChannelPeer {
    return this.#host.peer
  }

  get date(): () => string {
    return this.#host.date
  }

  get isEarly(): boolean {
    return this.#host.isEarly
  }

  get hasContent(): boolean {
    return !this.#channel.isEnded
  }

  get confirmed(): Promise<void> {
    return this.#host.confirmed
  }

  start(): void {
    this.#host.onRequest(this.#request, this.#response, this)
    // Without content the end is there already, for whoever reads.
    if (this.#channel.isEnded) this.#settle()
  }

  onContent(): void {
    this.#socket.refresh()
    if (this.#isWanted) this.#deliver()
    else this.#settle()
  }

  onWritable(): void {
    this.#socket.refresh()
    drain(this.#response)
  }

  /** The client lost interest, or the connection ended. */
  abort(_error: unknown): void {
    this.#end(Http3ErrorCode.RequestCancelled, connectionReset())
  }

  /** `socket.destroy()`, or a listener that threw. */
  destroy(error?: Error): void {
    this.#end(Http3ErrorCode.InternalError, error)
  }

  pull(): void {
    this.#isWanted = true
    this.#deliver()
  }

  onRequestDestroyed(): void {
    // A request that was read whole closes by itself, long before its answer.
    if (this.#request.complete || this.#isDone) return
    this.#isRequestOver = true
    this.#channel.stop(Http3ErrorCode.NoError)
    this.#closeIfOver()
  }

  onHead(fields: Field[]): void {
    this.#head = fields
  }

  onInterim(fields: Field[]): void {
    if (this.#channel.isWritable) this.#channel.send(fields, undefined, false)
  }

  onTrailers(fields: Field[]): void {
    this.#trailers = fields
  }

  onBytes(bytes: Uint8Array | undefined, sent: (() => void) | undefined): boolean {
    this.#socket.refresh()
    if (sent !== undefined) this.#sent.push(sent)
    if (this.#isEnding) {
      this.#last = bytes ?? this.#last
      return true
    }
    const head = this.#head
    this.#head = undefined
    const room = this.#channel.isWritable ? this.#channel.send(head, bytes, false) : 1
    if (sent !== undefined) process.nextTick(callAll, this.#sent.splice(0))
    return room > 0
  }

  onEnding(): void {
    this.#isEnding = true
  }

  onEnd(): void {
    if (this.#channel.isWritable) {
      this.#channel.send(this.#head, this.#last, this.#trailers === undefined)
      if (this.#trailers !== undefined) this.#channel.writeTrailers(this.#trailers)
    }
    this.#head = this.#last = undefined
    process.nextTick(finished, this, this.#sent)
  }

  /** Node's own callbacks have run, `finish` among them. */
  onFinished(): void {
    this.#isResponseOver = true
    // As node does: what nobody reads is thrown away, so that it does not stand in the way.
    if (!this.#isRequestOver && !isConsumed(this.#request)) {
      this.#isRequestOver = true
      this.#channel.stop(Http3ErrorCode.NoError)
    }
    this.#closeIfOver()
  }

  #deliver(): void {
    while (this.#isWanted) {
      const piece = this.#channel.read()
      if (piece === undefined) break
      this.#isWanted = this.#request.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength))
    }
    this.#settle()
  }

  #settle(): void {
    if (this.#isRequestOver) return
    const { isEnded, error, trailers } = this.#channel
    if (error !== undefined) return this.abort(error)
    if (!isEnded) return
    this.#isRequestOver = true
    completeRequest(this.#request, trailers)
    this.#closeIfOver()
  }

  #end(errorCode: number, error: Error | undefined): void {
    if (this.#isDone) return
    this.#isRequestOver = true
    this.#isResponseOver = true
    this.#channel.reset(errorCode)
    this.#channel.stop(errorCode)
    this.#closeIfOver()
    if (!this.#request.complete) this.#request.destroy(error)
  }

  #closeIfOver(): void {
    if (this.#isDone || !this.#isRequestOver || !this.#isResponseOver) return
    this.#isDone = true
    this.#host.onDone()
    this.#socket.onOver()
    process.nextTick(closeResponse, this.#response)
  }
}

function finished(exchange: CompatExchange, callbacks: (() => void)[]): void {
  callAll(callbacks)
  exchange.onFinished()
}

function callAll(callbacks: (() => void)[]): void {
  for (const callback of callbacks) callback()
}

/** As node's server does it when a socket closes. */
function closeResponse(response: ServerResponse<IncomingMessage> & { _closed?: boolean }): void {
  if (response._closed === true) return
  response.destroyed = true
  response._closed = true
  response.emit('close')
}

function isConsumed(request: IncomingMessage): boolean {
  return (request as unknown as { _consumed?: boolean })._consumed === true || request.readableFlowing === true
}

function connectionReset(): Error {
  return Object.assign(new Error('aborted'), { code: 'ECONNRESET' })
}

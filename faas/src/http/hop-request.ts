// A call as a request of HTTP/3, and its answer as it is passed on: without the objects of fetch, which cost more than
// the rest of a small request.

import { Readable } from 'node:stream'
import { Http3ErrorCode, type OutgoingRequest, type RequestStream, type ResponseHead } from 'zerotrip/http3'
import type { Call } from './call.ts'
import type { PassedResponse } from './passed.ts'
import { isSmall } from './whole-body.ts'

type Field = readonly [string, string]

/** Bytes that wait for whoever takes the answer. */
const AHEAD = 65_536

export interface HopRequestOptions {
  /** Whom it is sent to. */
  readonly authority: string
  /** May it leave as early data. */
  readonly early: boolean
  /** Gives it up. */
  readonly signal: AbortSignal
}

export class HopRequest implements OutgoingRequest {
  readonly fields: readonly Field[]
  readonly bytes: Uint8Array | undefined
  readonly hasStream = false
  mayBeEarly: boolean
  isDone = false
  onDone: () => void = () => {}
  /** Rejects with what ended it. */
  readonly answer: Promise<PassedResponse>
  #settle: { resolve: (response: PassedResponse) => void; reject: (error: unknown) => void } | undefined
  readonly #signal: AbortSignal
  readonly #onAbort = (): void => this.fail(this.#signal.reason)
  #stream: RequestStream | undefined = undefined
  #wasEarly = false
  /** Of an answer that is read whole. */
  #pieces: Uint8Array[] = []
  /** Of another. */
  #body: HopBody | undefined = undefined

  constructor(call: Call, { authority, early, signal }: HopRequestOptions) {
    this.bytes = call.body as Uint8Array | undefined
    this.fields = fieldsOf(call, authority)
    this.mayBeEarly = early
    this.#signal = signal
    this.answer = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
  }

  get isStreaming(): boolean {
    return this.#stream?.response !== undefined
  }

  get streamId(): number {
    return this.#stream === undefined ? -1 : this.#stream.id
  }

  get isTooEarly(): boolean {
    return this.#wasEarly && this.#stream?.response?.status === 425
  }

  listen(): boolean {
    if (this.#signal.aborted) this.fail(this.#signal.reason)
    else this.#signal.addEventListener('abort', this.#onAbort)
    return !this.isDone
  }

  onOpened(stream: RequestStream, isEarly: boolean): void {
    this.#stream = stream
    this.#wasEarly = isEarly
  }

  onResponse(): void {
    const stream = this.#stream as RequestStream
    const response = stream.response as ResponseHead
    const length = response.fields.find(([name]) => name === 'content-length')?.[1]
    if (!stream.isEnded && !isSmall(length)) {
      this.#body = new HopBody(stream, () => this.#finish())
      this.#answer(response, this.#body)
    }
    this.onContent()
  }

  onContent(): void {
    const stream = this.#stream
    if (this.isDone || stream?.response === undefined) return
    if (this.#body !== undefined) return this.#body.onContent()
    for (let piece = stream.read(); piece !== undefined; piece = stream.read()) this.#pieces.push(piece)
    if (stream.error !== undefined) return this.fail(stream.error)
    if (!stream.isEnded) return
    this.#answer(stream.response, this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces))
    this.#finish()
  }

  onWritable(): void {}

  /** RFC 9114 §4.1: the response is still good. */
  onStopped(): void {}

  fail(error: unknown): void {
    if (this.isDone) return
    this.#settle?.reject(error)
    this.#stream?.cancel(Http3ErrorCode.RequestCancelled)
    this.#finish()
    this.#body?.destroy(error instanceof Error ? error : new Error(String(error)))
  }

  rewind(): void {
    this.mayBeEarly = false
    this.#wasEarly = false
    this.#stream?.cancel(Http3ErrorCode.RequestCancelled)
    this.#stream = undefined
  }

  #answer({ status, fields }: ResponseHead, body: PassedResponse['body']): void {
    this.#settle?.resolve({ status, headers: fields, body })
    this.#settle = undefined
  }

  #finish(): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
    const wasDone = this.isDone
    this.isDone = true
    if (!wasDone) this.onDone()
  }
}

/** Content as it comes, no more of it than is taken: what is not, waits in the flow control of the other side. */
class HopBody extends Readable {
  readonly #stream: RequestStream
  readonly #onDone: () => void
  #isWanted = false
  #isEnded = false

  constructor(stream: RequestStream, onDone: () => void) {
    super({ highWaterMark: AHEAD })
    this.#stream = stream
    this.#onDone = onDone
    // It may fail before anybody has it; whoever takes it then is told.
    this.on('error', () => {})
  }

  onContent(): void {
    const stream = this.#stream
    while (this.#isWanted) {
      const piece = stream.read()
      if (piece === undefined) break
      this.#isWanted = this.push(piece)
    }
    if (stream.error !== undefined) this.destroy(stream.error)
    else if (stream.isEnded && !this.#isEnded) this.#end()
  }

  override _read(): void {
    this.#isWanted = true
    this.onContent()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#stream.cancel(Http3ErrorCode.RequestCancelled)
    this.#onDone()
    callback(error)
  }

  #end(): void {
    this.#isWanted = false
    this.#isEnded = true
    this.push(null)
    this.#onDone()
  }
}

function fieldsOf({ method, target, headers, body }: Call, authority: string): Field[] {
  const fields: Field[] = [
    [':method', method],
    [':scheme', 'https'],
    [':authority', authority],
    [':path', target],
  ]
  for (const field of headers) fields.push(field)
  const length = (body as Uint8Array | undefined)?.length
  if (length !== undefined && !headers.has('content-length')) fields.push(['content-length', String(length)])
  return fields
}

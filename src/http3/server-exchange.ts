// One request at a server: from its header section to the last byte of the answer.

import { type BodyOwner, IncomingBody, OutgoingBody } from './body.ts'
import type { Http3Connection } from './connection.ts'
import { Http3ErrorCode, Http3StreamError } from './error-codes.ts'
import { bodyBytes, hasNoContent, type ResponseLike, responseFields } from './fetch.ts'
import type { Field } from './field.ts'
import type { RequestHead } from './fields.ts'
import type { RequestStream } from './request-stream.ts'
import { type Http3Request, newRequest, type RequestContext } from './server-request.ts'

/** What an exchange needs of its server. */
export interface ExchangeHost {
  readonly connection: Http3Connection
  readonly handler: (request: Http3Request) => ResponseLike | Promise<ResponseLike>
  readonly options: {
    readonly onError?: (error: unknown, request: Http3Request | undefined) => void
    readonly date?: () => string
  }
  confirmed(): Promise<void>
  onExchangeDone(stream: RequestStream): void
}

export class ServerExchange implements RequestContext, BodyOwner {
  readonly #host: ExchangeHost
  readonly #stream: RequestStream
  #request: Http3Request | undefined = undefined
  #incoming: IncomingBody | undefined = undefined
  #outgoing: OutgoingBody | undefined = undefined
  #abort: AbortController | undefined = undefined
  #abortReason: unknown = undefined
  #isAborted = false

  constructor(host: ExchangeHost, stream: RequestStream) {
    this.#host = host
    this.#stream = stream
  }

  get confirmed(): Promise<void> {
    return this.#host.confirmed()
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.#isAborted) this.#abort.abort(this.#abortReason)
    }
    return this.#abort.signal
  }

  /** Calls the handler, at once; an answer that is no promise is sent before this returns. */
  start(): void {
    const head = this.#stream.request as RequestHead
    if (fetchCannotSay.has(head.method)) return this.#answer([[':status', '501']])
    try {
      this.#request = this.#makeRequest(head)
    } catch {
      // A URL or a method that is legal in HTTP but not in fetch.
      return this.#answer([[':status', '400']])
    }
    try {
      const answer = this.#host.handler(this.#request)
      if (answer instanceof Promise) {
        answer.then(
          response => this.#respond(response),
          error => this.#fail(error),
        )
      } else this.#respond(answer)
    } catch (error) {
      this.#fail(error)
    }
  }

  onContent(): void {
    this.#incoming?.onContent()
  }

  onWritable(): void {
    this.#outgoing?.onWritable()
  }

  onBodyEnded(): void {}

  /** RFC 9110 §10.1.1: the client waits with its content to be told that it is wanted. */
  onBodyWanted(): void {
    const isExpected = this.#stream.request?.field('expect')?.toLowerCase() === '100-continue'
    if (isExpected && this.#stream.isWritable && !this.#stream.hasSentHead) this.#stream.writeHead(continueResponse)
  }

  /** RFC 9114 §4.1. */
  onBodyCancelled(): void {
    this.#stream.stop(Http3ErrorCode.NoError)
  }

  /** The client lost interest, or the connection ended. The handler's end remains the end of the exchange. */
  abort(error: unknown): void {
    if (this.#isAborted) return
    this.#isAborted = true
    this.#abortReason = error ?? new DOMException('The client lost interest', 'AbortError')
    this.#incoming?.fail(this.#abortReason)
    this.#outgoing?.cancel(this.#abortReason)
    this.#abort?.abort(this.#abortReason)
  }

  #makeRequest(head: RequestHead): Http3Request {
    // fetch knows no content for GET and HEAD; if there is some it stays unread.
    const hasBody = !this.#stream.isEnded && head.method !== 'GET' && head.method !== 'HEAD'
    if (hasBody) this.#incoming = new IncomingBody(this.#stream, this)
    return newRequest(head, this.#incoming, this.#stream.isEarly, this)
  }

  #respond(response: ResponseLike): void {
    try {
      this.#send(response)
    } catch (error) {
      this.#fail(error)
    }
  }

  #send(response: ResponseLike): void {
    const { body } = response
    const bytes = bodyBytes(body)
    const fields = this.#withDate(responseFields(response, bytes === undefined ? -1 : bytes.length))
    const isBare =
      body == null || (this.#stream.request as RequestHead).method === 'HEAD' || hasNoContent(response.status ?? 200)
    if (isBare || this.#isAborted) {
      if (body instanceof ReadableStream) body.cancel().catch(ignore)
      return this.#answer(fields)
    }
    if (bytes !== undefined) {
      if (this.#stream.isWritable) this.#stream.send(fields, bytes, true)
      return this.#finish()
    }
    this.#outgoing = new OutgoingBody(this.#stream, body as ReadableStream<unknown>, fields)
    this.#outgoing.run().then(
      () => this.#finish(),
      error => this.#fail(error),
    )
  }

  #withDate(fields: Field[]): Field[] {
    const { date } = this.#host.options
    if (date !== undefined && !fields.some(field => field[0] === 'date')) fields.push(['date', date()])
    return fields
  }

  #answer(fields: readonly Field[]): void {
    if (this.#stream.isWritable) this.#stream.send(fields, undefined, true)
    this.#finish()
  }

  /** 500 while nothing was sent, then a reset: the client must see that the answer is not whole. */
  #fail(error: unknown): void {
    if (!this.#isAborted) this.#host.options.onError?.(error, this.#request)
    if (this.#stream.isWritable && !this.#stream.hasSentHead && !this.#isAborted) {
      return this.#answer([[':status', '500']])
    }
    this.#stream.reset(this.#isAborted ? Http3ErrorCode.RequestCancelled : Http3ErrorCode.InternalError)
    this.#finish()
  }

  #finish(): void {
    const { error } = this.#stream
    // The answer could not be sent at all.
    if (error instanceof Http3StreamError && error.code === Http3ErrorCode.InternalError && !error.isRemote) {
      this.#host.options.onError?.(error, this.#request)
    }
    // Does nothing where the answer is complete.
    this.#stream.reset(Http3ErrorCode.RequestCancelled)
    // RFC 9114 §4.1: the answer is complete, what is left of the request is of no use.
    this.#stream.stop(Http3ErrorCode.NoError)
    if (this.#incoming?.isDone === false) this.#incoming.fail(new DOMException('The answer was sent', 'AbortError'))
    this.#host.onExchangeDone(this.#stream)
  }
}

function ignore(): void {}

const continueResponse: readonly Field[] = [[':status', '100']]

/** fetch has no Request for these (its "forbidden methods"). */
const fetchCannotSay: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK'])

// The Request a handler gets: fetch's own, and what only a server can know of it.

import type { IncomingBody } from './body.ts'
import { headerPairs, requestUrl } from './fetch.ts'
import type { RequestHead } from './fields.ts'

/** What a request asks of its exchange, when it is asked. */
export interface RequestContext {
  readonly confirmed: Promise<void>
  /** Aborted when the client loses interest or the connection ends. */
  readonly signal: AbortSignal
}

/** What a handler gets. */
export interface Http3Request extends Request {
  /** It came as 0-RTT data and the handshake was not confirmed when it did: it may be a replay (RFC 8470). */
  readonly early: boolean
  /** Resolves when the handshake is confirmed: from then on the request is known to be no replay. Made when asked for. */
  readonly confirmed: Promise<void>
}

/** Throws a TypeError for what fetch cannot express. */
export function newRequest(
  head: RequestHead,
  body: IncomingBody | undefined,
  early: boolean,
  context: RequestContext,
): Http3Request {
  madeClass ??= makeClass()
  return new madeClass(head, body, early, context)
}

let madeClass: ReturnType<typeof makeClass> | undefined

/** Not before it is needed: whoever asks Node for `Request` has it load all of undici. */
function makeClass() {
  return class Http3Request extends Request {
    readonly early: boolean
    readonly #context: RequestContext

    constructor(head: RequestHead, body: IncomingBody | undefined, early: boolean, context: RequestContext) {
      super(requestUrl(head), {
        method: head.method,
        headers: headerPairs(head.fields),
        ...(body === undefined ? undefined : { body: body.readable as never, duplex: 'half' as const }),
      })
      this.early = early
      this.#context = context
    }

    get confirmed(): Promise<void> {
      return this.#context.confirmed
    }

    // `signal` is made when asked for, too: an AbortController is half the cost of a Request. Declared as a property by
    // the base class, so it cannot be overridden as an accessor in the language of types.
    static {
      Object.defineProperty(Http3Request.prototype, 'signal', {
        configurable: true,
        get(this: Http3Request): AbortSignal {
          return this.#context.signal
        },
      })
    }
  }
}

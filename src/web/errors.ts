// Errors of requests: a message that says what to do, and a stable code. Those of connections are `QuicError`.

import { QuicError } from '../endpoint/errors.ts'
import { Http3Error, Http3StreamError, http3ErrorName } from '../http3/error-codes.ts'

export type RequestErrorCode =
  /** No header section of the response within `headersTimeout`. */
  | 'ERR_ZEROTRIP_HEADERS_TIMEOUT'
  /** Nothing of the body of the response for `bodyTimeout`. */
  | 'ERR_ZEROTRIP_BODY_TIMEOUT'
  /** The server did not process the request: it may be sent again, whatever its method (RFC 9114 §4.1.1). */
  | 'ERR_ZEROTRIP_REQUEST_REJECTED'
  /** The server gave up the request: `errorCode` says why. */
  | 'ERR_ZEROTRIP_REQUEST_ABORTED'
  /** The response is malformed (RFC 9114 §4.1.2). */
  | 'ERR_ZEROTRIP_MESSAGE'
  /** The connection ended by an error of HTTP/3: `errorCode` says which. */
  | 'ERR_ZEROTRIP_HTTP3'
  /** The agent was closed. */
  | 'ERR_ZEROTRIP_AGENT_CLOSED'
  /** The caller gave up the request, without a reason of its own. */
  | 'ERR_ZEROTRIP_ABORTED'

export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly code: RequestErrorCode
  /** The code on the wire (RFC 9114 §8.1), or -1. */
  readonly errorCode: number

  constructor(code: RequestErrorCode, message: string, options: { errorCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.errorCode = options.errorCode ?? -1
  }
}

/** What callers see of whatever ended a request: errors of their own making and of connections stay what they are. */
export function requestError(error: unknown): Error {
  if (error instanceof Http3StreamError) return streamError(error)
  if (error instanceof Http3Error) {
    const options = { errorCode: error.code, cause: error }
    return new RequestError('ERR_ZEROTRIP_HTTP3', `${error.message} (${http3ErrorName(error.code)})`, options)
  }
  if (error instanceof Error) return error
  return new RequestError('ERR_ZEROTRIP_ABORTED', 'the request was given up', { cause: error })
}

function streamError(error: Http3StreamError): RequestError {
  const options = { errorCode: error.code, cause: error }
  const name = http3ErrorName(error.code)
  if (error.isRetryable && error.isRemote) {
    return new RequestError(
      'ERR_ZEROTRIP_REQUEST_REJECTED',
      'the server takes no more requests: send it again',
      options,
    )
  }
  if (error.isRemote) return new RequestError('ERR_ZEROTRIP_REQUEST_ABORTED', `the server gave it up: ${name}`, options)
  return new RequestError('ERR_ZEROTRIP_MESSAGE', `${error.message} (${name})`, options)
}

/** It was not processed: RFC 9114 §4.1.1, §5.2. */
export function wasNotProcessed(error: unknown): boolean {
  return error instanceof Http3StreamError && error.isRetryable && error.isRemote
}

/** The connection failed under it, and the server may have seen it or not. */
export function wasCutOff(error: unknown): boolean {
  return error instanceof QuicError || error instanceof Http3Error
}

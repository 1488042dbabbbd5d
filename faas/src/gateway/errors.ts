// What a caller is told when there is no answer of a function.

import type { PassedResponse } from '../http/passed.ts'

export class GatewayError extends Error {
  readonly status: number
  /** Seconds after which it may be worth while to try again. */
  readonly retryAfter: number | undefined

  constructor(status: number, message: string, options: { cause?: unknown; retryAfter?: number } = {}) {
    super(message, options)
    this.status = status
    this.retryAfter = options.retryAfter
  }

  get response(): PassedResponse & { readonly body: string } {
    const headers: [string, string][] = [
      ['content-type', 'text/plain; charset=utf-8'],
      ['x-openfaas-internal', 'proxy'],
    ]
    if (this.retryAfter !== undefined) headers.push(['retry-after', String(this.retryAfter)])
    return { status: this.status, headers, body: `${this.message}\n` }
  }
}

// How long a function may take: exec_timeout, or less if the caller says so in `X-Timeout`.

import { readDuration } from '../http/duration.ts'

export class Deadline {
  /** Aborted when time is up or the client has lost interest. */
  readonly signal: AbortSignal
  readonly #timeout: AbortSignal | undefined

  constructor(request: Request, execTimeout: number) {
    const limit = limitOf(request, execTimeout)
    this.#timeout = Number.isFinite(limit) ? AbortSignal.timeout(limit) : undefined
    this.signal = this.#timeout ? AbortSignal.any([request.signal, this.#timeout]) : request.signal
  }

  get isOver(): boolean {
    return this.#timeout?.aborted === true
  }
}

/** ms. */
export function limitOf(request: Request, execTimeout: number): number {
  const asked = readDuration(request.headers.get('x-timeout') ?? '')
  return Math.min(asked || Number.POSITIVE_INFINITY, execTimeout)
}

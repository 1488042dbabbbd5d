// `Http3Agent` as a class of undici's own family: `request`, `stream`, `pipeline`, `compose` and interceptors come with it.

import { Agent, Dispatcher } from 'undici'
import { Http3Agent, type Http3AgentOptions } from '../web/client/agent.ts'
import type { DispatchHandler, DispatchOptions } from '../web/client/dispatch.ts'

export interface H3AgentOptions extends Omit<Http3AgentOptions, 'fallback'> {
  /** For TCP. Default: a new `Agent` of undici. */
  readonly fallback?: Dispatcher
}

/**
 * A dispatcher of undici for HTTP/3, and for TCP where that is better (`discovery`).
 *
 *     setGlobalDispatcher(new H3Agent())
 */
export class H3Agent extends Dispatcher {
  readonly #agent: Http3Agent
  /** Ours to close. */
  readonly #fallback: Agent | undefined

  /** Throws a TypeError or RangeError for options that do not fit. */
  constructor(options: H3AgentOptions = {}) {
    super()
    this.#fallback = options.fallback === undefined && options.discovery !== 'only' ? new Agent() : undefined
    const fallback = options.fallback ?? this.#fallback
    this.#agent = new Http3Agent({ ...options, ...(fallback && { fallback }) } as Http3AgentOptions)
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    return this.#agent.dispatch(options as DispatchOptions, handler as DispatchHandler)
  }

  override close(callback: () => void): void
  override close(): Promise<void>
  override close(callback?: () => void): Promise<void> | undefined {
    return called(Promise.all([this.#agent.close(), this.#fallback?.close()]), callback)
  }

  override destroy(error: Error | null, callback: () => void): void
  override destroy(callback: () => void): void
  override destroy(error: Error | null): Promise<void>
  override destroy(): Promise<void>
  override destroy(
    error?: Error | null | (() => void),
    callback: (() => void) | undefined = typeof error === 'function' ? error : undefined,
  ): Promise<void> | undefined {
    const reason = error instanceof Error ? error : null
    return called(Promise.all([this.#agent.destroy(reason), this.#fallback?.destroy(reason)]), callback)
  }
}

/** By callback or promise. */
function called(done: Promise<unknown>, callback: (() => void) | undefined): Promise<void> | undefined {
  const whole = done.then(() => {})
  if (callback === undefined) return whole
  whole.then(callback)
  return undefined
}

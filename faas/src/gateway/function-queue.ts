// Calls that nobody waits for (`/async-function/…`): answered at once, done in turn, the result sent to a callback.

import type { Call } from '../http/call.ts'
import { type PassedResponse, webBody } from '../http/passed.ts'

export interface QueuedCall {
  readonly callId: string
  readonly functionName: string
  /** Where the result is posted; undefined: nowhere. */
  readonly callback: URL | undefined
  readonly call: Call
  /** Rejects when there is no answer. */
  readonly run: (call: Call) => Promise<PassedResponse>
}

export interface FunctionQueueOptions {
  /** Calls that wait, at most. Default 1,000. */
  readonly capacity?: number
  /** Calls at once. Default 16. */
  readonly concurrency?: number
  /** Posts a result. Default: global `fetch`. */
  readonly post?: typeof fetch
  /** Told when a result cannot be delivered. Default: nobody is. */
  readonly onError?: (error: unknown) => void
}

export class FunctionQueue {
  readonly #options: FunctionQueueOptions
  readonly #waiting: QueuedCall[] = []
  #running = 0

  constructor(options: FunctionQueueOptions = {}) {
    this.#options = options
  }

  /** False: it is full. */
  push(call: QueuedCall): boolean {
    if (this.#waiting.length >= (this.#options.capacity ?? 1000)) return false
    this.#waiting.push(call)
    this.#next()
    return true
  }

  #next(): void {
    if (this.#running >= (this.#options.concurrency ?? 16)) return
    const call = this.#waiting.shift()
    if (call === undefined) return
    this.#running++
    this.#run(call)
      .catch(error => this.#options.onError?.(error))
      .finally(() => {
        this.#running--
        this.#next()
      })
  }

  async #run({ callId, functionName, callback, call, run }: QueuedCall): Promise<void> {
    const begun = performance.now()
    const response = await run(call).catch(
      (error: { response?: PassedResponse }) => error.response ?? { status: 500, headers: [] },
    )
    const body = await new Response(webBody(response) as ConstructorParameters<typeof Response>[0]).arrayBuffer()
    if (callback === undefined) return
    await (this.#options.post ?? fetch)(callback, {
      method: 'POST',
      // Where the caller said, and nowhere else.
      redirect: 'manual',
      body,
      headers: {
        'content-type': headerOf(response, 'content-type') ?? 'application/octet-stream',
        'x-call-id': callId,
        'x-duration-seconds': ((performance.now() - begun) / 1000).toFixed(6),
        'x-function-name': functionName,
        'x-function-status': String(response.status),
      },
    })
  }
}

function headerOf({ headers }: PassedResponse, wanted: string): string | undefined {
  for (const [name, value] of headers) if (name === wanted) return value
  return undefined
}

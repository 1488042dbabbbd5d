// From the name of a function to an answer of one of its workers: woken if there is none, tried again where that is safe.

import { orAborted } from '../http/abort.ts'
import { type Call, READ_TOO_LONG } from '../http/call.ts'
import { hopByHop } from '../http/handler.ts'
import { CallFailed, isSafe } from '../http/next-hop.ts'
import { type PassedResponse, whenPassed } from '../http/passed.ts'
import { isTimeout } from '../http/within.ts'
import { CallTime } from './call-time.ts'
import { GatewayError } from './errors.ts'
import type { ClientCounts, WorkerClient } from './instance-client.ts'
import { InstancePool } from './instance-pool.ts'
import type { GatewayMetrics } from './metrics.ts'
import { type FunctionName, type Instance, keyOf, type Provider, type ProviderEvent } from './provider.ts'
import { Scaler } from './scaler.ts'

export interface InvokerOptions {
  readonly provider: Provider
  readonly metrics: GatewayMetrics
  readonly clientOf: (instance: Instance, counts: ClientCounts) => WorkerClient
  /** ms for an answer to begin, workers that have to start included. Default 60,000. */
  readonly upstreamTimeout?: number | undefined
  /** False: a function without instances is answered 503. Default true. */
  readonly scaleFromZero?: boolean | undefined
  /** Instances that are tried for one request. Default 3. */
  readonly attempts?: number
}

/** ms in which somebody takes the place of an instance that fell silent. */
const SUCCESSOR = 5000

/** Everything known of one function. */
interface Target {
  readonly of: FunctionName
  readonly pool: InstancePool
  /** Who waits for the next instance. */
  waiting: PromiseWithResolvers | undefined
}

export class Invoker {
  readonly #options: InvokerOptions
  readonly #timeout: number
  readonly #targets = new Map<string, Target>()
  readonly #scaler: Scaler

  constructor(options: InvokerOptions) {
    this.#options = options
    this.#timeout = options.upstreamTimeout ?? 60_000
    this.#scaler = new Scaler(options.provider)
    options.provider.subscribe(event => this.#onEvent(event))
  }

  /** Rejects with a GatewayError when there is no answer. */
  async invoke(of: FunctionName, call: Call, caller: AbortSignal): Promise<PassedResponse> {
    if (this.#options.provider.find(of) === undefined) throw new GatewayError(404, `no such function: ${keyOf(of)}`)
    const { metrics } = this.#options
    const time = new CallTime(this.#timeout, caller)
    const begun = performance.now()
    metrics.begin(of)
    this.#scaler.begin(of)
    const done = (status: number): void => {
      time.end()
      this.#scaler.end(of)
      metrics.end(of, status, (performance.now() - begun) / 1000)
    }
    try {
      const response = await this.#attempt(this.#targetOf(of), call, time.signal)
      return whenPassed(response, () => done(response.status))
    } catch (error) {
      const known = time.isOver
        ? new GatewayError(504, `${keyOf(of)} took too long`, { cause: error, retryAfter: 1 })
        : asGatewayError(of, error)
      done(known.status)
      throw known
    }
  }

  close(): void {
    this.#scaler.close()
    for (const { pool, of } of this.#targets.values()) {
      for (const { id } of this.#options.provider.instances(of)) pool.remove(id, false)
    }
  }

  async #attempt(target: Target, call: Call, signal: AbortSignal): Promise<PassedResponse> {
    const attempts = this.#options.attempts ?? 3
    const tried = new Set<WorkerClient>()
    let failure: unknown
    for (let attempt = 1; ; attempt++) {
      const client = target.pool.choose(tried) ?? (await this.#wake(target, tried, signal, failure))
      client.inFlight++
      try {
        const response = await client.send(call, signal)
        return whenPassed(withoutHops(response), () => {
          client.inFlight--
        })
      } catch (error) {
        client.inFlight--
        if (attempt === attempts || !canRepeat(call, error) || signal.aborted) throw error
        tried.add(client)
        failure = error
      }
    }
  }

  /** One start for all who wait. Where there are instances, and none of them answered, another may come, or not. */
  async #wake(
    target: Target,
    tried: ReadonlySet<WorkerClient>,
    signal: AbortSignal,
    failure: unknown,
  ): Promise<WorkerClient> {
    if (this.#options.scaleFromZero === false && this.#options.provider.find(target.of)?.replicas === 0) {
      throw new GatewayError(503, `No endpoints available for: ${keyOf(target.of)}.`, { retryAfter: 1 })
    }
    this.#scaler.wake(target.of)
    const patience = AbortSignal.timeout(target.pool.size > 0 ? SUCCESSOR : this.#timeout)
    for (;;) {
      target.waiting ??= new PromiseWithResolvers()
      await orAborted(target.waiting.promise, AbortSignal.any([signal, patience])).catch(error => {
        throw patience.aborted && !signal.aborted && failure !== undefined ? failure : error
      })
      const client = target.pool.choose(tried)
      if (client !== undefined) return client
    }
  }

  #onEvent(event: ProviderEvent): void {
    const target = this.#targetOf(event.of)
    switch (event.type) {
      case 'ready':
        this.#onReady(target, event.instance, event.isNew ?? false)
        break
      case 'gone':
        target.pool.remove(event.instance.id, event.isDead)
        break
      case 'failed':
        target.waiting?.reject(
          new GatewayError(503, `${keyOf(event.of)} did not start: ${event.error.message}`, { retryAfter: 1 }),
        )
        target.waiting = undefined
    }
    this.#options.metrics.replicas(event.of, target.pool.size)
  }

  #onReady(target: Target, instance: Instance, isNew: boolean): void {
    const client = this.#clientOf(target.of, instance)
    target.pool.add(client)
    target.waiting?.resolve()
    target.waiting = undefined
    if (isNew) client.rehearse?.()
  }

  #clientOf(of: FunctionName, instance: Instance): WorkerClient {
    const { clientOf, metrics } = this.#options
    return clientOf(instance, { early: result => metrics.early(of, result) })
  }

  #targetOf(of: FunctionName): Target {
    const key = keyOf(of)
    const known = this.#targets.get(key)
    if (known !== undefined) return known
    const target: Target = { of, pool: new InstancePool(), waiting: undefined }
    for (const instance of this.#options.provider.instances(of)) target.pool.add(this.#clientOf(of, instance))
    this.#targets.set(key, target)
    return target
  }
}

/** A request that nobody has seen, or that may be seen twice; and whose content can be sent again. */
function canRepeat(call: Call, error: unknown): boolean {
  if (!(error instanceof CallFailed) || call.body instanceof ReadableStream) return false
  return error.fate === 'not processed' || isSafe(call.method)
}

function withoutHops({ status, headers, body }: PassedResponse): PassedResponse {
  return { status, headers: headers.filter(([name]) => !hopByHop.has(name)), body }
}

function asGatewayError(of: FunctionName, error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  if (error instanceof CallFailed && isTimeout(error.cause)) return new GatewayError(408, READ_TOO_LONG)
  return new GatewayError(502, `Can't reach service for: ${keyOf(of)}.`, { cause: error })
}

/** A promise and its two ends. */
class PromiseWithResolvers {
  readonly promise: Promise<void>
  resolve: () => void = () => {}
  reject: (error: Error) => void = () => {}

  constructor() {
    this.promise = new Promise<void>((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    // Whoever waits may have left.
    this.promise.catch(() => {})
  }
}

// What is around a function in every mode: health, a limit on requests at once, durations, metrics, the access log.

import { READ_TOO_LONG } from '../http/call.ts'
import {
  type FunctionHandler,
  type FunctionRequest,
  type FunctionResponse,
  type Headers,
  plain,
  targetOf,
  whenTaken,
} from '../http/handler.ts'
import { isTimeout, within } from '../http/within.ts'
import type { Readiness } from './readiness.ts'

/** Counts requests. */
export interface RequestCounts {
  begin(isEarly: boolean): void
  end(code: number, method: string, seconds: number): void
}

export interface ServiceOptions {
  readonly run: FunctionHandler
  readonly readiness: Readiness
  /** Default: nobody counts. */
  readonly counts?: RequestCounts | undefined
  /** Requests at once; 0: any number. Default 0. */
  readonly maxInflight?: number
  /** ms for an answer that has begun. Default: any time. */
  readonly writeTimeout?: number
  /** A path of the function that is asked whether it is ready. Default: it is when the watchdog is. */
  readonly readyPath?: string | undefined
  /** Takes a line of the access log. Default: there is none. */
  readonly log?: ((line: string) => void) | undefined
  /** Lines end with the call's id. Default false. */
  readonly logsCallId?: boolean
  readonly onError: (error: unknown) => void
}

export class Service {
  readonly #options: ServiceOptions
  readonly #maxInflight: number
  #inFlight = 0

  constructor(options: ServiceOptions) {
    this.#options = options
    this.#maxInflight = options.maxInflight || Number.POSITIVE_INFINITY
  }

  get inFlight(): number {
    return this.#inFlight
  }

  fetch(request: FunctionRequest): FunctionResponse | Promise<FunctionResponse> {
    const target = targetOf(request)
    if (isPath(target, '/_/health')) return this.#options.readiness.health(request.method)
    if (isPath(target, '/_/ready')) return this.#ready(request)
    if (this.#inFlight >= this.#maxInflight) return this.#tooMany()
    return this.#call(request, target)
  }

  async #call(request: FunctionRequest, target: string): Promise<FunctionResponse> {
    const { counts } = this.#options
    const begun = performance.now()
    const seconds = (): number => (performance.now() - begun) / 1000
    this.#inFlight++
    counts?.begin(request.early)
    const response = await this.#run(request)
    const status = response.status ?? 200
    const added: Headers = [...lengthOf(response), ['x-duration-seconds', seconds().toFixed(6)]]
    const headers = [...(response.headers ?? []), ...added]
    const body = within(response.body, this.#options.writeTimeout, 'write_timeout is over')
    return whenTaken({ status, headers, body }, bytes => {
      this.#inFlight--
      counts?.end(status, request.method, seconds())
      this.#logAccess(request, target, status, bytes, seconds())
    })
  }

  async #run(request: FunctionRequest): Promise<FunctionResponse> {
    try {
      return await this.#options.run(request)
    } catch (error) {
      if (isTimeout(error)) return plain(408, `${READ_TOO_LONG}\n`)
      this.#options.onError(error)
      return plain(500, '')
    }
  }

  /** Neither counted nor limited, but not ready while the limit is reached. */
  #ready(request: FunctionRequest): FunctionResponse | Promise<FunctionResponse> {
    const { readiness, readyPath, run } = this.#options
    if (request.method !== 'GET') return { status: 405, headers: [['allow', 'GET']] }
    if (!readiness.isAccepting) return plain(503, '')
    if (this.#inFlight >= this.#maxInflight) return this.#tooMany()
    if (readyPath === undefined) return { status: 200, body: 'OK' }
    const url = new URL(readyPath, request.url)
    return run(
      Object.assign(new Request(url, { headers: request.headers }), { early: false, confirmed: Promise.resolve() }),
    )
  }

  #tooMany(): FunctionResponse {
    const text = `Concurrent request limit exceeded. Max concurrent requests: ${this.#maxInflight}\n`
    return plain(429, text, 'faas-middleware')
  }

  #logAccess(request: Request, target: string, status: number, bytes: number, seconds: number): void {
    const { log, logsCallId } = this.#options
    if (log === undefined || request.headers.get('user-agent')?.startsWith('kube-probe')) return
    const callId = logsCallId ? ` [${request.headers.get('x-call-id') ?? 'none'}]` : ''
    log(`${request.method} ${target} - ${status} - ContentLength: ${size(bytes)} (${seconds.toFixed(4)}s)${callId}`)
  }
}

/** Of a body that is there whole: who passes it on needs no stream then. */
function lengthOf({ headers, body }: FunctionResponse): Headers {
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return []
  for (const [name] of headers ?? []) if (name.toLowerCase() === 'content-length') return []
  return [['content-length', String(Buffer.byteLength(body))]]
}

function isPath(target: string, path: string): boolean {
  return target === path || target.startsWith(`${path}?`)
}

/** As upstream writes it: `1.2kB`. */
function size(bytes: number): string {
  if (bytes < 1000) return `${bytes}B`
  const units = ['kB', 'MB', 'GB']
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), units.length)
  return `${(bytes / 1000 ** power).toFixed(1)}${units[power - 1]}`
}

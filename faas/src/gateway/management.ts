// What is for those who run functions, not for those who call them: `/system/…` and `/ui/`, behind a password.

import { callOf } from '../http/call.ts'
import { Forwarder } from '../http/forwarder.ts'
import type { IncomingRequest } from '../http/incoming-request.ts'
import { type Answer, whenPassed } from '../http/passed.ts'
import { type Credentials, challenge } from './basic-auth.ts'
import { GatewayError } from './errors.ts'
import type { GatewayMetrics } from './metrics.ts'
import type { Provider } from './provider.ts'
import { StatusPage } from './status-page.ts'
import { SystemApi } from './system-api.ts'

export interface ManagementOptions {
  readonly provider: Provider
  readonly metrics: GatewayMetrics
  /** Undefined: everybody who can ask. */
  readonly credentials: Credentials | undefined
  /** Who answers what is not known here; undefined: nobody. */
  readonly providerUrl: URL | undefined
}

/** ms. */
const PATIENCE = 60_000

export class Management {
  readonly #options: ManagementOptions
  readonly #system: SystemApi
  readonly #page: StatusPage
  readonly #elsewhere: Forwarder | undefined

  constructor(options: ManagementOptions) {
    this.#options = options
    this.#system = new SystemApi(options)
    this.#page = new StatusPage(options.provider, options.metrics)
    this.#elsewhere = options.providerUrl && new Forwarder(options.providerUrl)
  }

  /** Undefined: it is something else. */
  async handle(request: IncomingRequest, pathname: string): Promise<Answer | undefined> {
    if (pathname === '/' || pathname === '/ui') return { status: 307, headers: [['location', '/ui/']] }
    const isPage = pathname.startsWith('/ui/')
    if (!isPage && !pathname.startsWith('/system/')) return undefined
    const begun = performance.now()
    const refused = challenge(request, this.#options.credentials)
    const response = refused ?? (await (isPage ? this.#page.handle(request) : this.#answer(request)))
    const seconds = (): number => (performance.now() - begun) / 1000
    return whenPassed(response, () => this.#options.metrics.system(request.method, response.status ?? 200, seconds()))
  }

  async #answer(request: IncomingRequest): Promise<Answer> {
    const elsewhere = this.#elsewhere
    if (elsewhere === undefined || this.#system.knows(request)) return this.#system.handle(request)
    try {
      return await elsewhere.forward(
        await callOf(request, false),
        AbortSignal.any([request.signal, AbortSignal.timeout(PATIENCE)]),
      )
    } catch (error) {
      return new GatewayError(502, 'no answer of functions_provider_url', { cause: error }).response
    }
  }
}

// `/system/…`: what OpenFaaS' tools ask of a gateway, answered from the provider.

import type { FunctionResponse } from '../http/handler.ts'
import type { IncomingRequest } from '../http/incoming-request.ts'
import { wholeBody } from '../http/whole-body.ts'
import { DEFAULT_NAMESPACE, type FunctionStatus, readDeployment } from './deployment.ts'
import { GatewayError } from './errors.ts'
import type { GatewayMetrics } from './metrics.ts'
import type { FunctionUsage } from './process-usage.ts'
import type { FunctionName, Provider } from './provider.ts'

export interface SystemApiOptions {
  readonly provider: Provider
  readonly metrics: GatewayMetrics
}

/** Bytes of a request, at most. */
const MAX_BODY = 1 << 20

const KNOWN: ReadonlySet<string> = new Set(['functions', 'function', 'scale-function', 'namespaces', 'info'])

export class SystemApi {
  readonly #options: SystemApiOptions

  constructor(options: SystemApiOptions) {
    this.#options = options
  }

  knows(request: IncomingRequest): boolean {
    return KNOWN.has(new URL(request.url).pathname.split('/')[2] ?? '')
  }

  async handle(request: IncomingRequest): Promise<FunctionResponse> {
    try {
      return await this.#answer(request)
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) {
        return new GatewayError(400, error.message).response
      }
      throw error
    }
  }

  async #answer(request: IncomingRequest): Promise<FunctionResponse> {
    const url = new URL(request.url)
    const namespace = url.searchParams.get('namespace') || DEFAULT_NAMESPACE
    const [, , noun, name] = url.pathname.split('/')
    switch (`${request.method} ${noun}`) {
      case 'GET functions':
        return json(
          200,
          this.#options.provider.list(namespace).map(status => this.#counted(status)),
        )
      case 'POST functions':
      case 'PUT functions':
        return this.#deploy(request)
      case 'DELETE functions':
        return this.#remove(await bodyOf(request), namespace)
      case 'GET function':
        return this.#status({ name: name ?? '', namespace })
      case 'POST scale-function':
        return this.#scale({ name: name ?? '', namespace }, await bodyOf(request))
      case 'GET namespaces':
        return json(200, [DEFAULT_NAMESPACE])
      case 'GET info':
        return json(200, {
          provider: { provider: 'zerotrip', orchestration: this.#options.provider.orchestration },
          arch: process.arch,
        })
      default:
        return { status: 404 }
    }
  }

  async #deploy(request: IncomingRequest): Promise<FunctionResponse> {
    const { provider } = this.#options
    const deployment = readDeployment(await bodyOf(request))
    const isThere = provider.find({ name: deployment.service, namespace: deployment.namespace }) !== undefined
    if (request.method === 'PUT' && !isThere) return new GatewayError(404, `no function ${deployment.service}`).response
    await provider.deploy(deployment)
    return { status: 202 }
  }

  async #remove(body: Record<string, unknown>, namespace: string): Promise<FunctionResponse> {
    const name = String(body['functionName'] ?? '')
    const isGone = await this.#options.provider.remove({ name, namespace: String(body['namespace'] ?? namespace) })
    return isGone ? { status: 202 } : new GatewayError(404, `no function ${name}`).response
  }

  #status(of: FunctionName): FunctionResponse {
    const status = this.#options.provider.find(of)
    return status ? json(200, this.#counted(status)) : new GatewayError(404, `no function ${of.name}`).response
  }

  #scale(of: FunctionName, body: Record<string, unknown>): FunctionResponse {
    const replicas = Number(body['replicas'])
    if (!Number.isInteger(replicas) || replicas < 0) throw new TypeError('replicas must be a whole number')
    const isThere = this.#options.provider.scale(of, replicas)
    return isThere ? { status: 202 } : new GatewayError(404, `no function ${of.name}`).response
  }

  #counted(status: FunctionStatus): FunctionStatus & { usage?: FunctionUsage } {
    const { metrics, provider } = this.#options
    const usage = provider.usage?.(status)
    return { ...status, invocationCount: metrics.invocations(status), ...(usage && { usage }) }
  }
}

async function bodyOf(request: IncomingRequest): Promise<Record<string, unknown>> {
  const bytes = await wholeBody(request.body, MAX_BODY)
  if (bytes === undefined) throw new RangeError(`more than ${MAX_BODY} bytes`)
  const value = JSON.parse(new TextDecoder().decode(bytes)) as unknown
  if (typeof value !== 'object' || value === null) throw new TypeError('the body must be a JSON object')
  return value as Record<string, unknown>
}

function json(status: number, value: unknown): FunctionResponse {
  return { status, headers: [['content-type', 'application/json']], body: JSON.stringify(value) }
}

// `/ui/`: what functions there are and how they do, for people. Three files and what they draw, `state.json`.

import { readFile } from 'node:fs/promises'
import type { FunctionResponse } from '../http/handler.ts'
import type { IncomingRequest } from '../http/incoming-request.ts'
import { DEFAULT_NAMESPACE, earlyRequestsOf } from './deployment.ts'
import type { GatewayMetrics } from './metrics.ts'
import type { Provider } from './provider.ts'

const FILES: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'style.css': 'text/css; charset=utf-8',
  'app.js': 'text/javascript; charset=utf-8',
}

const HEADERS: readonly (readonly [string, string])[] = [
  // Nothing from elsewhere, nothing inline, and in no frame.
  [
    'content-security-policy',
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ],
  ['x-content-type-options', 'nosniff'],
  ['referrer-policy', 'no-referrer'],
  ['cache-control', 'no-store'],
]

export class StatusPage {
  readonly #provider: Provider
  readonly #metrics: GatewayMetrics

  constructor(provider: Provider, metrics: GatewayMetrics) {
    this.#provider = provider
    this.#metrics = metrics
  }

  async handle(request: IncomingRequest): Promise<FunctionResponse> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return { status: 405, headers: [['allow', 'GET, HEAD']] }
    }
    const url = new URL(request.url)
    const name = url.pathname.slice('/ui/'.length) || 'index.html'
    if (name === 'state.json') {
      const namespace = url.searchParams.get('namespace') || DEFAULT_NAMESPACE
      return page('application/json', JSON.stringify(this.#state(namespace)))
    }
    const type = Object.hasOwn(FILES, name) ? FILES[name] : undefined
    if (type === undefined) return { status: 404, headers: HEADERS }
    return page(type, await readFile(new URL(`../../ui/${name}`, import.meta.url)))
  }

  #state(namespace: string): unknown {
    const functions = this.#provider.list(namespace).map(status => ({
      name: status.name,
      namespace: status.namespace,
      replicas: status.replicas,
      availableReplicas: status.availableReplicas,
      invocationCount: this.#metrics.invocations(status),
      earlyData: earlyRequestsOf(status),
      sessions: this.#metrics.sessions(status),
      latency: this.#metrics.latency(status),
      usage: this.#provider.usage?.(status),
    }))
    return { time: new Date().toISOString(), functions }
  }
}

function page(type: string, body: string | Uint8Array): FunctionResponse {
  return { status: 200, headers: [['content-type', type], ...HEADERS], body }
}

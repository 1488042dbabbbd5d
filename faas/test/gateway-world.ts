// A gateway with workers that are processes, and what its callers do.

import { type IncomingMessage, request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { readDeployment } from '../dist/gateway/deployment.js'
import { Gateway, type GatewayOptions } from '../dist/gateway/gateway.js'
import { ProcessProvider } from '../dist/gateway/process-provider.js'
import type { Provider } from '../dist/gateway/provider.js'

export interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface CallInit {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
  readonly port?: number
}

export const node: string = process.execPath
export const zeroLabel: Readonly<Record<string, string>> = { 'com.openfaas.scale.zero': 'true' }

export class GatewayWorld implements AsyncDisposable {
  readonly errors: unknown[] = []
  readonly provider: Provider
  readonly gateway: Gateway
  ports = { port: 0, securePort: 0, metricsPort: 0 }

  constructor(options: Partial<GatewayOptions> = {}) {
    this.provider =
      options.provider ??
      new ProcessProvider({
        directory: fileURLToPath(new URL('functions', import.meta.url)),
        startDeadline: 60_000,
        gateway: () => this.gateway.addressForOne(),
      })
    this.gateway = new Gateway({
      provider: this.provider,
      port: 0,
      securePort: 0,
      metricsPort: 0,
      credentials: { user: 'admin', password: 'secret' },
      onError: error => this.errors.push(error),
      ...options,
    })
  }

  /** Resolves when it listens; functions start when they are called, unless they say otherwise. */
  async start(...functions: readonly object[]): Promise<this> {
    this.ports = await this.gateway.listen()
    await Promise.all(functions.map(each => this.deploy({ labels: zeroLabel, ...each })))
    return this
  }

  deploy(deployment: object): Promise<void> {
    return this.provider.deploy(readDeployment(deployment))
  }

  /** By HTTP/1.1, on a connection of its own. */
  call(path: string, init: CallInit = {}): Promise<Answer> {
    const { method = 'GET', body, port = this.ports.port } = init
    // Of itself node gives DELETE none.
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const headers = { ...init.headers, ...length }
    return new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, response => {
        let text = ''
        response.setEncoding('utf8').on('data', data => {
          text += data
        })
        response.once('end', () => resolve({ status: response.statusCode, headers: response.headers, body: text }))
      })
      outgoing.once('error', reject)
      outgoing.end(body)
    })
  }

  system(path: string, method = 'GET', body?: unknown): Promise<Answer> {
    const headers = { authorization: `Basic ${btoa('admin:secret')}` }
    return this.call(path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway[Symbol.asyncDispose]()
    await this.provider[Symbol.asyncDispose]()
  }
}

export function later(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await later(10)
}

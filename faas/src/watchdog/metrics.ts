// Numbers for Prometheus, under the names that dashboards and scaling rules of OpenFaaS know.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { RequestCounts } from './service.ts'

const LABELS = ['code', 'method'] as const

export class WatchdogMetrics implements RequestCounts {
  readonly registry: Registry = new Registry()
  readonly #requests: Counter<(typeof LABELS)[number]>
  readonly #seconds: Histogram<(typeof LABELS)[number]>
  readonly #inFlight: Gauge
  readonly #early: Counter<'early'>

  constructor() {
    const registers = [this.registry]
    this.#requests = new Counter({
      name: 'http_requests_total',
      help: 'Requests answered.',
      labelNames: LABELS,
      registers,
    })
    this.#seconds = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Seconds until an answer was sent.',
      labelNames: LABELS,
      registers,
    })
    this.#inFlight = new Gauge({
      name: 'http_requests_in_flight',
      help: 'Requests that are being answered.',
      registers,
    })
    this.#early = new Counter({
      name: 'zerotrip_requests_total',
      help: 'Requests by how they came: as early data, or after the handshake.',
      labelNames: ['early'],
      registers,
    })
  }

  begin(isEarly: boolean): void {
    this.#inFlight.inc()
    this.#early.inc({ early: String(isEarly) })
  }

  end(code: number, method: string, seconds: number): void {
    this.#inFlight.dec()
    const labels = { code, method: method.toLowerCase() }
    this.#requests.inc(labels)
    this.#seconds.observe(labels, seconds)
  }

  /** `/metrics` on a port of its own: the one it resolves with. Rejects with node's error when it cannot be had. */
  listen(host: string, port: number): Promise<number> {
    const server = createServer(async (request, response) => {
      if (request.url !== '/metrics') return response.writeHead(404).end()
      response.writeHead(200, { 'content-type': this.registry.contentType })
      return response.end(await this.registry.metrics())
    })
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
    })
  }
}

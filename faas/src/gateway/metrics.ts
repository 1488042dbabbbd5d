// Numbers for Prometheus, under the names that OpenFaaS' dashboards and alerts know.

import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { type FunctionName, keyOf } from './provider.ts'

export class GatewayMetrics {
  readonly registry: Registry = new Registry()
  readonly #started: Counter<'function_name'>
  readonly #total: Counter<'function_name' | 'code'>
  readonly #seconds: Histogram<'function_name' | 'code'>
  readonly #replicas: Gauge<'function_name'>
  readonly #early: Counter<'function_name' | 'result'>
  readonly #invocations = new Map<string, number>()

  constructor() {
    const registers = [this.registry]
    const name = 'function_name' as const
    this.#started = new Counter({
      name: 'gateway_function_invocation_started',
      help: 'Calls of functions begun.',
      labelNames: [name],
      registers,
    })
    this.#total = new Counter({
      name: 'gateway_function_invocation_total',
      help: 'Calls of functions answered.',
      labelNames: [name, 'code'],
      registers,
    })
    this.#seconds = new Histogram({
      name: 'gateway_functions_seconds',
      help: 'Seconds until a call was answered.',
      labelNames: [name, 'code'],
      registers,
    })
    this.#replicas = new Gauge({
      name: 'gateway_service_count',
      help: 'Instances that can be called.',
      labelNames: [name],
      registers,
    })
    this.#early = new Counter({
      name: 'zerotrip_gateway_sessions_total',
      help: 'Sessions with workers, by what became of their early data.',
      labelNames: [name, 'result'],
      registers,
    })
  }

  begin(of: FunctionName): void {
    this.#started.inc({ function_name: keyOf(of) })
    this.#invocations.set(keyOf(of), this.invocations(of) + 1)
  }

  end(of: FunctionName, code: number, seconds: number): void {
    const labels = { function_name: keyOf(of), code }
    this.#total.inc(labels)
    this.#seconds.observe(labels, seconds)
  }

  replicas(of: FunctionName, count: number): void {
    this.#replicas.set({ function_name: keyOf(of) }, count)
  }

  early(of: FunctionName, result: string): void {
    this.#early.inc({ function_name: keyOf(of), result })
  }

  invocations(of: FunctionName): number {
    return this.#invocations.get(keyOf(of)) ?? 0
  }
}

// Numbers for Prometheus, under the names that OpenFaaS' dashboards and alerts know.

import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { type FunctionName, keyOf } from './provider.ts'

export interface Latency {
  readonly p50: number
  readonly p95: number
  /** The latest last. */
  readonly recent: readonly number[]
}

/** Calls that are remembered one by one. */
const RECENT = 100

export class GatewayMetrics {
  readonly registry: Registry = new Registry()
  readonly #started: Counter<'function_name'>
  readonly #total: Counter<'function_name' | 'code'>
  readonly #seconds: Histogram<'function_name' | 'code'>
  readonly #replicas: Gauge<'function_name'>
  readonly #early: Counter<'function_name' | 'result'>
  readonly #requests: Counter<'code' | 'method'>
  readonly #requestSeconds: Histogram<'code' | 'method'>
  readonly #invocations = new Map<string, number>()
  readonly #sessions = new Map<string, Record<string, number>>()
  /** Seconds of the last calls, the latest last. */
  readonly #recent = new Map<string, number[]>()

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
    this.#requests = new Counter({
      name: 'http_requests_total',
      help: 'Requests to /system and /ui answered.',
      labelNames: ['code', 'method'],
      registers,
    })
    this.#requestSeconds = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Seconds until a request to /system or /ui was answered.',
      labelNames: ['code', 'method'],
      registers,
    })
  }

  /** A request of those who manage functions. */
  system(method: string, code: number, seconds: number): void {
    const labels = { code, method: method.toLowerCase() }
    this.#requests.inc(labels)
    this.#requestSeconds.observe(labels, seconds)
  }

  begin(of: FunctionName): void {
    this.#started.inc({ function_name: keyOf(of) })
    this.#invocations.set(keyOf(of), this.invocations(of) + 1)
  }

  end(of: FunctionName, code: number, seconds: number): void {
    const labels = { function_name: keyOf(of), code }
    this.#total.inc(labels)
    this.#seconds.observe(labels, seconds)
    const recent = this.#recent.get(keyOf(of)) ?? []
    this.#recent.set(keyOf(of), recent)
    if (recent.push(seconds) > RECENT) recent.shift()
  }

  replicas(of: FunctionName, count: number): void {
    this.#replicas.set({ function_name: keyOf(of) }, count)
  }

  early(of: FunctionName, result: string): void {
    this.#early.inc({ function_name: keyOf(of), result })
    const sessions = this.#sessions.get(keyOf(of)) ?? {}
    sessions[result] = (sessions[result] ?? 0) + 1
    this.#sessions.set(keyOf(of), sessions)
  }

  /** How many sessions with workers there were, by what became of their early data. */
  sessions(of: FunctionName): Readonly<Record<string, number>> {
    return this.#sessions.get(keyOf(of)) ?? {}
  }

  /** Of the last calls, in seconds; undefined: there were none. */
  latency(of: FunctionName): Latency | undefined {
    const recent = this.#recent.get(keyOf(of))
    if (recent === undefined) return undefined
    const sorted = recent.toSorted((a, b) => a - b)
    const quantile = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] as number
    return { p50: quantile(0.5), p95: quantile(0.95), recent }
  }

  invocations(of: FunctionName): number {
    return this.#invocations.get(keyOf(of)) ?? 0
  }
}

// Early data in numbers, per peer: counted from the channels of node:diagnostics_channel, and shown to Prometheus by
// `prom-client`, which is handed in.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { DiagnosticsMessages } from '../endpoint/channels.ts'
import type { Authorization } from '../tls13/ports.ts'

export interface EarlyDataCounts {
  /** Client: first flights that left with early data. */
  sent: number
  /** Either side. */
  accepted: number
  /** Refused, for whatever reason: those that follow are among them. */
  rejected: number
  replayed: number
  expired: number
}

/** What is used of the module `prom-client`. */
export interface PrometheusModule {
  readonly Counter: new (options: Configuration) => { inc(labels: Record<string, string>): void }
  readonly Histogram: new (options: Configuration & { buckets: number[] }) => { observe(value: number): void }
}

interface Configuration {
  name: string
  help: string
  labelNames?: string[]
  registers?: never[]
}

export interface EarlyDataMetricsOptions {
  /** The module `prom-client`. Default: nothing is shown to Prometheus. */
  readonly prometheus?: PrometheusModule
  /** Registries of `prom-client` to show it in. Default: its own. */
  readonly registers?: readonly unknown[]
  /** Peers told apart; further ones are `other`. Default 1,000. */
  readonly maxPeers?: number
}

type Offer = DiagnosticsMessages['zerotrip:early-data:offer']
type Answer = DiagnosticsMessages['zerotrip:early-data:answer']

export class EarlyDataMetrics implements Disposable {
  readonly #peers = new Map<string, EarlyDataCounts>()
  readonly #maxPeers: number
  readonly #show: (side: string, peer: string, outcome: string, reason: string) => void
  readonly #showSkew: (seconds: number) => void
  readonly #onOffer = (message: unknown): void => this.#offered(message as Offer)
  readonly #onAnswer = (message: unknown): void => this.#answered(message as Answer)

  /** Counts from now on, all connections of this process. */
  constructor(options: EarlyDataMetricsOptions = {}) {
    this.#maxPeers = options.maxPeers ?? 1000
    const { prometheus, registers } = options
    const common = registers && { registers: registers as never[] }
    const counter = prometheus && new prometheus.Counter({ ...early, ...common })
    const histogram = prometheus && new prometheus.Histogram({ ...skew, ...common })
    this.#show = (side, peer, outcome, reason) => counter?.inc({ side, peer, outcome, reason })
    this.#showSkew = seconds => histogram?.observe(seconds)
    subscribe('zerotrip:early-data:offer', this.#onOffer)
    subscribe('zerotrip:early-data:answer', this.#onAnswer)
  }

  /** By the name of the peer, as its key says; '' for those without one. */
  get peers(): ReadonlyMap<string, Readonly<EarlyDataCounts>> {
    return this.#peers
  }

  /** Counts no more. */
  [Symbol.dispose](): void {
    unsubscribe('zerotrip:early-data:offer', this.#onOffer)
    unsubscribe('zerotrip:early-data:answer', this.#onAnswer)
  }

  #offered({ authorization }: Offer): void {
    const { counts, name } = this.#of(authorization)
    counts.sent++
    this.#show('client', name, 'sent', '')
  }

  #answered({ isClient, accepted, refusal, skew: ms, authorization }: Answer): void {
    const { counts, name } = this.#of(authorization)
    counts[accepted ? 'accepted' : 'rejected']++
    if (refusal === 'replayed' || refusal === 'expired') counts[refusal]++
    this.#show(isClient ? 'client' : 'server', name, accepted ? 'accepted' : 'rejected', refusal ?? '')
    if (ms !== undefined) this.#showSkew(ms / 1000)
  }

  #of(authorization: Authorization | undefined): { readonly counts: EarlyDataCounts; readonly name: string } {
    const peer = authorization?.peer ?? ''
    const name = this.#peers.has(peer) || this.#peers.size < this.#maxPeers ? peer : OTHER
    let counts = this.#peers.get(name)
    if (counts === undefined) {
      counts = { sent: 0, accepted: 0, rejected: 0, replayed: 0, expired: 0 }
      this.#peers.set(name, counts)
    }
    return { counts, name }
  }
}

const OTHER = 'other'
const early = {
  name: 'zerotrip_early_data_total',
  help: 'First flights with early data: sent, accepted, rejected, and why (reason).',
  labelNames: ['side', 'peer', 'outcome', 'reason'],
}
const skew = {
  name: 'zerotrip_early_data_clock_skew_seconds',
  help: 'How far the time a client claims is behind the clock of the server.',
  buckets: [-10, -3, -1, -0.3, -0.1, 0, 0.1, 0.3, 1, 3, 10],
}

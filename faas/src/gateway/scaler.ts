// How many instances of a function there shall be, by what is in flight.

import { type ScaleRules, scaleRules } from './deployment.ts'
import { type FunctionName, keyOf, type Provider } from './provider.ts'

/** ms between two looks for functions with too many instances. */
const LOOK_EVERY = 1000

/** ms that a function must have had too many instances. */
const PATIENCE = 30_000

interface Load {
  readonly of: FunctionName
  inFlight: number
  lastEnd: number
  /** Since when fewer would do; Infinity: they would not. */
  surplusSince: number
}

export class Scaler {
  readonly #provider: Provider
  readonly #loads = new Map<string, Load>()
  readonly #timer: NodeJS.Timeout

  constructor(provider: Provider) {
    this.#provider = provider
    this.#timer = setInterval(() => this.#look(performance.now()), LOOK_EVERY)
    this.#timer.unref()
  }

  begin(of: FunctionName): void {
    const load = this.#loadOf(of)
    load.inFlight++
    const { replicas, rules } = this.#wanted(of)
    const needed = Math.min(rules.max, Math.ceil(load.inFlight / rules.target))
    if (needed > replicas && replicas > 0) this.#provider.scale(of, needed)
  }

  end(of: FunctionName): void {
    const load = this.#loadOf(of)
    load.inFlight--
    load.lastEnd = performance.now()
  }

  /** There is no instance and somebody waits. */
  wake(of: FunctionName): void {
    const { replicas, rules } = this.#wanted(of)
    if (replicas === 0) this.#provider.scale(of, Math.max(1, rules.min))
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(now: number): void {
    for (const load of this.#loads.values()) {
      const { replicas, rules } = this.#wanted(load.of)
      const isIdle = load.inFlight === 0 && now - load.lastEnd >= rules.zeroDuration
      if (rules.zero && isIdle && replicas > 0) this.#provider.scale(load.of, 0)
      else this.#shrink(load, replicas, Math.max(1, rules.min, Math.ceil(load.inFlight / rules.target)), now)
    }
  }

  #shrink(load: Load, replicas: number, needed: number, now: number): void {
    if (needed >= replicas) load.surplusSince = Number.POSITIVE_INFINITY
    else if (load.surplusSince > now) load.surplusSince = now
    else if (now - load.surplusSince >= PATIENCE) {
      load.surplusSince = Number.POSITIVE_INFINITY
      this.#provider.scale(load.of, needed)
    }
  }

  #wanted(of: FunctionName): { replicas: number; rules: ScaleRules } {
    const status = this.#provider.find(of)
    return { replicas: status?.replicas ?? 0, rules: scaleRules(status ?? { labels: {} }) }
  }

  #loadOf(of: FunctionName): Load {
    const key = keyOf(of)
    const known = this.#loads.get(key)
    if (known !== undefined) return known
    const load = { of, inFlight: 0, lastEnd: performance.now(), surplusSince: Number.POSITIVE_INFINITY }
    this.#loads.set(key, load)
    return load
  }
}

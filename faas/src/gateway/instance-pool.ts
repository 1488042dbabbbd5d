// The workers of one function, and whose turn it is.

import type { InstanceClient } from './instance-client.ts'

export class InstancePool {
  readonly #clients = new Map<string, InstanceClient>()
  #turn = 0

  get size(): number {
    return this.#clients.size
  }

  add(client: InstanceClient): void {
    this.#clients.set(client.instance.id, client)
  }

  remove(id: string): void {
    this.#clients.get(id)?.retire()
    this.#clients.delete(id)
  }

  /** The one with the least to do; those with equally little take turns. Undefined: there is none but `tried`. */
  choose(tried: ReadonlySet<InstanceClient>): InstanceClient | undefined {
    const clients = [...this.#clients.values()]
    const first = this.#turn++ % Math.max(1, clients.length)
    let best: InstanceClient | undefined
    for (let i = 0; i < clients.length; i++) {
      const client = clients[(first + i) % clients.length] as InstanceClient
      if (!tried.has(client) && (best === undefined || client.inFlight < best.inFlight)) best = client
    }
    return best
  }
}

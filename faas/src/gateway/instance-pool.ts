// The workers of one function, and whose turn it is.

import type { WorkerClient } from './instance-client.ts'

export class InstancePool {
  readonly #clients = new Map<string, WorkerClient>()
  #turn = 0

  get size(): number {
    return this.#clients.size
  }

  add(client: WorkerClient): void {
    this.#clients.set(client.instance.id, client)
  }

  remove(id: string): void {
    this.#clients.get(id)?.retire()
    this.#clients.delete(id)
  }

  /** The one with the least to do; those with equally little take turns. Undefined: there is none but `tried`. */
  choose(tried: ReadonlySet<WorkerClient>): WorkerClient | undefined {
    const clients = [...this.#clients.values()]
    const first = this.#turn++ % Math.max(1, clients.length)
    let best: WorkerClient | undefined
    for (let i = 0; i < clients.length; i++) {
      const client = clients[(first + i) % clients.length] as WorkerClient
      if (!tried.has(client) && (best === undefined || client.inFlight < best.inFlight)) best = client
    }
    return best
  }
}

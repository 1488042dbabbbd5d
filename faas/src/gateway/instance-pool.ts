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

  remove(id: string, isDead: boolean): void {
    const client = this.#clients.get(id)
    this.#clients.delete(id)
    client?.retire(isDead)
  }

  /**
   * The one with the least to do; those with equally little take turns, the reluctant come last. Undefined: there is none
   * but `tried`.
   */
  choose(tried: ReadonlySet<WorkerClient>): WorkerClient | undefined {
    const clients = [...this.#clients.values()]
    const first = this.#turn++ % Math.max(1, clients.length)
    let best: WorkerClient | undefined
    for (let i = 0; i < clients.length; i++) {
      const client = clients[(first + i) % clients.length] as WorkerClient
      if (!tried.has(client) && (best === undefined || isBetter(client, best))) best = client
    }
    return best
  }
}

function isBetter(one: WorkerClient, other: WorkerClient): boolean {
  const [first = false, second = false] = [one.isReluctant, other.isReluctant]
  return first === second ? one.inFlight < other.inFlight : second
}

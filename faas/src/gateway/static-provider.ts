// Workers of other machines, which somebody else starts and lists. Each has its keys from this gateway while it starts,
// and says when it listens.

import { createHash } from 'node:crypto'
import { provisionHttp3 } from 'zerotrip/http3'
import type { ClientBundle, WorkerBundle } from 'zerotrip/zero-rtt'
import { type Announcement, WORKER_HTTP3 } from '../inherited.ts'
import { earlyRequestsOf, type FunctionDeployment, type FunctionStatus } from './deployment.ts'
import { GatewayError } from './errors.ts'
import { type FunctionName, type Instance, keyOf, type Provider, type ProviderEvent } from './provider.ts'
import { WatchedText, type WatchedTextOptions } from './watched-text.ts'
import type { WorkerDesk } from './worker-desk.ts'
import { type ListedFunction, type ListedWorker, readWorkerList } from './worker-list.ts'

export interface StaticProviderOptions extends Pick<WatchedTextOptions, 'source' | 'ca' | 'every' | 'onError'> {
  /** Names this gateway in the keys of its workers: 1 to 63 bytes. Default `gateway`. */
  readonly clientId?: string
}

class StaticWorker {
  readonly listed: ListedWorker
  readonly of: StaticFunction
  /** Our half of the keys it has fetched and not used yet. */
  pending: ClientBundle | undefined = undefined
  instance: Instance | undefined = undefined

  constructor(listed: ListedWorker, of: StaticFunction) {
    this.listed = listed
    this.of = of
  }
}

class StaticFunction {
  readonly createdAt: string = new Date().toISOString()
  /** By what is listed of them: another line is another worker. */
  readonly workers = new Map<string, StaticWorker>()
  deployment: FunctionDeployment

  constructor(deployment: FunctionDeployment) {
    this.deployment = deployment
  }

  get name(): FunctionName {
    return { name: this.deployment.service, namespace: this.deployment.namespace }
  }

  get instances(): Instance[] {
    return [...this.workers.values()].flatMap(({ instance }) => instance ?? [])
  }

  get status(): FunctionStatus {
    const { service, ...rest } = this.deployment
    return {
      ...rest,
      name: service,
      replicas: this.workers.size,
      availableReplicas: this.instances.length,
      invocationCount: 0,
      createdAt: this.createdAt,
    }
  }
}

export class StaticProvider implements Provider {
  readonly orchestration = 'static'
  readonly desk: WorkerDesk = {
    issue: async token => this.#issue(token),
    announce: async (token, announcement) => this.#announce(token, announcement),
  }
  readonly #options: StaticProviderOptions
  readonly #text: WatchedText
  readonly #functions = new Map<string, StaticFunction>()
  readonly #listeners: ((event: ProviderEvent) => void)[] = []
  #serial = 0

  /** Throws a TypeError for a source that is neither a file nor https. */
  constructor(options: StaticProviderOptions) {
    this.#options = options
    this.#text = new WatchedText({ ...options, onText: text => this.#update(readWorkerList(text)) })
  }

  /** Resolves when the list has been read; one that cannot be is an error told, and is tried again. */
  start(): Promise<void> {
    return this.#text.start()
  }

  list(namespace: string): FunctionStatus[] {
    return [...this.#functions.values()].filter(each => each.name.namespace === namespace).map(each => each.status)
  }

  find(of: FunctionName): FunctionStatus | undefined {
    return this.#functions.get(keyOf(of))?.status
  }

  instances(of: FunctionName): readonly Instance[] {
    return this.#functions.get(keyOf(of))?.instances ?? []
  }

  subscribe(listener: (event: ProviderEvent) => void): void {
    this.#listeners.push(listener)
  }

  async deploy(): Promise<void> {
    throw new GatewayError(501, `functions and workers are those of ${this.#options.source}`)
  }

  remove(): Promise<boolean> {
    return this.deploy().then(() => false)
  }

  /** There are as many as are listed. */
  scale(of: FunctionName): boolean {
    return this.#functions.has(keyOf(of))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#text.stop()
  }

  #update(list: readonly ListedFunction[]): void {
    const listed = new Set<string>()
    for (const { deployment, workers } of list) {
      const next = new StaticFunction(deployment)
      const key = keyOf(next.name)
      const known = this.#functions.get(key) ?? next
      known.deployment = deployment
      this.#functions.set(key, known)
      listed.add(key)
      this.#updateWorkers(known, workers)
    }
    for (const [key, known] of this.#functions) {
      if (listed.has(key)) continue
      this.#updateWorkers(known, [])
      this.#functions.delete(key)
    }
  }

  #updateWorkers(of: StaticFunction, workers: readonly ListedWorker[]): void {
    const wanted = new Map(workers.map(each => [JSON.stringify(each), each]))
    for (const [key, worker] of of.workers) {
      if (wanted.has(key)) continue
      of.workers.delete(key)
      this.#end(worker, false)
    }
    for (const [key, each] of wanted) {
      if (of.workers.has(key)) continue
      const worker = new StaticWorker(each, of)
      of.workers.set(key, worker)
      // Nobody will say when it listens.
      if (each.token === undefined) this.#begin(worker, undefined)
    }
  }

  #issue(token: string): WorkerBundle | undefined {
    const worker = this.#workerOf(token)
    if (worker === undefined) return undefined
    const { worker: half, client } = provisionHttp3({
      clientId: this.#options.clientId ?? 'gateway',
      http3: WORKER_HTTP3,
      addresses: [worker.listed.address],
      earlyRequests: earlyRequestsOf(worker.of.deployment),
    })
    worker.pending = client
    return half
  }

  #announce(token: string, announcement: Announcement): boolean {
    const worker = this.#workerOf(token)
    if (worker === undefined) return false
    // It was started again: what it was before is no more.
    this.#end(worker, true)
    this.#begin(worker, announcement)
    return true
  }

  #begin(worker: StaticWorker, announcement: Announcement | undefined): void {
    const { listed, of, pending } = worker
    const pin = announcement && new Uint8Array(Buffer.from(announcement.pin, 'hex'))
    const { hostname } = new URL(`https://${listed.address}`)
    const announced = announcement?.tlsPort === undefined ? undefined : `${hostname}:${announcement.tlsPort}`
    const instance: Instance = {
      id: `${keyOf(of.name)}-${++this.#serial}`,
      origin: listed.address,
      tlsOrigin: listed.tls ?? announced,
      certificate: listed.certificate ?? announcement?.certificate,
      bundle: pending && { ...pending, pins: pin ? [pin] : [] },
      pin: listed.certificate === undefined ? pin : undefined,
    }
    worker.pending = undefined
    worker.instance = instance
    this.#tell({ type: 'ready', of: of.name, instance, isNew: announcement !== undefined })
  }

  #end(worker: StaticWorker, isDead: boolean): void {
    const { instance, of } = worker
    worker.instance = undefined
    if (instance !== undefined) this.#tell({ type: 'gone', of: of.name, instance, isDead })
  }

  /** Digests are compared: what is listed is no secret, and how long it takes says nothing of what is. */
  #workerOf(token: string): StaticWorker | undefined {
    const digest = createHash('sha256').update(token).digest('hex')
    for (const { workers } of this.#functions.values()) {
      for (const worker of workers.values()) if (worker.listed.token === digest) return worker
    }
    return undefined
  }

  #tell(event: ProviderEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}

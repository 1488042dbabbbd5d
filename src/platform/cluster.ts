// Several processes of node:cluster at one address: who leads gives them numbers and the keys they share, who joins gets
// the options of a server that keeps every connection with the process that took it.

import cluster, { type Worker } from 'node:cluster'
import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { defaultBackend } from '../crypto/backend-wasm.ts'
import type { QuicEndpoint } from '../endpoint/endpoint.ts'
import type { EndpointOptions } from '../endpoint/endpoint-options.ts'
import { QuicError } from '../endpoint/errors.ts'
import type { ListenOptions } from '../endpoint/options.ts'
import { workerConnectionIds } from '../endpoint/worker-ids.ts'
import { AddressTokens } from '../zero-rtt/address-token.ts'
import { TicketSealer } from '../zero-rtt/ticket-sealer.ts'
import { ClusterLink } from './cluster-link.ts'

export interface LeadOptions {
  /** How many processes. Default: as many as there are cores to use. */
  readonly workers?: number
  /** What every worker is told (`member.share`): whatever `structuredClone` takes. It goes by the channel between them. */
  readonly share?: unknown
}

/** Secrets go by the channel between the processes: arguments and environments can be read by others. */
interface Keys {
  readonly connectionIds: Uint8Array
  readonly addressTokens: Uint8Array
  readonly tickets: Uint8Array
  readonly statelessReset: Uint8Array
}

type ToMember =
  | {
      readonly zerotrip: 'setup'
      readonly number: number
      readonly size: number
      readonly keys: Keys
      readonly share: unknown
    }
  | { readonly zerotrip: 'links'; readonly links: readonly (number | undefined)[] }
  | { readonly zerotrip: 'stop' }
type ToLeader = { readonly zerotrip: 'link'; readonly port: number } | { readonly zerotrip: 'join' | 'ready' }

export class ClusterLeader {
  readonly size: number
  readonly #share: unknown
  readonly #keys: Keys = {
    connectionIds: randomBytes(16),
    addressTokens: randomBytes(32),
    tickets: randomBytes(32),
    statelessReset: randomBytes(32),
  }
  readonly #workers: Worker[] = []
  readonly #links: (number | undefined)[] = []
  #isStopping = false

  constructor({ workers = availableParallelism(), share }: LeadOptions) {
    if (!Number.isInteger(workers) || workers < 1 || workers > MAX_WORKERS) {
      throw new RangeError(`workers must be an integer from 1 to ${MAX_WORKERS}, not ${workers}`)
    }
    this.size = workers
    this.#share = share
  }

  /** The processes, by their numbers. One that ends is replaced after a second. */
  get workers(): readonly Worker[] {
    return this.#workers
  }

  /** Resolves when all are listening; rejects when one ends before. */
  async start(): Promise<this> {
    cluster.setupPrimary({ serialization: 'advanced' })
    await Promise.all(Array.from({ length: this.size }, (_, number) => this.#fork(number)))
    return this
  }

  /** Tells all to stop. Resolves when they have ended. */
  async stop(): Promise<void> {
    this.#isStopping = true
    const alive = this.#workers.filter(worker => !worker.isDead())
    const ended = alive.map(worker => new Promise(resolve => worker.once('exit', resolve)))
    for (const worker of alive) if (worker.isConnected()) tell(worker, { zerotrip: 'stop' })
    await Promise.all(ended)
  }

  /** Resolves when it listens. */
  #fork(number: number): Promise<void> {
    const worker = cluster.fork()
    this.#workers[number] = worker
    const setup: ToMember = { zerotrip: 'setup', number, size: this.size, keys: this.#keys, share: this.#share }
    return new Promise((resolve, reject) => {
      worker.on('message', (message: ToLeader) => {
        // A process hears nothing before it listens: it asks.
        if (message.zerotrip === 'join') tell(worker, setup)
        else if (message.zerotrip === 'link') this.#onLink(number, message.port)
        else if (message.zerotrip === 'ready') resolve()
      })
      worker.once('exit', code => {
        this.#onLink(number, undefined)
        reject(new Error(`worker ${number} ended with ${code}`))
        if (!this.#isStopping) setTimeout(() => this.#replace(number), REPLACE_AFTER).unref()
      })
    })
  }

  #replace(number: number): void {
    if (!this.#isStopping) this.#fork(number).catch(ignore)
  }

  #onLink(number: number, port: number | undefined): void {
    this.#links[number] = port
    const message: ToMember = { zerotrip: 'links', links: this.#links }
    for (const worker of this.#workers) if (worker?.isConnected()) tell(worker, message)
  }
}

export class ClusterMember<T = unknown> {
  /** Which of `size` processes this is, from 0. */
  readonly number: number
  readonly size: number
  /** What the leader shares. */
  readonly share: T
  /** For `serve`, `createServer` or `listen`: the address is shared, ids say whose a connection is. */
  readonly options: Pick<EndpointOptions, 'exclusive' | 'reusePort' | 'connectionIds' | 'forward' | 'addressTokens'> &
    Pick<EndpointOptions, 'statelessResetKey'> &
    Pick<ListenOptions, 'tickets'>
  /** Resolves when the leader says so, or is gone. Close the server then, and `leave`. */
  readonly stopped: Promise<void>
  readonly #link: ClusterLink
  #endpoint: QuicEndpoint | undefined = undefined

  constructor({ number, size, keys, share }: Extract<ToMember, { zerotrip: 'setup' }>) {
    this.number = number
    this.size = size
    this.share = share as T
    this.#link = new ClusterLink((datagram, from) => this.#endpoint?.inject(datagram, from))
    this.stopped = new Promise(resolve => {
      process.once('disconnect', resolve)
      this.#listen(resolve)
    })
    const connectionIds = workerConnectionIds({ worker: number, key: keys.connectionIds })
    this.options = {
      ...sharing,
      connectionIds,
      forward: (datagram, from, id) => {
        const owner = connectionIds.ownerOf(id, size)
        return owner !== number && this.#link.send(owner, datagram, from)
      },
      // Whoever is asked: tokens and tickets of one are good with all, and anyone can say that a connection is lost.
      addressTokens: new AddressTokens(defaultBackend, { keys: [keys.addressTokens] }),
      tickets: new TicketSealer(defaultBackend, { keys: [keys.tickets] }),
      statelessResetKey: keys.statelessReset,
    }
  }

  /** Datagrams that came here and were handed on to their owner, and those handed on to this process. */
  get handedOn(): { readonly sent: number; readonly received: number } {
    return { sent: this.#link.sent, received: this.#link.received }
  }

  /** The endpoint that was made with `options`: from here on it is one of them. Resolves when it listens. */
  async attach(endpoint: QuicEndpoint): Promise<void> {
    this.#endpoint = endpoint
    say({ zerotrip: 'link', port: await this.#link.open() })
    await endpoint.ready
    say({ zerotrip: 'ready' })
  }

  /** Nothing of this keeps the process alive any more. */
  leave(): void {
    this.#link.close()
    if (process.connected) process.disconnect()
  }

  #listen(stop: () => void): void {
    process.on('message', (message: ToMember) => {
      if (message.zerotrip === 'links') this.#link.join(message.links)
      else if (message.zerotrip === 'stop') stop()
    })
  }
}

/**
 * In the first process: starts the others, which run the same program, and replaces those that end. Resolves when all
 * listen. Throws a RangeError for a number of workers that cannot be.
 */
export async function leadCluster(options: LeadOptions = {}): Promise<ClusterLeader> {
  return new ClusterLeader(options).start()
}

export interface JoinOptions {
  /** ms for the first process to say who this one is. Default: 10,000. */
  readonly timeout?: number
}

/**
 * In a worker (`cluster.isWorker`): what it needs to be one of them. Throws a TypeError elsewhere, and
 * ERR_ZEROTRIP_INVALID_STATE when the first process does not lead (`leadCluster`).
 */
export async function joinCluster<T = unknown>({ timeout = JOIN_WITHIN }: JoinOptions = {}): Promise<ClusterMember<T>> {
  if (!cluster.isWorker) throw new TypeError('joinCluster is for workers of node:cluster; the first process leads')
  // Ctrl-C is for the first process, which then says stop.
  process.on('SIGINT', ignore)
  return new Promise((resolve, reject) => {
    const take = (message: ToMember): void => {
      if (message.zerotrip !== 'setup') return
      settle()
      resolve(new ClusterMember<T>(message))
    }
    const timer = setTimeout(() => {
      settle()
      const reason = `the first process has not answered for ${timeout} ms: it has to call leadCluster`
      reject(new QuicError('ERR_ZEROTRIP_INVALID_STATE', reason))
    }, timeout)
    const settle = (): void => {
      clearTimeout(timer)
      process.off('message', take)
    }
    process.on('message', take)
    say({ zerotrip: 'join' })
  })
}

function tell(worker: Worker, message: ToMember): void {
  worker.send(message)
}

function say(message: ToLeader): void {
  process.send?.(message)
}

function ignore(): void {}

/** Since Node 23.1 every process can have a socket of its own; before, node:cluster shares one among them. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const hasReusePort = (major > 23 || (major === 23 && minor >= 1)) && process.platform === 'linux'
const sharing = hasReusePort ? { reusePort: true } : { exclusive: false }
/** Numbers in connection ids have 16 bits. */
const MAX_WORKERS = 65_536
/** ms */
const REPLACE_AFTER = 1000
const JOIN_WITHIN = 10_000

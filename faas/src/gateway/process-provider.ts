// Workers as child processes of one machine. Each gets its half of fresh keys while it starts.

import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { type GatewayAddress, gatewayEnvironment } from '../chain/gateway-address.ts'
import { type LaunchedWorker, launch } from '../generator/launch.ts'
import { earlyRequestsOf, type FunctionDeployment, type FunctionStatus, scaleRules } from './deployment.ts'
import { type FunctionUsage, ProcessUsage, sumOf } from './process-usage.ts'
import { type FunctionName, type Instance, keyOf, type Provider, type ProviderEvent } from './provider.ts'

export interface ProcessProviderOptions {
  /** Names this gateway in the keys of its workers: 1 to 63 bytes. Default `gateway`. */
  readonly clientId?: string
  /** Directories of functions are relative to it. Default: where this process was started. */
  readonly directory?: string
  /** ms within which a worker has to listen. Default 10,000. */
  readonly startDeadline?: number
  /** Where functions find each other, with keys for one of them; asked at each launch. Default: they are told nothing. */
  readonly gateway?: () => GatewayAddress
}

/** ms after which an instance has not crashed at its start. */
const SETTLED = 10_000

/** ms until an instance that crashes again and again is started again: twice as long each time. */
const FIRST_PAUSE = 250
const LAST_PAUSE = 30_000

interface Worker {
  readonly launched: LaunchedWorker
  readonly usage: ProcessUsage
  readonly instance: Instance
}

/** A function that was deployed, and its workers. */
class ProcessFunction {
  readonly deployment: FunctionDeployment
  readonly createdAt: string = new Date().toISOString()
  readonly workers = new Map<string, Worker>()
  /** Nobody calls it any more. */
  readonly end = new AbortController()
  wanted: number
  starting = 0
  /** How often in a row an instance gave up by itself soon after its start. */
  crashes = 0

  constructor(deployment: FunctionDeployment) {
    this.deployment = deployment
    const { min, zero } = scaleRules(deployment)
    this.wanted = zero ? 0 : min
  }

  get name(): FunctionName {
    return { name: this.deployment.service, namespace: this.deployment.namespace }
  }

  get status(): FunctionStatus {
    const { service, ...rest } = this.deployment
    return {
      name: service,
      ...rest,
      replicas: this.wanted,
      availableReplicas: this.workers.size,
      invocationCount: 0,
      createdAt: this.createdAt,
    }
  }
}

export class ProcessProvider implements Provider {
  readonly orchestration = 'processes'
  readonly #options: ProcessProviderOptions
  readonly #functions = new Map<string, ProcessFunction>()
  readonly #listeners: ((event: ProviderEvent) => void)[] = []
  #serial = 0

  constructor(options: ProcessProviderOptions = {}) {
    this.#options = options
  }

  list(namespace: string): FunctionStatus[] {
    return [...this.#functions.values()].filter(each => each.name.namespace === namespace).map(each => each.status)
  }

  find(of: FunctionName): FunctionStatus | undefined {
    return this.#functions.get(keyOf(of))?.status
  }

  instances(of: FunctionName): readonly Instance[] {
    const workers = this.#functions.get(keyOf(of))?.workers.values() ?? []
    return [...workers].map(worker => worker.instance)
  }

  usage(of: FunctionName): FunctionUsage | undefined {
    const workers = this.#functions.get(keyOf(of))?.workers.values() ?? []
    const now = performance.now()
    return sumOf([...workers].map(worker => worker.usage.measure(now)))
  }

  subscribe(listener: (event: ProviderEvent) => void): void {
    this.#listeners.push(listener)
  }

  async deploy(deployment: FunctionDeployment): Promise<void> {
    const next = new ProcessFunction(deployment)
    const former = this.#functions.get(keyOf(next.name))
    this.#functions.set(keyOf(next.name), next)
    this.#settle(next)
    if (former) await this.#end(former)
  }

  async remove(of: FunctionName): Promise<boolean> {
    const found = this.#functions.get(keyOf(of))
    if (found === undefined) return false
    this.#functions.delete(keyOf(of))
    await this.#end(found)
    return true
  }

  scale(of: FunctionName, replicas: number): boolean {
    const found = this.#functions.get(keyOf(of))
    if (found === undefined) return false
    found.wanted = Math.min(replicas, scaleRules(found.deployment).max)
    this.#settle(found)
    return true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const functions = [...this.#functions.values()]
    this.#functions.clear()
    await Promise.all(functions.map(each => this.#end(each)))
  }

  /** Starts what is missing, ends what is too much: the newest first. */
  #settle(of: ProcessFunction): void {
    while (of.workers.size + of.starting < of.wanted) this.#start(of)
    const surplus = [...of.workers.values()].reverse().slice(0, Math.max(0, of.workers.size - of.wanted))
    for (const worker of surplus) this.#drop(of, worker)
  }

  #start(of: ProcessFunction): void {
    of.starting++
    this.#launch(of).then(
      launched => this.#onReady(of, launched),
      error => {
        of.starting--
        // Another version of it is what its callers wait for.
        if (of.end.signal.aborted && this.#functions.has(keyOf(of.name))) return
        // Not again by itself: what fails to start would be started for ever. The next request, or scaling, tries it.
        of.wanted = of.workers.size + of.starting
        this.#tell({ type: 'failed', of: of.name, error })
      },
    )
  }

  async #launch(of: ProcessFunction): Promise<LaunchedWorker> {
    const { deployment } = of
    const directory = resolve(this.#options.directory ?? '.', deployment.image)
    const { handler, environment } = await runnable(deployment, directory)
    const gateway = this.#options.gateway?.()
    const earlyRequests = earlyRequestsOf(deployment)
    return launch({
      ...(handler !== undefined && { handler }),
      clientId: this.#options.clientId ?? 'gateway',
      directory,
      tls: true,
      earlyRequests,
      signal: of.end.signal,
      gatewayKeys: gateway?.bundle,
      environment: { ...(gateway && gatewayEnvironment(gateway)), ...environment },
      ...(this.#options.startDeadline !== undefined && { startDeadline: this.#options.startDeadline }),
    })
  }

  #onReady(of: ProcessFunction, launched: LaunchedWorker): void {
    of.starting--
    const { host, tlsPort, certificate } = launched.announcement
    const instance: Instance = {
      id: `${keyOf(of.name)}-${++this.#serial}`,
      origin: launched.origin,
      tlsOrigin: tlsPort === undefined ? undefined : `${host}:${tlsPort}`,
      certificate,
      bundle: launched.client,
    }
    const usage = new ProcessUsage(launched.process.pid as number, performance.now())
    const worker = { launched, instance, usage }
    // Somebody may have changed his mind while it started.
    if (this.#functions.get(keyOf(of.name)) !== of || of.workers.size >= of.wanted) {
      launched.stop()
      return
    }
    of.workers.set(instance.id, worker)
    const since = performance.now()
    launched.process.once('exit', code =>
      this.#onExit(of, worker, code !== null && performance.now() - since < SETTLED),
    )
    this.#tell({ type: 'ready', of: of.name, instance, isNew: true })
  }

  /** It ended by itself: there shall be another, at once unless it is the same again and again. */
  #onExit(of: ProcessFunction, worker: Worker, hasCrashed: boolean): void {
    if (!of.workers.delete(worker.instance.id)) return
    of.crashes = hasCrashed ? of.crashes + 1 : 0
    this.#tell({ type: 'gone', of: of.name, instance: worker.instance, isDead: true })
    if (of.crashes < 2) return this.#settle(of)
    setTimeout(() => this.#settle(of), Math.min(LAST_PAUSE, FIRST_PAUSE * 2 ** (of.crashes - 2))).unref()
  }

  /** First nobody sends it anything new, then it ends when what it has is done. */
  #drop(of: ProcessFunction, worker: Worker): Promise<void> {
    of.workers.delete(worker.instance.id)
    this.#tell({ type: 'gone', of: of.name, instance: worker.instance, isDead: false })
    return worker.launched.stop()
  }

  async #end(of: ProcessFunction): Promise<void> {
    of.wanted = 0
    of.end.abort()
    await Promise.all([...of.workers.values()].map(worker => this.#drop(of, worker)))
  }

  #tell(event: ProviderEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}

/** What the watchdog is to be told: a module, or the environment of a program. */
async function runnable(
  deployment: FunctionDeployment,
  directory: string,
): Promise<{ handler: string | undefined; environment: NodeJS.ProcessEnv }> {
  const { envVars, envProcess } = deployment
  const environment: NodeJS.ProcessEnv = { PATH: process.env['PATH'], ...envVars }
  const program = envProcess || envVars['fprocess'] || ''
  if (/^\S+\.m?js$/.test(program)) return { handler: resolve(directory, program), environment }
  environment['fprocess'] = program
  if (environment['mode'] === 'http' && environment['upstream_url'] === undefined) {
    // Several instances on one machine: each has a port of its own, which the function finds in PORT.
    const port = String(await freePort())
    Object.assign(environment, { PORT: port, upstream_url: `http://127.0.0.1:${port}` })
  }
  return { handler: undefined, environment }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

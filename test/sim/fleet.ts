// A platform at work: instances start, stop, restart and scale, keys rotate, gateways come and go; all the while first
// requests go out over networks that lose, reorder and repeat, and somebody records flights to send them again.

import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { TLS_AES_128_GCM_SHA256 } from '../../src/crypto/cipher-suite.ts'
import type { ClientBundle, WorkerBundle } from '../../src/zero-rtt/bundle.ts'
import { clientBundle, nextEpoch, workerBundle } from '../../src/zero-rtt/generator.ts'
import { ProvisionedClient } from '../../src/zero-rtt/provisioned-client.ts'
import { ProvisionedServer } from '../../src/zero-rtt/provisioned-server.ts'
import { writeRemembered } from '../../src/zero-rtt/remembered-parameters.ts'
import { parametersOf } from '../connection/support.ts'
import { integer, seededRandom } from '../reference/random.ts'
import { testTime } from '../support/certificates.ts'
import { Pair } from './pair.ts'
import { type Crypto, World } from './world.ts'

export const FLEET = 'fleet'

export interface FleetResult {
  readonly events: number
  readonly requests: number
  readonly accepted: number
  /** Early data that was refused, by the reason the worker counted. */
  readonly refused: Readonly<Record<string, number>>
  /** Nobody was there any more: the gateway asked another instance. */
  readonly unanswered: number
  /** Requests that never ran, or ran more than once; both must be empty. */
  readonly lost: readonly string[]
  readonly twice: readonly string[]
  /** Requests that were neither accepted, nor refused for a reason, nor unanswered. */
  readonly unexplained: readonly string[]
  readonly replayed: number
}

/** What the platform made of a launch. */
interface Instance {
  readonly name: string
  bundle: WorkerBundle
  server: ProvisionedServer
}

/** A gateway process: its halves, and a clock of its own. */
interface Gateway {
  readonly name: string
  /** ms ahead of the workers. */
  readonly skew: number
  readonly halves: Map<string, ProvisionedClient>
}

const HOUR = 3_600_000
const MOST_INSTANCES = 12
/** Network time for one request, ms. */
const PATIENCE = 120_000

export class Fleet {
  readonly #random: () => number
  readonly #crypto: Crypto
  readonly #instances = new Map<string, Instance>()
  readonly #gateways: Gateway[] = []
  readonly #recorded: { readonly flight: readonly Uint8Array[]; readonly request: string }[] = []
  /** By request: how often a worker ran it. */
  readonly #runs = new Map<string, number>()
  readonly #refused: Record<string, number> = {}
  readonly #unexplained: string[] = []
  #unixTime = testTime
  #made = 0
  #events = 0
  #requests = 0
  #accepted = 0
  #unanswered = 0
  #replayed = 0

  constructor(seed: number, crypto: Crypto) {
    this.#random = seededRandom(seed)
    this.#crypto = crypto
    for (let i = 0; i < 3; i++) this.#addGateway()
    for (let i = 0; i < 4; i++) this.#launch()
  }

  run(events: number, onEvent: (done: number) => void = () => {}): FleetResult {
    while (this.#events < events) {
      this.#unixTime += integer(this.#random, 5000)
      this.#change()
      for (let left = 1 + integer(this.#random, 3); left > 0; left--) this.#request(this.#pick(this.#gateways))
      if (this.#random() < 0.3) this.#replay()
      onEvent(++this.#events)
    }
    const names = Array.from({ length: this.#requests }, (_, i) => `request ${i + 1}`)
    return {
      events: this.#events,
      requests: this.#requests,
      accepted: this.#accepted,
      refused: this.#refused,
      unanswered: this.#unanswered,
      lost: names.filter(name => !this.#runs.has(name)),
      twice: names.filter(name => (this.#runs.get(name) ?? 0) > 1),
      unexplained: this.#unexplained,
      replayed: this.#replayed,
    }
  }

  /** One event on the platform. */
  #change(): void {
    const dice = this.#random()
    const many = this.#instances.size >= MOST_INSTANCES
    if (this.#instances.size < 2 || (dice < 0.35 && !many)) return this.#launch()
    const instance = this.#pick([...this.#instances.values()])
    if (dice < 0.55) this.#stop(instance)
    else if (dice < 0.8) this.#restart(instance)
    else if (dice < 0.9) this.#rotate(instance)
    else this.#restartGateway()
  }

  #launch(): void {
    const name = `10.0.0.${++this.#made}:443`
    this.#instances.set(name, this.#start(name))
  }

  #start(name: string): Instance {
    const bundle = workerBundle({
      backend: nodeBackend,
      unixTime: this.#unixTime,
      transportParameters: writeRemembered(parametersOf()),
      cipherSuite: TLS_AES_128_GCM_SHA256.id,
      alpn: 'test',
      lifetime: 24 * HOUR,
    })
    const instance = { name, bundle, server: new ProvisionedServer(nodeBackend, bundle) }
    for (const gateway of this.#gateways) this.#hand(gateway, instance)
    return instance
  }

  #stop({ name }: Instance): void {
    this.#instances.delete(name)
    // Word of it reaches the gateways late, now and then: then they ask one that is gone.
    for (const { halves } of this.#gateways) if (this.#random() > 0.02) halves.delete(name)
  }

  /** The same address, another process: another key. */
  #restart({ name }: Instance): void {
    const late = this.#random() < 0.02 ? this.#pick(this.#gateways) : undefined
    const old = late?.halves.get(name)
    this.#instances.set(name, this.#start(name))
    if (late !== undefined && old !== undefined) late.halves.set(name, old)
  }

  #rotate(instance: Instance): void {
    const life = { notBefore: this.#unixTime, expires: this.#unixTime + 24 * HOUR }
    instance.bundle = nextEpoch(nodeBackend, instance.bundle, life)
    instance.server.advanceEpoch(life)
    for (const gateway of this.#gateways) this.#hand(gateway, instance)
  }

  #addGateway(): void {
    const skew = integer(this.#random, 4000) - 2000
    const gateway = { name: `gateway-${++this.#made}`, skew, halves: new Map() }
    this.#gateways.push(gateway)
    for (const instance of this.#instances.values()) this.#hand(gateway, instance)
  }

  /** A process with another name: a counter that begins anew must be another client's. */
  #restartGateway(): void {
    this.#gateways.splice(integer(this.#random, this.#gateways.length), 1)
    this.#addGateway()
  }

  #hand(gateway: Gateway, { name, bundle }: Instance): void {
    const options = { clientId: gateway.name, addresses: [name], withToken: false }
    const half: ClientBundle = clientBundle(nodeBackend, bundle, options, this.#unixTime)
    const clock = (): number => this.#unixTime + gateway.skew
    gateway.halves.set(name, new ProvisionedClient(nodeBackend, half, clock))
  }

  /** The first request on a connection of its own; a gateway that gets no answer asks another instance. */
  #request(gateway: Gateway): void {
    const request = `request ${++this.#requests}`
    for (const [name, half] of this.#shuffled([...gateway.halves])) {
      const resumption = half.take(name)
      if (resumption === undefined) continue
      const instance = this.#instances.get(name)
      if (instance === undefined) {
        gateway.halves.delete(name)
        this.#unanswered++
        continue
      }
      return this.#send(request, resumption, instance)
    }
  }

  #send(request: string, resumption: ReturnType<ProvisionedClient['take']>, instance: Instance): void {
    const link = {
      delay: 1 + this.#random() * 40,
      loss: this.#random() * 0.15,
      reorder: this.#random() * 0.3,
      duplicate: 0.1,
    }
    const pair = this.#pair(instance, link, resumption)
    let isAnswered = false
    pair.client.onEvent = event => {
      if (event.type === 'readable') isAnswered = pair.client.connection.read(event.id) !== undefined || isAnswered
    }
    this.#listen(pair, request)
    pair.start(client => client.write(client.openStream('bidi') as number, new TextEncoder().encode(request), true))
    pair.world.run(() => isAnswered && pair.client.has('handshakeConfirmed'), PATIENCE)
    const flight = pair.client.sent.slice(0, 2)
    if (this.#recorded.length < 200) this.#recorded.push({ flight, request })
    else this.#recorded[integer(this.#random, 200)] = { flight, request }
    if (isAnswered && pair.client.connection.peer?.earlyData === 'accepted') this.#accepted++
    else this.#explain(pair, request)
  }

  #explain(pair: Pair, request: string): void {
    const reason = pair.server.find('earlyDataJudged')?.refusal
    if (reason === undefined) this.#unexplained.push(request)
    else this.#refused[reason] = (this.#refused[reason] ?? 0) + 1
  }

  /** The worker runs what it can read, and answers. */
  #listen(pair: Pair, expected: string | undefined): void {
    const { server } = pair
    server.onEvent = event => {
      if (event.type !== 'readable') return
      for (let chunk = server.connection.read(event.id); chunk; chunk = server.connection.read(event.id)) {
        const request = new TextDecoder().decode(chunk.data)
        if (chunk.data.length === 0) continue
        if (expected !== undefined && request !== expected) throw new Error(`${request} in place of ${expected}`)
        this.#runs.set(request, (this.#runs.get(request) ?? 0) + 1)
        server.connection.write(event.id, chunk.data, true)
      }
    }
  }

  /** Somebody sends what he recorded to whomever he likes. */
  #replay(): void {
    const { flight } = this.#pick(this.#recorded)
    const instance = this.#pick([...this.#instances.values()])
    const pair = this.#pair(instance, {}, undefined)
    this.#listen(pair, undefined)
    for (const datagram of flight) pair.server.receive(datagram.slice(), pair.client.address)
    pair.world.run(() => false, 100)
    this.#replayed++
  }

  #pair(instance: Instance, link: object, resumption: ReturnType<ProvisionedClient['take']>): Pair {
    const timeOrigin = this.#unixTime
    return new Pair({
      world: new World(integer(this.#random, 1e9), this.#crypto),
      link,
      client: { timeOrigin, earlyData: true, ...(resumption && { resumption }) },
      server: { timeOrigin, psks: instance.server, earlyData: instance.server, cipherSuites: [TLS_AES_128_GCM_SHA256] },
    })
  }

  #pick<T>(list: readonly T[]): T {
    return list[integer(this.#random, list.length)] as T
  }

  #shuffled<T>(list: T[]): T[] {
    for (let i = list.length - 1; i > 0; i--) {
      const j = integer(this.#random, i + 1)
      ;[list[i], list[j]] = [list[j] as T, list[i] as T]
    }
    return list
  }
}

/** Why a result is not what was promised; undefined: it is. */
export function faultOf({ requests, accepted, lost, twice, unexplained }: FleetResult): string | undefined {
  if (twice.length > 0) return `run more than once: ${twice.join(', ')}`
  if (lost.length > 0) return `never run: ${lost.join(', ')}`
  if (unexplained.length > 0) return `not early, and nobody counted why: ${unexplained.join(', ')}`
  return accepted >= 0.99 * requests ? undefined : `${accepted} of ${requests} first requests were early`
}

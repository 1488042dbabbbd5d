// One seed from the first datagram to the last: its network, its traffic, its end, and everything that must hold.

import { MemoryBudget } from '../../src/bytes/memory-budget.ts'
import type { TransportOptions } from '../../src/connection/config.ts'
import type { ConnectionEvent } from '../../src/connection/events.ts'
import type { CryptoBackend } from '../../src/crypto/backend.ts'
import { limits } from '../../src/limits.ts'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import type { Recorder } from '../../src/qlog/recorder.ts'
import { AddressTokens } from '../../src/zero-rtt/address-token.ts'
import { provisioned } from '../connection/early.ts'
import { integer } from '../reference/random.ts'
import { Credit } from './credit.ts'
import type { Host } from './host.ts'
import { Invariants } from './invariants.ts'
import { Messages } from './messages.ts'
import { Pair, type PairOptions, serverAddress } from './pair.ts'
import { type Setup, scenarioOf, setupOf } from './scenarios.ts'
import { type Series, watch } from './series.ts'
import { type Beginning, beginningOf, idleTimeoutOf, messagesOf, settingsOf } from './settings.ts'
import { type Side, Traffic } from './traffic.ts'
import { type Crypto, World } from './world.ts'

export interface SeedResult {
  readonly seed: number
  readonly scenario: string
  /** Why it failed. */
  readonly error: string | undefined
  /** ms of the simulated clock. */
  readonly simulated: number
  readonly bytes: number
  readonly happened: number
  /** ms until everything was acknowledged. */
  readonly busy: number
  /** Both sides over time, if it was asked for. */
  readonly series: readonly Series[]
}

export interface SeedOptions {
  readonly crypto?: Crypto
  /** For a picture: look at both sides during the first so many ms. */
  readonly watched?: number
  readonly recorder?: (vantagePoint: Side, originalDestination: Uint8Array) => Recorder
}

type Closed = Extract<ConnectionEvent, { type: 'closed' }>

const CLOSE_CODE = 42
const CLOSE_REASON = 'the play is over'
/** ms that a play may take, and what comes after it. */
const LIMIT = 3_600_000
const HEARTBEAT = 1000
const heartbeat = new Uint8Array(20)
const MAX_HAPPENINGS = 3_000_000
/** Of each side, for a picture. */
const SAMPLES = 900
/** Up to which datagrams grow where nobody knows the interface, bytes. */
const DATAGRAM_SIZE = 1452

export function runSeed(seed: number, options: SeedOptions = {}): SeedResult {
  const play = new Play(seed, setupOf(seed), options)
  let error: string | undefined
  try {
    play.run()
  } catch (cause) {
    error = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
  }
  const { world } = play.pair
  const { bytes } = play.traffic
  const { series, busy = world.now } = play
  return {
    seed,
    scenario: scenarioOf(seed),
    error,
    simulated: world.now,
    bytes,
    happened: world.happened,
    busy,
    series,
  }
}

/** In one seed of so many, flow control is seen from outside: it costs reading every packet. */
const AUDITED = 5

class Play {
  readonly pair: Pair
  readonly traffic: Traffic
  readonly series: readonly Series[]
  busy: number | undefined
  readonly #messages: Messages
  readonly #seed: number
  readonly #setup: Setup
  /** When the client had its answer, ms. */
  #completedAt = 0
  readonly #beginning: Beginning
  readonly #idleTimeout: number | undefined

  constructor(seed: number, setup: Setup, { crypto = 'fast', recorder, watched }: SeedOptions) {
    this.#seed = seed
    this.#setup = setup
    this.#beginning = beginningOf(seed)
    const isRestless = (setup.disturbances?.rebindings ?? 0) > 0
    this.#idleTimeout = isRestless ? undefined : idleTimeoutOf(seed)
    const world = new World(seed, crypto, MAX_HAPPENINGS)
    const { maxMemory = Number.POSITIVE_INFINITY, topology, interfacePayload } = setup
    const datagramSize = Math.max(interfacePayload ?? 0, DATAGRAM_SIZE)
    const budgets = { client: new MemoryBudget(maxMemory), server: new MemoryBudget(maxMemory) }
    const client = this.#transport(2 * seed)
    const server = this.#transport(2 * seed + 1)
    const credit = recorder === undefined && seed % AUDITED === 0 ? new Credit(client, server) : undefined
    const logs = recorder ?? (credit && ((side: Side) => credit.recorder(side)))
    this.pair = new Pair({
      world,
      topology,
      budgets,
      bufferSize: datagramSize,
      ...(interfacePayload !== undefined && { interfacePayload }),
      ...beginning(this.#beginning, client, server, world.backend()),
      ...(logs && { recorder: logs }),
    })
    this.traffic = new Traffic(this.pair, setup.streams)
    this.#messages = new Messages(this.pair)
    this.traffic.onEvent = (side, event) => {
      if (event.type === 'earlyRejected') credit?.onEarlyRejected()
      if (event.type === 'handshakeComplete' && side === 'client') this.#completedAt = this.pair.world.now
      this.#messages.onEvent(side, event)
    }
    this.series = watched === undefined ? [] : this.#watch(watched)
    for (const side of ['client', 'server'] as const) {
      const host = this.pair[side]
      host.keepsRecords = false
      host.observer = new Invariants(side === 'server', datagramSize, {
        budget: budgets[side],
        ...(credit && { credit }),
      })
    }
  }

  #watch(duration: number): Series[] {
    const { world, client, server, toServer, toClient } = this.pair
    return [
      { name: 'client', samples: watch(world, client, () => toServer.queued, duration, SAMPLES) },
      { name: 'server', samples: watch(world, server, () => toClient.queued, duration, SAMPLES) },
    ]
  }

  #transport(seed: number): TransportOptions {
    const { maxStreams = 100 } = this.#setup
    return {
      maxIdleTimeout: this.#idleTimeout ?? 600_000,
      initialMaxStreamsBidi: maxStreams,
      initialMaxStreamsUni: maxStreams,
      maxDatagramFrameSize: 1000,
      ...settingsOf(seed),
    }
  }

  run(): void {
    const { traffic } = this
    const { world } = this.pair
    const { early } = this.#beginning
    this.pair.start(early && (connection => traffic.beginEarly(connection)))
    this.#disturb()
    this.#messages.plan(messagesOf(this.#seed))
    world.run(() => traffic.isDone || traffic.closed.length > 0, LIMIT)
    this.#expectOpen('while bytes were on the way')
    if (!traffic.isDone) throw new Error(`${traffic.remaining} ends of streams never came`)
    // RFC 9000 §3: when everything is acknowledged no table remembers a stream.
    world.run(() => traffic.closed.length > 0 || this.#openStreams() === 0, world.now + LIMIT)
    this.#expectOpen('when all bytes had come')
    this.busy = world.now
    if (this.#openStreams() > 0) throw new Error(`${this.#openStreams()} streams are never forgotten`)
    this.#expectEarly()
    if (this.#idleTimeout === undefined) this.#close()
    else this.#fallAsleep()
    this.#messages.check()
  }

  #expectEarly(): void {
    const { early } = this.#beginning
    const { earlyData } = this.pair.client.connection.peer ?? {}
    const expected = early === undefined ? 'none' : early === 'accepted' ? 'accepted' : 'rejected'
    // RFC 8446 §8.3: a hello that took too long is no longer fresh.
    const isStale = early === 'accepted' && earlyData === 'rejected' && this.#completedAt > limits.earlyDataAge
    if (earlyData !== expected && !isStale) throw new Error(`early data: ${earlyData}, not ${expected}`)
  }

  #openStreams(): number {
    const { client, server } = this.pair
    return client.connection.diagnostics.openStreams + server.connection.diagnostics.openStreams
  }

  #expectOpen(when: string): void {
    const end = this.traffic.closed[0]
    if (end === undefined) return
    const { errorCode, reason, by, error } = end.event
    const cause = error?.cause instanceof Error ? `\n${error.cause.stack}` : ''
    throw new Error(`the ${end.side} was closed ${when}: ${errorCode} ${reason}, by ${by}${cause}`)
  }

  #disturb(): void {
    const { rebindings = 0, migrations = 0, keyUpdates = 0 } = this.#setup.disturbances ?? {}
    const { world, client } = this.pair
    for (let i = 0; i < rebindings; i++) {
      world.plan(world.random() * 3000, () => {
        // Before the handshake is confirmed nobody may move (RFC 9000 §9).
        if (!client.connection.isHandshakeConfirmed) return
        client.address = {
          host: `192.0.2.${10 + integer(world.random, 200)}`,
          port: 1024 + integer(world.random, 60_000),
        }
        client.act(() => {})
      })
    }
    if (rebindings > 0) this.#beat()
    for (let i = 0; i < migrations; i++) {
      const via = client.others.push({ host: `203.0.113.${i}`, port: 40_000 + i })
      // It says why not, when it cannot.
      world.plan(world.random() * 3000, () =>
        client.act(connection => connection.migrate({ ...serverAddress, via }, world.now)),
      )
    }
    for (let i = 0; i < keyUpdates; i++) {
      const host = world.random() < 0.5 ? client : this.pair.server
      world.plan(world.random() * 3000, () => {
        if (host.hasConnection) host.act(connection => connection.updateKeys(world.now))
      })
    }
  }

  /** A client that only receives, and has moved without noticing, is found again by what it sends now and then. */
  #beat(): void {
    const { world, client } = this.pair
    world.plan(world.now + HEARTBEAT, () => {
      if (client.connection.isTerminated) return
      client.act(connection => connection.sendDatagram(heartbeat))
      this.#beat()
    })
  }

  /** One side says goodbye; both come to rest, and know the same of it. */
  #close(): void {
    const { world, client, server } = this.pair
    const isByClient = world.random() < 0.5
    const [closing, other]: [Host, Host] = isByClient ? [client, server] : [server, client]
    closing.act(connection => connection.close(CLOSE_CODE, CLOSE_REASON, world.now))
    const areGone = (): boolean => client.connection.isTerminated && server.connection.isTerminated
    if (!world.run(areGone, world.now + LIMIT)) throw new Error('closed, but never gone')
    const { closed } = this.traffic
    const ours = closed.filter(end => this.pair[end.side] === closing).map(end => end.event)
    const theirs = closed.filter(end => this.pair[end.side] === other).map(end => end.event)
    if (ours.length !== 1 || theirs.length !== 1) throw new Error(`${ours.length} and ${theirs.length} ends told`)
    this.#expectAgreement(ours[0] as Closed, theirs[0] as Closed)
  }

  /** RFC 9000 §10.1: nobody says anything any more, and both find out by themselves. */
  #fallAsleep(): void {
    const { world, client, server } = this.pair
    const areGone = (): boolean => client.connection.isTerminated && server.connection.isTerminated
    if (!world.run(areGone, world.now + LIMIT)) throw new Error('nobody falls asleep')
    const ends = this.traffic.closed.map(end => end.event.by)
    if (ends.length !== 2 || ends.some(by => by !== 'idle')) throw new Error(`not asleep: ${ends}`)
  }

  #expectAgreement(ours: Closed, theirs: Closed): void {
    const isTold =
      theirs.by === 'peer' &&
      (theirs.isApplication
        ? theirs.errorCode === CLOSE_CODE && theirs.reason === CLOSE_REASON
        : // RFC 9000 §10.2.3: who speaks early may be done before the other has keys for an application's words.
          theirs.errorCode === ErrorCode.ApplicationError && this.#beginning.early !== undefined)
    // Who was not told falls asleep; only where datagrams vanish.
    const isAsleep = theirs.by === 'idle' && this.#setup.isLossy
    if (ours.by !== 'local' || ours.errorCode !== CLOSE_CODE || !(isTold || isAsleep)) {
      throw new Error(`they disagree why it ended: ${JSON.stringify([ours, theirs])}`)
    }
  }
}

/** How client and server begin, with what the client got beforehand if it is to speak early. */
function beginning(
  { versions, hasRetry, early }: Beginning,
  client: TransportOptions,
  server: TransportOptions,
  backend: CryptoBackend,
): PairOptions {
  const retry = hasRetry && { retry: new AddressTokens(backend) }
  if (early === undefined) return { client: { versions, transport: client }, server: { transport: server }, ...retry }
  const noState = new Uint8Array(0)
  const [version] = versions
  const offer = provisioned(server, noState, backend, version)
  const known = early === 'unknown identity' ? provisioned(server, noState, backend, version).server : offer.server
  return {
    client: { versions, transport: client, resumption: { ...offer.resumption, token: noState }, earlyData: true },
    server: { ...known, ...(early === 'rejected' && { earlyData: { admit: () => false } }) },
    ...retry,
  }
}

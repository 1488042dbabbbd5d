// instances come and go at random – scaled up, scaled to none, killed – and after each event the function is
// called. How many of the first requests to an instance were in its first packet, and taken as early data.

import { setTimeout as sleep } from 'node:timers/promises'
import { Caller, isChild, killWorker, Platform } from './lib/platform.mjs'
import { counted, summary } from './lib/summary.mjs'

const FUNCTIONS = 4
const MAX = 3

/** A share that is to be reached. */
const WANTED = 0.99

export const r1 = {
  title: 'Random scale events: first requests to instances, accepted as 0-RTT',
  async run({ quick, samples = quick ? 50 : 1000, onProgress }) {
    const platform = await Platform.start()
    const caller = new Caller(platform.ports.port)
    const fleet = new RandomFleet(platform, caller)
    try {
      await fleet.deploy()
      for (let i = 0; i < samples; i++) {
        onProgress(i / samples, `${fleet.firsts.length} first requests`)
        await fleet.event()
      }
      return conclude(fleet, samples, await platform.sessions())
    } finally {
      caller.close()
      await platform.stop()
    }
  },
}

class RandomFleet {
  /** What happened, and the answers to first requests. */
  events = []
  firsts = []
  failures = []
  #platform
  #caller
  /** Processes that have answered, by function. */
  #met = new Map()

  constructor(platform, caller) {
    this.#platform = platform
    this.#caller = caller
  }

  async deploy() {
    for (let i = 0; i < FUNCTIONS; i++) {
      const labels = {
        'com.openfaas.scale.min': '1',
        'com.openfaas.scale.max': String(MAX),
        'com.openfaas.scale.zero': 'true',
      }
      await this.#platform.deploy(`f${i}`, 'early.mjs', { labels })
    }
  }

  async event() {
    const service = `f${pick(FUNCTIONS)}`
    this.events.push(await this.#change(service))
    await this.#settled(service)
    // Instances take turns: each that is new gets its first request.
    const calls = Math.max(1, this.#platform.instances(service).length)
    for (let i = 0; i < calls; i++) await this.#call(service)
  }

  async #change(service) {
    const living = [...(this.#met.get(service) ?? [])].filter(isChild)
    const roll = Math.random()
    if (living.length > 0 && roll < 0.3) {
      const pid = living[pick(living.length)]
      killWorker(pid)
      while (isChild(pid)) await sleep(2)
      return 'killed'
    }
    if (living.length > 0 && roll < 0.55) {
      this.#platform.scale(service, 0)
      return 'scaled to none'
    }
    this.#platform.scale(service, 1 + pick(MAX))
    return 'scaled'
  }

  /** Until the platform has noticed, and there are as many instances as are wanted. */
  async #settled(service) {
    await sleep(20)
    for (;;) {
      const { replicas, availableReplicas } = this.#platform.status(service)
      if (availableReplicas === replicas) return
      await sleep(2)
    }
  }

  async #call(service) {
    const begun = performance.now()
    const { status, body } = await this.#caller.call(`/function/${service}/`)
    if (status !== 200) return this.failures.push(`${status}: ${body}`)
    const { pid, isFirst, early } = JSON.parse(body)
    if (!isFirst) return undefined
    const met = this.#met.get(service) ?? new Set()
    this.#met.set(service, met.add(pid))
    return this.firsts.push({ early, ms: performance.now() - begun })
  }
}

function conclude({ events, firsts, failures }, samples, sessions) {
  const share = firsts.filter(({ early }) => early).length / firsts.length
  return {
    conditions: { network: 'loopback', functions: FUNCTIONS, instancesAtMost: MAX, events: samples },
    events: counted(events),
    firstRequests: firsts.length,
    acceptedAsEarlyData: firsts.filter(({ early }) => early).length,
    sessions,
    failures,
    latency: summary(firsts.map(({ ms }) => ms)),
    lines: [
      `events: ${JSON.stringify(counted(events))}`,
      `sessions of the gateway with instances, by their early data: ${JSON.stringify(sessions)}`,
    ],
    comparisons: [
      {
        what: `of ${firsts.length} first requests, accepted as 0-RTT`,
        text: `${(100 * share).toFixed(2)} %`,
        share,
        paper: 'never built',
        wanted: `≥ ${100 * WANTED} %`,
        isReached: share >= WANTED,
      },
      {
        what: 'calls that failed',
        text: String(failures.length),
        paper: 'none',
        wanted: '0',
        isReached: failures.length === 0,
      },
    ],
    raw: { firstRequestMs: firsts.map(({ ms }) => ms) },
  }
}

const pick = count => Math.floor(Math.random() * count)

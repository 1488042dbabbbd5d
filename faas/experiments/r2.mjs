// load for ten minutes while instances are killed at random. Each request is numbered, and each execution written
// down by the function before it answers: none may be executed twice, none may be left without an answer.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Caller, killWorker, Platform } from './lib/platform.mjs'
import { counted, summary } from './lib/summary.mjs'

/** Requests at once, and ms between two of one caller: about 300 a second. */
const CALLERS = 12
const PAUSE = 25
const INSTANCES = 3

/** ms between two kills: as long as it takes to start a worker, or less. */
const KILL_AFTER = { least: 100, most: 900 }

/** By what may be early: safe methods, the default, or all of them. */
const FUNCTIONS = ['safe', 'all']
const METHODS = ['GET', 'POST']

export const r2 = {
  title: 'Load while instances are killed at random: executed twice, lost',
  async run({ quick, onProgress }) {
    const seconds = quick ? 30 : 600
    const directory = mkdtempSync(join(tmpdir(), 'experiment-'))
    const log = join(directory, 'executions')
    const platform = await Platform.start()
    const load = new Load(platform)
    try {
      await deploy(platform, log)
      await load.run(seconds, onProgress)
      return conclude(load, executions(log), seconds, await platform.sessions())
    } finally {
      await platform.stop()
      rmSync(directory, { recursive: true })
    }
  },
}

async function deploy(platform, log) {
  for (const service of FUNCTIONS) {
    await platform.deploy(service, 'witness.mjs', {
      envVars: { WITNESS_LOG: log },
      labels: { 'com.openfaas.scale.min': String(INSTANCES), 'com.openfaas.scale.max': String(INSTANCES + 1) },
      annotations: { 'zerotrip.early-data': service },
    })
    while (platform.instances(service).length < INSTANCES) await sleep(10)
  }
}

class Load {
  /** What became of each request: { id, service, method, status | lost, ms }. */
  calls = []
  kills = 0
  #platform
  #serial = 0
  /** Processes that have answered lately. */
  #pids = new Set()
  #isOver = false

  constructor(platform) {
    this.#platform = platform
  }

  async run(seconds, onProgress) {
    const caller = new Caller(this.#platform.ports.port, CALLERS)
    const callers = Array.from({ length: CALLERS }, () => this.#callOn(caller))
    const killer = this.#killOn()
    for (let second = 0; second < seconds; second++) {
      onProgress(second / seconds, `${this.calls.length} requests, ${this.kills} instances killed`)
      await sleep(1000)
    }
    this.#isOver = true
    await Promise.all([...callers, killer])
    caller.close()
  }

  async #callOn(caller) {
    while (!this.#isOver) {
      const number = this.#serial++
      const service = FUNCTIONS[number % FUNCTIONS.length]
      const method = METHODS[(number >> 1) % METHODS.length]
      this.calls.push(await this.#call(caller, { id: `${service}-${method}-${number}`, service, method }))
      await sleep(Math.random() * 2 * PAUSE)
    }
  }

  async #call(caller, call) {
    try {
      const body = call.method === 'POST' ? 'x'.repeat(100) : undefined
      const answer = await caller.call(`/function/${call.service}/${call.id}`, { method: call.method, body })
      const [id, pid] = answer.body.split(' ')
      if (answer.status !== 200) return { ...call, status: answer.status, ms: answer.ms }
      this.#pids.add(Number(pid))
      return { ...call, status: id === call.id ? 200 : 'the answer of another', ms: answer.ms }
    } catch (error) {
      return { ...call, lost: error.message, ms: 0 }
    }
  }

  async #killOn() {
    while (!this.#isOver) {
      await sleep(KILL_AFTER.least + Math.random() * (KILL_AFTER.most - KILL_AFTER.least))
      const pids = [...this.#pids]
      const pid = pids[Math.floor(Math.random() * pids.length)]
      if (pid === undefined) continue
      this.#pids.delete(pid)
      if (killWorker(pid)) this.kills++
    }
  }
}

/** How often each request was executed. */
function executions(log) {
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n')
  const counts = new Map()
  for (const line of lines) {
    const [id] = line.split(' ')
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return counts
}

function conclude({ calls, kills }, counts, seconds, sessions) {
  const runs = call => counts.get(call.id) ?? 0
  const twice = calls.filter(call => call.method === 'POST' && runs(call) > 1)
  const repeated = calls.filter(call => call.method === 'GET' && runs(call) > 1)
  const lost = calls.filter(call => call.lost !== undefined)
  const untrue = calls.filter(call => call.status === 200 && runs(call) === 0)
  const answered = calls.filter(call => call.status === 200)
  const statuses = counted(calls.map(call => (call.lost === undefined ? call.status : `lost: ${call.lost}`)))
  const zero = (what, list) => ({
    what,
    text: String(list.length),
    paper: '–',
    wanted: '0',
    isReached: list.length === 0,
  })
  return {
    conditions: { network: 'loopback', seconds, callers: CALLERS, instances: FUNCTIONS.length * INSTANCES },
    requests: calls.length,
    kills,
    statuses,
    sessions,
    executedTwice: twice.length,
    safeRepeated: repeated.length,
    lost: lost.length,
    latency: summary(answered.map(({ ms }) => ms)),
    lines: [
      `${calls.length} requests, half of them POST; ${kills} instances killed`,
      `answers by status: ${JSON.stringify(statuses)}`,
      `sessions of the gateway with instances, by their early data: ${JSON.stringify(sessions)}`,
      `GET requests executed at a second instance because the first was killed: ${repeated.length} (RFC 9110 §9.2.2)`,
    ],
    comparisons: [
      zero('requests executed twice (POST)', twice),
      zero('requests lost without an answer', lost),
      zero('answers 200 that nobody executed', untrue),
    ],
    raw: {
      slowestMs: answered
        .map(({ ms }) => ms)
        .toSorted((a, b) => b - a)
        .slice(0, 200),
    },
  }
}

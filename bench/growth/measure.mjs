// The same work twice, by a pair of processes with much on its hands and by one with little, in turns.

import { cpus } from 'node:os'
import { Peer } from './process.mjs'

/** Turns before the first that counts: compilers are done by then, and heaps have found their size. */
const WARM_UP = 6
/** When others have more of the machine than this, a clock on the wall measures them. */
const QUIET = 0.1

/** What is measured: two processes, and over how many of the streams between them the bytes go. */
export class Pair {
  #server = new Peer()
  #client = new Peer()
  #at

  /** Resolves when the client has `streams` open, and the server knows. */
  async start({ streams, maxStreams = streams }) {
    this.#at = await this.#server.call('listen', { maxStreams })
    await this.#client.call('carry', { ...this.#at, streams })
    await this.#server.until('streams', streams)
    return this
  }

  get server() {
    return this.#server
  }

  get client() {
    return this.#client
  }

  /** Where the server listens, and its certificate. */
  get at() {
    return this.#at
  }

  /** Carries bytes one way. ms of time, and of CPU in both processes together. */
  async carry(isUp, work) {
    const [from, to] = isUp ? [this.#client, this.#server] : [this.#server, this.#client]
    const cpu = await this.#cpu()
    const begun = performance.now()
    await Promise.all([to.call('receive', work), from.call('send', work)])
    const ms = performance.now() - begun
    return { ms, cpuMs: (await this.#cpu()) - cpu }
  }

  async stop() {
    await Promise.all([this.#server.stop(), this.#client.stop()])
  }

  async #cpu() {
    const [server, client] = await Promise.all([this.#server.call('cpu'), this.#client.call('cpu')])
    return server + client
  }
}

/**
 * How much of the throughput of `few` is left to `many`. In each turn both carry `total` bytes down and up, a few tenths
 * of a second at a time, either first: what disturbs the machine disturbs both. Everything between the first turn that
 * counts and the last is summed up, since what a large heap costs, it costs now and then. `ratio` is that of the times;
 * on a machine that is not quiet, that of bytes per second of CPU (`by` says which), garbage collectors' threads
 * included.
 */
export async function compare(few, many, { total, piece, samples, warmUp = WARM_UP }) {
  for (let turn = 0; turn < warmUp; turn++) await takeTurn(few, many, { total, piece }, turn)
  const others = watchOthers()
  const turns = []
  for (let turn = 0; turn < samples; turn++) turns.push(await takeTurn(few, many, { total, piece }, turn))
  const cpu = { few: sum(turns, turn => turn.few.cpuMs), many: sum(turns, turn => turn.many.cpuMs) }
  const time = { few: sum(turns, turn => turn.few.ms), many: sum(turns, turn => turn.many.ms) }
  const othersShare = round(others(cpu.few + cpu.many))
  const timeRatio = round(time.few / time.many)
  const cpuRatio = round(cpu.few / cpu.many)
  const isQuiet = othersShare <= QUIET
  const megabytes = (2 * total * samples) / 1e6
  const ratios = turns.map(({ few, many }) => few.ms / many.ms)
  return {
    ratio: isQuiet ? timeRatio : cpuRatio,
    by: isQuiet ? 'time' : 'CPU',
    timeRatio,
    cpuRatio,
    quartilesOfTimeRatio: {
      lower: round(quantile(ratios, 0.25)),
      median: round(quantile(ratios, 0.5)),
      upper: round(quantile(ratios, 0.75)),
    },
    megabytesPerSecond: perSecond(megabytes, time),
    megabytesPerCpuSecond: perSecond(megabytes, cpu),
    othersShare,
    samples,
  }
}

/** Both, down and up, with the one first in even turns that is second in odd ones. */
async function takeTurn(few, many, { total, piece }, turn) {
  const spent = { few: { ms: 0, cpuMs: 0 }, many: { ms: 0, cpuMs: 0 } }
  for (const isUp of [false, true]) {
    for (const name of turn % 2 === 0 ? ['few', 'many'] : ['many', 'few']) {
      const { pair, active } = name === 'few' ? few : many
      const { ms, cpuMs } = await pair.carry(isUp, { total, active, piece })
      spent[name].ms += ms
      spent[name].cpuMs += cpuMs
    }
  }
  return spent
}

/** Answers what share of the machine others have had since, when told how much was ours. */
function watchOthers() {
  const before = machine()
  const mine = process.cpuUsage()
  return oursMs => {
    const after = machine()
    const { user, system } = process.cpuUsage(mine)
    const others = after.busy - before.busy - oursMs - (user + system) / 1000
    return Math.max(0, others / (after.all - before.all))
  }
}

/** ms of all cores. */
function machine() {
  const times = cpus().map(cpu => cpu.times)
  const all = sum(times, ({ user, nice, sys, irq, idle }) => user + nice + sys + irq + idle)
  return { all, busy: all - sum(times, ({ idle }) => idle) }
}

function perSecond(megabytes, { few, many }) {
  return { few: round((1000 * megabytes) / few), many: round((1000 * megabytes) / many) }
}

function sum(values, of) {
  return values.reduce((total, value) => total + of(value), 0)
}

function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b)
  const at = share * (sorted.length - 1)
  const low = sorted[Math.floor(at)]
  return low + (sorted[Math.ceil(at)] - low) * (at - Math.floor(at))
}

function round(value) {
  return Number(value.toFixed(3))
}

// The same work twice, by a pair of processes with much on its hands and by one with little, in turns.

import { Peer } from './process.mjs'

/** Turns before the first that counts. */
const WARM_UP = 3

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

  /** Carries `total` bytes down, then up. ms of time, and of CPU in both processes together. */
  async carry(total, active) {
    const cpu = await this.#cpu()
    const begun = performance.now()
    await carry(this.#server, this.#client, total, active)
    await carry(this.#client, this.#server, total, active)
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
 * How much of the throughput of `few` is left to `many`. Both go in each turn, either first; the ratio of a turn is
 * between neighbours in time, and the median of them is not disturbed by what disturbs single ones.
 */
export async function compare(few, many, { total, samples }) {
  const turns = []
  for (let turn = -WARM_UP; turn < samples; turn++) {
    const [first, second] = turn % 2 === 0 ? [few, many] : [many, few]
    const one = await first.pair.carry(total, first.active)
    const other = await second.pair.carry(total, second.active)
    if (turn >= 0) turns.push(first === few ? { few: one, many: other } : { few: other, many: one })
  }
  const ratios = turns.map(({ few, many }) => few.ms / many.ms)
  return {
    ratio: round(median(ratios)),
    cpuRatio: round(sum(turns.map(({ few }) => few.cpuMs)) / sum(turns.map(({ many }) => many.cpuMs))),
    quartiles: [round(quantile(ratios, 0.25)), round(quantile(ratios, 0.75))],
    megabytesPerSecond: {
      few: megabytesPerSecond(
        total,
        turns.map(({ few }) => few.ms),
      ),
      many: megabytesPerSecond(
        total,
        turns.map(({ many }) => many.ms),
      ),
    },
    samples,
  }
}

async function carry(from, to, total, active) {
  const received = to.call('receive', { total, active })
  await Promise.all([from.call('send', { total, active }), received])
}

function megabytesPerSecond(total, times) {
  return round((2 * total) / 1000 / median(times))
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0)
}

function median(values) {
  return quantile(values, 0.5)
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

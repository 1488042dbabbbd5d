// Handshakes a second between two processes over loopback: ours beside node:tls, in turns. What a single handshake costs
// the processor is the benchmark `handshake-cpu`.

import { join } from 'node:path'
import { Child } from '../lib/children.mjs'
import { median, ratio } from '../lib/statistics.mjs'

/** With what each of ours is compared. */
const counterparts = { full: 'tls full', resumed: 'tls resumed', provisioned: 'tls resumed' }
const names = ['tls full', 'full', 'tls resumed', 'resumed', 'provisioned']
const CONCURRENCY = 16
/** ms of each turn. */
const TURN = 500
/** Turns that are not counted: code gets hot. */
const WARM_UP = { full: 12, quick: 5 }

export async function run({ samples, quick = false }) {
  const server = new Child(join(import.meta.dirname, '..', 'ends', 'server.mjs'), [], { serialization: 'advanced' })
  const client = new Child(join(import.meta.dirname, 'client.mjs'), [], { serialization: 'advanced' })
  try {
    const there = await server.ask({ verb: 'start', host: '127.0.0.1', rivals: {} })
    await client.ask({ verb: 'start', server: there })
    const rates = Object.fromEntries(names.map(name => [name, []]))
    const warmUp = quick ? WARM_UP.quick : WARM_UP.full
    const turns = samples ?? (quick ? 6 : 20)
    for (let turn = -warmUp; turn < turns; turn++) {
      for (const name of names) {
        const { rate } = await client.ask({ verb: 'rate', name, concurrency: CONCURRENCY, duration: TURN })
        if (turn >= 0) rates[name].push(Math.round(rate))
      }
    }
    return summary(rates, turns)
  } finally {
    await client.stop()
    await server.stop()
  }
}

function summary(rates, samples) {
  const perSecond = Object.fromEntries(Object.entries(rates).map(([name, each]) => [name, Math.round(median(each))]))
  const ratios = {}
  for (const [ours, other] of Object.entries(counterparts)) {
    ratios[`handshakes per second, ${ours} / node:${other}`] = ratio(rates[ours], rates[other])
  }
  return { perSecond, ratios, concurrency: CONCURRENCY, samples, isReached: true }
}

export function print({ environment, perSecond, ratios, concurrency, samples }) {
  const { node, cpu, cores, date } = environment
  return [
    `handshakes a second over loopback, ${concurrency} at a time, medians of ${samples} turns of ${TURN} ms`,
    `Node ${node}, ${cores} × ${cpu}, ${date}`,
    '',
    ...Object.entries(perSecond).map(
      ([name, rate]) => `${(name.startsWith('tls') ? `node:${name}` : name).padEnd(24)}${String(rate).padStart(8)}`,
    ),
    '',
    ...Object.entries(ratios).map(([name, { ratio: value, low, high }]) => `${name}: ${value} (${low} to ${high})`),
  ].join('\n')
}

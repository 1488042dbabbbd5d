// One long transfer over loopback between two processes: against the bare node:dgram of the same machine, against
// node:tls, and against other implementations of QUIC.
//
// Two measures: bits a second, and CPU seconds of both processes, system time included, which a busy machine disturbs
// less. The parties take turns.

import { join } from 'node:path'
import { selfSigned } from 'zerotrip'
import { Child } from '../lib/children.mjs'
import { median, ratio, rounded } from '../lib/statistics.mjs'
import { hasRival, node24 } from '../requests/rival.mjs'
import { contenders } from './contenders.mjs'
import { externalParties } from './external.mjs'

/** Mebibytes of each transfer. */
const SIZES = { full: 1024, quick: 48 }
/** aioquic takes ten times as long. */
const SMALLER = { aioquic: 8 }
/** For V8 to optimize what it will: in datagrams of 16,000 bytes that is no more than 6,300 packets. */
const WARM_UP = 96

/** `-up`: from the client to the server. */
const inProcess = [
  'dgram',
  'zerotrip-1452',
  'zerotrip-1452-up',
  'zerotrip',
  'zerotrip-up',
  'zerotrip-h3',
  'tls',
  'tls-up',
]
const rivals = ['rival-native', 'rival-wasm']

/** What must hold: of the first party's rate to the second's, at least. */
const targets = [
  ['zerotrip-1452', 'dgram', 0.55],
  ['zerotrip-1452', 'aioquic', 5],
  ['zerotrip-1452', 'rival-wasm', 1],
  ['zerotrip', 'rival-native', 1],
  ['zerotrip', 'quic-go', 1],
]

export async function run({ samples = 5, quick = false }) {
  const mebibytes = quick ? SIZES.quick : SIZES.full
  const identity = selfSigned({ hosts: ['localhost', '127.0.0.1'] })
  const names = [...inProcess, ...(hasRival() ? rivals : [])]
  const parties = []
  const missing = {}
  try {
    for (const name of names) parties.push(await Pair.start(name, identity))
    for (const others of [await contenders(mebibytes, SMALLER), await externalParties(mebibytes, quick)]) {
      parties.push(...others.parties)
      Object.assign(missing, others.missing)
    }
    if (names.length === inProcess.length) missing.rival = '@currentspace/http3 could not be installed from npm'
    const rows = Object.fromEntries(parties.map(({ name }) => [name, []]))
    for (const party of parties) await attempt(party, party instanceof Pair ? WARM_UP : mebibytes / 4, missing)
    for (let turn = 0; turn < samples; turn++) {
      for (const party of parties) {
        if (missing[party.name] !== undefined) continue
        const row = await attempt(party, mebibytes, missing)
        if (row !== undefined) rows[party.name].push(row)
      }
    }
    return summary(rows, { mebibytes, samples, missing })
  } finally {
    for (const party of parties) await party.stop()
  }
}

/** A party that fails is out, and the reason is part of the result. */
async function attempt(party, mebibytes, missing) {
  try {
    return await party.transfer(mebibytes)
  } catch (error) {
    missing[party.name] = error.message.split('\n')[0]
    return undefined
  }
}

/** Server and client, each a process on the same Node. */
export class Pair {
  name
  #server
  #client

  /** `execPath`: the Node of both. */
  static async start(name, identity, execPath = node24()) {
    const pair = new Pair()
    pair.name = name
    const options = { execPath }
    const script = role => join(import.meta.dirname, `${role}.mjs`)
    pair.#server = new Child(script('server'), [name], options)
    pair.#client = new Child(script('client'), [name], options)
    const { port } = await pair.#server.ask({ verb: 'start', ...identity })
    await pair.#client.ask({ verb: 'start', port, ca: identity.cert })
    return pair
  }

  async transfer(mebibytes) {
    const before = await this.#cpu()
    const bytes = mebibytes * 2 ** 20
    const { seconds } = await this.#client.ask({ verb: 'transfer', bytes })
    // What arrived, where that is not what was sent.
    const arrived = await this.#server.ask({ verb: 'arrived' })
    const cpu = (await this.#cpu()) - before
    const received = arrived.bytes ?? bytes
    return { mbps: (received * 8) / (arrived.seconds ?? seconds) / 1e6, cpuPerMebibyte: (cpu / received) * 2 ** 20 }
  }

  async #cpu() {
    const usages = [await this.#server.ask({ verb: 'usage' }), await this.#client.ask({ verb: 'usage' })]
    return usages.reduce((sum, { user, system }) => sum + (user + system) / 1e6, 0)
  }

  async stop() {
    await this.#client.stop()
    await this.#server.stop()
  }
}

function summary(rows, { mebibytes, samples, missing }) {
  const parties = {}
  for (const [name, measured] of Object.entries(rows)) {
    if (measured.length === 0) continue
    parties[name] = {
      mbps: Math.round(median(measured.map(row => row.mbps))),
      cpuMsPerMebibyte: cpuOf(measured),
    }
  }
  const ratios = {}
  const cpuRatios = {}
  for (const name of Object.keys(parties).filter(each => each.startsWith('zerotrip'))) {
    for (const other of Object.keys(parties).filter(each => !each.startsWith('zerotrip'))) {
      const of = field => [name, other].map(party => rows[party].map(row => row[field]))
      ratios[`${name} / ${other}`] = ratio(...of('mbps'))
      // What processes of others used is not known.
      if (parties[other].cpuMsPerMebibyte !== undefined)
        cpuRatios[`${name} / ${other}`] = ratio(...of('cpuPerMebibyte'))
    }
  }
  const reached = targets
    .filter(([name, other]) => ratios[`${name} / ${other}`] !== undefined)
    .map(([name, other, bound]) => {
      const { ratio: reachedRatio } = ratios[`${name} / ${other}`]
      return { target: `bulk ${name} / ${other}`, bound, ratio: reachedRatio, isReached: reachedRatio >= bound }
    })
  return {
    mebibytes,
    parties,
    ratios,
    cpuRatios,
    missing,
    reached,
    samples,
    isReached: reached.every(x => x.isReached),
  }
}

function cpuOf(measured) {
  const [first] = measured
  return first.cpuPerMebibyte === undefined
    ? undefined
    : rounded(1000 * median(measured.map(row => row.cpuPerMebibyte)))
}

export function print({ environment, mebibytes, samples, parties, ratios, cpuRatios, missing, reached }) {
  const lines = [
    `${mebibytes} MiB over loopback, two processes, medians of ${samples}, in turns`,
    `Node ${environment.node} (parties on Node 24), ${environment.cores} × ${environment.cpu}, ${environment.date}`,
    '',
    `${''.padEnd(20)}${'Mbit/s'.padStart(8)}${'CPU ms per MiB'.padStart(16)}`,
  ]
  for (const [name, { mbps, cpuMsPerMebibyte }] of Object.entries(parties)) {
    lines.push(`${name.padEnd(20)}${String(mbps).padStart(8)}${String(cpuMsPerMebibyte ?? '').padStart(16)}`)
  }
  lines.push('', 'ratio of rates (95 %), ratio of CPU')
  for (const [name, { ratio: middle, low, high }] of Object.entries(ratios)) {
    lines.push(
      `  ${name.padEnd(36)}${middle} (${low} to ${high})${cpuRatios[name] === undefined ? '' : `, CPU ${cpuRatios[name].ratio}`}`,
    )
  }
  for (const [name, why] of Object.entries(missing)) lines.push(`  without ${name}: ${why}`)
  lines.push('')
  for (const { target, bound, ratio: middle, isReached } of reached) {
    lines.push(`${isReached ? '✓' : '✗'} ${target}: ${middle}, at least ${bound}`)
  }
  return lines.join('\n')
}

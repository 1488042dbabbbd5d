// Requests a second with keep-alive, small answers: each door beside node's http, https and http2 over TLS, and a native
// HTTP/3 addon. One connection, but for HTTP/1.1, which has one for each request under way. Server and client are
// processes of their own; the parties take short turns, and the best of each counts: whatever else the machine does only
// makes one slower.

import { fork } from 'node:child_process'
import { join } from 'node:path'
import { selfSigned } from 'zerotrip'
import { hasRival, node24 } from './rival.mjs'

const doors = ['stream', 'fetch', 'request']
const names = {
  stream: "zerotrip, server.on('stream')",
  fetch: 'zerotrip, serve({ fetch })',
  request: 'zerotrip, (req, res)',
  rival: '@currentspace/http3 0.9.0, native',
  http2: 'node:http2 over TLS',
  https: 'node:https, keep-alive',
  http: 'node:http, keep-alive, no TLS',
}
/** Requests under way, by the name of the load. */
const loads = { '1 at once': 1, '10 at once': 10, '100 at once': 100 }
/** Of both ends, whatever runs this. */
const NODE = 24
/** ms of each turn. */
const TURN = 250
/** Turns that are not counted: code gets hot. */
const WARM_UP = 4

/** What is to be reached, by the fast door; node:http2 is a stretch. */
const bounds = Object.keys(loads).flatMap(load => [
  { load, other: 'rival', bound: 1.2 },
  { load, other: 'http2', bound: 1, isStretch: true },
])

export async function run({ samples, quick = false }) {
  const turns = samples ?? (quick ? 3 : 16)
  const isRivalThere = hasRival()
  const parties = [...doors, ...(isRivalThere ? ['rival'] : []), 'http2', 'https', 'http']
  const identity = selfSigned({ hosts: ['localhost', '127.0.0.1'] })
  const pairs = []
  try {
    for (const party of parties) pairs.push(await pair(party, identity))
    const rates = Object.fromEntries(parties.map(party => [party, noRates()]))
    for (let turn = 0; turn < WARM_UP + turns; turn++) {
      for (const { party, client } of pairs) {
        for (const [load, concurrency] of Object.entries(loads)) {
          const rate = await measure(client, { concurrency, duration: TURN })
          if (turn >= WARM_UP) rates[party][load].push(Math.round(rate))
        }
      }
    }
    const missing = isRivalThere
      ? {}
      : { rival: `${names.rival} could not be installed from npm, or has no build for this system` }
    return { ...summary(parties, rates), missing }
  } finally {
    for (const { server, client } of pairs) for (const child of [client, server]) child.kill()
  }
}

function noRates() {
  return Object.fromEntries(Object.keys(loads).map(load => [load, []]))
}

function summary(parties, rates) {
  const requestsPerSecond = Object.fromEntries(
    parties.map(party => [
      party,
      Object.fromEntries(Object.keys(loads).map(load => [load, Math.max(...rates[party][load])])),
    ]),
  )
  const ratios = {}
  for (const door of doors) {
    for (const other of parties.slice(doors.length)) {
      for (const load of Object.keys(loads)) {
        const ratio = requestsPerSecond[door][load] / requestsPerSecond[other][load]
        ratios[`${load} ${door} / ${other}`] = Math.round(ratio * 100) / 100
      }
    }
  }
  const reached = bounds
    .filter(({ other }) => parties.includes(other))
    .map(wanted => {
      const ratio = ratios[`${wanted.load} stream / ${wanted.other}`]
      return { ...wanted, ratio, isReached: ratio >= wanted.bound }
    })
  return {
    node: NODE,
    requestsPerSecond,
    ratios,
    samples: rates,
    reached,
    isReached: reached.every(each => each.isReached || each.isStretch),
  }
}

async function pair(party, { cert, key }) {
  const server = start('server.mjs')
  server.send({ party, cert, key })
  const { port } = await reply(server)
  const client = start('client.mjs')
  client.send({ party, port, cert })
  await reply(client)
  return { party, server, client }
}

function start(script) {
  return fork(join(import.meta.dirname, script), { execPath: node24() })
}

async function measure(client, load) {
  client.send(load)
  return (await reply(client)).rate
}

function reply(child) {
  return new Promise((resolve, reject) => {
    const onExit = code => reject(new Error(`${child.spawnargs.at(-1)} ended with ${code}`))
    child.once('exit', onExit)
    child.once('message', message => {
      child.off('exit', onExit)
      resolve(message)
    })
  })
}

export function print({ requestsPerSecond, ratios, reached, missing }) {
  const columns = Object.keys(loads).map(load => load.padStart(13))
  const lines = [`${'requests a second, best turn'.padEnd(38)}${columns.join('')}`]
  for (const [party, rates] of Object.entries(requestsPerSecond)) {
    const cells = Object.keys(loads).map(load => String(rates[load]).padStart(13))
    lines.push(`${names[party].padEnd(38)}${cells.join('')}`)
  }
  for (const why of Object.values(missing)) lines.push(`without: ${why}`)
  lines.push('', 'ratios')
  for (const [name, ratio] of Object.entries(ratios)) lines.push(`  ${name.padEnd(40)} ${ratio.toFixed(2)}`)
  lines.push('')
  for (const { load, other, bound, ratio, isReached, isStretch } of reached) {
    lines.push(
      `${isReached ? '✓' : '✗'} ${load}: ${ratio.toFixed(2)} of ${names[other]}, at least ${bound}${isStretch ? ' (stretch)' : ''}`,
    )
  }
  return lines.join('\n')
}

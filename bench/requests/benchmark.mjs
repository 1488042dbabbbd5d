// Requests a second on one connection, small answers: each door beside node:http2 over TLS and a native HTTP/3 addon.
// Server and client are processes of their own; the parties take short turns, and the best of each counts: whatever else
// the machine does only makes one slower.

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
}
const loads = { sequential: 1, concurrent: 50 }
/** Of both ends, whatever runs this. */
const NODE = 24
/** ms of each turn. */
const TURN = 250
/** Turns that are not counted: code gets hot. */
const WARM_UP = 4

/** What is to be reached, by the fast door. */
const bounds = [
  ['sequential', 'rival', 1.2],
  ['concurrent', 'rival', 1.2],
  ['concurrent', 'http2', 0.7],
]

export async function run({ samples = 16 }) {
  const parties = [...doors, ...(hasRival() ? ['rival'] : []), 'http2']
  const identity = selfSigned({ hosts: ['localhost', '127.0.0.1'] })
  const pairs = []
  try {
    for (const party of parties) pairs.push(await pair(party, identity))
    const rates = Object.fromEntries(parties.map(party => [party, { sequential: [], concurrent: [] }]))
    for (let turn = 0; turn < WARM_UP + samples; turn++) {
      for (const { party, client } of pairs) {
        for (const [load, concurrency] of Object.entries(loads)) {
          const rate = await measure(client, { concurrency, duration: TURN })
          if (turn >= WARM_UP) rates[party][load].push(Math.round(rate))
        }
      }
    }
    return summary(parties, rates)
  } finally {
    for (const { server, client } of pairs) for (const child of [client, server]) child.kill()
  }
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
    .filter(([, other]) => parties.includes(other))
    .map(([load, other, bound]) => {
      const ratio = ratios[`${load} stream / ${other}`]
      return { load, other, bound, ratio, isReached: ratio >= bound }
    })
  return {
    node: NODE,
    requestsPerSecond,
    ratios,
    samples: rates,
    reached,
    isReached: reached.every(each => each.isReached),
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

export function print({ requestsPerSecond, ratios, reached }) {
  const lines = ['requests a second, one connection      sequential   50 at once   (best turn)']
  for (const [party, { sequential, concurrent }] of Object.entries(requestsPerSecond)) {
    lines.push(`${names[party].padEnd(38)} ${String(sequential).padStart(10)} ${String(concurrent).padStart(12)}`)
  }
  lines.push('', 'ratios')
  for (const [name, ratio] of Object.entries(ratios)) lines.push(`  ${name.padEnd(40)} ${ratio.toFixed(2)}`)
  lines.push('')
  for (const { load, other, bound, ratio, isReached } of reached) {
    lines.push(`${isReached ? '✓' : '✗'} ${load}: ${ratio.toFixed(2)} of ${names[other]}, at least ${bound}`)
  }
  return lines.join('\n')
}

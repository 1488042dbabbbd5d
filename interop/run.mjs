// `npm run interop`: the test cases of the quic-interop-runner with other QUIC implementations, both ways. See README.md.

import { mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cases } from './cases.mjs'
import { knownFailure } from './known.mjs'
import { runCell } from './lib/cell.mjs'
import { Unsupported } from './lib/checks.mjs'
import { stopAll } from './lib/child.mjs'
import { makeCredentials } from './lib/credentials.mjs'
import { plan } from './lib/plan.mjs'
import { lineOf, summary, writeReport } from './lib/report.mjs'
import { assertTools } from './lib/tools.mjs'
import { peers, quickPeers } from './peers/index.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const cache = join(root, '.cache')
const runs = join(cache, 'interop')
/** Of this process: another may run at the same time. */
const certificateDirectory = join(runs, `certs-${process.pid}`)
const MEASUREMENTS = 3

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    peer: { type: 'string', multiple: true },
    test: { type: 'string', multiple: true },
    role: { type: 'string' },
    repeat: { type: 'string' },
    jobs: { type: 'string', default: '3' },
    write: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
/** By a signal: what is under way does not count, what was found is kept. */
let isInterrupted = false
const say = text => (options.json ? process.stderr : process.stdout).write(`${text}\n`)

/** Installs peers one after another; resolves with {name: version}. Those that cannot be had are failed cells. */
async function install(chosen, cells) {
  const versions = {}
  for (const peer of chosen) {
    try {
      versions[peer.name] = await peer.install(cache)
      say(`${peer.name} ${versions[peer.name]}`)
    } catch (error) {
      const reason = `cannot be installed: ${lastLine(error)}`
      say(`${peer.name} ${reason}`)
      cells.push({ peer: peer.name, role: 'server', test: 'install', result: 'failed', ms: 0, reason })
    }
  }
  return versions
}

function lastLine(error) {
  const lines = String(error.stderr ?? '')
    .trim()
    .split('\n')
  return lines.at(-1) || error.message
}

/** Runs a job as often as it wants; resolves with its cell. */
async function carryOut(job, certs) {
  const { peer, role, test, alpn } = job
  const start = performance.now()
  const cell = { peer: peer.name, role, test: test.name, alpn }
  const found = []
  const repeat = Number(options.repeat ?? (test.isMeasurement ? MEASUREMENTS : 1))
  for (let i = 1; i <= repeat; i++) {
    const id = [peer.name, role, test.name, ...(repeat > 1 ? [i] : [])].join('-')
    const directory = join(runs, id)
    try {
      found.push(await runCell(job, directory, certs))
      rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
    } catch (error) {
      const result = error instanceof Unsupported ? 'unsupported' : 'failed'
      if (result === 'unsupported') rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
      else
        for (const name of ['www', 'downloads', 'uploads'])
          rmSync(join(directory, name), { recursive: true, force: true })
      const times = repeat > 1 ? ` (${i} of ${repeat})` : ''
      const logs = result === 'failed' ? { logs: `.cache/interop/${id}` } : {}
      return { ...cell, result, ms: elapsed(start), reason: error.message + times, ...logs }
    }
  }
  return { ...cell, result: 'ok', ms: elapsed(start), ...(repeat > 1 && { runs: repeat }), ...noted(found) }
}

function noted(found) {
  if (found.some(each => each?.kbps !== undefined)) return { kbps: found.map(({ kbps }) => kbps) }
  return typeof found[0] === 'string' ? { note: found[0] } : {}
}

function elapsed(start) {
  return Math.round(performance.now() - start)
}

/** Some at once; each says how it went. */
async function carryOutAll(jobs, atOnce, certs, cells) {
  let next = 0
  const work = async () => {
    while (next < jobs.length && !isInterrupted) {
      const number = ++next
      const cell = await carryOut(jobs[number - 1], certs)
      if (isInterrupted) return
      cells.push(cell)
      say(`[${String(number).padStart(String(jobs.length).length)}/${jobs.length}] ${lineOf(cell)}`)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, jobs.length) }, work))
}

/** By length of the chain. */
function certificates(directory) {
  const made = new Map()
  return length => {
    const path = join(directory, String(length))
    if (!made.has(length)) made.set(length, makeCredentials(path, length))
    return path
  }
}

async function main() {
  assertTools()
  const wanted = options.peer ?? (options.quick ? quickPeers : peers.map(({ name }) => name))
  const chosen = peers.filter(({ name }) => wanted.includes(name))
  const cells = []
  mkdirSync(runs, { recursive: true })
  const versions = await install(chosen, cells)
  const jobs = plan(
    chosen.filter(({ name }) => name in versions),
    cases,
    options,
  )
  if (jobs.length + cells.length === 0) throw new Error('nothing to run: is there such a --peer, --role or --test?')
  const certs = certificates(certificateDirectory)
  const measurements = jobs.filter(({ test }) => test.isMeasurement)
  await carryOutAll(
    jobs.filter(job => !measurements.includes(job)),
    Number(options.jobs),
    certs,
    cells,
  )
  const isWhole = !options.quick && !options.peer && !options.test && !options.role
  const write = () =>
    (isWhole || options.write) && writeReport(root, { cells, versions, isWhole: isWhole && !isInterrupted })
  // Before the hour that measurements take.
  write()
  // What else runs would be measured with them.
  await carryOutAll(measurements, 1, certs, cells)
  write()
  if (options.json) process.stdout.write(`${JSON.stringify({ versions, cells })}\n`)
  say(summary(cells))
  if (isInterrupted) return 130
  return cells.some(cell => cell.result === 'failed' && !knownFailure(cell)) ? 1 : 0
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    isInterrupted = true
    stopAll()
  })
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`interop: ${error.message}\n`)
  process.exitCode = 2
} finally {
  await stopAll()
  rmSync(certificateDirectory, { recursive: true, force: true })
}

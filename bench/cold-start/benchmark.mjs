// What a process pays before it can do anything: importing each entry of the package, and a worker from its spawn to
// its first answer under provisioned keys. Each beside a bare `node -e 0`, in turns.

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { launch } from '@zerotrip/faas/generator'
import { defaultBackend, QuicEndpoint, withKeySharesAhead } from 'zerotrip'
import { connect } from 'zerotrip/http3'
import { ProvisionedClient } from 'zerotrip/zero-rtt'
import { median, rounded } from '../lib/statistics.mjs'

const run$ = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const handler = fileURLToPath(new URL('../first-request/function.mjs', import.meta.url))

/** Milliseconds beyond bare node. */
const limits = { import: 25, answer: 40 }
/** The entry a worker imports, by which the import is judged. */
const JUDGED = 'zerotrip/http3'

export async function run({ samples, quick = false }) {
  const count = samples ?? (quick ? 5 : 15)
  const entries = entryNames()
  const rows = Object.fromEntries(['bare', ...entries, 'answer'].map(name => [name, []]))
  for (let turn = -1; turn < count; turn++) {
    const measured = { bare: await importing('0') }
    for (const entry of entries) measured[entry] = await importing(`await import('${entry}')`)
    measured.answer = await firstAnswer()
    if (turn < 0) continue
    for (const [name, row] of Object.entries(measured)) rows[name].push(row)
  }
  return summary(rows, count)
}

function entryNames() {
  const { name, exports } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return Object.keys(exports)
    .filter(entry => !entry.endsWith('.json') && entry !== './undici')
    .map(entry => name + entry.slice(1))
}

/** Wall-clock time of a whole process, and the CPU time it counted itself. */
async function importing(code) {
  const script = `${code}; const { user, system } = process.cpuUsage(); console.log((user + system) / 1000)`
  const begun = performance.now()
  const { stdout } = await run$(process.execPath, ['--input-type=module', '-e', script], { cwd: root })
  return { ms: performance.now() - begun, cpuMs: Number(stdout) }
}

/** From the spawn of a worker to its answer; the client is a gateway that runs already. */
async function firstAnswer() {
  const endpoint = new QuicEndpoint({ host: '127.0.0.1', backend: withKeySharesAhead(defaultBackend, 2) })
  await endpoint.ready
  const begun = performance.now()
  const worker = await launch({ handler, clientId: 'bench' })
  const listensMs = performance.now() - begun
  try {
    const tickets = new ProvisionedClient(defaultBackend, worker.client, Date.now)
    const ca = worker.announcement.certificate
    const http3 = connect(`https://${worker.origin}`, { endpoint, ca, tickets, earlyData: true })
    const response = await http3.fetch('/')
    const { byteLength } = await response.arrayBuffer()
    const ms = performance.now() - begun
    if (response.status !== 200 || byteLength !== 100) throw new Error(`${response.status}, ${byteLength} bytes`)
    await http3.close()
    return { ms, listensMs }
  } finally {
    await endpoint.close()
    await worker.stop()
  }
}

function summary(rows, samples) {
  const of = (name, field) => median(rows[name].map(row => row[field]))
  const entries = {}
  for (const name of Object.keys(rows).filter(each => each !== 'bare' && each !== 'answer')) {
    entries[name] = {
      beyondMs: rounded(of(name, 'ms') - of('bare', 'ms')),
      beyondCpuMs: rounded(of(name, 'cpuMs') - of('bare', 'cpuMs')),
    }
  }
  const bare = { ms: rounded(of('bare', 'ms')), cpuMs: rounded(of('bare', 'cpuMs')) }
  const answer = {
    ms: rounded(of('answer', 'ms')),
    listensMs: rounded(of('answer', 'listensMs')),
    beyondMs: rounded(of('answer', 'ms') - of('bare', 'ms')),
  }
  const reached = [
    {
      target: `cold start: ms of CPU to import ${JUDGED}, beyond bare node`,
      bound: limits.import,
      value: entries[JUDGED].beyondCpuMs,
    },
    {
      target: 'cold start: ms to the first provisioned answer, beyond node -e 0',
      bound: limits.answer,
      value: answer.beyondMs,
    },
  ].map(each => ({ ...each, isReached: each.value <= each.bound }))
  return { bare, entries, answer, samples, reached, isReached: reached.every(each => each.isReached) }
}

export function print({ environment, bare, entries, answer, samples, reached }) {
  const { node, cpu, cores, date } = environment
  return [
    `cold start, medians of ${samples}, in turns; bare node: ${bare.ms} ms (${bare.cpuMs} ms of CPU)`,
    `Node ${node}, ${cores} × ${cpu}, ${date}`,
    '',
    `${'import of'.padEnd(26)}${'ms beyond'.padStart(12)}${'CPU ms beyond'.padStart(16)}`,
    ...Object.entries(entries).map(
      ([name, { beyondMs, beyondCpuMs }]) =>
        `${name.padEnd(26)}${String(beyondMs).padStart(12)}${String(beyondCpuMs).padStart(16)}`,
    ),
    `${'worker, spawn to listening'.padEnd(26)}${String(rounded(answer.listensMs - bare.ms)).padStart(12)}`,
    `${'worker, spawn to answer'.padEnd(26)}${String(answer.beyondMs).padStart(12)}`,
    '',
    ...reached.map(
      ({ target, bound, value, isReached }) => `${isReached ? '✓' : '✗'} ${target}: ${value}, at most ${bound}`,
    ),
  ].join('\n')
}

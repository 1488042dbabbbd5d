// Every benchmark one after the other, and every target with what was measured: npm run bench -- all --quick --json.

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { judge } from './targets.mjs'

const parts = {
  'cold-start': () => import('../cold-start/benchmark.mjs'),
  'handshake-cpu': () => import('../handshake-cpu/benchmark.mjs'),
  handshakes: () => import('../handshakes/benchmark.mjs'),
  'first-request': () => import('../first-request/benchmark.mjs'),
  distance: () => import('../distance/benchmark.mjs'),
  megabyte: () => import('../megabyte/benchmark.mjs'),
  loss: () => import('../loss/benchmark.mjs'),
  bulk: () => import('../bulk/benchmark.mjs'),
  requests: () => import('../requests/benchmark.mjs'),
  growth: () => import('../growth/benchmark.mjs'),
}

/** Samples where there is little time, of those that do not know themselves. */
const QUICK = { 'handshake-cpu': 20, 'first-request': 100, bulk: 3 }

export async function run({ samples, quick = false }) {
  const results = {}
  const seconds = {}
  for (const [name, measure] of [['micro', () => micro(quick)], ...Object.entries(parts)]) {
    process.stderr.write(`${name}…\n`)
    const begun = performance.now()
    results[name] = await attempt(name, measure, { samples, quick })
    seconds[name] = Math.round((performance.now() - begun) / 1000)
  }
  const targets = judge(results)
  const isReached = targets.every(target => target.isReached || target.isStretch)
  return { quick, targets, seconds, results, isReached }
}

/** What is kept: the targets, and every benchmark by itself; of micro all sizes are, by a command of its own. */
export function partsOf({ environment, quick, results, ...targets }) {
  const parts = Object.entries(results).filter(([name, { failed }]) => name !== 'micro' && failed === undefined)
  return [
    { environment, quick, ...targets },
    ...parts.map(([benchmark, result]) => ({ benchmark, environment, quick, ...result })),
  ]
}

/** One that fails does not take the others with it. */
async function attempt(name, load, { samples, quick }) {
  try {
    const loaded = await load()
    if (name === 'micro') return loaded
    return await loaded.run({ samples: samples ?? (quick ? QUICK[name] : undefined), quick })
  } catch (error) {
    return { failed: String(error?.message ?? error).split('\n')[0] }
  }
}

/** In processes of their own: its figures are of code that nothing else has used. */
function micro(quick) {
  if (!quick) return microOf([])
  // Of all sizes those that are judged.
  const parts = [' 40 ', ' 1200 '].map(size => microOf(['--time', '0.03', '--filter', size]))
  return { ratios: Object.assign({}, ...parts.map(part => part.ratios)), rows: parts.flatMap(part => part.rows) }
}

function microOf(options) {
  const script = fileURLToPath(new URL('../micro/main.mjs', import.meta.url))
  const output = execFileSync(process.execPath, [script, '--json', ...options], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  return JSON.parse(output)
}

export function print({ environment, targets, seconds, results }) {
  const { node, cpu, cores, date } = environment
  const failed = Object.entries(results).filter(([, result]) => result.failed !== undefined)
  const sum = Object.values(seconds).reduce((all, each) => all + each, 0)
  return [
    `all benchmarks, ${sum} s, Node ${node}, ${cores} × ${cpu}, ${date}`,
    '',
    ...targets.map(
      row => `${row.isReached ? '✓' : '✗'} ${row.target.padEnd(76)}${measuredOf(row).padStart(8)}  ${boundOf(row)}`,
    ),
    ...failed.map(([name, { failed: why }]) => `✗ ${name}: ${why}`),
  ].join('\n')
}

function measuredOf({ value, skipped }) {
  return skipped === undefined ? String(value) : `- (${skipped})`
}

function boundOf({ atMost, atLeast, isStretch }) {
  const bounds = [atLeast === undefined ? '' : `at least ${atLeast}`, atMost === undefined ? '' : `at most ${atMost}`]
  return `${bounds.filter(Boolean).join(', ')}${isStretch ? ' (stretch)' : ''}`
}

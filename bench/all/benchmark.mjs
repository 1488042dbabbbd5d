// Every benchmark one after the other, and every target with what was measured: npm run bench -- all --quick --json.

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const parts = {
  'cold-start': () => import('../cold-start/benchmark.mjs'),
  'handshake-cpu': () => import('../handshake-cpu/benchmark.mjs'),
  'first-request': () => import('../first-request/benchmark.mjs'),
  bulk: () => import('../bulk/benchmark.mjs'),
  requests: () => import('../requests/benchmark.mjs'),
}

/** Samples where there is little time. */
const QUICK = { 'handshake-cpu': 20, 'first-request': 100, bulk: 3, requests: 2 }

export async function run({ samples, quick = false }) {
  const results = { micro: micro(quick) }
  for (const [name, load] of Object.entries(parts)) {
    try {
      const { run: measure } = await load()
      results[name] = await measure({ samples: samples ?? (quick ? QUICK[name] : undefined), quick })
    } catch (error) {
      results[name] = { failed: String(error?.message ?? error).split('\n')[0] }
    }
  }
  const targets = judge(results)
  return { quick, targets, results, isReached: targets.every(({ isReached }) => isReached) }
}

/** In a process of its own: its figures are of code that nothing else has used. */
function micro(quick) {
  const script = fileURLToPath(new URL('../micro/main.mjs', import.meta.url))
  const options = quick ? ['--time', '0.03', '--filter', 'packets'] : []
  const output = execFileSync(process.execPath, [script, '--json', ...options], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  return JSON.parse(output)
}

/** One row for each target: its name, what it is at most or at least, and what it was. */
function judge(results) {
  const rows = []
  const atMost = (target, bound, value) => rows.push({ target, atMost: bound, value, isReached: value <= bound })
  const atLeast = (target, bound, value) => rows.push({ target, atLeast: bound, value, isReached: value >= bound })
  const seal = (size, ours, theirs) => results.micro.ratios?.[`seal+open ${size}: ${ours} / raw node:crypto ${theirs}`]
  atMost('seal+open 1,200 bytes, wasm / raw node:crypto', 0.4, seal(1200, 'wasm chacha20', 'chacha20'))
  atMost('seal+open 40 bytes, wasm / raw node:crypto', 0.2, seal(40, 'wasm chacha20', 'chacha20'))
  atMost('seal+open 1,200 bytes, node backend / raw node:crypto', 1.15, seal(1200, 'node aes-128-gcm', 'aes-128-gcm'))
  const cpu = results['handshake-cpu']
  atMost('handshake CPU, resumed / node:tls resumed', 0.7, cpu.resumed?.ratio)
  atMost('handshake CPU, provisioned / node:tls resumed', 0.7, cpu.provisioned?.ratio)
  const first = results['first-request'].ratios ?? {}
  atMost('first request, provisioned / TLS 1.3 resumed (node:https)', 0.5, first['tls13-resumed'])
  atMost('first request, provisioned / new TCP (stretch)', 1, first['tcp'])
  for (const { target, bound, value } of results['cold-start'].reached ?? []) atMost(target, bound, value)
  for (const { target, bound, ratio } of results.bulk.reached ?? []) atLeast(target, bound, ratio)
  for (const { load, other, bound, ratio } of results.requests.reached ?? []) {
    atLeast(`requests per second, ${load}, stream / ${other}`, bound, ratio)
  }
  return rows
}

export function print({ environment, targets, results }) {
  const { node, cpu, cores, date } = environment
  const failed = Object.entries(results).filter(([, result]) => result.failed !== undefined)
  return [
    `all benchmarks, Node ${node}, ${cores} × ${cpu}, ${date}`,
    '',
    ...targets.map(({ target, atMost, atLeast, value, isReached }) => {
      const bound = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`
      return `${isReached ? '✓' : '✗'} ${target.padEnd(66)}${String(value).padStart(8)}  ${bound}`
    }),
    ...failed.map(([name, { failed: why }]) => `✗ ${name}: ${why}`),
  ].join('\n')
}

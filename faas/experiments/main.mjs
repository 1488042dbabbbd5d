// npm run faas:experiments -- NAME [--quick] [--json] [--save] [--samples N]
//
// The experiments of the QFaaS paper and two of robustness, each beside the paper's figure. `--save` keeps the result,
// with all samples and conditions, in faas/results, and a figure like the paper's beside it.
//
// npm run faas:experiments -- report: a page of what is kept there, faas/results/README.md.

import { mkdirSync, writeFileSync } from 'node:fs'
import { environment } from '../../bench/environment.mjs'
import { commandLine } from '../../bench/lib/command-line.mjs'
import { plotOf } from './lib/plot.mjs'
import { Progress } from './lib/progress.mjs'
import { reportOf } from './lib/report.mjs'
import { tableOf } from './lib/table.mjs'

/** By name, loaded when asked for. */
const experiments = {
  fig5a: async () => (await import('./fig5.mjs')).fig5a,
  fig5b: async () => (await import('./fig5.mjs')).fig5b,
  fig5c: async () => (await import('./fig5c.mjs')).fig5c,
  fig5d: async () => (await import('./fig5.mjs')).fig5d,
  fig7: async () => (await import('./fig7.mjs')).fig7,
  fig8: async () => (await import('./fig8.mjs')).fig8,
  fig10: async () => (await import('./fig10.mjs')).fig10,
  fig11: async () => (await import('./fig11.mjs')).fig11,
  cpu: async () => (await import('./cpu.mjs')).cpu,
  r1: async () => (await import('./r1.mjs')).r1,
  r2: async () => (await import('./r2.mjs')).r2,
}

const folder = new URL('../results/', import.meta.url)
const known = Object.keys(experiments)
const { name: asked, samples, ...values } = commandLine('faas:experiments', [...known, 'all', 'report'])
if (asked === 'report') {
  writeFileSync(new URL('README.md', folder), reportOf(folder, known))
  process.exit(0)
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

const results = []
for (const name of asked === 'all' ? known : [asked]) {
  try {
    results.push(await runOne(name))
  } catch (error) {
    // The others can do without it.
    console.error(`faas:experiments: ${name}: ${error.stack}`)
    process.exitCode = 2
  }
}
if (values.json) console.log(JSON.stringify(asked === 'all' ? results : results[0], undefined, 2))
if (results.some(result => !result.isReached)) process.exitCode ||= 1

async function runOne(name) {
  const experiment = await experiments[name]()
  const progress = new Progress(name)
  const began = performance.now()
  const found = await experiment.run({ quick: values.quick, samples, onProgress: progress.show })
  progress.end()
  const { raw, ...rest } = found
  const result = {
    experiment: name,
    title: experiment.title,
    environment: environment(),
    seconds: Math.round((performance.now() - began) / 1000),
    ...rest,
    isReached: (rest.comparisons ?? []).every(({ isReached }) => isReached !== false),
    raw,
  }
  if (!values.json) console.log(`${tableOf(result)}\n`)
  if (values.save) save(result)
  return result
}

function save(result) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(`${result.experiment}.json`, folder), compact(result))
  const svg = plotOf(result)
  if (svg !== undefined) writeFileSync(new URL(`${result.experiment}.svg`, folder), svg)
}

/** Samples one line each list: they are to be kept, not to be read. */
function compact(result) {
  const { raw, ...rest } = result
  const lines = Object.entries(raw ?? {}).map(
    ([key, list]) =>
      `    ${JSON.stringify(key)}: ${JSON.stringify(list, (_, value) => (typeof value === 'number' ? Number(value.toFixed(3)) : value))}`,
  )
  const head = JSON.stringify(rest, undefined, 2).replace(/\n}$/, '')
  return `${head},\n  "raw": {\n${lines.join(',\n')}\n  }\n}\n`
}

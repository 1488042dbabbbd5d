// npm run bench -- NAME [--json] [--samples N] [--quick] [--save]
//
// Each benchmark is a module that exports `run` and `print`; `--save` keeps the result,
// with the machine and the date, in bench/results, or what `partsOf` makes of it.

import { mkdirSync, writeFileSync } from 'node:fs'
import { environment } from './environment.mjs'
import { commandLine } from './lib/command-line.mjs'

/** By name, loaded when asked for. */
const benchmarks = {
  all: () => import('./all/benchmark.mjs'),
  bulk: () => import('./bulk/benchmark.mjs'),
  'cold-start': () => import('./cold-start/benchmark.mjs'),
  'datagram-size': () => import('./datagram-size/benchmark.mjs'),
  distance: () => import('./distance/benchmark.mjs'),
  'first-request': () => import('./first-request/benchmark.mjs'),
  growth: () => import('./growth/benchmark.mjs'),
  'handshake-cpu': () => import('./handshake-cpu/benchmark.mjs'),
  loss: () => import('./loss/benchmark.mjs'),
  megabyte: () => import('./megabyte/benchmark.mjs'),
  handshakes: () => import('./handshakes/benchmark.mjs'),
  provisioning: () => import('./provisioning/benchmark.mjs'),
  requests: () => import('./requests/benchmark.mjs'),
  qpack: () => import('./qpack/benchmark.mjs'),
}

const { name, samples, ...values } = commandLine('bench', Object.keys(benchmarks))
const benchmark = await benchmarks[name]()
const result = {
  benchmark: name,
  environment: environment(),
  ...(await benchmark.run({ samples, quick: values.quick })),
}
console.log(values.json ? JSON.stringify(result, undefined, 2) : benchmark.print(result))
if (values.save) for (const each of benchmark.partsOf?.(result) ?? [result]) keep(each)
if (!result.isReached) process.exitCode = 1

function keep(part) {
  const folder = new URL('results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(`${part.benchmark}.json`, folder), `${JSON.stringify(part, undefined, 2)}\n`)
}

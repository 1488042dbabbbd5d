// npm run fuzz: frames by chance, on all cores, until so many were sent. Exit code 0: every promise was kept.

import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { Coverage, type Lines, linesOf, type Marks, merge, READERS } from './coverage.ts'
import type { BatchResult } from './run-batch.ts'
import { Tally } from './tally.ts'

const usage = 'npm run fuzz -- [--frames 1000000] [--seed 1] [--lines] [--json]'

if (isMainThread) process.exitCode = await main()
else await work()

/** A worker: runs the seeds it is handed, and says in the end which code has run. */
async function work(): Promise<void> {
  const coverage = new Coverage()
  const { runBatch } = await import('./run-batch.ts')
  parentPort?.on('message', (seed: number) => {
    parentPort?.postMessage(seed < 0 ? coverage.take() : runBatch(seed))
  })
}

interface Results {
  readonly tally: Tally
  readonly failures: readonly BatchResult[]
  /** Of the readers and the dispatch, and of all that acts on frames. */
  readonly readers: Lines
  readonly lines: Lines
  readonly seconds: number
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      frames: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      lines: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const frames = Number(values.frames)
  const seed = Number(values.seed)
  if (values.help || !(frames > 0) || !Number.isSafeInteger(seed) || seed < 0) {
    console.log(usage)
    return values.help ? 0 : 2
  }
  const results = await runAll(seed, frames)
  if (values.json) console.log(JSON.stringify(summary(results)))
  else report(results, values.lines)
  return results.failures.length === 0 ? 0 : 1
}

/** Whoever is free takes the next seed, until enough was sent or something broke. */
async function runAll(firstSeed: number, frames: number): Promise<Results> {
  const started = performance.now()
  const tally = new Tally()
  const failures: BatchResult[] = []
  const marks: Marks[] = []
  let seed = firstSeed
  const run = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url))
      const hand = (): void => worker.postMessage(tally.frames >= frames || failures.length > 0 ? -1 : seed++)
      worker.on('error', reject)
      worker.on('message', (result: BatchResult | Marks) => {
        if (result instanceof Map) {
          marks.push(result)
          return void worker.terminate().then(() => resolve())
        }
        tally.add(result.tally)
        if (result.failure !== undefined) failures.push(result)
        if (process.stderr.isTTY) process.stderr.write(`\r${tally.frames} frames `)
        hand()
      })
      hand()
    })
  await Promise.all(Array.from({ length: frames < 5000 ? 1 : availableParallelism() }, run))
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  const merged = merge(marks)
  return {
    tally,
    failures,
    readers: linesOf(merged, READERS),
    lines: linesOf(merged),
    seconds: (performance.now() - started) / 1000,
  }
}

function summary({ tally, failures, readers, lines, seconds }: Results): object {
  return {
    frames: tally.frames,
    connections: tally.scripts,
    seconds,
    ends: Object.fromEntries(tally.ends),
    kinds: Object.fromEntries(tally.kinds),
    readers,
    lines,
    failures: failures.map(({ seed, failure }) => ({ seed, failure })),
  }
}

function report({ tally, failures, readers, lines, seconds }: Results, isThorough: boolean): void {
  const ends = [...tally.ends].sort((a, b) => b[1] - a[1])
  console.log(`${tally.frames} frames in ${tally.scripts} connections, ${seconds.toFixed(0)} s`)
  console.log(`${tally.kinds.size} kinds of frames by role and level`)
  console.log(`ended: ${ends.map(([name, times]) => `${name} ${times}`).join(', ')}`)
  console.log(
    `lines that ran: ${ran(readers)} of the readers and the dispatch, ${ran(lines)} with all that acts on frames`,
  )
  if (isThorough) for (const line of lines.missed) console.log(`  ${line}`)
  for (const { seed, failure } of failures) {
    console.log(`\nseed ${seed}: ${failure}\nagain: npm run fuzz -- --seed ${seed} --frames 1`)
  }
}

function ran({ total, missed }: Lines): string {
  return `${total - missed.length} of ${total}`
}

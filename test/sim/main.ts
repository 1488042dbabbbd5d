// npm run sim: many networks by seed, on all cores, and the congestion scenarios. Exit code 0: nothing failed.

import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { QLOG_EXTENSION, QlogWriter } from '../../src/qlog/qlog-writer.ts'
import { type CongestionResult, runCongestion } from './congestion.ts'
import { congestionScenarios } from './congestion-scenarios.ts'
import { FLEET, Fleet, faultOf } from './fleet.ts'
import { Gallery } from './gallery.ts'
import { runSeed, type SeedResult } from './run-seed.ts'
import { scenarioNames, seedsFor } from './scenarios.ts'
import { LOOPBACK_DATAGRAM, measureTransfers, PASSES, TRANSFER, type TransferResult } from './transfer.ts'
import type { Crypto } from './world.ts'

interface Batch {
  readonly seeds: readonly number[]
  readonly crypto: Crypto
}

interface Tally {
  seeds: number
  failed: number
  simulatedSeconds: number
  megabytes: number
}

/** Handed to a worker at once. */
const BATCH = 40
/** Failures that are printed. */
const MAX_TOLD = 20

/** Pictures, when nobody says where to. */
const PLOTS = '.cache/plot'

const usage = `npm run sim -- [--seeds 5000] [--scenario NAME] [--crypto fast|node] [--plot [DIR]] [--json]
npm run sim -- --seed N [--crypto fast|node] [--qlog DIR] [--plot [DIR]]
npm run sim -- --scenario fleet [--events 1000] [--seed N] [--json]
Scenarios: ${[...scenarioNames, ...congestionScenarios.map(({ name }) => name), TRANSFER, FLEET].join(' ')}`

if (isMainThread) process.exitCode = await main()
else parentPort?.on('message', (batch: Batch) => parentPort?.postMessage(run(batch)))

function run({ seeds, crypto }: Batch): SeedResult[] {
  return seeds.map(seed => runSeed(seed, { crypto }))
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: withDefaultDirectory(process.argv.slice(2)),
    options: {
      seeds: { type: 'string', default: '5000' },
      seed: { type: 'string' },
      scenario: { type: 'string' },
      events: { type: 'string', default: '1000' },
      crypto: { type: 'string', default: 'fast' },
      plot: { type: 'string' },
      qlog: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const { crypto, scenario, seed } = values
  if (values.help || (crypto !== 'fast' && crypto !== 'node')) {
    console.log(usage)
    return values.help ? 0 : 2
  }
  if (scenario === FLEET) return runFleet(Number(seed ?? 8446), Number(values.events), crypto, values.json)
  const gallery = values.plot === undefined ? undefined : new Gallery(values.plot)
  if (seed !== undefined) return repeat(Number(seed), crypto, values.qlog, gallery)
  const isCongestion = scenario === TRANSFER || congestionScenarios.some(({ name }) => name === scenario)
  if (scenario !== undefined && !isCongestion && !scenarioNames.includes(scenario)) {
    console.error(`no scenario ${scenario}\n${usage}`)
    return 2
  }
  const congestion = scenario === undefined || isCongestion ? runAllCongestion(crypto, scenario, gallery) : []
  if (!isCongestion) gallery?.addScenarios(crypto, scenario, progress)
  // Before the seeds take all cores.
  const transfers = scenario === undefined || scenario === TRANSFER ? measureTransfers(crypto, progress) : []
  const seeds = isCongestion ? [] : seedsFor(Number(values.seeds), scenario)
  const results = await runAll(seeds, crypto)
  if (gallery !== undefined) show(gallery)
  return report(results, congestion, transfers, crypto, values.json)
}

/** `--plot` may stand alone. */
function withDefaultDirectory(args: readonly string[]): string[] {
  return args.flatMap((arg, i) => (arg === '--plot' && (args[i + 1] ?? '-').startsWith('-') ? [arg, PLOTS] : [arg]))
}

function show(gallery: Gallery): void {
  gallery.finish()
  progress('')
  console.error(`pictures: ${gallery.page}`)
}

/** One seed again, with a log of each side if wanted. */
function repeat(seed: number, crypto: Crypto, directory: string | undefined, gallery: Gallery | undefined): number {
  const logs = { client: '', server: '' }
  const result = runSeed(seed, {
    crypto,
    ...(directory !== undefined && {
      recorder: (vantagePoint, odcid) =>
        new QlogWriter(
          text => {
            logs[vantagePoint] += text
          },
          { vantagePoint, odcid, title: `seed ${seed}` },
        ),
    }),
  })
  if (directory !== undefined) {
    mkdirSync(directory, { recursive: true })
    for (const side of ['client', 'server'] as const) {
      writeFileSync(join(directory, `seed-${seed}_${side}${QLOG_EXTENSION}`), logs[side])
    }
  }
  if (gallery !== undefined) {
    gallery.addSeed(seed, crypto)
    show(gallery)
  }
  console.log(`seed ${seed}, ${result.scenario}, ${crypto} crypto: ${result.error ?? 'passed'}`)
  console.log(
    `${(result.simulated / 1000).toFixed(1)} s simulated, ${result.bytes} bytes, ${result.happened} happenings`,
  )
  return result.error === undefined ? 0 : 1
}

/** A platform that starts and stops instances: which first requests are early, and why others are not. */
function runFleet(seed: number, events: number, crypto: Crypto, isJson: boolean): number {
  const result = new Fleet(seed, crypto).run(events, done => progress(`${done} of ${events} events`))
  progress('')
  const error = faultOf(result)
  if (isJson) console.log(JSON.stringify({ seed, ...result, error: error ?? null }))
  else {
    const { requests, accepted, refused, unanswered, twice, lost, replayed } = result
    const why = Object.entries(refused).map(([reason, times]) => `${times} ${reason}`)
    console.log(`${events} events by seed ${seed}: ${accepted} of ${requests} first requests were early`)
    console.log(`refused: ${why.join(', ') || 'none'}; instances that were gone: ${unanswered}; replays: ${replayed}`)
    console.log(`run twice: ${twice.length}; never run: ${lost.length}; ${error ?? 'passed'}`)
  }
  return error === undefined ? 0 : 1
}

function runAllCongestion(crypto: Crypto, only: string | undefined, gallery: Gallery | undefined): CongestionResult[] {
  const results: CongestionResult[] = []
  for (const scenario of congestionScenarios) {
    if (only !== undefined && scenario.name !== only) continue
    progress(scenario.name)
    const result = runCongestion(scenario, crypto)
    results.push(result)
    gallery?.addCongestion(result)
  }
  return results
}

/** Whoever is free takes the next batch. */
async function runAll(seeds: readonly number[], crypto: Crypto): Promise<SeedResult[]> {
  const results: SeedResult[] = []
  let next = 0
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url))
      const hand = (): void => {
        if (next >= seeds.length) return void worker.terminate().then(() => resolve())
        worker.postMessage({ seeds: seeds.slice(next, next + BATCH), crypto } satisfies Batch)
        next += BATCH
      }
      worker.on('error', reject)
      worker.on('message', (done: SeedResult[]) => {
        results.push(...done)
        progress(`${results.length} of ${seeds.length} seeds`)
        hand()
      })
      hand()
    })
  const workers = Math.min(availableParallelism(), Math.ceil(seeds.length / BATCH))
  await Promise.all(Array.from({ length: workers }, work))
  return results.sort((a, b) => a.seed - b.seed)
}

function report(
  results: SeedResult[],
  congestion: CongestionResult[],
  transfers: TransferResult[],
  crypto: Crypto,
  isJson: boolean,
): number {
  progress('')
  const failures = results.filter(({ error }) => error !== undefined)
  const failed = failures.length + wrong([...congestion, ...transfers])
  const scenarios: Record<string, unknown> = {}
  for (const [name, tally] of tallies(results)) scenarios[name] = tally
  for (const { name, error, use, fairness, shares, lostInSlowStart, realTimeFactor } of congestion) {
    scenarios[name] = {
      failed: error === undefined ? 0 : 1,
      use: round(use),
      jain: round(fairness),
      shares: shares.map(round).join(' '),
      lostInSlowStart: lostInSlowStart ?? null,
      realTimeFactor: round(realTimeFactor),
    }
  }
  for (const { seed, scenario, error } of failures.slice(0, MAX_TOLD)) {
    console.error(
      `seed ${seed} (${scenario}): ${firstLine(error)}\n  npm run sim -- --seed ${seed} --crypto ${crypto} --qlog .cache/qlog`,
    )
  }
  for (const { name, error } of congestion) {
    if (error !== undefined)
      console.error(`${name}: ${error}\n  npm run sim -- --scenario ${name} --crypto ${crypto} --plot`)
  }
  for (const { datagramSize, error } of transfers) {
    if (error !== undefined) console.error(`${TRANSFER} in datagrams of ${datagramSize} bytes: ${firstLine(error)}`)
  }
  const transfer: Record<number, number> = {}
  const byWallClock: Record<number, number> = {}
  for (const result of transfers) {
    transfer[result.datagramSize] = round(result.realTimeFactor)
    byWallClock[result.datagramSize] = round(result.byWallClock)
  }
  const realTimeFactor = transfer[LOOPBACK_DATAGRAM] ?? null
  if (isJson) {
    // How fast in datagrams of which size.
    if (transfers.length > 0) scenarios[TRANSFER] = { failed: wrong(transfers), realTimeFactor: transfer, byWallClock }
    console.log(JSON.stringify({ seeds: results.length, failed, realTimeFactor, scenarios }))
  } else {
    console.log(`${results.length} seeds, ${failed} failed, ${crypto} crypto`)
    if (transfers.length > 0) tellTransfers(transfers)
    if (Object.keys(scenarios).length > 0) console.table(scenarios)
  }
  return failed === 0 ? 0 : 1
}

/** How many times as fast as in real time: it goes by packets, and so by the size of datagrams. */
function tellTransfers(transfers: readonly TransferResult[]): void {
  console.log(
    `100 Mbit/s run so many times as fast as in real time, by time of the processor (best of ${PASSES} passes, after a warm-up):`,
  )
  for (const { datagramSize, realTimeFactor, byWallClock } of transfers) {
    const where = datagramSize === LOOPBACK_DATAGRAM ? ', the most the loopback interface carries' : ''
    const wall = `${byWallClock.toFixed(1)} by the wall clock`
    console.log(`  ${realTimeFactor.toFixed(1)} (${wall}) in datagrams of ${datagramSize} bytes${where}`)
  }
}

function tallies(results: readonly SeedResult[]): Map<string, Tally> {
  const all = new Map<string, Tally>()
  for (const { scenario, error, simulated, bytes } of results) {
    const tally = all.get(scenario) ?? { seeds: 0, failed: 0, simulatedSeconds: 0, megabytes: 0 }
    tally.seeds++
    if (error !== undefined) tally.failed++
    tally.simulatedSeconds = round(tally.simulatedSeconds + simulated / 1000)
    tally.megabytes = round(tally.megabytes + bytes / 1e6)
    all.set(scenario, tally)
  }
  return all
}

function round(value: number): number {
  return Number(value.toFixed(3))
}

function firstLine(error: string | undefined): string {
  return (error ?? '').split('\n')[0] as string
}

function wrong(results: readonly { readonly error: string | undefined }[]): number {
  return results.filter(({ error }) => error !== undefined).length
}

/** On a terminal, one line that changes. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
}

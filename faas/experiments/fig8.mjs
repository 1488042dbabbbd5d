// Figure 8: chains of functions, each of which calls the next one through the gateway, with a connection for each call:
// function to gateway and gateway to worker.

import { inTurns } from '../../bench/lib/turns.mjs'
import { Scene } from './lib/calls.mjs'
import { IDLE, startOptions } from './lib/chains.mjs'
import { change, line, summary } from './lib/summary.mjs'
import { systems } from './lib/systems.mjs'

const DELAY = 0.5
const NAMES = ['tcp', 'tls12', 'tls13', 'tls13-resumed', 'quic-0rtt']
const LENGTHS = [1, 2, 3, 4, 5, 6]
const WARM_UP = 1500

export const fig8 = {
  title: 'Nested chains of functions, a connection for each call',
  async run({ quick, samples = quick ? 8 : 100, onProgress }) {
    const scene = await Scene.open(DELAY, NAMES, { isReachable: true })
    scene.idle = IDLE
    try {
      for (const length of LENGTHS) {
        await scene.put(`chain${length}`, await scene.start('chain.mjs', await startOptions(scene, 'quic-0rtt')))
      }
      const calls = LENGTHS.flatMap(length => NAMES.map(name => `${length} ${name}`))
      await warmUp(scene, quick ? WARM_UP / 10 : WARM_UP, onProgress)
      const results = await inTurns(calls, { samples, warmUp: 1, onProgress }, key => call(scene, key))
      return conclude(scene, results, samples)
    } finally {
      await scene.close()
    }
  },
}

/** Six workers and the gateway's front have more to compile than one. */
async function warmUp(scene, count, onProgress) {
  await scene.network.setDelay(0)
  const progress = share => onProgress(0, `warming up, ${Math.round(100 * share)} %`)
  const warm = NAMES.map(name => `6 ${name}`)
  await inTurns(warm, { samples: count, warmUp: 0, onProgress: progress }, key => call(scene, key))
  await scene.network.setDelay(DELAY)
}

async function call(scene, key) {
  const [length, name] = key.split(' ')
  const { ms, text } = await scene.call(name, { path: `/function/chain${length}/?length=${length}&via=${name}` })
  if (text.length !== Number(length)) throw new Error(`${key}: a chain of ${text.length}: ${text}`)
  return { ms, text }
}

function conclude(scene, results, samples) {
  const raw = Object.fromEntries(Object.entries(results).map(([key, list]) => [key, list.map(({ ms }) => ms)]))
  const curves = NAMES.map(name => {
    const p50ms = LENGTHS.map(length => summary(raw[`${length} ${name}`]).p50ms)
    return { system: name, label: systems[name].label, p50ms, ...line(LENGTHS, p50ms) }
  })
  const early = earlyShare(results)
  return {
    conditions: { ...scene.network.conditions, samples, warmUp: WARM_UP },
    lengths: LENGTHS,
    curves,
    earlyShare: early,
    lines: linesOf(curves, early),
    comparisons: compare(raw, curves),
    raw,
  }
}

/** Of the calls from function to function that went by QUIC, how many were early. The user's own is by TCP. */
function earlyShare(results) {
  const marks = LENGTHS.flatMap(length => results[`${length} quic-0rtt`]).flatMap(({ text }) => [...text.slice(1)])
  return marks.filter(mark => mark === 'E').length / marks.length
}

function linesOf(curves, early) {
  const cells = values => values.map(value => value.toFixed(2).padStart(8)).join('')
  return [
    `${'functions, p50 ms'.padEnd(28)}${LENGTHS.map(length => String(length).padStart(8)).join('')}`,
    ...curves.map(({ label, p50ms, slope }) => `${label.padEnd(28)}${cells(p50ms)}   ${slope.toFixed(2)} ms for each`),
    '',
    `calls from function to function that were 0-RTT: ${(100 * early).toFixed(1)} %`,
  ]
}

function compare(raw, curves) {
  const six = name => change(raw['6 quic-0rtt'], raw[`6 ${name}`])
  const full = six('tls13')
  const [tls, ours] = ['tls13', 'quic-0rtt'].map(name => curves.find(({ system }) => system === name))
  const saved = line(
    LENGTHS,
    LENGTHS.map((_, i) => tls.p50ms[i] - ours.p50ms[i]),
  )
  return [
    { what: 'six functions: 0-RTT to TLS 1.3, full', ...full, paper: -0.4, most: -0.4, isReached: full.change <= -0.4 },
    { what: 'six functions: 0-RTT to TLS 1.3, resumed', ...six('tls13-resumed'), paper: undefined },
    { what: 'six functions: 0-RTT to TCP', ...six('tcp'), paper: '≈ TCP' },
    {
      what: 'what is saved is linear in the length: R²',
      text: saved.r2.toFixed(3),
      r2: saved.r2,
      paper: '–',
      wanted: '> 0.95',
      isReached: saved.r2 > 0.95,
    },
  ]
}

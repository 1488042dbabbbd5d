// Figure 5c: the first request to an instance that was started for it. Nobody can have a ticket of it; with the
// Generator the gateway has a key of it all the same.

import { setTimeout as sleep } from 'node:timers/promises'
import { median, rounded } from '../../bench/lib/statistics.mjs'
import { inTurns } from '../../bench/lib/turns.mjs'
import { Scene } from './lib/calls.mjs'
import { change, counted, summary } from './lib/summary.mjs'
import { systems } from './lib/systems.mjs'

const DELAY = 0.5
const NAMES = ['tcp', 'tls12', 'tls13', 'quic-1rtt', 'quic-0rtt']
const WARM_UP = 3000

export const fig5c = {
  title: 'The first request to an instance that was just started',
  async run({ quick, samples = quick ? 8 : 100, onProgress }) {
    const scene = await Scene.open(DELAY, NAMES)
    try {
      await scene.put('warm', await scene.start('echo.mjs'))
      await scene.warmUp('warm', quick ? WARM_UP / 6 : WARM_UP, onProgress)
      const rounds = await inTurns(NAMES, { samples, warmUp: 2, onProgress }, name => round(scene, name))
      return conclude(scene, rounds, samples)
    } finally {
      await scene.close()
    }
  },
}

const callWarm = (scene, name) => scene.call(name, { path: '/function/warm/' })

/** ms: less than a platform takes to find out that an instance is ready. */
const MOMENT = 300

/**
 * The first request to a new instance, as soon as it listens; the first and the second to one that has listened for a
 * moment, and one to an instance that has been used for long.
 */
async function round(scene, name) {
  const call = { path: '/function/cold/' }
  const worker = await scene.start('echo.mjs')
  await scene.put('cold', worker, [name])
  const atOnce = await scene.call(name, call)
  await scene.stop(worker)
  const ready = await scene.start('echo.mjs')
  await scene.put('cold', ready, [name])
  await sleep(MOMENT)
  const first = await scene.call(name, call)
  const second = await scene.call(name, call)
  await scene.stop(ready)
  const warm = await callWarm(scene, name)
  return { atOnce, first, second, warm, launchMs: worker.launchMs }
}

function conclude(scene, rounds, samples) {
  const raw = {}
  for (const name of NAMES) {
    for (const which of ['atOnce', 'first', 'second', 'warm']) {
      raw[`${which} ${name}`] = rounds[name].map(each => each[which].ms)
    }
    raw[`spawned ${name}`] = rounds[name].map(({ launchMs, atOnce }) => launchMs + atOnce.ms)
  }
  const measured = Object.entries(raw).map(([key, samples]) => {
    const [which, system] = key.split(' ')
    return { key, system, method: `${which}:`, label: systems[system].label, ...summary(samples) }
  })
  const early = counted(
    rounds['quic-0rtt'].flatMap(({ atOnce, first }) => [...atOnce.connections, ...first.connections]),
  )
  const conditions = { ...scene.network.conditions, samples, warmUp: WARM_UP }
  return { conditions, measured, early, lines: LEGEND, comparisons: compare(raw), raw }
}

const LEGEND = [
  '',
  'atOnce: the first request to an instance, as soon as it listens; spawned: the same, from the start of its process;',
  `first, second: ${MOMENT} ms after it listens; warm: an instance that has had hundreds. A connection for each.`,
]

/** Of the samples alone. */
export function compare(raw) {
  const of = (ours, theirs) => change(raw[ours], raw[theirs])
  return [
    { what: 'at once: 1-RTT to TLS 1.3, full', ...of('atOnce quic-1rtt', 'atOnce tls13'), paper: -0.11 },
    { what: 'at once: 0-RTT provisioned to TLS 1.3, full', ...of('atOnce quic-0rtt', 'atOnce tls13'), paper: 'none' },
    { what: 'first: 1-RTT to TLS 1.3, full', ...of('first quic-1rtt', 'first tls13'), paper: -0.11 },
    { what: 'first: 0-RTT provisioned to TLS 1.3, full', ...of('first quic-0rtt', 'first tls13'), paper: 'none' },
    { what: 'first: 0-RTT provisioned to 1-RTT', ...of('first quic-0rtt', 'first quic-1rtt'), paper: 'none' },
    asNoise('first to second contact, 0-RTT provisioned', of('first quic-0rtt', 'second quic-0rtt')),
    {
      what: 'first to a warm instance, 0-RTT provisioned',
      ...of('first quic-0rtt', 'warm quic-0rtt'),
      paper: NO_DELAY,
    },
    { what: 'the same for TCP: what a young process costs', ...of('first tcp', 'warm tcp') },
    { what: 'the same for TLS 1.3, full', ...of('first tls13', 'warm tls13') },
    youth(raw),
  ]
}

/** That there has never been a contact costs nothing: a new process costs no more than by TCP, which has no keys. */
function youth(raw) {
  const excess = system => rounded(median(raw[`first ${system}`]) - median(raw[`warm ${system}`]))
  const [ours, tcp] = ['quic-0rtt', 'tcp'].map(excess)
  return {
    what: 'what a new process adds to the first request, 0-RTT provisioned',
    text: `${ours} ms`,
    paper: NO_DELAY,
    wanted: `≤ ${tcp} ms, TCP's`,
    isReached: ours <= tcp,
  }
}

const NO_DELAY = '"no extra delay"'

/** An instance that has been called has a ticket, a key, a place in every cache: a first contact shall be as good. */
function asNoise(what, measured) {
  return { what, ...measured, paper: NO_DELAY, wanted: '0 is in the interval', isReached: measured.low <= 0 }
}

// Figure 5c: the first request to an instance that was started for it. Nobody can have a ticket of it; with the
// Generator the gateway has a key of it all the same.

import { inTurns } from '../../bench/lib/turns.mjs'
import { Scene } from './lib/calls.mjs'
import { change, counted, summary } from './lib/summary.mjs'
import { systems } from './lib/systems.mjs'

const DELAY = 0.5
const NAMES = ['tcp', 'tls12', 'tls13', 'quic-1rtt', 'quic-0rtt']
const WARM_UP = 300

export const fig5c = {
  title: 'The first request to an instance that was just started',
  async run({ quick, samples = quick ? 8 : 100, onProgress }) {
    const scene = await Scene.open(DELAY, NAMES)
    try {
      await scene.put('warm', await scene.start('echo.mjs'))
      await inTurns(NAMES, { samples: quick ? 60 : WARM_UP, warmUp: 0 }, name => callWarm(scene, name))
      const rounds = await inTurns(NAMES, { samples, warmUp: 2, onProgress }, name => round(scene, name))
      return conclude(scene, rounds, samples)
    } finally {
      await scene.close()
    }
  },
}

const callWarm = (scene, name) => scene.call(name, { path: '/function/warm/' })

/** The first and the second request to a new instance, and one to an instance that has been used for long. */
async function round(scene, name) {
  const worker = await scene.start('echo.mjs')
  await scene.put('cold', worker, [name])
  const first = await scene.call(name, { path: '/function/cold/' })
  const second = await scene.call(name, { path: '/function/cold/' })
  await scene.stop(worker)
  const warm = await callWarm(scene, name)
  return { first, second, warm, launchMs: worker.launchMs }
}

function conclude(scene, rounds, samples) {
  const raw = {}
  for (const name of NAMES) {
    for (const which of ['first', 'second', 'warm']) raw[`${which} ${name}`] = rounds[name].map(each => each[which].ms)
    raw[`spawn to answer ${name}`] = rounds[name].map(({ launchMs, first }) => launchMs + first.ms)
  }
  const measured = Object.entries(raw).map(([key, samples]) => {
    const [, which, system] = /^(.*) (\S+)$/.exec(key)
    return { key, system, method: `${which}:`, label: systems[system].label, ...summary(samples) }
  })
  const early = counted(rounds['quic-0rtt'].flatMap(({ first }) => first.connections))
  return {
    conditions: { ...scene.network.conditions, samples, warmUp: WARM_UP },
    measured,
    early,
    comparisons: compare(raw),
    raw,
  }
}

function compare(raw) {
  const of = (ours, theirs) => change(raw[ours], raw[theirs])
  const excess = name => raw[`first ${name}`].map((ms, i) => ms - raw[`warm ${name}`][i])
  const [ours, tcp] = [excess('quic-0rtt'), excess('tcp')]
  return [
    { what: 'first request: 1-RTT to TLS 1.3, full', ...of('first quic-1rtt', 'first tls13'), paper: -0.11 },
    {
      what: 'first request: 0-RTT provisioned to TLS 1.3, full',
      ...of('first quic-0rtt', 'first tls13'),
      paper: 'none',
    },
    { what: 'first request: 0-RTT provisioned to TCP', ...of('first quic-0rtt', 'first tcp'), paper: 'none' },
    {
      what: 'first request to second, 0-RTT provisioned',
      ...of('first quic-0rtt', 'second quic-0rtt'),
      paper: '"no extra delay"',
    },
    {
      what: 'first request to a warm instance’s, 0-RTT provisioned',
      ...of('first quic-0rtt', 'warm quic-0rtt'),
      paper: '"no extra delay"',
    },
    {
      what: 'what a new process costs over a warm one: TCP',
      text: `${summary(tcp).p50ms.toFixed(2)} ms`,
      ms: summary(tcp).p50ms,
    },
    {
      what: 'what a new process costs over a warm one: 0-RTT',
      text: `${summary(ours).p50ms.toFixed(2)} ms`,
      ms: summary(ours).p50ms,
    },
  ]
}

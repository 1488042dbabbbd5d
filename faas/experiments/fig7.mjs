// Figure 7: the scene of figure 5a over the delay between gateway and workers. What a line's slope says is how many
// round trips a request takes, whatever computing costs.

import { inTurns } from '../../bench/lib/turns.mjs'
import { Scene } from './lib/calls.mjs'
import { change, line, summary } from './lib/summary.mjs'
import { systems } from './lib/systems.mjs'

/** ms each way. */
const DELAYS = [0, 0.25, 0.5, 1, 1.5, 2, 3]

/** Round trips until the answer is there, the one of request and answer included. */
const ROUND_TRIPS = { tcp: 2, tls12: 4, tls13: 3, 'tls13-resumed': 3, 'quic-1rtt': 2, 'quic-0rtt': 1 }
const NAMES = Object.keys(ROUND_TRIPS)
const WARM_UP = 3000

/** A slope that is no count of round trips is off by more. */
const TOLERANCE = 0.1

export const fig7 = {
  title: 'One function, a connection for each request, over the delay',
  async run({ quick, samples = quick ? 10 : 100, onProgress }) {
    const scene = await Scene.open(0, NAMES)
    try {
      await scene.put('echo', await scene.start('echo.mjs'))
      await scene.warmUp('echo', quick ? WARM_UP / 6 : WARM_UP, onProgress)
      const rounds = await inTurns(DELAYS.map(String), { samples, warmUp: 1, onProgress }, delay =>
        round(scene, Number(delay)),
      )
      return conclude(rounds, samples)
    } finally {
      await scene.close()
    }
  },
}

const callOne = (scene, name) => scene.call(name, { path: '/function/echo/' })

/** All systems once, at one delay. */
async function round(scene, delay) {
  await scene.network.setDelay(delay)
  const ms = await inTurns(NAMES, { samples: 1, warmUp: 0 }, async name => (await callOne(scene, name)).ms)
  return { conditions: scene.network.conditions, ms: Object.fromEntries(NAMES.map(name => [name, ms[name][0]])) }
}

function conclude(rounds, samples) {
  const raw = {}
  for (const name of NAMES)
    for (const delay of DELAYS) raw[`${delay} ${name}`] = rounds[delay].map(({ ms }) => ms[name])
  const [{ conditions }] = rounds[DELAYS[0]]
  const { rateMbps, mtu, tcpCongestionControl } = conditions
  const rtts = DELAYS.map(delay => rounds[delay][0].conditions.measuredRttMs)
  const curves = NAMES.map(name => {
    const p50ms = DELAYS.map(delay => summary(raw[`${delay} ${name}`]).p50ms)
    return { system: name, label: systems[name].label, p50ms, ...line(rtts, p50ms) }
  })
  return {
    conditions: { rateMbps, mtu, tcpCongestionControl, samples, warmUp: WARM_UP },
    delaysMs: DELAYS,
    measuredRttMs: rtts,
    curves,
    lines: linesOf(curves, rtts),
    comparisons: [...curves.map(slopeOf), ...endsOf(raw)],
    raw,
  }
}

function linesOf(curves, rtts) {
  const cells = values => values.map(value => value.toFixed(2).padStart(8)).join('')
  return [
    `${'ms each way'.padEnd(28)}${cells(DELAYS)}`,
    `${'round trip measured, ms'.padEnd(28)}${cells(rtts)}`,
    ...curves.map(({ label, p50ms }) => `${label.padEnd(28)}${cells(p50ms)}`),
  ]
}

function slopeOf({ system, label, slope, r2 }) {
  const wanted = ROUND_TRIPS[system]
  return {
    what: `${label}: round trips, by the slope`,
    text: `${slope.toFixed(2)} (R² ${r2.toFixed(3)})`,
    slope,
    paper: undefined,
    wanted: `${wanted} ± ${TOLERANCE}`,
    ...(system === 'quic-0rtt' && { isReached: Math.abs(slope - wanted) <= TOLERANCE }),
  }
}

function endsOf(raw) {
  const at = (delay, than) => change(raw[`${delay} quic-0rtt`], raw[`${delay} ${than}`])
  return [
    { what: '0 ms: 0-RTT to TLS 1.3, full', ...at(0, 'tls13'), paper: -0.17 },
    { what: '3 ms: 0-RTT to TLS 1.3, full', ...at(3, 'tls13'), paper: '-19 ms' },
    { what: '3 ms: 0-RTT to TCP', ...at(3, 'tcp'), paper: -0.13 },
  ]
}

// Answers of 1 MB and first requests on new connections over a link that loses packets, of TCP as of UDP.

import { delayFor, inBlocks, millisecondsOf } from '../ends/conditions.mjs'
import { Ends } from '../ends/ends.mjs'
import { whyNoLink } from '../lib/link.mjs'
import { ratio, rounded } from '../lib/statistics.mjs'

/** Percent of all packets, each way. */
const LOSSES = [0, 0.1, 1, 5]
/** ms */
const ROUND_TRIP = 3
const BYTES = 1_000_000
const names = ['tls13-full', 'tls13-resumed', 'quic-1rtt', 'quic-0rtt-provisioned']
const loads = {
  request: { path: '/', count: 10, blocks: { full: 15, quick: 6 } },
  megabyte: { path: `/bytes/${BYTES}`, count: 3, blocks: { full: 8, quick: 2 } },
}
const WARM_UP = { full: 1000, quick: 200 }

export async function run({ samples, quick = false }) {
  const noLink = whyNoLink()
  if (noLink !== undefined) return { loads: {}, missing: { link: noLink }, isReached: false }
  const mode = quick ? 'quick' : 'full'
  const ends = await Ends.start({ hasLink: true })
  try {
    await ends.contacts({ names, count: WARM_UP[mode] })
    const delay = await delayFor(ends, ROUND_TRIP)
    const conditions = Object.fromEntries(LOSSES.map(loss => [`${loss} %`, { delay, loss }]))
    const result = {}
    for (const [load, { path, count, blocks }] of Object.entries(loads)) {
      const plan = {
        conditions,
        names,
        count,
        path,
        blocks: samples === undefined ? blocks[mode] : Math.ceil(samples / count),
      }
      result[load] = Object.entries(await inBlocks(ends, plan)).map(([loss, made]) => [loss, resultOf(made)])
      result[load] = Object.fromEntries(result[load])
    }
    const tcpCongestionControl = ends.congestionControl
    return { roundTrip: ROUND_TRIP, bytes: BYTES, tcpCongestionControl, loads: result, missing: {}, isReached: true }
  } finally {
    await ends.stop()
  }
}

/** Medians, and means: what is lost at the beginning costs a second, seldom. */
function resultOf(blocks) {
  const variants = {}
  for (const name of names) {
    const ms = millisecondsOf(blocks, name).sort((a, b) => a - b)
    const at = share => rounded(ms[Math.floor(share * (ms.length - 1))])
    const mean = rounded(ms.reduce((sum, each) => sum + each, 0) / ms.length)
    variants[name] = { p50ms: at(0.5), p90ms: at(0.9), meanMs: mean, samples: ms.length }
  }
  const to = (ours, other) => ratio(...[ours, other].map(name => millisecondsOf(blocks, name)))
  return {
    variants,
    ratios: {
      'quic-1rtt / tls13-full': to('quic-1rtt', 'tls13-full'),
      'quic-0rtt-provisioned / tls13-resumed': to('quic-0rtt-provisioned', 'tls13-resumed'),
    },
  }
}

export function print({ environment, roundTrip, bytes, tcpCongestionControl, loads: measured, missing }) {
  if (missing.link !== undefined) return `links that lose packets: ${missing.link}`
  const { node, cpu, cores, date } = environment
  const lines = [`new connections over a link that loses packets, round trip ${roundTrip} ms`]
  lines.push(`Node ${node}, TCP with ${tcpCongestionControl}; ${cores} × ${cpu}, ${date}`)
  for (const [load, byLoss] of Object.entries(measured)) {
    lines.push('', load === 'megabyte' ? `an answer of ${bytes} bytes; ms` : 'an answer of 100 bytes; ms')
    lines.push(
      `${'loss'.padEnd(8)}${'variant'.padEnd(24)}${['median', 'p90', 'mean'].map(each => each.padStart(9)).join('')}`,
    )
    for (const [loss, { variants }] of Object.entries(byLoss)) {
      for (const [name, { p50ms, p90ms, meanMs }] of Object.entries(variants)) {
        const cells = [p50ms, p90ms, meanMs].map(ms => String(ms).padStart(9))
        lines.push(`${loss.padEnd(8)}${name.padEnd(24)}${cells.join('')}`)
      }
    }
  }
  return lines.join('\n')
}

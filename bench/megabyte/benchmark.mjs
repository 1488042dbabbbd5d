// An answer of 1 MB on a new connection, at a round trip of 0.5 ms: handshake, slow start and packets together. It is
// figure 5d of the QFaaS paper.

import { delayFor, inBlocks, millisecondsOf } from '../ends/conditions.mjs'
import { Ends } from '../ends/ends.mjs'
import { summary } from '../first-request/measure.mjs'
import { tls12, variantNames } from '../first-request/variants.mjs'
import { whyNoLink } from '../lib/link.mjs'
import { ratio } from '../lib/statistics.mjs'
import { installRivals } from '../rivals/index.mjs'

const BYTES = 1_000_000
/** ms */
const ROUND_TRIP = 0.5
/** As many bare datagrams. */
const FLOOR = 'datagrams'
const WARM_UP = { full: 200, quick: 40 }
const COUNT = 5
/** Of an asyncio program each megabyte takes as long as all others together. */
const rivalVariants = { 'quic-go': ['1rtt', '0rtt'], ngtcp2: ['1rtt', '0rtt'], aioquic: ['0rtt'] }

const targets = [
  ['quic-0rtt-provisioned', 'tls13-full'],
  ['quic-1rtt', 'tls13-full'],
]

export async function run({ samples, quick = false }) {
  const noLink = whyNoLink()
  if (noLink !== undefined)
    return { variants: {}, ratios: {}, missing: { link: noLink }, reached: [], isReached: false }
  const rivals = installRivals()
  const names = [FLOOR, ...variantNames, tls12]
  for (const name of Object.keys(rivals.versions)) names.push(...rivalVariants[name].map(each => `${name} ${each}`))
  const ends = await Ends.start({ rivals: rivals.versions, hasLink: true })
  try {
    const path = `/bytes/${BYTES}`
    const condition = { delay: await delayFor(ends, ROUND_TRIP) }
    await ends.set(condition)
    await ends.contacts({ names: [...variantNames, tls12], count: quick ? WARM_UP.quick : WARM_UP.full, path })
    const blocks = Math.ceil((samples ?? (quick ? 25 : 100)) / COUNT)
    const { made } = await inBlocks(ends, { conditions: { made: condition }, names, blocks, count: COUNT, path })
    return {
      bytes: BYTES,
      roundTrip: ROUND_TRIP,
      tcpCongestionControl: ends.congestionControl,
      ...judge(made),
      rivals: rivals.versions,
      missing: { ...rivals.missing, ...ends.missing },
    }
  } finally {
    await ends.stop()
  }
}

function judge(blocks) {
  const names = Object.keys(blocks[0]).filter(name => blocks.at(-1)[name].length > 0)
  const variants = Object.fromEntries(names.map(name => [name, summary(blocks.flatMap(block => block[name]))]))
  const ratios = {}
  for (const ours of names.filter(name => name.startsWith('quic-0') || name === 'quic-1rtt')) {
    for (const other of names.filter(name => !variantNames.includes(name) || !name.startsWith('quic'))) {
      ratios[`${ours} / ${other}`] = ratio(...[ours, other].map(name => millisecondsOf(blocks, name)))
    }
  }
  const reached = targets.map(([ours, other]) => {
    const value = ratios[`${ours} / ${other}`].ratio
    const target = `answer of 1 MB on a new connection, RTT ${ROUND_TRIP} ms, ${ours} / new TLS 1.3`
    return { target, bound: 1, value, isReached: value <= 1 }
  })
  return { variants, ratios, reached, isReached: reached.every(each => each.isReached) }
}

export function print({ environment, bytes, roundTrip, variants, reached, rivals, missing }) {
  if (missing.link !== undefined) return `an answer of 1 MB: ${missing.link}`
  const { node, cpu, cores, date } = environment
  const rows = Object.entries(variants).map(
    ([name, { p50ms, p90ms, samples }]) =>
      `${name.padEnd(28)}${p50ms.toFixed(2).padStart(10)}${p90ms.toFixed(2).padStart(10)}${String(samples).padStart(10)}`,
  )
  return [
    `GET of ${bytes} bytes on a new connection, round trip ${roundTrip} ms`,
    `Node ${node}, ${Object.entries(rivals)
      .map(each => each.join(' '))
      .join(', ')}; ${cores} × ${cpu}, ${date}`,
    '',
    `${'variant'.padEnd(28)}${'p50 ms'.padStart(10)}${'p90 ms'.padStart(10)}${'samples'.padStart(10)}`,
    ...rows,
    '',
    ...reached.map(
      ({ target, bound, value, isReached }) => `${isReached ? '✓' : '✗'} ${target}: ${value}, at most ${bound}`,
    ),
    ...Object.entries(missing).map(([what, why]) => `without ${what}: ${why}`),
  ].join('\n')
}

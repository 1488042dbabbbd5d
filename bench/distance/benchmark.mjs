// A first request at a distance: over loopback, and over a link with round-trip times of 0.5, 1 and 3 ms; ours, node's
// own, and other implementations of QUIC. How latency grows with the round trip is the slope.

import { delayFor, inBlocks, millisecondsOf, ROUND_TRIP } from '../ends/conditions.mjs'
import { Ends } from '../ends/ends.mjs'
import { summary } from '../first-request/measure.mjs'
import { tls12, variantNames } from '../first-request/variants.mjs'
import { whyNoLink } from '../lib/link.mjs'
import { line, median, ratio } from '../lib/statistics.mjs'
import { installRivals } from '../rivals/index.mjs'

const OURS = 'quic-0rtt-provisioned'
const own = [...variantNames, tls12]
const rivalVariants = ['1rtt', '0rtt']
/** ms there and back, over the link. */
const ROUND_TRIPS = [0.5, 1, 3]
const LOOPBACK = 'RTT 0'
/** Rounds that are not counted, over each way. */
const WARM_UP = { full: 3000, quick: 300 }
/** Rounds under one condition before the next one. */
const COUNT = 10

/** Round trips that a first request takes, to be seen as the slope. */
const slopes = { [OURS]: 1, 'quic-0rtt-ticket': 1, 'quic-1rtt': 2 }
const SLOPE_TOLERANCE = 0.1

export async function run({ samples, quick = false }) {
  const blocks = Math.ceil((samples ?? (quick ? 60 : 200)) / COUNT)
  const rivals = installRivals()
  const names = [
    ROUND_TRIP,
    ...own,
    ...Object.keys(rivals.versions).flatMap(each => rivalVariants.map(v => `${each} ${v}`)),
  ]
  const plan = { names, blocks, count: COUNT, warmUp: quick ? WARM_UP.quick : WARM_UP.full, rivals: rivals.versions }
  const missing = { ...rivals.missing }
  const made = await over('loopback', { ...plan, hasLink: false }, missing)
  const noLink = whyNoLink()
  if (noLink === undefined) Object.assign(made, await over('the link', { ...plan, hasLink: true }, missing))
  else for (const roundTrip of ROUND_TRIPS) missing[nameOf(roundTrip)] = noLink
  return { ...judge(made), rivals: rivals.versions, missing }
}

async function over(what, { hasLink, rivals, warmUp, ...plan }, missing) {
  const ends = await Ends.start({ rivals, hasLink })
  try {
    progress(`${what}, warm-up`)
    await ends.contacts({ names: own, count: warmUp })
    const conditions = hasLink ? {} : { [LOOPBACK]: {} }
    if (hasLink) for (const each of ROUND_TRIPS) conditions[nameOf(each)] = { delay: await delayFor(ends, each) }
    const onBlock = share => progress(`${what}, ${Math.round(100 * share)} %`)
    return await inBlocks(ends, { ...plan, conditions, onBlock })
  } finally {
    Object.assign(missing, ends.missing)
    progress('')
    await ends.stop()
  }
}

function judge(made) {
  const points = {}
  const ratios = {}
  for (const [roundTrip, blocks] of Object.entries(made)) {
    const names = Object.keys(blocks[0]).filter(name => blocks.at(-1)[name].length > 0)
    points[roundTrip] = Object.fromEntries(names.map(name => [name, summary(blocks.flatMap(block => block[name]))]))
    for (const name of names.filter(each => each !== OURS && each !== ROUND_TRIP)) {
      const [ours, theirs] = [OURS, name].map(each => millisecondsOf(blocks, each))
      ratios[`${roundTrip}: provisioned / ${name}`] = ratio(ours, theirs)
    }
  }
  const lines = linesOf(made)
  const reached = [...ratioTargets(ratios), ...slopeTargets(lines)]
  return { points, ratios, lines, crossing: crossing(lines), reached, isReached: reached.every(each => each.isReached) }
}

/** Over the link: of each contact the line through its medians, block by block, over the medians of the round trip. */
function linesOf(made) {
  const distances = Object.keys(made).filter(each => each !== LOOPBACK)
  if (distances.length === 0) return {}
  const names = Object.keys(made[distances[0]][0]).filter(name => name !== ROUND_TRIP)
  const isThere = name => distances.every(each => made[each].every(block => block[name]?.length > 0))
  const middle = contacts => median(contacts.map(({ ms }) => ms))
  const pointsOf = name =>
    made[distances[0]].map((_, block) =>
      distances.map(each => [middle(made[each][block][ROUND_TRIP]), middle(made[each][block][name])]),
    )
  return Object.fromEntries(names.filter(isThere).map(name => [name, line(pointsOf(name))]))
}

/** The round trip, ms, beyond which a provisioned request is faster than a new TCP connection. */
function crossing({ [OURS]: ours, tcp }) {
  if (ours === undefined) return undefined
  return Number(((ours.intercept - tcp.intercept) / (tcp.slope - ours.slope)).toFixed(2))
}

function ratioTargets(ratios) {
  const wanted = [[LOOPBACK, 'quic-go 0rtt'], ...ROUND_TRIPS.map(each => [nameOf(each), 'tcp'])]
  return wanted.flatMap(([roundTrip, other]) => {
    const value = ratios[`${roundTrip}: provisioned / ${other}`]?.ratio
    if (value === undefined) return []
    const target = `first request, ${roundTrip}, provisioned / ${readable(other)}`
    return [{ target, bound: 1, value, isReached: value <= 1 }]
  })
}

function slopeTargets(lines) {
  return Object.entries(slopes).flatMap(([name, expected]) => {
    if (lines[name] === undefined) return []
    const value = lines[name].slope
    const isReached = Math.abs(value - expected) <= SLOPE_TOLERANCE
    return [
      { target: `slope of latency over RTT, ${name}`, bound: expected, tolerance: SLOPE_TOLERANCE, value, isReached },
    ]
  })
}

function nameOf(roundTrip) {
  return `RTT ${roundTrip} ms`
}

function readable(name) {
  return { tcp: 'new TCP', 'quic-go 0rtt': 'quic-go 0-RTT' }[name] ?? name
}

export function print({ environment, points, lines, crossing: crossed, reached, rivals, missing }) {
  const { node, cpu, cores, date } = environment
  const columns = Object.keys(points)
  const names = Object.keys(points[LOOPBACK])
  const cell = (name, column) => (points[column][name]?.p50ms.toFixed(3) ?? '-').padStart(12)
  const versions = Object.entries(rivals).map(each => each.join(' '))
  return [
    `first request, GET of 100 bytes on a new connection, medians of ${points[LOOPBACK][OURS].samples}, ms`,
    `Node ${node}, ${versions.join(', ')}; ${cores} × ${cpu}, ${date}`,
    '',
    `${'ms'.padEnd(26)}${columns.map(each => each.padStart(12)).join('')}${'slope'.padStart(8)}`,
    ...names.map(name => {
      const slope = lines[name] === undefined ? '' : lines[name].slope.toFixed(2).padStart(8)
      return `${name.padEnd(26)}${columns.map(column => cell(name, column)).join('')}${slope}`
    }),
    '',
    ...(crossed === undefined ? [] : [`faster than new TCP from a round trip of ${crossed} ms`]),
    ...reached.map(({ target, bound, tolerance, value, isReached }) => {
      const wanted = tolerance === undefined ? `at most ${bound}` : `${bound} ± ${tolerance}`
      return `${isReached ? '✓' : '✗'} ${target}: ${value}, ${wanted}`
    }),
    ...Object.entries(missing).map(([what, why]) => `without ${what}: ${why}`),
  ].join('\n')
}

function progress(what) {
  if (process.stderr.isTTY) process.stderr.write(what === '' ? '\r\x1b[K' : `\r\x1b[Kmeasuring over ${what}`)
}

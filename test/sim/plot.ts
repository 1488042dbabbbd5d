// Connections over time as a picture, SVG: window, bytes in flight, threshold, queue, losses, probes; round-trip time.

import { type Axis, axisOf, escapeText, frame, type Panel } from './plot-axes.ts'
import type { Sample, Series } from './series.ts'

export interface Picture {
  readonly title: string
  readonly subtitle: string
  readonly series: readonly Series[]
}

const COLOURS = ['#1f6fb4', '#d9541e', '#2a9d3a', '#8a52b8']
const QUEUE = '#9aa0a6'
const LOSS = '#c00020'
const PROBE = '#e6a100'

const WIDTH = 1000
const LEFT = 78
const INNER = WIDTH - LEFT - 24
const BYTES: Panel = { x: LEFT, y: 84, width: INNER, height: 300 }
const TIMES: Panel = { x: LEFT, y: 432, width: INNER, height: 150 }
const HEIGHT = 636

export function plot({ title, subtitle, series }: Picture): string {
  const all = series.flatMap(({ samples }) => samples)
  const time = axisOf(Math.max(1, ...all.map(({ at }) => at)), 'time, s', 1000)
  const most = Math.max(1, ...all.map(({ window, inFlight, queued }) => Math.max(window, inFlight, queued)))
  const bytes = most >= 2e6 ? axisOf(most, 'in flight, window: MB', 1e6) : axisOf(most, 'in flight, window: kB', 1000)
  const rtt = axisOf(Math.max(1, ...all.map(sample => Math.max(measured(sample), sample.latestRtt))), 'RTT, ms', 1)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
<text x="${LEFT}" y="24" font-size="17" font-weight="bold">${escapeText(title)}</text>
<text x="${LEFT}" y="43" fill="#555">${escapeText(subtitle)}</text>
${legend(series)}
${frame(BYTES, time, bytes)}
${series.length > 0 ? area(series[0]?.samples ?? [], time, bytes) : ''}
${series.map(({ samples }, i) => bytesOf(samples, i, time, bytes)).join('\n')}
${frame(TIMES, time, rtt)}
${series.map(({ samples }, i) => timesOf(samples, i, time, rtt)).join('\n')}
</svg>
`
}

function bytesOf(samples: readonly Sample[], index: number, time: Axis, bytes: Axis): string {
  const colour = colourOf(index)
  const isInside = (sample: Sample): boolean => sample.threshold <= bytes.most
  return [
    line(
      samples,
      BYTES,
      time,
      bytes,
      sample => sample.inFlight,
      `stroke="${colour}" stroke-width="0.8" opacity="0.45"`,
    ),
    ...runs(samples, isInside).map(run =>
      line(run, BYTES, time, bytes, sample => sample.threshold, `stroke="${colour}" stroke-dasharray="2 4"`),
    ),
    line(samples, BYTES, time, bytes, sample => sample.window, `stroke="${colour}" stroke-width="1.8"`),
    marks(samples, index, time),
  ].join('\n')
}

function timesOf(samples: readonly Sample[], index: number, time: Axis, rtt: Axis): string {
  const known = samples.filter(({ latestRtt }) => latestRtt > 0)
  const colour = colourOf(index)
  return [
    line(known, TIMES, time, rtt, sample => sample.latestRtt, `stroke="${colour}" stroke-width="0.7" opacity="0.45"`),
    line(known, TIMES, time, rtt, sample => sample.rtt, `stroke="${colour}" stroke-width="1.6"`),
  ].join('\n')
}

/** What waits at the bottleneck. */
function area(samples: readonly Sample[], time: Axis, bytes: Axis): string {
  const [first] = samples
  const last = samples.at(-1)
  if (first === undefined || last === undefined) return ''
  const floor = (BYTES.y + BYTES.height).toFixed(1)
  const points = pointsOf(samples, BYTES, time, bytes, sample => sample.queued)
  const [from, to] = [first, last].map(({ at }) => place(BYTES.x, BYTES.width, at / time.most))
  return `<polygon fill="${QUEUE}" opacity="0.35" points="${from},${floor} ${points} ${to},${floor}"/>`
}

/** A bar for losses between two samples, a triangle where the probe timer fired: a row for each connection. */
function marks(samples: readonly Sample[], index: number, time: Axis): string {
  const drawn: string[] = []
  const y = BYTES.y + 3 + 11 * index
  for (let i = 1; i < samples.length; i++) {
    const sample = samples[i] as Sample
    const before = samples[i - 1] as Sample
    const x = Number(place(BYTES.x, BYTES.width, sample.at / time.most))
    if (sample.packetsLost > before.packetsLost) {
      drawn.push(`<path d="M${x} ${y}v8" stroke="${LOSS}" stroke-width="1.2"/>`)
    }
    if (sample.probeTimeouts > before.probeTimeouts) {
      drawn.push(`<path d="M${x} ${y}l4 8h-8z" fill="${PROBE}"/>`)
    }
  }
  return drawn.join('')
}

function legend(series: readonly Series[]): string {
  const entries = series.map(({ name }, i) => [name, swatch(colourOf(i), 2.5)] as const)
  const kinds = [
    ['congestion window', swatch('#333', 1.8)],
    ['in flight', swatch('#333', 0.8, 'opacity="0.5"')],
    ['ssthresh', swatch('#333', 1, 'stroke-dasharray="2 4"')],
    ['queue', `<rect y="-8" width="22" height="9" fill="${QUEUE}" opacity="0.35"/>`],
    ['lost', `<path d="M11 -9v9" stroke="${LOSS}" stroke-width="1.6"/>`],
    ['probe timeout', `<path d="M11 -9l5 9h-10z" fill="${PROBE}"/>`],
  ] as const
  let x = LEFT
  const drawn = [...entries, ...kinds].map(([name, picture]) => {
    const at = x
    x += 44 + 6.6 * name.length
    return `<g transform="translate(${at},66)">${picture}<text x="28">${escapeText(name)}</text></g>`
  })
  return drawn.join('\n')
}

const swatch = (colour: string, width: number, more = ''): string =>
  `<path d="M0 -4h22" stroke="${colour}" stroke-width="${width}" ${more}/>`

function line(
  samples: readonly Sample[],
  panel: Panel,
  time: Axis,
  axis: Axis,
  of: (sample: Sample) => number,
  style: string,
): string {
  return `<polyline fill="none" stroke-linejoin="round" ${style} points="${pointsOf(samples, panel, time, axis, of)}"/>`
}

function pointsOf(
  samples: readonly Sample[],
  { x, y, width, height }: Panel,
  time: Axis,
  axis: Axis,
  of: (sample: Sample) => number,
): string {
  return samples
    .map(sample => `${place(x, width, sample.at / time.most)},${place(y, height, 1 - of(sample) / axis.most)}`)
    .join(' ')
}

/** Stretches of samples next to each other for which something holds. */
function runs(samples: readonly Sample[], holds: (sample: Sample) => boolean): Sample[][] {
  const found: Sample[][] = []
  let run: Sample[] = []
  for (const sample of samples) {
    if (holds(sample)) {
      if (run.length === 0) found.push(run)
      run.push(sample)
    } else run = []
  }
  return found
}

/** Before the first sample the smoothed RTT is a guess. */
const measured = ({ rtt, latestRtt }: Sample): number => (latestRtt > 0 ? rtt : 0)
const colourOf = (index: number): string => COLOURS[index % COLOURS.length] as string
const place = (from: number, length: number, share: number): string => (from + length * share).toFixed(1)

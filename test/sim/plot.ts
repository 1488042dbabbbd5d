// A congestion scenario as a picture: window, bytes in flight, queue and round-trip time over time, as SVG.

import type { CongestionResult, Sample } from './congestion.ts'

const WIDTH = 900
const HEIGHT = 260
const MARGIN = { left: 70, right: 20, top: 40, bottom: 30 }
const INNER = { width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom }
const COLOURS = ['#1f77b4', '#d62728', '#2ca02c', '#9467bd']
const QUEUE_COLOUR = '#999999'

interface Line {
  readonly name: string
  readonly colour: string
  readonly isThin: boolean
  readonly points: readonly (readonly [at: number, value: number])[]
}

export function plot({ name, samples, use, fairness }: CongestionResult): string {
  const bytes = samples.flatMap((flow, i) => [
    line(`congestion window ${i + 1}`, i, false, flow, sample => sample.window / 1000),
    line(`in flight ${i + 1}`, i, true, flow, sample => sample.inFlight / 1000),
  ])
  const [first] = samples
  if (first) bytes.push({ ...line('queue', 0, true, first, sample => sample.queued / 1000), colour: QUEUE_COLOUR })
  const times = samples.map((flow, i) => line(`smoothed RTT ${i + 1}`, i, false, flow, sample => sample.rtt))
  const title = `${name}: ${(use * 100).toFixed(1)} % of the link used, Jain's index ${fairness.toFixed(3)}`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${2 * HEIGHT}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="white"/>
<text x="${MARGIN.left}" y="16" font-size="14">${title}</text>
${panel(bytes, 'kB', 0)}
${panel(times, 'ms', HEIGHT)}
</svg>
`
}

function line(
  name: string,
  index: number,
  isThin: boolean,
  samples: readonly Sample[],
  of: (sample: Sample) => number,
): Line {
  const colour = COLOURS[index % COLOURS.length] as string
  return { name, colour, isThin, points: samples.map(sample => [sample.at, of(sample)]) }
}

function panel(lines: readonly Line[], unit: string, y: number): string {
  const points = lines.flatMap(({ points }) => points)
  const mostTime = Math.max(1, ...points.map(([at]) => at))
  const most = Math.max(1, ...points.map(([, value]) => value))
  const x = (at: number): string => ((at / mostTime) * INNER.width).toFixed(1)
  const drawn = lines.map(({ colour, isThin, points }) => {
    const path = points.map(([at, v]) => `${x(at)},${(INNER.height * (1 - v / most)).toFixed(1)}`).join(' ')
    return `<polyline fill="none" stroke="${colour}" stroke-width="${isThin ? 0.5 : 1.2}" opacity="${isThin ? 0.6 : 1}" points="${path}"/>`
  })
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(part => {
    const at = INNER.height * (1 - part)
    return `<line x1="0" x2="${INNER.width}" y1="${at}" y2="${at}" stroke="#eee"/><text x="-6" y="${at + 4}" text-anchor="end">${Math.round(most * part)} ${unit}</text>
<text x="${INNER.width * part}" y="${INNER.height + 16}" text-anchor="middle">${((mostTime * part) / 1000).toFixed(0)} s</text>`
  })
  const names = lines.map(({ name, colour }, i) => `<text x="${10 + i * 150}" y="-6" fill="${colour}">${name}</text>`)
  return `<g transform="translate(${MARGIN.left},${y + MARGIN.top})">${[...ticks, ...drawn, ...names].join('\n')}</g>`
}

// A result as a picture like the paper's: boxes of the quarters, or lines over delay or length (SVG).

const ours = '#0b6e4f'
const others = '#7b8794'
const [width, left, right, top] = [820, 70, 240, 56]
const plotHeight = 320

/** Undefined: there is nothing to draw. */
export function plotOf(result) {
  if (result.curves) return lines(result)
  if (result.measured?.length > 0) return boxes(result)
  return undefined
}

/** As in the paper: the smallest, a quarter, the median, three quarters; but the 95th percentile for the largest. */
function boxes(result) {
  const rows = result.measured
  const largest = Math.max(...rows.map(row => row.p95Ms))
  const [line, label] = [24, 300]
  const scale = ms => label + (ms / largest) * (width - label - 90)
  const body = rows.flatMap((row, i) => {
    const y = top + i * line
    const color = row.system?.startsWith('quic') ? ours : others
    const [low, q1, p50, q3, high] = [row.minMs, row.q1Ms, row.p50ms, row.q3Ms, row.p95Ms].map(ms =>
      scale(ms).toFixed(1),
    )
    return [
      text(label - 10, y + 12, [row.method, row.label].filter(Boolean).join(' '), 'end'),
      `<path d="M${low} ${y + 8}H${q1}M${q3} ${y + 8}H${high}M${low} ${y + 4}v8M${high} ${y + 4}v8" stroke="${color}"/>`,
      `<rect x="${q1}" y="${y}" width="${Math.max(1, q3 - q1).toFixed(1)}" height="16" fill="${color}" fill-opacity="0.25" stroke="${color}"/>`,
      `<path d="M${p50} ${y}v16" stroke="${color}" stroke-width="2.5"/>`,
      text(Number(high) + 6, y + 12, `${row.p50ms.toPrecision(3)} ms`),
    ]
  })
  return frame(result, top + rows.length * line + 44, body)
}

/** `curves`: { label, system, p50ms }, over `delaysMs` or `lengths`. */
function lines(result) {
  const xs = result.delaysMs ?? result.lengths
  const largest = Math.max(...result.curves.flatMap(({ p50ms }) => p50ms))
  const x = value => left + ((value - xs[0]) / (xs.at(-1) - xs[0])) * (width - left - right)
  const y = ms => top + plotHeight - (ms / largest) * plotHeight
  const ends = spread(result.curves.map(({ p50ms }) => y(p50ms.at(-1))))
  const curves = result.curves.flatMap(({ label, system, p50ms }, i) => {
    const isOurs = system.startsWith('quic')
    const points = p50ms.map((ms, at) => `${x(xs[at]).toFixed(1)},${y(ms).toFixed(1)}`)
    // The one that it is all about.
    const isMain = system === 'quic-0rtt'
    const dashes = isMain ? '' : DASHES[i % DASHES.length]
    const color = isOurs ? ours : others
    return [
      `<polyline points="${points.join(' ')}" fill="none" stroke="${color}" stroke-width="${isMain ? 3 : 1.5}"${dashes && ` stroke-dasharray="${dashes}"`}/>`,
      ...points.map(
        point => `<circle cx="${point.split(',')[0]}" cy="${point.split(',')[1]}" r="2.5" fill="${color}"/>`,
      ),
      text(width - right + 10, ends[i] + 4, label),
    ]
  })
  const axes = [
    `<path d="M${left} ${top}V${top + plotHeight}H${width - right}" fill="none" stroke="#9aa5b1"/>`,
    ...xs.map(value => text(x(value), top + plotHeight + 18, String(value), 'middle')),
    ...ticks(largest).map(ms => text(left - 8, y(ms) + 4, String(ms), 'end')),
    ...ticks(largest).map(ms => `<path d="M${left} ${y(ms).toFixed(1)}H${width - right}" stroke="#e4e7eb"/>`),
    text(left, top - 8, 'ms, median'),
    text(
      (left + width - right) / 2,
      top + plotHeight + 38,
      result.delaysMs ? 'delay, ms each way' : 'functions in the chain',
      'middle',
    ),
  ]
  return frame(result, top + plotHeight + 72, [...axes, ...curves])
}

const DASHES = ['1 0', '7 4', '2 3', '9 3 2 3', '4 4', '1 3']

/** Labels that would cover each other move apart. */
function spread(values) {
  const order = values.map((value, i) => ({ value, i })).sort((a, b) => a.value - b.value)
  for (let i = 1; i < order.length; i++) order[i].value = Math.max(order[i].value, order[i - 1].value + 15)
  const placed = []
  for (const { value, i } of order) placed[i] = value
  return placed
}

function ticks(largest) {
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500].find(each => largest / each <= 8) ?? 1000
  return Array.from({ length: Math.floor(largest / step) + 1 }, (_, i) => i * step)
}

function frame({ experiment, title, environment: { node, cpu, cores, date }, conditions }, height, body) {
  const heading = `${experiment}: ${title}`
  const { delayMs, measuredRttMs, samples } = conditions
  const delay = delayMs === undefined ? '' : `, ${delayMs} ms each way (round trip measured: ${measuredRttMs} ms)`
  const foot = `Node ${node}, ${cores} × ${cpu}, ${date.slice(0, 10)}${delay}, ${samples} of each, in turns`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#1f2933" role="img" aria-labelledby="title">
<title id="title">${escaped(heading)}</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="14" y="28" font-size="15" font-weight="600">${escaped(heading)}</text>
${body.join('\n')}
<text x="14" y="${height - 12}" font-size="11" fill="#52606d">${escaped(foot)}</text>
</svg>
`
}

function text(x, y, content, anchor = 'start') {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escaped(content)}</text>`
}

function escaped(content) {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

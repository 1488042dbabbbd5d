// Figures without a library: bars, and lines over two axes.

const OURS = '#0b6e4f'
const OTHERS = '#9aa5b1'
/** Of lines, so that each can be told from the others. */
const GREENS = ['#0b6e4f', '#5fb49c', '#98d4bb']
const GREYS = ['#1f2933', '#3e7cb1', '#b1743e', '#8d6cab', '#9aa5b1']
const DASHES = ['', '6 3', '2 3', '8 3 2 3', '4 4']

/** Bars from the left, one below the other: `rows` of { label, value, isOurs }. */
export function bars(title, rows, result) {
  const [width, left, line, top] = [760, 270, 22, 52]
  const height = top + rows.length * line + 34
  const largest = Math.max(...rows.map(row => row.value))
  const scale = (width - left - 80) / largest
  const drawn = rows.map(({ label, value, isOurs }, i) => {
    const y = top + i * line
    const length = Math.max(1, value * scale)
    return [
      `<text x="${left - 8}" y="${y + 12}" text-anchor="end">${escaped(label)}</text>`,
      `<rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="15" rx="2" fill="${isOurs ? OURS : OTHERS}"/>`,
      `<text x="${(left + length + 6).toFixed(1)}" y="${y + 12}">${readable(value)}</text>`,
    ].join('\n')
  })
  return framed(title, drawn, { width, height }, result)
}

/**
 * Points and the straight line through them: `series` of { label, points: [x, y][], line: { slope, intercept }, isOurs };
 * both axes begin at 0.
 */
export function lines(title, series, axes, result) {
  const [width, height, left, top, right, bottom] = [760, 470, 60, 52, 270, 70]
  const all = series.flatMap(({ points }) => points)
  const [maxX, maxY] = [0, 1].map(at => Math.max(...all.map(point => point[at])) * 1.05)
  const x = value => (left + (value / maxX) * (width - left - right)).toFixed(1)
  const y = value => (height - bottom - (value / maxY) * (height - top - bottom)).toFixed(1)
  const counts = [0, 0]
  const drawn = series
    .toSorted((a, b) => last(b) - last(a))
    .map((each, i) => {
      const at = counts[each.isOurs ? 0 : 1]++
      const style = { color: (each.isOurs ? GREENS : GREYS)[at % 5], dash: each.isOurs ? '' : DASHES[at % 5] }
      return oneLine(each, style, { x, y, maxX, legend: [width - right + 16, top + 16 + i * 24] })
    })
  return framed(title, [axis({ x, y, maxX, maxY }, axes), ...drawn], { width, height }, result)
}

function last({ points }) {
  return points.at(-1)[1]
}

function oneLine({ label, points, line }, { color, dash }, { x, y, maxX, legend }) {
  const at = value => line.intercept + line.slope * value
  const stroke = `stroke="${color}" stroke-width="2" stroke-dasharray="${dash}"`
  const from = Math.max(0, -line.intercept / line.slope)
  const [legendX, legendY] = legend
  return [
    `<line x1="${x(from)}" y1="${y(at(from))}" x2="${x(maxX)}" y2="${y(at(maxX))}" ${stroke}/>`,
    ...points.map(point => `<circle cx="${x(point[0])}" cy="${y(point[1])}" r="4" fill="${color}"/>`),
    `<line x1="${legendX}" y1="${legendY - 4}" x2="${legendX + 24}" y2="${legendY - 4}" ${stroke}/>`,
    `<text x="${legendX + 30}" y="${legendY}">${escaped(label)}</text>`,
  ].join('\n')
}

function axis({ x, y, maxX, maxY }, names) {
  const xs = ticks(maxX).map(
    value => `<text x="${x(value)}" y="${Number(y(0)) + 18}" text-anchor="middle">${value}</text>`,
  )
  const ys = ticks(maxY).map(
    value =>
      `<line x1="${x(0)}" y1="${y(value)}" x2="${x(maxX)}" y2="${y(value)}" stroke="#e4e7eb"/>\n<text x="${Number(x(0)) - 8}" y="${Number(y(value)) + 4}" text-anchor="end">${value}</text>`,
  )
  return [
    ...ys,
    ...xs,
    `<text x="${x(maxX / 2)}" y="${Number(y(0)) + 36}" text-anchor="middle">${escaped(names.x)}</text>`,
    `<text x="14" y="${Number(y(maxY)) - 8}">${escaped(names.y)}</text>`,
  ].join('\n')
}

/** From 0, six at most, at 1, 2 or 5 times a power of ten. */
function ticks(max) {
  const power = 10 ** Math.floor(Math.log10(max))
  const step = [0.1, 0.2, 0.5, 1, 2, 5].map(factor => factor * power).find(each => max / each <= 6)
  return Array.from({ length: Math.floor(max / step) + 1 }, (_, i) => Number((i * step).toPrecision(3)))
}

function framed(title, content, { width, height }, { environment: { node, cpu, cores, date } }) {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#1f2933" role="img" aria-labelledby="title">
<title id="title">${escaped(title)}</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="14" y="28" font-size="15" font-weight="600">${escaped(title)}</text>
${content.join('\n')}
<text x="14" y="${height - 12}" font-size="11" fill="#52606d">Node ${node}, ${cores} × ${escaped(cpu)}, ${date.slice(0, 10)}; npm run bench:plot</text>
</svg>
`
}

function readable(value) {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)))
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

// npm run bench:plot: the results that are kept in bench/results, as figures in bench/figures.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'

const results = new URL('results/', import.meta.url)
const figures = new URL('figures/', import.meta.url)
const ours = '#0b6e4f'
const others = '#9aa5b1'

mkdirSync(figures, { recursive: true })
const drawn = [packets(), handshakes(), firstRequests(), bulk(), requests(), coldStart()].filter(
  name => name !== undefined,
)
console.log(`bench/figures: ${drawn.join(', ')}`)

function packets() {
  const result = read('micro')
  if (result === undefined) return undefined
  const ns = new Map(result.rows.map(row => [row.name, row.ns]))
  const rows = [40, 300, 1200, 1452, 8900, 32_000].flatMap(size =>
    [
      ['zerotrip, WebAssembly', 'chacha20-poly1305', 'wasm'],
      ['node:crypto alone', 'chacha20-poly1305', 'raw'],
      ['node:crypto alone, AES-128', 'aes-128-gcm', 'raw'],
    ].flatMap(([label, aead, by]) => {
      const both = ['seal', 'open'].map(verb => ns.get(`packets: ${verb} ${aead} ${size} ${by}`))
      if (both.includes(undefined)) return []
      return {
        label: `${size.toLocaleString('en-US')} bytes: ${label}`,
        value: (both[0] + both[1]) / 1000,
        isOurs: by === 'wasm',
      }
    }),
  )
  return draw('packets', 'Sealing and opening one packet, header protection included; µs', rows, result)
}

function handshakes() {
  const result = read('handshake-cpu')
  if (result === undefined) return undefined
  const rows = [
    ['node:tls, full', result.nodeTls.full],
    ['zerotrip, full', result.full],
    ['node:tls, resumed', result.nodeTls.resumed],
    ['zerotrip, resumed', result.resumed],
    ['zerotrip, provisioned with 0-RTT', result.provisioned],
  ].map(([label, { microseconds }]) => ({ label, value: microseconds, isOurs: label.startsWith('zerotrip') }))
  return draw('handshake-cpu', 'CPU time of a handshake, both ends; µs', rows, result)
}

function firstRequests() {
  const result = read('first-request')
  if (result === undefined) return undefined
  const rows = Object.entries(result.variants).map(([label, { p50ms }]) => ({
    label,
    value: p50ms,
    isOurs: label.startsWith('quic'),
  }))
  return draw('first-request', 'First request on a new connection, loopback, median; ms', rows, result)
}

function bulk() {
  const result = read('bulk')
  if (result === undefined) return undefined
  const rows = Object.entries(result.parties).map(([label, { mbps }]) => ({
    label,
    value: mbps,
    isOurs: label.startsWith('zerotrip'),
  }))
  return draw('bulk', `One transfer of ${result.mebibytes} MiB over loopback; Mbit/s`, rows, result)
}

function requests() {
  const result = read('requests')
  if (result === undefined) return undefined
  const rows = Object.entries(result.requestsPerSecond).flatMap(([label, loads]) =>
    Object.entries(loads).map(([load, value]) => ({
      label: `${label}, ${load}`,
      value,
      isOurs: label !== 'rival' && label !== 'http2',
    })),
  )
  return draw('requests', 'Requests a second on one connection', rows, result)
}

function coldStart() {
  const result = read('cold-start')
  if (result === undefined) return undefined
  const rows = Object.entries(result.entries).map(([label, { beyondCpuMs }]) => ({
    label: `import ${label}`,
    value: beyondCpuMs,
    isOurs: true,
  }))
  rows.unshift({ label: 'node -e 0', value: result.bare.cpuMs, isOurs: false })
  return draw('cold-start', 'What importing an entry costs beyond node -e 0; ms of CPU time', rows, result)
}

function read(name) {
  try {
    return JSON.parse(readFileSync(new URL(`${name}.json`, results), 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Bars from the left, one below the other. */
function draw(name, title, rows, { environment: { node, cpu, cores, date } }) {
  const [width, left, line, top] = [760, 270, 22, 52]
  const height = top + rows.length * line + 34
  const largest = Math.max(...rows.map(row => row.value))
  const scale = (width - left - 80) / largest
  const bars = rows.map(({ label, value, isOurs }, i) => {
    const y = top + i * line
    const length = Math.max(1, value * scale)
    return [
      `<text x="${left - 8}" y="${y + 12}" text-anchor="end">${escaped(label)}</text>`,
      `<rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="15" rx="2" fill="${isOurs ? ours : others}"/>`,
      `<text x="${(left + length + 6).toFixed(1)}" y="${y + 12}">${readable(value)}</text>`,
    ].join('\n')
  })
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#1f2933" role="img" aria-labelledby="title">
<title id="title">${escaped(title)}</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="14" y="28" font-size="15" font-weight="600">${escaped(title)}</text>
${bars.join('\n')}
<text x="14" y="${height - 12}" font-size="11" fill="#52606d">Node ${node}, ${cores} × ${escaped(cpu)}, ${date.slice(0, 10)}; npm run bench:plot</text>
</svg>
`
  writeFileSync(new URL(`${name}.svg`, figures), svg)
  return `${name}.svg`
}

function readable(value) {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)))
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

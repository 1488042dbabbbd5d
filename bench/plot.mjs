// npm run bench:plot: the results that are kept in bench/results, as figures in bench/figures.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { bars, lines } from './lib/svg.mjs'

const results = new URL('results/', import.meta.url)
const figures = new URL('figures/', import.meta.url)

/** What of a first request is drawn: more lines could not be told from each other. */
const inDistance = {
  'quic-0rtt-provisioned': 'zerotrip, provisioned',
  'quic-1rtt': 'zerotrip, 1-RTT',
  'quic-go 0rtt': 'quic-go, 0-RTT',
  'ngtcp2 0rtt': 'ngtcp2, 0-RTT',
  tcp: 'new TCP',
  'tls13-resumed': 'TLS 1.3 resumed',
  'tls12-full': 'TLS 1.2',
}

mkdirSync(figures, { recursive: true })
const drawers = [packets, handshakes, rates, firstRequests, distance, megabyte, loss, bulk, requests, coldStart]
const drawn = drawers.map(draw => draw()).filter(name => name !== undefined)
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

function distance() {
  const result = read('distance')
  if (result === undefined || Object.keys(result.lines).length === 0) return undefined
  const over = Object.values(result.points).slice(1)
  const series = Object.entries(inDistance)
    .filter(([name]) => result.lines[name] !== undefined)
    .map(([name, label]) => ({
      label: `${label}, slope ${result.lines[name].slope}`,
      points: over.map(point => [point.datagram.p50ms, point[name].p50ms]),
      line: result.lines[name],
      isOurs: name.startsWith('quic-') && !name.includes(' '),
    }))
  const axes = { x: 'round trip of a datagram, ms', y: 'ms until the answer is there' }
  return save('distance', lines('First request on a new connection, by distance, medians', series, axes, result))
}

function megabyte() {
  const result = read('megabyte')
  if (result === undefined) return undefined
  const rows = Object.entries(result.variants).map(([label, { p50ms }]) => ({
    label,
    value: p50ms,
    isOurs: label.startsWith('quic-') && !label.includes(' '),
  }))
  return draw('megabyte', 'An answer of 1 MB on a new connection, round trip 0.5 ms, median; ms', rows, result)
}

function loss() {
  const result = read('loss')
  if (result === undefined) return undefined
  const rows = Object.entries(result.loads.megabyte).flatMap(([percent, { variants }]) =>
    Object.entries(variants).map(([name, { p50ms }]) => ({
      label: `${percent} lost: ${name}`,
      value: p50ms,
      isOurs: name.startsWith('quic'),
    })),
  )
  return draw('loss', 'An answer of 1 MB on a new connection, round trip 3 ms, with loss, median; ms', rows, result)
}

function rates() {
  const result = read('handshakes')
  if (result === undefined) return undefined
  const rows = Object.entries(result.perSecond).map(([name, value]) => ({
    label: name.startsWith('tls') ? `node:${name}` : `zerotrip, ${name}`,
    value,
    isOurs: !name.startsWith('tls'),
  }))
  return draw('handshakes', 'Handshakes a second over loopback, 16 at a time', rows, result)
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
      isOurs: ['stream', 'fetch', 'request'].includes(label),
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

function draw(name, title, rows, result) {
  return save(name, bars(title, rows, result))
}

function save(name, svg) {
  writeFileSync(new URL(`${name}.svg`, figures), svg)
  return `${name}.svg`
}

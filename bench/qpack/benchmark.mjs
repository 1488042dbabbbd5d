// What a header section costs: time to encode and to decode, and bytes beside nghttp3's on the same lists.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Codec } from './codec.mjs'
import * as lists from './lists.mjs'

/** What must hold: µs for a typical request of a browser, and bytes over those of nghttp3. */
const limits = { encode: 15, decode: 15, ratio: 1.05 }

const CAPACITY = 4096

export async function run({ samples = 40 }) {
  const nghttp3 = peerSizes()
  const rows = Object.entries(lists).map(([name, make]) => [name, row(make(), samples, nghttp3?.(make()))])
  const sets = Object.fromEntries(rows)
  const isReached =
    sets.requests.encode <= limits.encode &&
    sets.requests.decode <= limits.decode &&
    Object.values(sets).every(({ ratio }) => ratio === undefined || ratio <= limits.ratio)
  return { sets, capacity: CAPACITY, samples, limits, hasPeer: nghttp3 !== undefined, isReached }
}

/** Each sample is one connection; the best half of them by time, since what disturbs only adds. */
function row(set, samples, peer) {
  const times = { encode: [], decode: [], fresh: [] }
  let bytes = 0
  for (let i = 0; i < 2 * samples; i++) {
    const codec = new Codec(CAPACITY, set)
    const { encode, decode } = codec.pass()
    bytes = codec.bytes
    const warm = codec.pass()
    if (i < samples) continue
    times.fresh.push((encode + decode) / set.length)
    times.encode.push(warm.encode / set.length)
    times.decode.push(warm.decode / set.length)
  }
  const plain = set.flat().reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  return {
    lists: set.length,
    encode: median(times.encode),
    decode: median(times.decode),
    plainBytes: plain,
    bytes,
    share: Number((bytes / plain).toFixed(3)),
    ...(peer && { nghttp3Bytes: peer, ratio: Number((bytes / peer).toFixed(3)) }),
  }
}

/** A program around libnghttp3, made here; undefined where there is no compiler or no libnghttp3-dev. */
function peerSizes() {
  const folder = mkdtempSync(join(tmpdir(), 'zerotrip-qpack-'))
  const program = join(folder, 'nghttp3')
  try {
    const source = new URL('nghttp3.c', import.meta.url).pathname
    execFileSync('cc', ['-O2', '-o', program, source, '-lnghttp3'], { stdio: 'ignore' })
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  } catch {
    rmSync(folder, { recursive: true, force: true })
    return undefined
  }
  return set => {
    const input = set.map(list => `${list.map(field => field.join('\t')).join('\n')}\n\n`).join('')
    const [sections, instructions] = execFileSync(program, [String(CAPACITY)], { input })
      .toString()
      .split(' ')
    return Number(sections) + Number(instructions)
  }
}

export function print({ environment, sets, samples, capacity, hasPeer, isReached }) {
  const { node, cpu, cores, date } = environment
  const column = (text, width = 12) => String(text).padStart(width)
  const lines = Object.entries(sets).map(([name, set]) =>
    [
      name.padEnd(12),
      column(set.encode.toFixed(2)),
      column(set.decode.toFixed(2)),
      column(Math.round(set.plainBytes / set.lists)),
      column((set.bytes / set.lists).toFixed(1)),
      column(set.nghttp3Bytes === undefined ? '' : (set.nghttp3Bytes / set.lists).toFixed(1)),
      column(set.ratio ?? ''),
    ].join(''),
  )
  return [
    `QPACK, dynamic table of ${capacity} bytes, everything acknowledged at once, medians of ${samples} connections`,
    `Node ${node}, ${cores} × ${cpu}, ${date}`,
    '',
    [
      'a section'.padEnd(12),
      ...['encode, µs', 'decode, µs', 'plain', 'bytes', 'nghttp3', 'ratio'].map(t => column(t)),
    ].join(''),
    ...lines,
    '',
    `bytes: of sections and instructions; at most ${limits.ratio} of nghttp3's, and ${limits.encode} µs each for requests`,
    hasPeer
      ? ''
      : 'nghttp3 was not measured: that takes a C compiler and libnghttp3-dev (apt-get install gcc libnghttp3-dev)',
    isReached ? 'reached' : 'NOT reached',
  ].join('\n')
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return Number(sorted[sorted.length >> 1].toFixed(2))
}

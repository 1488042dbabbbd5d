// What a handshake costs the processor, both ends together, beside node:tls: no network, no sockets, one process.

import { X509Certificate } from 'node:crypto'
import { defaultBackend, selfSigned } from 'zerotrip'
import { nobleBackend } from 'zerotrip/crypto/noble'
import { measure } from './measure.mjs'
import { QuicHandshakes } from './quic-handshakes.mjs'
import { TlsHandshakes } from './tls-handshakes.mjs'

/** What must hold: CPU time of ours over that of node:tls. */
const limits = { full: 1.3, resumed: 1.0 }

/** Rounds that are not counted: until the optimizing compiler has nothing left to do. */
const WARM_UP = 100
const QUICK_WARM_UP = 20

/** What each is compared with: early data on a provisioned key is a resumption, as TLS goes. */
const counterparts = { full: 'tlsFull', resumed: 'tlsResumed', provisioned: 'tlsResumed', noble: 'tlsFull' }

export async function run({ samples = 60, quick = false }) {
  const identity = selfSigned({ hosts: ['localhost'] })
  const der = { certificate: new Uint8Array(new X509Certificate(identity.cert).raw), key: identity.key }
  const tls = new TlsHandshakes(identity)
  const quic = new QuicHandshakes(defaultBackend, der)
  const noble = new QuicHandshakes(nobleBackend, der)
  const subjects = {
    tlsFull: { count: 20, handshake: () => tls.full() },
    full: { count: 20, handshake: () => quic.full() },
    tlsResumed: { count: 20, handshake: () => tls.resumed() },
    resumed: { count: 20, handshake: () => quic.resumed() },
    provisioned: { count: 20, handshake: () => quic.provisioned() },
    noble: { count: 1, handshake: () => noble.full() },
  }
  return judge(
    await measure(subjects, { samples, warmUp: quick ? QUICK_WARM_UP : WARM_UP, onProgress: progress }),
    samples,
  )
}

function judge(measured, samples) {
  const ours = Object.entries(counterparts).map(([name, other]) => {
    const ratio = median(measured[name].map((us, round) => us / measured[other][round]))
    return [name, { ratio: Number(ratio.toFixed(3)), ...costOf(measured[name]) }]
  })
  const rows = Object.fromEntries(ours)
  const nodeTls = { full: costOf(measured.tlsFull), resumed: costOf(measured.tlsResumed) }
  const isReached = Object.entries(limits).every(([name, limit]) => rows[name].ratio <= limit)
  return { ...rows, nodeTls, samples, limits, isReached }
}

/** CPU time of one handshake, and how many a core does in a second. */
function costOf(us) {
  const cost = median(us)
  return { perSecond: Math.round(1e6 / cost), microseconds: Math.round(cost) }
}

export function print({ environment, nodeTls, samples, isReached, ...rows }) {
  const { node, cpu, cores, date } = environment
  const line = (name, { microseconds, perSecond, ratio }, bound) =>
    [
      name.padEnd(24),
      String(microseconds).padStart(8),
      String(perSecond).padStart(12),
      (ratio?.toFixed(2) ?? '').padStart(8),
      bound === undefined ? '' : `  at most ${bound}`,
    ].join('')
  return [
    `CPU time of a handshake, both ends in one process and in memory, medians of ${samples} rounds in turns`,
    `Node ${node}, ${cores} × ${cpu}, ${date}`,
    '',
    `${''.padEnd(24)}${'µs'.padStart(8)}${'per second'.padStart(12)}${'ratio'.padStart(8)}`,
    line('node:tls, full', nodeTls.full),
    line('node:tls, resumed', nodeTls.resumed),
    line('full, P-256 certificate', rows.full, limits.full),
    line('resumed, psk_dhe_ke', rows.resumed, limits.resumed),
    line('provisioned, 0-RTT', rows.provisioned),
    line('noble, full', rows.noble),
    '',
    'per second: on one core; ratio: to node:tls doing the same, provisioned to a resumption; median over the rounds',
    isReached ? 'reached' : 'NOT reached',
  ].join('\n')
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

function progress(share) {
  if (!process.stderr.isTTY) return
  process.stderr.write(share === 1 ? '\r\x1b[K' : `\r\x1b[Kmeasuring ${Math.round(share * 100)} %`)
}

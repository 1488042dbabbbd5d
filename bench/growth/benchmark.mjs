// Does a packet cost more when there is much around it: connections at rest, open streams? And what does one at rest cost?

import { setTimeout as sleep } from 'node:timers/promises'
import { compare, Pair } from './measure.mjs'
import { Peer } from './process.mjs'

const MANY = 10_000
/** What must hold: shares of throughput, bytes of heap. */
const limits = { idleConnections10k: 0.9, openStreams10k: 0.8, bytesPerIdleConnection: 30_000 }
/** Bytes of a turn, each way; where all streams work, so many that each has more than a packet's worth. */
const TOTAL = 2_000_000
const TOTAL_OF_ALL = 16_000_000
/** Turns are longer there, and fewer. */
const SHARE_OF_ALL = 1 / 3
/** Opened and closed again before memory is first looked at: by then there is a compiled version of all that runs. */
const REHEARSAL = 300
/** How long CPU time is watched, ms. */
const WATCH = 10_000

export async function run({ samples = 21 }) {
  progress('open streams')
  const streams = await besideStreams(samples)
  progress('idle connections')
  const connections = await besideConnections(samples)
  progress('')
  return judge(streams, connections)
}

/** One endpoint with many idle connections, another one with none; each carries bulk for one client more. */
async function besideConnections(samples) {
  const few = await new Pair().start({ streams: 1 })
  const many = await new Pair().start({ streams: 1 })
  const crowd = new Peer()
  try {
    await crowd.call('hold', { ...many.at, count: REHEARSAL })
    await crowd.call('release')
    await many.server.until('connections', 1)
    const before = [await many.server.call('memory'), await crowd.call('memory')]
    const begun = performance.now()
    await crowd.call('hold', { ...many.at, count: MANY })
    const handshakeMs = (performance.now() - begun) / MANY
    await settled(many.server)
    const [server, client] = [await many.server.call('memory'), await crowd.call('memory')]
    const idle = await idleCpu([few.server, many.server, crowd])
    const throughput = await compare({ pair: few, active: 1 }, { pair: many, active: 1 }, { total: TOTAL, samples })
    const memory = { server: perConnection(before[0], server), client: perConnection(before[1], client) }
    return { handshakeMs: Number(handshakeMs.toFixed(2)), memory, idleCpuMsPerSecond: idle, throughput }
  } finally {
    await Promise.all([few.stop(), many.stop(), crowd.stop()])
  }
}

/** A connection with many open streams, and one with a single stream: all of them carry, or one among many. */
async function besideStreams(samples) {
  const few = await new Pair().start({ streams: 1 })
  const before = await Promise.all([few.server.call('memory'), few.client.call('memory')])
  const many = await new Pair().start({ streams: MANY })
  try {
    const after = await Promise.all([many.server.call('memory'), many.client.call('memory')])
    const ofAll = { total: TOTAL_OF_ALL, samples: Math.ceil(samples * SHARE_OF_ALL) }
    return {
      allActive: await compare({ pair: few, active: 1 }, { pair: many, active: MANY }, ofAll),
      oneActive: await compare({ pair: few, active: 1 }, { pair: many, active: 1 }, { total: TOTAL, samples }),
      // Against another process that has no more than one: good to a few dozen bytes.
      memory: { server: perConnection(before[0], after[0]), client: perConnection(before[1], after[1]) },
    }
  } finally {
    await Promise.all([few.stop(), many.stop()])
  }
}

/** Handshakes are over and their timers have run out when a second costs next to nothing. */
async function settled(peer) {
  for (let tries = 0; tries < 30; tries++) {
    const before = await peer.call('cpu')
    await sleep(1000)
    if ((await peer.call('cpu')) - before < 20) return
  }
}

async function idleCpu(peers) {
  const before = await Promise.all(peers.map(peer => peer.call('cpu')))
  await sleep(WATCH)
  const after = await Promise.all(peers.map(peer => peer.call('cpu')))
  const [none, server, client] = after.map((ms, i) => Number((((ms - before[i]) * 1000) / WATCH).toFixed(2)))
  return { none, server, client }
}

function perConnection(before, after) {
  const each = name => Math.round((after[name] - before[name]) / MANY)
  // What node calls external includes array buffers.
  return { heap: each('heapUsed'), external: each('external'), resident: each('rss') }
}

function judge(streams, connections) {
  const { heap, external } = connections.memory.server
  const idleConnections10k = connections.throughput.ratio
  const openStreams10k = Math.min(streams.allActive.ratio, streams.oneActive.ratio)
  const bytesPerIdleConnection = heap + external
  const isReached =
    idleConnections10k >= limits.idleConnections10k &&
    openStreams10k >= limits.openStreams10k &&
    bytesPerIdleConnection <= limits.bytesPerIdleConnection
  return {
    idleConnections10k,
    openStreams10k,
    bytesPerIdleConnection,
    samples: connections.throughput.samples,
    connections,
    streams,
    limits,
    isReached,
  }
}

export function print({ environment, connections, streams, bytesPerIdleConnection, isReached }) {
  const { node, cpu, cores, date } = environment
  const { memory, idleCpuMsPerSecond, throughput } = connections
  return [
    `what 10,000 cost beside one that works: throughput over loopback, ${throughput.samples} turns, medians`,
    `Node ${node}, ${cores} × ${cpu}, ${date}`,
    '',
    `${''.padEnd(44)}${'alone'.padStart(10)}${'beside'.padStart(10)}${'ratio'.padStart(8)}${'at least'.padStart(10)}`,
    row('10,000 idle connections, one works', throughput, limits.idleConnections10k),
    row('10,000 open streams, all work', streams.allActive, limits.openStreams10k),
    row('10,000 open streams, one works', streams.oneActive, limits.openStreams10k),
    '',
    `an idle connection: ${bytesPerIdleConnection} bytes of heap at the server (at most ${limits.bytesPerIdleConnection}), ${memory.client.heap + memory.client.external} at the client`,
    `10,000 of them: ${idleCpuMsPerSecond.server} ms of CPU per second at the server, ${idleCpuMsPerSecond.client} ms at the client`,
    `an open stream: ${streams.memory.server.heap + streams.memory.server.external} bytes of heap at the server, ${streams.memory.client.heap + streams.memory.client.external} at the client`,
    isReached ? 'reached' : 'NOT reached',
  ].join('\n')
}

function row(what, { megabytesPerSecond, ratio }, limit) {
  const { few, many } = megabytesPerSecond
  const cells = [`${few.toFixed(1)} MB/s`, `${many.toFixed(1)} MB/s`]
  return `${what.padEnd(40)}${cells.map(cell => cell.padStart(12)).join('')}${ratio.toFixed(2).padStart(8)}${limit.toFixed(1).padStart(10)}`
}

function progress(what) {
  if (!process.stderr.isTTY) return
  process.stderr.write(what === '' ? '\r\x1b[K' : `\r\x1b[Kmeasuring ${what}`)
}

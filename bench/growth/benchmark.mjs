// Does a packet cost more when there is much around it: connections at rest, open streams? And what does one at rest cost?

import { setTimeout as sleep } from 'node:timers/promises'
import { compare, Pair } from './measure.mjs'
import { Peer } from './process.mjs'

const MANY = 10_000
/** What must hold: shares of throughput, bytes of heap. */
const limits = { idleConnections10k: 0.9, openStreams10k: 0.8, bytesPerIdleConnection: 30_000 }
/** Bytes of a turn, each way. */
const TOTAL = 10_000_000
/** Where all streams work, one piece for each; the stream that works alone writes pieces of the same size. */
const PIECE = 8_000
/** Turns are longer there, and fewer. */
const SHARE_OF_ALL = 1 / 5
/** Opened and closed again before memory is first looked at: by then there is a compiled version of all that runs. */
const REHEARSAL = 300
/** How long CPU time is watched, ms. */
const WATCH = 10_000

export async function run({ samples: wanted, quick = false }) {
  const samples = wanted ?? (quick ? 5 : 20)
  // Half of the time; nothing of it is among the targets.
  if (!quick) progress('10,000 open streams')
  const streams = quick ? undefined : await besideStreams(samples)
  progress('10,000 idle connections: handshakes')
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
    progress('10,000 idle connections: at rest')
    await settled(many.server)
    const [server, client] = [await many.server.call('memory'), await crowd.call('memory')]
    const idle = await idleCpu([few.server, many.server, crowd])
    progress('10,000 idle connections: throughput beside them')
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
    progress('10,000 open streams: throughput of one')
    const ofOne = { total: TOTAL, samples }
    const oneActive = await compare({ pair: few, active: 1 }, { pair: many, active: 1 }, ofOne)
    progress('10,000 open streams: throughput of all')
    const ofAll = { total: MANY * PIECE, piece: PIECE, samples: Math.ceil(samples * SHARE_OF_ALL), warmUp: 1 }
    const allActive = await compare({ pair: few, active: 1 }, { pair: many, active: MANY }, ofAll)
    return {
      oneActive,
      allActive,
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
  // What open streams cost a packet that is not theirs. Where all work, each packet wakes another reader: reported, not
  // judged.
  const openStreams10k = streams?.oneActive.ratio
  const bytesPerIdleConnection = heap + external
  const isReached =
    idleConnections10k >= limits.idleConnections10k &&
    (openStreams10k ?? 1) >= limits.openStreams10k &&
    bytesPerIdleConnection <= limits.bytesPerIdleConnection
  return {
    idleConnections10k,
    openStreams10k,
    bytesPerIdleConnection,
    allOf10kStreams: streams?.allActive.ratio,
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
    `what 10,000 cost beside one that works: throughput over loopback, ${throughput.samples} turns`,
    `Node ${node}, ${cores} × ${cpu}, ${date}`,
    '',
    row('', ['alone', 'beside', 'ratio', 'by', 'at least']),
    row('10,000 idle connections, one works', cells(throughput, limits.idleConnections10k)),
    ...(streams === undefined ? [] : streamRows(streams)),
    '',
    `an idle connection: ${bytesPerIdleConnection} bytes of heap at the server (at most ${limits.bytesPerIdleConnection}), ${memory.client.heap + memory.client.external} at the client`,
    `10,000 of them: ${idleCpuMsPerSecond.server} ms of CPU per second at the server, ${idleCpuMsPerSecond.client} ms at the client`,
    ...(streams === undefined ? [] : [streamMemory(streams.memory)]),
    isReached ? 'reached' : 'NOT reached',
  ].join('\n')
}

function streamRows({ oneActive, allActive }) {
  return [
    row('10,000 open streams, one works', cells(oneActive, limits.openStreams10k)),
    row(`10,000 open streams, all work, pieces of ${PIECE}`, cells(allActive)),
  ]
}

function streamMemory({ server, client }) {
  return `an open stream: ${server.heap + server.external} bytes of heap at the server, ${client.heap + client.external} at the client`
}

function cells({ megabytesPerSecond, megabytesPerCpuSecond, ratio, by }, limit) {
  const { few, many } = by === 'CPU' ? megabytesPerCpuSecond : megabytesPerSecond
  return [few.toFixed(1), many.toFixed(1), ratio.toFixed(2), `MB/s of ${by}`, limit?.toFixed(1) ?? '-']
}

function row(what, [alone, beside, ratio, by, limit]) {
  return `${what.padEnd(46)}${alone.padStart(7)}${beside.padStart(8)}${ratio.padStart(7)}${by.padStart(14)}${limit.padStart(10)}`
}

/** Takes minutes: on stderr, so that the result stays alone on stdout. */
function progress(what) {
  const isTTY = process.stderr.isTTY
  if (what !== '') process.stderr.write(isTTY ? `\r\x1b[Kmeasuring ${what}` : `measuring ${what}\n`)
  else if (isTTY) process.stderr.write('\r\x1b[K')
}

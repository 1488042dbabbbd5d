// Figure 5: one function, one request at a time. a: a connection for each; b: connections that are kept; c: the first
// request to an instance; d: a megabyte.

import { measureCalls, Scene } from './lib/calls.mjs'
import { change } from './lib/summary.mjs'
import { systems } from './lib/systems.mjs'

const DELAY = 0.5
/** Calls of each system before, and rounds that are not counted. */
const plan = ({ quick, samples }) =>
  quick ? { samples: samples ?? 30, warmUp: 20, calls: 1500 } : { samples: samples ?? 200, warmUp: 50, calls: 3000 }

const GET = ['tcp', 'tls12', 'tls13', 'tls13-resumed', 'quic-1rtt', 'quic-0rtt-store', 'quic-0rtt']
const POST = ['tcp', 'tls12', 'tls13', 'tls13-resumed', 'quic-1rtt', 'quic-post1rtt', 'quic-0rtt']
const KEPT = ['tcp-kept', 'tls13-kept', 'quic-kept']
const BODY = 'x'.repeat(100)

export const fig5a = {
  title: 'One function, a connection for each request',
  run: options => single(options, [...rowsOf(GET, 'GET', '/'), ...rowsOf(POST, 'POST', '/', BODY)], judge5a),
}

export const fig5b = {
  title: 'One function, connections that are kept',
  run: options => single(options, [...rowsOf(KEPT, 'GET', '/'), ...rowsOf(KEPT, 'POST', '/', BODY)], judge5b),
}

export const fig5d = {
  title: 'One function that answers with 1 MB, a connection for each request',
  run: options =>
    single(
      options,
      rowsOf(GET, 'GET', '/?bytes=1000000').map(row => ({ ...row, bytes: 1_000_000 })),
      judge5d,
    ),
}

async function single(options, rows, judge) {
  const scene = await Scene.open(DELAY, [...new Set(rows.map(row => row.system))])
  try {
    const worker = await scene.start('echo.mjs')
    await scene.put('echo', worker)
    const { samples, warmUp, calls } = plan(options)
    await scene.warmUp('echo', calls, options.onProgress)
    const turns = { samples, warmUp, onProgress: options.onProgress }
    const { measured, raw } = await measureCalls(scene, rows, turns)
    const conditions = { ...scene.network.conditions, samples, warmUpCalls: calls + warmUp }
    return { conditions, measured, ...judge(raw), raw }
  } finally {
    await scene.close()
  }
}

function rowsOf(names, method, path, body) {
  return names.map(system => ({
    key: `${method} ${system}`,
    system,
    method,
    path: `/function/echo${path}`,
    body,
    expects: connections => isExpected(systems[system], connections),
  }))
}

/** One connection for each request, of the kind that the system is named for; kept ones began before. */
function isExpected(system, connections) {
  if (system.isKept) return true
  const [what] = connections
  if (connections.length !== 1) return false
  // The first of all has no ticket yet.
  if (system.credentials === 'tickets') return true
  if (system.transport === 'quic') return what === (system.credentials === 'none' ? 'none' : 'accepted')
  return system.transport === 'tcp' || what === system.version || system.resumes === true
}

function judge5a(raw) {
  const than = (ours, theirs) => change(raw[ours], raw[theirs])
  const comparisons = [
    compare('GET: 0-RTT provisioned to TLS 1.3, full', than('GET quic-0rtt', 'GET tls13'), -0.28, { most: -0.28 }),
    compare('GET: 0-RTT provisioned to TLS 1.3, resumed', than('GET quic-0rtt', 'GET tls13-resumed'), undefined, {
      most: 0,
    }),
    compare('GET: 0-RTT provisioned to TCP', than('GET quic-0rtt', 'GET tcp'), 0, { most: 0.05 }),
    compare('GET: 0-RTT by ticket to TLS 1.3, full', than('GET quic-0rtt-store', 'GET tls13'), -0.28, { most: -0.28 }),
    compare('GET: 1-RTT to TLS 1.3, full', than('GET quic-1rtt', 'GET tls13'), undefined),
    compare('POST: POST1RTT to TLS 1.3, full', than('POST quic-post1rtt', 'POST tls13'), -0.14, { most: -0.14 }),
    compare('POST: POST1RTT to TLS 1.3, resumed', than('POST quic-post1rtt', 'POST tls13-resumed'), undefined),
    compare('POST: 0-RTT provisioned to TLS 1.3, full', than('POST quic-0rtt', 'POST tls13'), -0.28, { most: -0.28 }),
  ]
  return { comparisons }
}

function judge5b(raw) {
  const than = (ours, theirs) => change(raw[ours], raw[theirs])
  return {
    comparisons: ['GET', 'POST'].flatMap(method => [
      compare(`${method}: QUIC to TLS 1.3, both kept`, than(`${method} quic-kept`, `${method} tls13-kept`), 0, {
        most: 0.1,
      }),
      compare(`${method}: QUIC to TCP, both kept`, than(`${method} quic-kept`, `${method} tcp-kept`), 0),
    ]),
  }
}

function judge5d(raw) {
  const than = (ours, theirs) => change(raw[ours], raw[theirs])
  return {
    comparisons: [
      compare('1 MB: 0-RTT provisioned to TLS 1.3, full', than('GET quic-0rtt', 'GET tls13'), -0.21, { most: -0.1 }),
      compare('1 MB: 0-RTT provisioned to TLS 1.3, resumed', than('GET quic-0rtt', 'GET tls13-resumed'), undefined),
      compare('1 MB: 0-RTT provisioned to TCP', than('GET quic-0rtt', 'GET tcp'), 'slightly more'),
    ],
  }
}

/** `paper`: its figure for the same; `most`: what ours may be, where something is to be reached. */
function compare(what, measured, paper, { most } = {}) {
  return { what, ...measured, paper, ...(most !== undefined && { most, isReached: measured.change <= most }) }
}

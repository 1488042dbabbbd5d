// One test case between two implementations: both in their network namespaces, the link between them, and the judge.

import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Unsupported } from './checks.mjs'
import { prepare } from './exchange.mjs'
import { Link } from './link.mjs'
import { Trace } from './trace.mjs'

const PORT = 443
/** Seconds, as the runner waits. */
const SERVER_TIMEOUT = 10
const UNSUPPORTED = 127
const DEFAULT_TIMEOUT = 60

/**
 * Runs it in `directory`, which it makes; `certs` gives a directory of certificates for a length of chain. Resolves with
 * what the check of the case found, if anything. Throws an Error that says what was not as it must be, or Unsupported.
 */
export async function runCell({ test, client, server, alpn }, directory, certs) {
  const places = makePlaces(directory)
  const exchange = prepare(test, places, `https://${hostOf(test)}:${PORT}`)
  const link = await Link.start(directory, test.link, test.isMeasurement)
  const started = []
  const context = { ...contextOf(test, alpn, places, link), certs: certs(test.chain ?? 1), exchange }
  try {
    await serve({ test, peer: server, context, link, places, started })
    if (test.hasCrossTraffic) started.push(...crossTraffic(link, places, test.timeout))
    await fetchAll({ test, peer: client, context, link, places, started })
  } finally {
    // What servers say when they are told to end is not part of the case.
    await link.stop()
    await Promise.all(started.map(child => child.stop()))
  }
  exchange.judge()
  return test.check(tracesOf(directory, places, link))
}

async function serve({ test, peer, context, link, places, started }) {
  const [command] = commandsOf(peer, 'server', test, { ...context, host: context.address }, places.server)
  const child = link.run('server', command, join(places.server.logs, 'output.log'))
  started.push(child)
  const answers = link.answers(test.host === 'server6' ? 'ipv6' : 'ipv4', PORT, SERVER_TIMEOUT)
  const end = await Promise.race([answers, child.ended])
  if (end.code === UNSUPPORTED) throw new Unsupported('says the server')
  if (end.code !== undefined) throw new Error(`the server ended with ${end.signal ?? end.code}: ${child.lines.at(-1)}`)
  if (!end) throw new Error(`the server did not answer within ${SERVER_TIMEOUT} s`)
}

async function fetchAll({ test, peer, context, link, places, started }) {
  const limit = test.timeout ?? DEFAULT_TIMEOUT
  const late = Date.now() + limit * 1000
  for (const command of commandsOf(peer, 'client', test, context, places.client)) {
    const child = link.run('client', command, join(places.client.logs, 'output.log'))
    started.push(child)
    const end = await withinTime(child.ended, late - Date.now())
    if (end === undefined) throw new Error(`not done after ${limit} s`)
    if (end.code === UNSUPPORTED) throw new Unsupported('says the client')
  }
}

/** A list: a server's has one entry. */
function commandsOf(peer, role, { name, testcase = name, ours }, { exchange, ...context }, side) {
  const told = (peer.name === 'zerotrip' && ours) || (testcase[role] ?? testcase)
  const asked = { requests: exchange.requests[role], protocols: exchange.protocols[role] }
  const found = peer[role](told, { ...context, ...asked, ...side, role, testcase: told })
  if (found === undefined) throw new Unsupported(`${peer.name} has no such ${role}`)
  const common = { SSLKEYLOGFILE: side.keylog, QLOGDIR: side.qlog }
  return [found].flat().map(each => ({ cwd: side.logs, ...each, env: { ...common, ...each.env } }))
}

function contextOf(test, alpn, { www }, link) {
  const host = hostOf(test)
  const addresses = link.addresses.server
  const address = host === 'server6' ? addresses.ipv6 : addresses.ipv4
  const params = { serverParams: '', clientParams: '' }
  return { test: test.name, alpn, host, port: PORT, address, addresses, www, ...params }
}

function hostOf(test) {
  return test.host ?? 'server4'
}

function makePlaces(directory) {
  rmSync(directory, { recursive: true, force: true })
  const make = (...names) => {
    const path = join(directory, ...names)
    mkdirSync(path, { recursive: true })
    return path
  }
  const [downloads, uploads] = [make('downloads'), make('uploads')]
  const side = (name, downloads) => {
    return { downloads, logs: make(name), qlog: make(name, 'qlog'), keylog: join(directory, name, 'keys.log') }
  }
  return { www: make('www'), downloads, uploads, client: side('client', downloads), server: side('server', uploads) }
}

function tracesOf(directory, { client, server }, link) {
  // Secrets of either side do.
  const keylog = [client.keylog, server.keylog].find(hasSecrets)
  const trace = name => new Trace(join(directory, name), keylog, link.addresses.server)
  return { client: trace('left.pcap'), server: trace('right.pcap'), hasKeys: keylog !== undefined }
}

function hasSecrets(file) {
  return existsSync(file) && /^SERVER_HANDSHAKE_TRAFFIC_SECRET/m.test(readFileSync(file, 'utf8'))
}

/** A TCP flow of the system's (CUBIC) in the direction of the transfer, for as long as that may take. */
function crossTraffic(link, { server, client }, seconds) {
  const at = (side, args, { logs }) => link.run(side, { file: 'iperf3', args, cwd: logs }, join(logs, 'iperf3.log'))
  const flow = ['-c', link.addresses.server.ipv4, '--reverse', '-C', 'cubic', '-t', seconds, '--connect-timeout', 5000]
  return [at('server', ['-s', '-1'], server), at('client', flow, client)]
}

/** Undefined: it took too long. */
async function withinTime(promise, ms) {
  let timer
  const late = new Promise(resolve => {
    timer = setTimeout(resolve, Math.max(0, ms))
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

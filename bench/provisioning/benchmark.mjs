// What first-packet credentials cost: to make, to check, to use, to keep. One process, no network.

import { X509Certificate } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { nodeBackend, selfSigned } from 'zerotrip'
import { provisionHttp3, serverParameters, serverSettings } from 'zerotrip/http3'
import { clientBundle, ProvisionedClient, ProvisionedServer, provision, ReplayWindow } from 'zerotrip/zero-rtt'
import { measure } from '../handshake-cpu/measure.mjs'
import { QuicHandshakes } from '../handshake-cpu/quic-handshakes.mjs'

/** What must hold: instances provisioned by a core in a second; µs; CPU time over that of a resumption; bytes. */
const limits = { provisionsPerSecond: 20_000, guardCheck: 3, handshakeRatio: 1, memory: 1_000_000 }
const CLIENTS = 1000
const WARM_UP = 40
/** In one turn. */
const HANDSHAKES = 20
const origin = '10.0.0.7:443'
const options = { backend: nodeBackend, clientId: 'gateway-1', addresses: [origin], lifetime: 24 * 3_600_000 }
/** What a platform works out once for all workers of a kind. */
const promised = { ...options, transportParameters: serverParameters(), appState: serverSettings() }
const hello = { serverName: undefined, alpn: ['h3'], signatureSchemes: [], cipherSuites: [] }
const nothing = new Uint8Array(0)

export async function run({ samples = 60 }) {
  const memory = memoryOfClients()
  const identity = selfSigned({ hosts: ['localhost'] })
  const der = { certificate: new Uint8Array(new X509Certificate(identity.cert).raw), key: identity.key }
  const quic = new QuicHandshakes(nodeBackend, der)
  const guard = new GuardChecks()
  const subjects = {
    provision: { count: 400, handshake: () => provision({ ...promised, unixTime: Date.now() }) },
    guardCheck: { count: GuardChecks.batch, handshake: () => guard.next() },
    window: { count: 4000, handshake: () => guard.window.accept(guard.windowed++) },
    resumed: { count: HANDSHAKES, handshake: () => quic.resumedEarly() },
    provisioned: { count: HANDSHAKES, handshake: () => quic.provisioned() },
  }
  const measured = await measure(subjects, {
    samples,
    warmUp: WARM_UP,
    onProgress: progress,
    before: { guardCheck: () => guard.prepare(), resumed: () => quic.collectTickets(HANDSHAKES) },
  })
  return judge(measured, memory, samples)
}

/** Fresh attempts of one client after another, found and verified before the clock runs: what is left is the check. */
class GuardChecks {
  static batch = 500
  window = new ReplayWindow()
  windowed = 0
  #attempts = []
  #client
  #server

  constructor() {
    const { worker, client } = provisionHttp3(options)
    this.#server = new ProvisionedServer(nodeBackend, worker)
    this.#client = new ProvisionedClient(nodeBackend, client, Date.now)
  }

  prepare() {
    const unixTime = Date.now()
    while (this.#attempts.length < GuardChecks.batch) {
      const { identity } = this.#client.take(origin)
      const psk = this.#server.find(identity, 0, unixTime)
      this.#attempts.push({ psk, identity, binder: nothing, ticketAge: undefined, hello, unixTime })
    }
  }

  next() {
    if (!this.#server.admit(this.#attempts.pop())) throw new Error('a fresh attempt was refused')
  }
}

/** Heap and buffers of a worker that has admitted early data of so many clients, against one that has of none. */
function memoryOfClients() {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  const used = () => {
    collect()
    collect()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const admitAll = server => {
    for (let i = 0; i < CLIENTS; i++) admitOne(server, worker, `gateway-${i}`)
  }
  const { worker } = provisionHttp3(options)
  // The code itself, compiled, is not what a client costs.
  admitAll(new ProvisionedServer(nodeBackend, worker))
  const server = new ProvisionedServer(nodeBackend, worker)
  const before = used()
  admitAll(server)
  const after = used()
  if (server.epoch !== 0) throw new Error('it is to be kept until here')
  return after - before
}

function admitOne(server, worker, clientId) {
  const half = clientBundle(nodeBackend, worker, { clientId, addresses: [origin] }, Date.now())
  const { identity } = new ProvisionedClient(nodeBackend, half, Date.now).take(origin)
  const unixTime = Date.now()
  const psk = server.find(identity, 0, unixTime)
  const isAdmitted = server.admit({ psk, identity, binder: nothing, ticketAge: undefined, hello, unixTime })
  if (!isAdmitted) throw new Error(`${clientId} was refused`)
}

function judge(measured, memory, samples) {
  const us = Object.fromEntries(Object.entries(measured).map(([name, values]) => [name, round(median(values), 3)]))
  const ratio = median(measured.provisioned.map((cost, i) => cost / measured.resumed[i]))
  const result = {
    provision: { microseconds: us.provision, perSecond: Math.round(1e6 / us.provision) },
    guardCheck: { microseconds: us.guardCheck, windowAlone: us.window },
    handshake: { provisioned: us.provisioned, resumed: us.resumed, ratio: round(ratio, 3) },
    memory: { clients: CLIENTS, bytes: memory },
  }
  const isReached =
    result.provision.perSecond >= limits.provisionsPerSecond &&
    us.guardCheck <= limits.guardCheck &&
    ratio <= limits.handshakeRatio &&
    memory <= limits.memory
  return { ...result, samples, limits, isReached }
}

export function print({ environment, provision, guardCheck, handshake, memory, samples, isReached }) {
  const { node, cpu, cores, date } = environment
  const line = (name, value, unit, bound) =>
    `${name.padEnd(46)}${String(value).padStart(10)} ${unit.padEnd(10)}  ${bound}`
  return [
    `Provisioned credentials, CPU time of one core, medians of ${samples} rounds in turns`,
    `Node ${node}, ${cores} × ${cpu}, ${date}`,
    '',
    line('both halves for one instance and its first client', provision.perSecond, 'per s', 'at least 20,000'),
    line('the guard’s check of one early-data attempt', guardCheck.microseconds, 'µs', 'at most 3'),
    line('  of that the window of counters', guardCheck.windowAlone, 'µs', ''),
    line('a provisioned 0-RTT handshake, both ends', Math.round(handshake.provisioned), 'µs', ''),
    line('a 0-RTT handshake by ticket, both ends', Math.round(handshake.resumed), 'µs', ''),
    line('  the first over the second', handshake.ratio, '', 'at most 1'),
    line(`what ${memory.clients} clients cost a worker`, memory.bytes, 'bytes', 'at most 1,000,000'),
    '',
    isReached ? 'reached' : 'NOT reached',
  ].join('\n')
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

function round(value, digits) {
  return Number(value.toFixed(digits))
}

function progress(share) {
  if (!process.stderr.isTTY) return
  process.stderr.write(share === 1 ? '\r\x1b[K' : `\r\x1b[Kmeasuring ${Math.round(share * 100)} %`)
}

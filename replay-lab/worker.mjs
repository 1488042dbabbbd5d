// A worker in memory: it takes first flights, and remembers how often each request in them ran.

import { X509Certificate } from 'node:crypto'
import { nodeBackend, selfSigned, singleCertificate } from 'zerotrip'
import { Connection, NoRecorder, readHeader } from 'zerotrip/core'
import { gateByKind, ProvisionedServer } from 'zerotrip/zero-rtt'

const ID_LENGTH = 8
const secret = nodeBackend.random(32)
const resetToken = id => nodeBackend.hmac('sha256', secret, id).subarray(0, 16)
export const ids = { create: () => nodeBackend.random(ID_LENGTH), resetToken, retire() {} }
export const deps = { backend: nodeBackend, ids, recorder: () => NoRecorder }
export const ALPN = 'h3'
export const nothing = new Uint8Array(0)
const attacker = { host: '198.51.100.7', port: 6666 }
const identity = selfSigned({ hosts: ['localhost'] })
const chain = [new Uint8Array(new X509Certificate(identity.cert).raw)]
const certificates = singleCertificate({ chain, key: nodeBackend.privateKey(identity.key) })
const config = { alpn: [ALPN], certificates, timeOrigin: 0, cipherSuites: nodeBackend.cipherSuites.slice(0, 1) }

export class LabWorker {
  /** By request: how often it ran on early data. */
  runs = new Map()
  /** By reason: early data that was refused. */
  refusals = new Map()
  #config

  /** `server` is what differs: psks, earlyData, tickets. */
  constructor(server) {
    this.#config = { ...config, tickets: undefined, appState: nothing, ...server }
  }

  /** For a bundle; with `gate` in place of the guard. */
  static of(bundle, gate) {
    const psks = new ProvisionedServer(nodeBackend, bundle)
    const worker = new LabWorker({ psks, earlyData: gate ?? gateByKind({ imported: psks }), authorize: undefined })
    worker.psks = psks
    return worker
  }

  /** All datagrams of a flight, at `now` (Unix ms). Its connection is left as it is: the attacker has no answer to give. */
  take(flight, now) {
    let connection
    for (const datagram of flight) {
      const copy = datagram.slice()
      connection ??= this.#accept(copy, now)
      if (connection === undefined) continue
      connection.receive(copy, attacker, now)
      this.#drain(connection)
    }
  }

  #accept(datagram, now) {
    const header = readHeader(datagram, 0, ID_LENGTH, true)
    // A flight that is reordered begins with what belongs to nobody yet; a real endpoint drops it, too.
    if (header === undefined || datagram.length < 1200 || (datagram[0] & 0xb0) !== 0x80) return undefined
    const { version, destination, source } = header
    const accepted = {
      version,
      remote: attacker,
      destination: destination.slice(),
      source: source.slice(),
      localId: ids.create(),
      originalDestination: destination.slice(),
      retrySource: undefined,
      isAddressValidated: true,
    }
    return Connection.server(this.#config, deps, accepted, now)
  }

  #drain(connection) {
    for (let event = connection.poll(); event !== undefined; event = connection.poll()) {
      if (event.type === 'readable') this.#run(connection, event.id)
      else if (event.type === 'earlyDataJudged' && !event.accepted) count(this.refusals, event.refusal)
    }
  }

  #run(connection, id) {
    for (let chunk = connection.read(id); chunk !== undefined; chunk = connection.read(id)) {
      if (chunk.data.length > 0) count(this.runs, Buffer.from(chunk.data).toString('hex', 0, 8))
    }
  }
}

export function count(counts, key, by = 1) {
  counts.set(key, (counts.get(key) ?? 0) + by)
}

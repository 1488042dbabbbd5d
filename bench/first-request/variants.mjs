// Ways to ask a server something for the first time. Each `contact` opens a connection of its own, sends one GET,
// reads the answer and closes; the clock runs from before the connection to the last byte.

import { appendFileSync } from 'node:fs'
import { get as httpGet } from 'node:http'
import { get as httpsGet } from 'node:https'
import { createSecureContext } from 'node:tls'
import { defaultBackend, QuicEndpoint, withKeySharesAhead } from 'zerotrip'
import { connect } from 'zerotrip/http3'
import { ProvisionedClient } from 'zerotrip/zero-rtt'
import { lengthOf } from './function.mjs'

/**
 * @typedef {object} Contact
 * @property {number} ms from the first step of the connection to the last byte of the answer
 * @property {number} roundTrips spent before the request could leave, as the protocol showed it
 * @property {boolean} isEarly the request left as 0-RTT data and the server took it
 */

export const variantNames = [
  'tcp',
  'tls13-full',
  'tls13-resumed',
  'quic-1rtt',
  'quic-0rtt-ticket',
  'quic-0rtt-provisioned',
]

/**
 * For comparison: `tls13-resumed` uses node:https as it comes, which parses `ca` for every connection; this one is
 * handed a SecureContext made before.
 */
export const sharedContext = 'tls13-resumed-shared-context'
/** For comparison: the session was made while nobody waited, as a gateway has one; nothing of it was sent. */
export const ahead = 'quic-0rtt-provisioned-ahead'
/** What a full handshake was before TLS 1.3: a round trip more. */
export const tls12 = 'tls12-full'

export class Variants {
  #worker
  #options
  /** One socket for all sessions and a few key shares made between them, as a gateway has it. */
  #endpoint
  #provisioned
  #tickets = new TicketBox()
  #tlsSession
  #secureContext

  /**
   * @param {Pick<import('@zerotrip/faas/generator').LaunchedWorker, 'announcement' | 'client' | 'origin'>} worker
   * launched with `tcp` and `tls`
   * @param {{ host?: string }} options `host`: the address of this end
   */
  constructor(worker, { host = '127.0.0.1' } = {}) {
    this.#worker = worker
    this.#endpoint = new QuicEndpoint({ host, backend: withKeySharesAhead(defaultBackend, 16) })
    this.#provisioned = new ProvisionedClient(defaultBackend, worker.client, Date.now)
    this.#secureContext = createSecureContext({ ca: worker.announcement.certificate, minVersion: 'TLSv1.3' })
    this.#options = { endpoint: this.#endpoint, ca: worker.announcement.certificate }
  }

  /** What resumption needs: a connection each that brings a ticket. */
  async prepare() {
    await this.#endpoint.ready
    await this.#tls(undefined)
    await this.#ticket('none')
  }

  /** @returns {Promise<Contact>} */
  async contact(name, path = '/') {
    const secureContext = this.#secureContext
    switch (name) {
      case 'tcp':
        return this.#tcp(path)
      case 'tls13-full':
        return this.#tls(undefined, path)
      case tls12:
        return this.#tls(undefined, path, { maxVersion: 'TLSv1.2' })
      case 'tls13-resumed':
        return this.#tls(this.#tlsSession, path)
      case sharedContext:
        return this.#tls(this.#tlsSession, path, { secureContext })
      case 'quic-1rtt':
        return this.#quic(path, {}, 'none')
      case 'quic-0rtt-ticket':
        return this.#ticket('accepted', path)
      case 'quic-0rtt-provisioned':
        return this.#quic(path, { tickets: this.#provisioned, earlyData: true })
      case ahead:
        return this.#ahead(path)
      default:
        throw new RangeError(`no variant ${name}; there are ${variantNames.join(', ')}`)
    }
  }

  /** What the worker counted: how often `path` was executed, requests, those that were early and confirmed afterwards. */
  report(path = '/') {
    const { host, port } = this.#worker.announcement
    return reportOf({ host, port }, path)
  }

  close() {
    return this.#endpoint.close()
  }

  #tcp(path) {
    const { host, port } = this.#worker.announcement
    const trips = { count: 0 }
    const begun = performance.now()
    const request = httpGet({ host, port, path, agent: false })
    // The SYN and its answer: only then is there anything to write to.
    request.once('socket', socket => socket.once('connect', () => trips.count++))
    return finish(request, begun, trips, path)
  }

  #tls(session, path = '/', options = { minVersion: 'TLSv1.3' }) {
    const { host, tlsPort: port, certificate: ca } = this.#worker.announcement
    const expectedVersion = options.maxVersion ?? 'TLSv1.3'
    const trips = { count: 0 }
    const begun = performance.now()
    const trust = options.secureContext === undefined ? { ca, ...options } : options
    const request = httpsGet({ host, port, path, session, agent: false, ...trust })
    request.once('socket', socket => {
      socket.once('connect', () => trips.count++)
      // A full handshake of TLS 1.2 takes two (RFC 5246 §7.3).
      socket.once('secureConnect', () => (trips.count += expectedVersion === 'TLSv1.3' ? 1 : 2))
      socket.on('session', ticket => {
        if (expectedVersion === 'TLSv1.3') this.#tlsSession = ticket
      })
      if (keyLogFile) socket.on('keylog', line => appendFileSync(keyLogFile, line))
      socket.once('secureConnect', () => {
        const expected = session !== undefined
        if (socket.isSessionReused() !== expected) request.destroy(new Error(`TLS session reused: ${!expected}`))
        if (socket.getProtocol() !== expectedVersion) request.destroy(new Error(`${socket.getProtocol()} was spoken`))
      })
    })
    return finish(request, begun, trips, path)
  }

  async #ticket(expected, path = '/') {
    const tickets = this.#tickets
    const contact = await this.#quic(path, { tickets, earlyData: true }, expected, () => tickets.arrived())
    return contact
  }

  #quic(path, options, expected, beforeClose) {
    const begun = performance.now()
    return this.#ask(this.#connect(options), { begun, path, expected, beforeClose })
  }

  async #ahead(path) {
    const session = this.#connect({ tickets: this.#provisioned, earlyData: true, ahead: true })
    await new Promise(setImmediate)
    return this.#ask(session, { begun: performance.now(), path })
  }

  #connect(options) {
    return connect(`https://${this.#worker.origin}`, { ...this.#options, ...options })
  }

  async #ask(http3, { begun, path, expected, beforeClose }) {
    const response = await http3.fetch(path)
    const length = (await response.arrayBuffer()).byteLength
    const ms = performance.now() - begun
    check(response.status, length, path)
    const peer = await http3.opened
    if (expected !== undefined && peer.earlyData !== expected && expected === 'none') {
      throw new Error(`early data: ${peer.earlyData}`)
    }
    const isEarly = peer.earlyData === 'accepted' && http3.session.statistics().earlyPackets > 0
    // A connection is not done before its handshake is: the worker shall see that the request was no replay.
    await http3.session.confirmed
    await beforeClose?.()
    await http3.close()
    // Not early: the request waited for the handshake, which is one round trip.
    return { ms, roundTrips: isEarly ? 0 : 1, isEarly }
  }
}

/** Asked over TCP, so that asking leaves no trace in what is asked about. */
export async function reportOf({ host, port }, path) {
  const request = httpGet({ host, port, path: `/report?${encodeURIComponent(path)}`, agent: false })
  const chunks = await new Promise((resolve, reject) => {
    const parts = []
    request.once('error', reject)
    request.once('response', response => {
      response.on('data', part => parts.push(part))
      response.once('end', () => resolve(parts))
    })
  })
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}

/** Holds the newest ticket; each is used once. */
class TicketBox {
  #newest
  #onArrival

  take() {
    const taken = this.#newest
    this.#newest = undefined
    return taken
  }

  put(_origin, ticket) {
    this.#newest = ticket
    this.#onArrival?.()
  }

  arrived() {
    if (this.#newest !== undefined) return
    return new Promise(resolve => {
      this.#onArrival = resolve
    })
  }
}

/** Resolves when the answer was read and the connection is gone. */
function finish(request, begun, trips, path) {
  return new Promise((resolve, reject) => {
    let ms
    let length = 0
    request.once('error', reject)
    request.once('response', response => {
      response.on('data', data => {
        length += data.length
      })
      response.once('end', () => {
        ms = performance.now() - begun
      })
      response.once('close', () => {
        try {
          check(response.statusCode, length, path)
          resolve({ ms, roundTrips: trips.count, isEarly: false })
        } catch (error) {
          reject(error)
        }
      })
    })
  })
}

function check(status, length, path) {
  if (status !== 200 || length !== lengthOf(path)) throw new Error(`an answer of status ${status} with ${length} bytes`)
}

const keyLogFile = process.env['SSLKEYLOGFILE']

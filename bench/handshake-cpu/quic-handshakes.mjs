// Handshakes of this library between two connections in memory, driven as an endpoint drives them, without its sockets.

import { singleCertificate, verifyChain } from 'zerotrip'
import { Connection, NoRecorder, readHeader } from 'zerotrip/core'
import { provisionHttp3 } from 'zerotrip/http3'
import {
  gateByKind,
  NoPsks,
  ProvisionedClient,
  ProvisionedServer,
  refuseEarlyData,
  resumptionFromTicket,
  StrikeWindow,
  TicketSealer,
} from 'zerotrip/zero-rtt'

const ID_LENGTH = 8
const clientAddress = { host: '192.0.2.1', port: 40_000 }
const serverAddress = { host: '192.0.2.2', port: 443 }
const origin = '192.0.2.2:443'
const nothing = new Uint8Array(0)
const request = new Uint8Array(100)

export class QuicHandshakes {
  #deps
  #client
  #server
  /** What the newest connection left, as a client keeps it. */
  #resumption
  #provisioned
  /** A server whose tickets allow early data, and what is left of them. */
  #early
  #earlyTickets = []
  #onTicket = () => {}
  #worker
  #datagram = new Uint8Array(1500)

  /** `certificate` in DER and its `key` in PEM; the client trusts that certificate alone. */
  constructor(backend, { certificate, key }) {
    const secret = backend.random(32)
    const resetToken = id => backend.hmac('sha256', secret, id).subarray(0, 16)
    const ids = { create: () => backend.random(ID_LENGTH), resetToken, retire() {} }
    this.#deps = { backend, ids, recorder: () => NoRecorder }
    const { timeOrigin } = performance
    const alpn = ['h3']
    // The same group and suite as the other side of the comparison.
    const common = {
      alpn,
      timeOrigin,
      groups: backend.groups.slice(0, 1),
      cipherSuites: backend.cipherSuites.slice(0, 1),
    }
    this.#client = { ...common, serverName: 'localhost', verifier: verifyChain(backend, [certificate]) }
    const tickets = new TicketSealer(backend)
    const certificates = singleCertificate({ chain: [certificate], key: backend.privateKey(key) })
    this.#server = { ...common, certificates, tickets, psks: NoPsks, earlyData: refuseEarlyData }
    this.#early = { ...this.#server, earlyData: new StrikeWindow(), appState: nothing }
    this.#provision(backend)
  }

  /** By certificate; the server sends two tickets, the client keeps them. */
  full() {
    return this.#connect(this.#client, this.#server, 'full')
  }

  /** With a ticket: psk_dhe_ke, no early data. No new one is sent, as node:tls does not either. */
  resumed() {
    if (this.#resumption === undefined) this.full()
    const resumption = this.#resumption
    const server = { ...this.#server, psks: this.#server.tickets, ticketCount: 0 }
    return this.#connect({ ...this.#client, resumption }, server, 'resumed')
  }

  /** With a ticket of those collected, and 100 bytes as 0-RTT data; no new ticket is sent. Each is used once. */
  resumedEarly() {
    const { tickets, appState } = this.#early
    const server = { ...this.#early, psks: tickets, ticketCount: 0 }
    const resumption = { ...this.#earlyTickets.pop(), appState }
    this.#connect({ ...this.#client, resumption, earlyData: true }, server, 'provisioned')
  }

  /** With a PSK that a platform provisioned, and 100 bytes as 0-RTT data. */
  provisioned() {
    const resumption = this.#provisioned.take(origin)
    this.#connect({ ...this.#client, resumption, earlyData: true }, this.#worker, 'provisioned')
  }

  /** So many tickets at least for `resumedEarly`. */
  collectTickets(count) {
    this.#onTicket = resumption => this.#earlyTickets.push(resumption)
    while (this.#earlyTickets.length < count) this.#connect(this.#client, { ...this.#early, ticketCount: 16 }, 'full')
    this.#onTicket = () => {}
  }

  #provision(backend) {
    const bundle = provisionHttp3({ backend, clientId: 'bench', addresses: [origin], lifetime: 24 * 3_600_000 })
    this.#provisioned = new ProvisionedClient(backend, bundle.client, Date.now)
    const psks = new ProvisionedServer(backend, bundle.worker)
    const earlyData = gateByKind({ imported: psks })
    // As with resumption: no ticket is sent to a client that came with a key.
    this.#worker = { ...this.#server, psks, earlyData, appState: bundle.worker.appState, ticketCount: 0 }
  }

  /** Until both ends have confirmed the handshake and have nothing more to say. */
  #connect(clientConfig, serverConfig, kind) {
    const now = performance.now()
    const client = new End(Connection.client(clientConfig, this.#deps, serverAddress, now))
    const server = new End(undefined)
    if (kind === 'provisioned') client.connection.write(client.connection.openStream('bidi'), request, true)
    for (let isMoving = true; isMoving; ) {
      isMoving = this.#flush(client, clientAddress, server, serverConfig)
      if (server.connection !== undefined) isMoving = this.#flush(server, serverAddress, client) || isMoving
    }
    this.#check(client, server, kind)
    this.#keep(client)
  }

  #flush(from, address, to, serverConfig) {
    let hasSent = false
    for (;;) {
      const now = performance.now()
      const sent = from.connection.transmit(this.#datagram, now)
      if (sent === undefined) return hasSent
      hasSent = true
      // In a network it would come into memory of its own.
      const datagram = this.#datagram.slice(0, sent.length)
      to.connection ??= this.#accept(datagram, serverConfig, now)
      to.connection.receive(datagram, address, now)
      to.drain()
    }
  }

  /** What an endpoint does with a stranger's Initial. */
  #accept(datagram, config, now) {
    const { version, destination, source } = readHeader(datagram, 0, ID_LENGTH, true)
    const accepted = {
      version,
      remote: clientAddress,
      destination: destination.slice(),
      source: source.slice(),
      localId: this.#deps.ids.create(),
      originalDestination: destination.slice(),
      retrySource: undefined,
      isAddressValidated: true,
    }
    return Connection.server(config, this.#deps, accepted, now)
  }

  #check(client, server, kind) {
    const { isResumed, earlyData } = client.peer ?? {}
    const isRight =
      client.isConfirmed &&
      server.isConfirmed &&
      isResumed === (kind !== 'full') &&
      earlyData === (kind === 'provisioned' ? 'accepted' : 'none') &&
      server.received === (kind === 'provisioned' ? request.length : 0)
    if (!isRight) throw new Error(`not a ${kind} handshake: ${JSON.stringify({ isResumed, earlyData })}`)
  }

  #keep({ connection, tickets }) {
    const { version } = connection
    const company = { version, appState: nothing, token: nothing, pins: [], initialRtt: undefined }
    for (const ticket of tickets) {
      this.#resumption = resumptionFromTicket(ticket, company, Date.now())
      this.#onTicket(this.#resumption)
    }
  }
}

/** A connection and what was heard of it. */
class End {
  connection
  peer
  isConfirmed = false
  received = 0
  tickets = []

  constructor(connection) {
    this.connection = connection
  }

  drain() {
    for (let event = this.connection.poll(); event !== undefined; event = this.connection.poll()) {
      if (event.type === 'handshakeComplete') this.peer = event.peer
      else if (event.type === 'handshakeConfirmed') this.isConfirmed = true
      else if (event.type === 'ticket') this.tickets.push(event.ticket)
      else if (event.type === 'readable') this.received += this.connection.read(event.id)?.data?.length ?? 0
    }
  }
}

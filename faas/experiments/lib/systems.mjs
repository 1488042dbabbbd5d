// The systems that are compared: one gateway and one watchdog, and between them another transport each. All but the
// kept ones begin a connection for each request.

import { Agent } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import { createSecureContext } from 'node:tls'
import { CallFailed, InstanceClient } from '../../dist/gateway/instance-client.js'
import { Forwarder } from '../../dist/http/forwarder.js'

/** `paper`: its name for the system, where it has it. */
export const systems = {
  tcp: { label: 'TCP', paper: 'OpenFaaS (TCP)', transport: 'tcp' },
  tls12: { label: 'TLS 1.2, full', transport: 'tls', version: 'TLSv1.2' },
  // What its TLS baseline negotiated, whatever it is called there: Go 1.15 at both ends, without a session cache.
  tls13: { label: 'TLS 1.3, full', paper: 'OpenFaaS (TCP+TLS)', transport: 'tls', version: 'TLSv1.3' },
  'tls13-resumed': { label: 'TLS 1.3, resumed', transport: 'tls', version: 'TLSv1.3', resumes: true },
  'quic-1rtt': { label: 'QUIC, 1-RTT', transport: 'quic', credentials: 'none', paper1rtt: true },
  'quic-post1rtt': {
    label: 'QUIC, POST1RTT',
    paper: 'QFaaS (POST1RTT)',
    transport: 'quic',
    credentials: 'bundle',
    earlyRequests: 'safe',
  },
  'quic-0rtt-store': { label: 'QUIC, 0-RTT by ticket', paper: 'QFaaS', transport: 'quic', credentials: 'tickets' },
  'quic-0rtt': { label: 'QUIC, 0-RTT provisioned', transport: 'quic', credentials: 'bundle', earlyRequests: 'all' },
  'tcp-kept': { label: 'TCP, kept', transport: 'tcp', isKept: true },
  'tls13-kept': { label: 'TLS 1.3, kept', transport: 'tls', version: 'TLSv1.3', isKept: true },
  'quic-kept': { label: 'QUIC, kept', transport: 'quic', credentials: 'bundle', earlyRequests: 'all', isKept: true },
}

/**
 * How the gateway of one system calls a worker. `seen` is told of each connection what it was: `early`, `TLSv1.3
 * resumed` and so on.
 */
export function clientMaker(system, { endpoint, tickets, seen }) {
  if (system.transport === 'quic') {
    const counts = { early: result => seen(result) }
    const noTickets = { take: () => undefined, put: () => {} }
    const kept = system.credentials === 'tickets' ? tickets : noTickets
    return instance => new InstanceClient(instance, { endpoint, tickets: kept, counts })
  }
  return instance => new TcpClient(instance, system, seen)
}

/** A worker that is called over TCP or TLS, by what the gateway itself uses where UDP does not get through. */
class TcpClient {
  inFlight = 0
  #forwarder
  #agent

  constructor(instance, system, seen) {
    this.instance = instance
    this.#agent = agentOf(system, instance.certificate, seen)
    const url = system.transport === 'tcp' ? `http://${instance.origin}` : `https://${instance.tlsOrigin}`
    this.#forwarder = new Forwarder(new URL(url), this.#agent)
  }

  async send(call, signal) {
    try {
      return await this.#forwarder.forward(call, signal)
    } catch (error) {
      throw new CallFailed('unknown', error)
    }
  }

  retire() {
    this.#agent.destroy()
  }
}

/** Connections as the system has them. `seen` is told what each is. */
export function agentOf(system, certificate, seen = () => {}) {
  return system.transport === 'tcp' ? plainAgent(system, seen) : secureAgent(system, certificate, seen)
}

function plainAgent({ isKept = false }, seen) {
  const agent = new Agent({ keepAlive: isKept })
  return observed(agent, socket => socket.once('connect', () => seen('TCP')))
}

/** The certificate is parsed once, not for each connection: as good as node:https can be made. */
function secureAgent({ isKept = false, version, resumes = false }, certificate, seen) {
  const secureContext = createSecureContext({ ca: certificate, minVersion: version, maxVersion: version })
  const agent = new SecureAgent({ keepAlive: isKept, secureContext, maxCachedSessions: resumes ? 100 : 0 })
  return observed(agent, socket =>
    socket.once('secureConnect', () => seen(`${socket.getProtocol()}${socket.isSessionReused() ? ' resumed' : ''}`)),
  )
}

function observed(agent, observe) {
  const create = agent.createConnection.bind(agent)
  agent.createConnection = (...args) => {
    const socket = create(...args)
    observe(socket)
    return socket
  }
  return agent
}

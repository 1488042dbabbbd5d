// The machine of the gateway: one for each system, so that each has a port of its own and its own way to the workers.

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { defaultBackend, QuicEndpoint, withKeySharesAhead } from 'zerotrip'
import { MemoryTickets } from 'zerotrip/zero-rtt'
import { serveParent } from '../../../bench/lib/children.mjs'
import { Gateway } from '../../dist/gateway/gateway.js'
import { Fleet } from '../lib/fleet.mjs'
import { clientMaker, systems } from '../lib/systems.mjs'

const gateways = new Map()

/** Resolves with the ports by the name of the system. */
async function open({ names, host }) {
  await Promise.all(names.map(name => openOne(name, host)))
  return Object.fromEntries([...gateways].map(([name, { ports }]) => [name, ports]))
}

async function openOne(name, host = '127.0.0.1') {
  const fleet = new Fleet()
  const endpoint = new QuicEndpoint({ backend: withKeySharesAhead(defaultBackend, 16) })
  const tickets = new MemoryTickets(Date.now)
  const connections = []
  const seen = what => connections.push(what)
  const gateway = new Gateway({
    provider: fleet,
    host,
    plainHost: host,
    port: 0,
    securePort: 0,
    metricsPort: 0,
    // Functions reach it, and shall not manage it.
    credentials: { user: 'experiments', password: randomUUID() },
    clientOf: clientMaker(systems[name], { endpoint, tickets, seen }),
    onError: error => console.error(error),
  })
  const ports = await gateway.listen()
  gateways.set(name, { gateway, fleet, connections, ports: { ...ports, certificate: gateway.certificate } })
}

/** `worker`: as the host of workers told; each system gets the half of its keys that was made for it. */
function put({ service, worker, names = [...gateways.keys()] }) {
  for (const name of names) {
    const { credentials, earlyRequests } = systems[name]
    const bundle = credentials === 'bundle' ? { ...worker.bundles[name], earlyRequests } : undefined
    gateways.get(name).fleet.set(service, { ...worker, bundle }, earlyRequests)
  }
}

/** For one function that calls the gateway of the system `name`. */
function keys({ name }) {
  return gateways.get(name).gateway.addressForOne().bundle
}

/** Those of TCP end by themselves. */
function isRenewed(name) {
  const { isKept, transport } = systems[name]
  return transport === 'quic' && !isKept
}

/**
 * Connections end, unless they are to be kept: when what comes after an answer has come, such as a ticket. Resolves when
 * the other side is done with them, with what each was that had begun. `pause`: ms for either; `idle`: until functions have
 * let go of theirs.
 */
async function renew({ name, pause, idle = 0 }) {
  const { fleet, connections } = gateways.get(name)
  if (isRenewed(name)) {
    await sleep(pause)
    fleet.renew()
  }
  await sleep(Math.max(pause, idle))
  return { connections: connections.splice(0) }
}

/** Calls, one after the other, that nobody measures: until the code of both ends is compiled. */
async function warm({ name, service, count }) {
  const { gateway, fleet } = gateways.get(name)
  for (let i = 0; i < count; i++) {
    const request = new Request(`http://gateway/function/${service}/`)
    await gateway.fetch(Object.assign(request, { early: false, confirmed: Promise.resolve() }))
    // A ticket comes after the answer.
    await sleep(1)
    if (isRenewed(name)) fleet.renew()
  }
  await renew({ name, pause: 20 })
}

/** For those who look at it from outside. */
const who = () => ({ pid: process.pid })

serveParent({ open, put, keys, renew, warm, who })

// The machine of the gateway: one for each system, so that each has a port of its own and its own way to the workers.

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
    port: 0,
    securePort: 0,
    metricsPort: 0,
    clientOf: clientMaker(systems[name], { endpoint, tickets, seen }),
    onError: error => console.error(error),
  })
  const ports = await gateway.listen()
  gateways.set(name, { fleet, connections, ports: { ...ports, certificate: gateway.certificate } })
}

/** `worker`: as the host of workers told; each system gets the half of its keys that was made for it. */
function put({ service, worker, names = [...gateways.keys()] }) {
  for (const name of names) {
    const { credentials, earlyRequests } = systems[name]
    const bundle = credentials === 'bundle' ? { ...worker.bundles[name], earlyRequests } : undefined
    gateways.get(name).fleet.set(service, { ...worker, bundle }, earlyRequests)
  }
}

/** Connections end, unless they are to be kept. Resolves, after ms, with what each was that had begun. */
async function renew({ name, pause }) {
  const { fleet, connections } = gateways.get(name)
  const { isKept, transport } = systems[name]
  if (transport === 'quic' && !isKept) fleet.renew()
  await sleep(pause)
  return { connections: connections.splice(0) }
}

serveParent({ open, put, renew })

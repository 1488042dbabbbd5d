// The machine of the workers: starts and ends them.

import { serveParent } from '../../../bench/lib/children.mjs'
import { launch } from '../../dist/generator/launch.js'

const workers = new Map()
let serial = 0

/** Both clocks of a cold start begin here; what returns can be sent to a gateway. `clients`: a half of the keys each. */
async function start({ handler, host, environment, gatewayKeys, clients, earlyRequests = 'all' }) {
  const begun = performance.now()
  const worker = await launch({
    handler,
    host,
    clientId: 'none',
    tcp: true,
    tls: true,
    earlyRequests,
    lifetime: 3_600_000,
    gatewayKeys,
    ...(environment && { environment: { ...process.env, ...environment } }),
  })
  const launchMs = performance.now() - begun
  const id = `worker-${++serial}`
  workers.set(id, worker)
  const { port, tlsPort, certificate } = worker.announcement
  return {
    id,
    launchMs,
    pid: worker.process.pid,
    origin: worker.origin,
    tcpOrigin: `${host}:${port}`,
    tlsOrigin: `${host}:${tlsPort}`,
    certificate,
    bundles: Object.fromEntries(clients.map(client => [client, worker.clientFor(client)])),
  }
}

async function stop({ id }) {
  await workers.get(id)?.stop()
  workers.delete(id)
}

serveParent({ start, stop })

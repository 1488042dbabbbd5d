// HTTP/3 by as many processes as there are cores, at one address: node examples/many-cores.mjs [--once]
// A connection stays with the process that took it, also when its client goes on from another address.

import cluster from 'node:cluster'
import { selfSigned } from 'zerotrip'
import { fetch, serve } from 'zerotrip/http3'
import { joinCluster, leadCluster } from 'zerotrip/platform'

if (cluster.isPrimary) {
  const identity = selfSigned({ hosts: ['localhost'] })
  const port = 4447
  const all = await leadCluster({ share: { identity, port } })
  process.once('SIGINT', () => all.stop())
  console.log(`${all.size} processes at https://localhost:${port}/`)
  if (process.argv.includes('--once')) {
    const response = await fetch(`https://localhost:${port}/`, { ca: identity.cert })
    console.log(await response.text())
    await all.stop()
  }
} else {
  const member = await joinCluster()
  const { identity, port } = member.share
  const fetch = () => new Response(`hello from ${member.number + 1} of ${member.size}`)
  const server = serve({ ...identity, port, ...member.options, fetch })
  await member.attach(server.endpoint)
  await member.stopped
  await server.close()
  member.leave()
}

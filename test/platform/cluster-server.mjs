// A server of several processes for cluster.test.ts: node cluster-server.mjs PORT WORKERS. `/bytes/N`: N bytes; who made
// them is in the headers.

import cluster from 'node:cluster'
import { selfSigned } from 'zerotrip'
import { serve } from 'zerotrip/http3'
import { joinCluster, leadCluster } from 'zerotrip/platform'

if (cluster.isPrimary) await lead(Number(process.argv[2]), Number(process.argv[3]))
else await work(await joinCluster())

async function lead(port, workers) {
  const identity = selfSigned({ hosts: ['127.0.0.1'] })
  const all = await leadCluster({ workers, share: { identity, port } })
  process.send({ cert: identity.cert })
  process.on('message', async message => {
    if (message.kill !== undefined) all.workers[message.kill].process.kill('SIGKILL')
    else {
      await all.stop()
      process.disconnect()
    }
  })
}

async function work(member) {
  const { identity, port } = member.share
  const server = serve({
    host: '127.0.0.1',
    port,
    ...identity,
    ...member.options,
    fetch: request => {
      const length = Number(/\/bytes\/(\d+)$/.exec(request.url)?.[1] ?? 0)
      const headers = {
        'x-worker': String(member.number),
        'x-handed-on': String(member.handedOn.received),
        'x-process': String(process.pid),
      }
      return new Response(pattern(length), { headers })
    },
  })
  await member.attach(server.endpoint)
  await member.stopped
  await server.close({ deadline: 5000 })
  member.leave()
}

function pattern(length) {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at === length) return controller.close()
      const chunk = Uint8Array.from({ length: Math.min(length - at, 16_384) }, (_, i) => (at + i) % 251)
      at += chunk.length
      controller.enqueue(chunk)
    },
  })
}

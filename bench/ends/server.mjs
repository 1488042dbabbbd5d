// The end that answers: a worker of ours, launched as a platform launches it, with TCP and TLS beside HTTP/3; bare
// datagrams; and the servers of others.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { launch } from '@zerotrip/faas/generator'
import { serveParent } from '../lib/children.mjs'
import { Contender } from '../rivals/contender.mjs'
import { commandOf } from '../rivals/index.mjs'
import { answerBare } from './bare.mjs'

const handler = fileURLToPath(new URL('../first-request/function.mjs', import.meta.url))
/** ms for which its keys hold: longer than any benchmark. */
const LIFETIME = 3_600_000

async function freePort(host) {
  const socket = createSocket('udp4')
  socket.bind(0, host)
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

serveParent({
  async start({ host, rivals, certificates }) {
    const { announcement, client, origin } = await launch({
      handler,
      clientId: 'bench',
      host,
      tcp: true,
      tls: true,
      lifetime: LIFETIME,
    })
    const started = {}
    const missing = {}
    for (const [name, version] of Object.entries(rivals)) {
      const address = `${host}:${await freePort(host)}`
      try {
        await Contender.start(commandOf(name, version, 'server', address, certificates))
        started[name] = { version, address }
      } catch (error) {
        missing[name] = error.message
      }
    }
    const worker = { announcement, client, origin }
    return { worker, bare: { host, port: await answerBare(host) }, rivals: started, missing }
  },
})

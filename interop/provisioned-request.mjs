// A worker that was provisioned, and the first request to it: in the client's first datagram, as 0-RTT data.

import { connect, provisionHttp3, serve } from '../dist/http3/index.js'
import { nodeBackend } from '../dist/index.js'
import { freePort } from './lib/free-port.mjs'

// AES-128-GCM: tshark 4.0 opens 0-RTT packets of no other suite.
const backend = nodeBackend
const port = await freePort()
const origin = `https://127.0.0.1:${port}`
const { worker, client } = provisionHttp3({ clientId: 'gateway', addresses: [`127.0.0.1:${port}`], backend })
const server = serve({
  host: '127.0.0.1',
  port,
  bundle: worker,
  backend,
  fetch: request => new Response(`early: ${request.early}\n`),
})
await server.ready
const session = connect(origin, { bundle: client, earlyData: true, backend })
const response = await session.fetch('/first')
process.stdout.write(await response.text())
await session.close()
await server.close()

// A worker that was provisioned, and the first request to it: in the client's first datagram, as 0-RTT data.

import { connect, provisionHttp3, serve } from '../dist/http3/index.js'
import { freePort } from './lib/free-port.mjs'

const port = await freePort()
const origin = `https://127.0.0.1:${port}`
const { worker, client } = provisionHttp3({ clientId: 'gateway', addresses: [`127.0.0.1:${port}`] })
const server = serve({
  host: '127.0.0.1',
  port,
  bundle: worker,
  fetch: request => new Response(`early: ${request.early}\n`),
})
await server.ready
const session = connect(origin, { bundle: client, earlyData: true })
const response = await session.fetch('/first')
process.stdout.write(await response.text())
await session.close()
await server.close()

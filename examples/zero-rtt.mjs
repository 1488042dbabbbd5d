// A request in the first packet to a process that nobody has met (0-RTT, provisioned). Run: node examples/zero-rtt.mjs
import { connect, provisionHttp3, serve } from 'zerotrip/http3'

const port = 20_000 + (process.pid % 10_000)
// The platform, once for each launch: two halves of a key that nobody had before.
const halves = provisionHttp3({ clientId: 'gateway-1', addresses: [`127.0.0.1:${port}`] })

// The worker: no certificate needed for clients that hold the other half.
const worker = serve({
  host: '127.0.0.1',
  port,
  bundle: halves.worker,
  fetch: request => new Response(`early: ${request.early}`),
})
await worker.ready

const session = connect(`https://127.0.0.1:${port}`, { bundle: halves.client })
const response = await session.fetch('/')
console.log(await response.text(), '- early data', (await session.opened).earlyData)

await session.close()
await worker.close()

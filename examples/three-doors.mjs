// One HTTP/3 server in three shapes: streams, fetch, and (req, res). Run: node examples/three-doors.mjs
import { once } from 'node:events'
import { selfSigned } from 'zerotrip'
import { createServer, fetch, serve } from 'zerotrip/http3'

const { cert, key } = selfSigned({ hosts: ['localhost'] })

const streams = createServer({ cert, key })
streams.on('stream', (stream, headers) => {
  stream.respond({ ':status': 200, 'content-type': 'text/plain' })
  stream.end(`stream: ${headers[':path']}`)
})
await once(streams.listen(), 'listening')

const web = serve({ cert, key, fetch: request => new Response(`fetch: ${new URL(request.url).pathname}`) })

const node = createServer({ cert, key }, (req, res) => res.end(`(req, res): ${req.url}`))
await once(node.listen(), 'listening')

for (const port of [streams.address().port, (await web.ready).port, node.address().port]) {
  const response = await fetch(`https://localhost:${port}/door`, { ca: cert })
  console.log(response.status, await response.text())
}
await Promise.all([streams.close(), web.close(), node.close()])

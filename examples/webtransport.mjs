// A page that speaks WebTransport, and its server. Run it, then open what it says in Chromium:
//   node examples/webtransport.mjs        (--once: a client of ours stands in for the page)
import { once } from 'node:events'
import { selfSigned } from 'zerotrip'
import { createServer, WebTransport } from 'zerotrip/http3'

const { cert, key, certificateHash } = selfSigned({ hosts: ['localhost'] })
async function webtransport(session) {
  for await (const { readable, writable } of session.incomingBidirectionalStreams) readable.pipeTo(writable)
}
const page = `<script type="module">
  const serverCertificateHashes = [{ algorithm: 'sha-256', value: new Uint8Array([${certificateHash}]) }]
  const transport = new WebTransport(location.origin, { serverCertificateHashes })
  const { readable, writable } = await transport.createBidirectionalStream()
  new Response('hello over WebTransport').body.pipeTo(writable)
  document.body.textContent = await new Response(readable).text()
</script><body>`
const options = { cert, key, tcp: true, webtransport }
const server = createServer(options, (_req, res) => res.setHeader('content-type', 'text/html').end(page))
await once(server.listen(), 'listening')
const url = `https://localhost:${server.address().port}/`
if (!process.argv.includes('--once')) console.log(`open ${url}`)
else {
  const transport = new WebTransport(url, { ca: cert })
  const { readable, writable } = await transport.createBidirectionalStream()
  new Response('hello over WebTransport').body.pipeTo(writable)
  console.log(await new Response(readable).text())
  process.exit()
}

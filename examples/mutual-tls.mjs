// Both ends show a certificate. Run: node examples/mutual-tls.mjs
import { once } from 'node:events'
import { nodeBackend, pinnedKeys, selfSigned } from 'zerotrip'
import { createServer, fetch } from 'zerotrip/http3'

const own = selfSigned({ hosts: ['localhost'] })
const client = selfSigned({ hosts: ['client-7'] })

// This one key is let in; `clientCa` trusts all that an authority has signed.
const clientVerifier = pinnedKeys(nodeBackend, [client.pin])
const server = createServer(
  { cert: own.cert, key: own.key, clientCertificates: 'require', clientVerifier },
  (req, res) => res.end(`hello ${req.socket.getPeerCertificate().subjectaltname}, trusted: ${req.socket.authorized}`),
).listen()
await once(server, 'listening')
const url = `https://localhost:${server.address().port}/`

const response = await fetch(url, { ca: own.cert, cert: client.cert, key: client.key })
console.log(await response.text())

await fetch(url, { ca: own.cert }).catch(error => console.log('without one:', error.cause.code))
await server.close()

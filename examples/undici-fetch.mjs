// Node's own fetch, moved to HTTP/3 by one line. Run: node examples/undici-fetch.mjs
import { request, setGlobalDispatcher } from 'undici'
import { selfSigned } from 'zerotrip'
import { serve } from 'zerotrip/http3'
import { H3Agent } from 'zerotrip/undici'

const { cert, key } = selfSigned({ hosts: ['localhost'] })
const server = serve({ cert, key, fetch: async request => new Response(`you sent: ${await request.text()}`) })
const url = `https://localhost:${(await server.ready).port}/`

const agent = new H3Agent({ connect: { ca: cert } })
setGlobalDispatcher(agent)

const response = await fetch(url, { method: 'POST', body: 'global fetch' })
console.log(response.status, await response.text())
const { statusCode, body } = await request(url, { method: 'POST', body: 'undici.request' })
console.log(statusCode, await body.text())

await agent.close()
await server.close()

// A Hono app over HTTP/3. Run: node examples/hono.mjs
import { Hono } from 'hono'
import { selfSigned } from 'zerotrip'
import { fetch, serve } from 'zerotrip/http3'

const app = new Hono()
app.get('/', context => context.text('hello from Hono'))
app.get('/users/:id', context => context.json({ id: context.req.param('id') }))

const { cert, key } = selfSigned({ hosts: ['localhost'] })
const server = serve({ cert, key, fetch: app.fetch })
const url = `https://localhost:${(await server.ready).port}`

console.log(await (await fetch(url, { ca: cert })).text())
console.log(await (await fetch(`${url}/users/7`, { ca: cert })).json())
await server.close()

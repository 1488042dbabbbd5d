// An Express app over HTTP/3, HTTP/2 and HTTP/1.1 on one port. Run: node examples/express.mjs
import { once } from 'node:events'
import express from 'express'
import { selfSigned } from 'zerotrip'
import { createServer, fetch } from 'zerotrip/http3'

const app = express()
app.use(express.json())
app.get('/hello/:name', (req, res) => res.json({ hello: req.params.name, over: req.httpVersion }))
app.post('/sum', (req, res) => res.json({ sum: req.body.numbers.reduce((a, b) => a + b) }))

const { cert, key } = selfSigned({ hosts: ['localhost'] })
const server = createServer({ cert, key, tcp: true }, app).listen()
await once(server, 'listening')
const url = `https://localhost:${server.address().port}`

console.log(await (await fetch(`${url}/hello/express`, { ca: cert })).json())
const headers = { 'content-type': 'application/json' }
const init = { method: 'POST', headers, body: JSON.stringify({ numbers: [1, 2, 3] }), ca: cert }
console.log(await (await fetch(`${url}/sum`, init)).json())
await server.close()

// A server in a process of its own: `node server.mjs PARTY`. Answers every request with a few bytes; tells its port.

import { createServer as createHttp } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer as createHttps } from 'node:https'
import { createServer, serve } from 'zerotrip/http3'
import { rivalModule } from './rival.mjs'

const { party, cert, key } = await new Promise(resolve => process.once('message', resolve))

const BODY = 'hello'
/** Connections stay while others have their turns. */
const KEEP = { keepAliveTimeout: 600_000 }
const TYPE = { 'content-type': 'text/plain' }

/** A small answer, as a user of that interface would write it. */
function answerStream(stream) {
  stream.respond({ ':status': '200', ...TYPE })
  stream.end(BODY)
}

function answerRequest(_request, response) {
  response.writeHead(200, TYPE).end(BODY)
}

function listening(server) {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(server.address().port))
  })
}

const start = {
  async stream() {
    const server = createServer({ cert, key })
    server.on('stream', answerStream)
    return listening(server)
  },
  async fetch() {
    const fetch = () => new Response(BODY, { headers: TYPE })
    return (await serve({ host: '127.0.0.1', cert, key, fetch }).ready).port
  },
  async request() {
    return listening(createServer({ cert, key }, answerRequest))
  },
  http: () => listening(createHttp(KEEP, answerRequest)),
  https: () => listening(createHttps({ ...KEEP, cert, key }, answerRequest)),
  async http2() {
    const server = createSecureServer({ cert, key })
    server.on('stream', answerStream)
    return listening(server)
  },
  async rival() {
    const { createSecureServer } = await rivalModule()
    const server = createSecureServer({ cert, key }, answerStream)
    const port = 20_000 + (process.pid % 20_000)
    await new Promise((resolve, reject) => {
      server.once('error', reject)
      server.once('listening', resolve)
      server.listen(port, '127.0.0.1')
    })
    return port
  },
}

process.send({ port: await start[party]() })
process.once('disconnect', () => process.exit(0))

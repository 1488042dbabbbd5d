// A client in a process of its own, one connection: asked for `{ concurrency, duration }`, it says how many requests a
// second were answered.

import { connect as connectHttp2 } from 'node:http2'
import { performance } from 'node:perf_hooks'
import { connect } from 'zerotrip/http3'
import { rivalModule } from './rival.mjs'

const { party, port, cert } = await new Promise(resolve => process.once('message', resolve))
const url = `https://127.0.0.1:${port}`
const HEADERS = { ':method': 'GET', ':path': '/', ':scheme': 'https', ':authority': `127.0.0.1:${port}` }

const clients = {
  async http2() {
    const session = connectHttp2(url, { ca: cert })
    await new Promise(resolve => session.once('connect', resolve))
    return () => session.request(HEADERS)
  },
  async rival() {
    const { connectAsync } = await rivalModule()
    const session = await connectAsync(`127.0.0.1:${port}`, { rejectUnauthorized: false, servername: 'localhost' })
    return () => session.request(HEADERS, { endStream: true })
  },
  async zerotrip() {
    const session = connect(url, { ca: cert })
    await session.opened
    return () => session.request(HEADERS)
  },
}

const request = await (clients[party] ?? clients.zerotrip)()

/** One request, to the end of its answer. */
function ask(done) {
  const stream = request()
  let status = 0
  let length = 0
  stream.on('response', headers => {
    status = Number(headers[':status'])
  })
  stream.on('data', chunk => {
    length += chunk.length
  })
  stream.on('end', () => done(status === 200 && length === 5))
  stream.on('error', error => {
    throw error
  })
}

function run({ concurrency, duration }) {
  return new Promise((resolve, reject) => {
    let answered = 0
    let open = 0
    const started = performance.now()
    const next = () => {
      open++
      ask(isRight => {
        if (!isRight) reject(new Error(`${party}: a wrong answer`))
        answered++
        open--
        const elapsed = performance.now() - started
        if (elapsed < duration) next()
        else if (open === 0) resolve((answered * 1000) / elapsed)
      })
    }
    for (let i = 0; i < concurrency; i++) next()
  })
}

process.on('message', async load => process.send({ rate: await run(load) }))
process.once('disconnect', () => process.exit(0))
process.send({ ready: true })

// A client in a process of its own, one connection (HTTP/1.1: one for each request under way): asked for `{ concurrency, duration }`, it says how many requests a
// second were answered.

import { EventEmitter } from 'node:events'
import { get as getHttp, Agent as HttpAgent } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { get as getHttps, Agent as HttpsAgent } from 'node:https'
import { performance } from 'node:perf_hooks'
import { connect } from 'zerotrip/http3'
import { rivalModule } from './rival.mjs'

const { party, port, cert } = await new Promise(resolve => process.once('message', resolve))
const url = `https://127.0.0.1:${port}`
const HEADERS = { ':method': 'GET', ':path': '/', ':scheme': 'https', ':authority': `127.0.0.1:${port}` }

/** A request of HTTP/1.1, with the events of a stream of HTTP/2. */
function http1(get, agent) {
  return () => {
    const stream = get({ host: '127.0.0.1', port, path: '/', agent, ca: cert })
    const answer = new EventEmitter()
    stream.on('error', error => answer.emit('error', error))
    stream.on('response', response => {
      answer.emit('response', { ':status': response.statusCode })
      for (const name of ['data', 'end']) response.on(name, value => answer.emit(name, value))
    })
    return answer
  }
}

const clients = {
  http: () => http1(getHttp, new HttpAgent({ keepAlive: true })),
  https: () => http1(getHttps, new HttpsAgent({ keepAlive: true })),
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

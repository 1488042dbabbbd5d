// HTTP/3 with aioquic, whose QPACK is ls-qpack, and with nghttp3 (nghttp3.mjs), over loopback: all methods, large fields,
// trailers, and the dynamic table in both directions, for certain: what either end inserted is counted. And the codec by
// itself with that of ls-qpack, on lists by chance.
//
//     npm run interop:http3 [-- --json]

import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { QuicEndpoint, selfSigned } from 'zerotrip'
import { Http3Client, Http3Server } from 'zerotrip/http3'
import { QpackDecoder } from '../dist/http3/qpack/decoder.js'
import { DecoderStream } from '../dist/http3/qpack/decoder-stream.js'
import { QpackEncoder } from '../dist/http3/qpack/encoder.js'
import { EncoderStream } from '../dist/http3/qpack/encoder-stream.js'
import { withNghttp3 } from './nghttp3.mjs'
import { aioquic } from './peers/aioquic.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const program = join(here, 'peers', 'aioquic', 'h3.py')
const cache = join(here, '..', '.cache', 'interop')
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'QUERY']
/** A client of aioquic holds the content-length of an answer to HEAD against it. */
const ofPeer = METHODS.filter(method => method !== 'HEAD')
/** Fields of 12 kB, of which half is in the table when it comes again. */
const large = Array.from({ length: 12 }, (_, i) => [`x-large-${i}`, `${i} `.repeat(500)])
const same = [
  ['user-agent', 'a program of some kind, the same in every request'],
  ['x-tenant', 'the same for all of them'],
]

mkdirSync(cache, { recursive: true })
const directory = mkdtempSync(join(cache, 'http3-'))
try {
  const version = aioquic.install(cache)
  const { file: python } = aioquic.client('http3', { requests: [], downloads: '', logs: '' })
  const results = {
    aioquic: version,
    ...codecs(python),
    'client of ours': await clientOfOurs(python),
    'server of ours': await serverOfOurs(python),
    ...(await withNghttp3(directory, equal, used)),
  }
  console.log(process.argv.includes('--json') ? JSON.stringify(results, undefined, 2) : lines(results))
} finally {
  rmSync(directory, { recursive: true, force: true })
}

/** Our client, a server of aioquic. */
async function clientOfOurs(python) {
  const identity = selfSigned({ hosts: ['localhost'] })
  const [certificate, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
  writeFileSync(certificate, identity.cert)
  writeFileSync(key, identity.key)
  const peer = spawn(python, [program, 'server', certificate, key], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [port] = await new Promise(resolve =>
    createInterface(peer.stdout).once('line', line => resolve([Number(line)])),
  )
  const endpoint = new QuicEndpoint()
  try {
    const seat = { onEvent: event => seat.client?.onEvent(event), close: () => seat.client.close() }
    const session = endpoint.connect(
      { host: 'localhost', port },
      { alpn: ['h3'], ca: identity.cert, application: () => seat },
    )
    seat.client = new Http3Client(session.transport, { authority: `localhost:${port}` })
    for (const round of [1, 2, 3]) await ask(seat.client, round)
    return used(seat.client.connection, 3 * METHODS.length)
  } finally {
    await endpoint.close()
    peer.stdin.end()
  }
}

async function ask(client, round) {
  for (const method of METHODS) {
    const hasBody = !['GET', 'HEAD', 'DELETE', 'OPTIONS'].includes(method)
    const body = hasBody ? `content of ${method} `.repeat(1000) : undefined
    const headers = [...same, ...(round === 1 ? [] : large), ['x-echo', `${method} ${round}`]]
    const response = await client.request({ url: '/', method, headers, body })
    const text = await response.text()
    equal(response.status, 200)
    equal(response.headers.get('x-method'), method)
    equal(response.headers.get('x-echo'), `${method} ${round}`)
    equal(text, method === 'HEAD' ? '' : (body ?? method))
  }
}

/** A client of aioquic, our server. */
async function serverOfOurs(python) {
  const identity = selfSigned({ hosts: ['localhost'] })
  const ca = join(directory, 'ca.pem')
  writeFileSync(ca, identity.cert)
  const servers = []
  const endpoint = new QuicEndpoint({ host: '127.0.0.1' })
  const handler = async request => ({
    headers: [
      ['x-method', request.method],
      ['x-large', request.headers.get('x-large-11') ?? ''],
      ['x-same', 'in every answer'],
    ],
    body: (await request.text()) || request.method,
  })
  const serve = session => {
    const server = new Http3Server(session.transport, handler)
    servers.push(server)
    return server
  }
  endpoint.listen({ alpn: { h3: serve }, cert: identity.cert, key: identity.key }, () => {})
  try {
    const { port } = await endpoint.ready
    const requests = [1, 2, 3].flatMap(round => ofPeer.map(method => requestOf(method, round, port)))
    const answers = await call(python, ['client', String(port), ca], requests)
    for (const [i, { heads, data }] of answers.entries()) {
      const method = ofPeer[i % ofPeer.length]
      const [, body] = requests[i]
      const head = Object.fromEntries(heads.at(-1))
      equal(head[':status'], '200')
      equal(head['x-method'], method)
      equal(head['x-large'], i < ofPeer.length ? '' : large[11][1].trim())
      equal(data, method === 'HEAD' ? '' : body || method)
    }
    return used(servers[0].connection, answers.length)
  } finally {
    await endpoint.close()
  }
}

function requestOf(method, round, port) {
  const body = ['POST', 'PUT', 'PATCH', 'QUERY'].includes(method) ? `content of ${method} `.repeat(1000) : ''
  const pseudo = [
    [':method', method],
    [':scheme', 'https'],
    [':authority', `localhost:${port}`],
    [':path', '/'],
  ]
  return [
    [...pseudo, ...same, ...(round === 1 ? [] : large)],
    body,
    body === '' ? [] : [['x-sum', String(body.length)]],
  ]
}

/** Our encoder with the decoder of ls-qpack, and the other way round; tables of any size, lists by chance. */
function codecs(python) {
  let lists = 0
  for (const [seed, capacity, blocked] of [
    [1, 0, 0],
    [2, 100, 100],
    [3, 400, 100],
    [4, 4096, 100],
    [5, 4096, 0],
  ]) {
    const job = Array.from({ length: 400 }, (_, i) => [4 * i, listOf(random(1000 * seed + i))])
    const encoder = new QpackEncoder()
    encoder.setLimits(capacity, blocked)
    const encoded = job.map(([id, list]) => {
      const section = encoder.encode(list, id, true)
      return [id, hex(encoder.takeInstructions() ?? new Uint8Array(0)), hex(section)]
    })
    const output = execFileSync(python, [program, 'qpack'], {
      input: JSON.stringify({ capacity, blocked, encoded, lists: job }),
      maxBuffer: 1 << 28,
    })
    const { decoded, answers, encoded: theirs } = JSON.parse(output)
    equal(JSON.stringify(decoded), JSON.stringify(job.map(([, list]) => list)))
    new DecoderStream(encoder).receive(Buffer.from(answers, 'hex'))
    const decoder = new QpackDecoder({
      maxFieldSectionSize: 65_536,
      maxFields: 256,
      maxTableCapacity: capacity,
      maxBlockedStreams: blocked,
    })
    const stream = new EncoderStream(decoder.table, capacity)
    for (const [i, [id, instructions, section]] of theirs.entries()) {
      stream.receive(Buffer.from(instructions, 'hex'))
      equal(JSON.stringify(decoder.decode(Buffer.from(section, 'hex'), id)), JSON.stringify(job[i][1]))
      lists++
    }
  }
  return { 'lists by both codecs': lists }
}

function listOf(next) {
  const names = [':path', 'cookie', 'accept', 'x-a', 'x-bb', 'etag', 'user-agent', 'authorization']
  return Array.from({ length: 1 + next(11) }, () => {
    const name = names[next(names.length)]
    if (next(3) > 0) return [name, `value ${next(6)}`]
    return [name, String.fromCharCode(...Array.from({ length: next(40) }, () => 32 + next(220)))]
  })
}

/** mulberry32. */
function random(seed) {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** Throws unless both tables were used. */
function used({ qpack: { insertions } }, requests) {
  if (insertions.sent === 0 || insertions.received === 0) {
    throw new Error(`the dynamic table was not used: ${JSON.stringify(insertions)}`)
  }
  return { requests, insertions }
}

async function call(python, args, input) {
  const child = spawn(python, [program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify(input))
  let output = ''
  for await (const piece of child.stdout) output += piece
  return JSON.parse(output)
}

function equal(seen, expected) {
  if (seen !== expected) throw new Error(`${String(seen).slice(0, 200)} instead of ${String(expected).slice(0, 200)}`)
}

function hex(bytes) {
  return Buffer.from(bytes).toString('hex')
}

function lines(results) {
  return Object.entries(results)
    .map(([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join('\n')
}

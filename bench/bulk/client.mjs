// The client of one party, in a process of its own: takes as many bytes as it is told, or sends them, and says how long
// that took, from the request on a connection that is there to the last byte.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import { QuicEndpoint } from 'zerotrip'
import { connect } from 'zerotrip/http3'
import { serveParent } from '../lib/children.mjs'
import { rivalModule } from '../requests/rival.mjs'
import { DATAGRAM, transportOf } from './transport.mjs'

const [party] = process.argv.slice(2)
/** node:dgram starves its receiving side otherwise. */
const BURST = 32

const transfers = {
  async dgram({ port }) {
    const socket = createSocket('udp4')
    socket.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.setSendBufferSize(2 * 1024 * 1024)
    const datagram = Buffer.alloc(DATAGRAM)
    return async bytes => {
      let sent = 0
      let pending = 0
      let resume
      const onSent = () => {
        if (--pending === 0) resume?.()
      }
      for (let i = 0; sent < bytes; i++, sent += DATAGRAM) {
        pending++
        socket.send(datagram, onSent)
        if (i % BURST === BURST - 1) await new Promise(setImmediate)
      }
      if (pending > 0) await new Promise(resolve => (resume = resolve))
    }
  },
  async tls({ port, ca }) {
    const isUp = party.endsWith('up')
    return bytes =>
      new Promise((resolve, reject) => {
        const socket = connectTls({ port, host: '127.0.0.1', ca, servername: 'localhost' }, () => {
          socket.write(wish(isUp ? 0 : bytes))
          if (isUp) pour(socket, bytes)
        })
        let received = 0
        const expected = isUp ? 0 : bytes
        socket.on('data', data => (received += data.length))
        socket.on('end', () => (received === expected ? resolve() : reject(new Error(`${received} bytes came`))))
        socket.on('error', reject)
      })
  },
  async rival({ port }) {
    const { connectAsync } = await rivalModule()
    const runtimeMode = party.endsWith('wasm') ? 'wasm' : 'portable'
    const options = { rejectUnauthorized: false, servername: 'localhost', runtimeMode }
    const session = await connectAsync(`127.0.0.1:${port}`, options)
    return bytes => get(session.request(headers(port, bytes), { endStream: true }), bytes)
  },
  async http3({ port, ca }) {
    const session = connect(`https://127.0.0.1:${port}`, { ca })
    await session.opened
    return bytes => get(session.request(headers(port, bytes)), bytes)
  },
  async quic({ port, ca }) {
    const endpoint = new QuicEndpoint({ host: '127.0.0.1' })
    const transport = transportOf(party)
    const session = endpoint.connect(
      { host: '127.0.0.1', port },
      { alpn: ['bytes'], ca, serverName: 'localhost', transport },
    )
    await session.opened
    return party.endsWith('up') ? bytes => put(session, bytes) : bytes => take(session, bytes)
  },
}

function headers(port, bytes) {
  return { ':method': 'GET', ':scheme': 'https', ':authority': `127.0.0.1:${port}`, ':path': `/${bytes}` }
}

/** To the end of the answer. */
function get(stream, bytes) {
  return new Promise((resolve, reject) => {
    let received = 0
    stream.on('data', chunk => (received += chunk.length))
    stream.on('end', () => (received === bytes ? resolve() : reject(new Error(`${received} bytes came`))))
    stream.on('error', reject)
  })
}

async function take(session, bytes) {
  const stream = await session.openStream()
  await stream.end(wish(bytes))
  let received = 0
  for await (const chunk of stream) received += chunk.length
  if (received !== bytes) throw new Error(`${received} bytes came`)
}

/** Sends them; the server ends its side when all have come. */
async function put(session, bytes) {
  const stream = await session.openStream()
  await stream.write(wish(0))
  const chunk = Buffer.alloc(65_536)
  for (let left = bytes; left > 0; left -= chunk.length) await stream.write(chunk)
  await stream.end()
  for await (const _ of stream);
}

/** Writes so many bytes, as fast as they are taken, and ends. */
function pour(socket, bytes) {
  const chunk = Buffer.alloc(65_536)
  let left = bytes
  const more = () => {
    while (left > 0) {
      left -= chunk.length
      if (!socket.write(chunk)) return socket.once('drain', more)
    }
    socket.end()
  }
  more()
}

function wish(bytes) {
  const wanted = Buffer.alloc(8)
  wanted.writeDoubleBE(bytes)
  return wanted
}

function open(where) {
  if (party === 'dgram') return transfers.dgram(where)
  if (party.startsWith('tls')) return transfers.tls(where)
  if (party.startsWith('rival')) return transfers.rival(where)
  return party.endsWith('h3') ? transfers.http3(where) : transfers.quic(where)
}

let where
serveParent({
  start(answer) {
    where = answer
  },
  usage: () => process.cpuUsage(),
  /** On a connection of its own: while others take their turns it would be idle for too long. */
  async transfer({ bytes }) {
    const transfer = await open(where)
    const begun = performance.now()
    await transfer(bytes)
    return { seconds: (performance.now() - begun) / 1000 }
  },
})

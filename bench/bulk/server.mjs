// The server of one party, in a process of its own: sends as many bytes as it is asked for, or counts those that come.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer as createTls } from 'node:tls'
import { listen } from 'zerotrip'
import { createServer } from 'zerotrip/http3'
import { serveParent } from '../lib/children.mjs'
import { rivalModule } from '../requests/rival.mjs'
import { DATAGRAM, transportOf } from './transport.mjs'

const [party] = process.argv.slice(2)
const CHUNK = Buffer.alloc(65_536)

/** Of the bare datagrams: what came, between the first and the last. */
const arrived = { bytes: 0, first: 0, last: 0 }

const starts = {
  async dgram() {
    const socket = createSocket('udp4')
    socket.on('message', message => {
      arrived.last = performance.now()
      if (arrived.bytes === 0) arrived.first = arrived.last
      arrived.bytes += message.length
    })
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    socket.setRecvBufferSize(2 * 1024 * 1024)
    return socket.address().port
  },
  async tls({ cert, key }) {
    const server = createTls({ cert, key, minVersion: 'TLSv1.3' }, socket => {
      // Its end is answered with ours, when everything that came is here.
      socket.once('data', wanted => {
        const bytes = wanted.readDoubleBE(0)
        if (bytes > 0) write(socket, bytes)
        socket.resume()
      })
      socket.on('error', () => {})
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return server.address().port
  },
  async rival({ cert, key }) {
    const { createSecureServer } = await rivalModule()
    const server = createSecureServer({ cert, key, runtimeMode: 'portable' }, answer)
    const port = 20_000 + (process.pid % 20_000)
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return port
  },
  async http3({ cert, key }) {
    const server = createServer({ cert, key })
    server.on('stream', answer)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return server.address().port
  },
  async quic({ cert, key }) {
    const options = { host: '127.0.0.1', port: 0, alpn: ['bytes'], cert, key, transport: transportOf(party) }
    const listener = listen(options, async session => {
      for await (const stream of session.streams) serve(stream).catch(() => {})
    })
    return (await listener.ready).port
  },
}

/** Eight bytes that say how many are wanted; whatever is more than that came to be counted. */
async function serve(stream) {
  let wanted
  for await (const chunk of stream) wanted ??= Buffer.from(chunk).readDoubleBE(0)
  for (let left = wanted; left > 0; left -= CHUNK.length) {
    await stream.write(left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK)
  }
  await stream.end()
}

function answer(stream, headers) {
  stream.respond({ ':status': '200' })
  write(stream, Number(headers[':path'].slice(1)))
}

function write(stream, wanted) {
  let left = wanted
  const more = () => {
    while (left > 0) {
      const chunk = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK
      left -= chunk.length
      if (!stream.write(chunk)) return stream.once('drain', more)
    }
    stream.end()
  }
  more()
}

function start(identity) {
  if (party === 'dgram') return starts.dgram(identity)
  if (party.startsWith('tls')) return starts.tls(identity)
  if (party.startsWith('rival')) return starts.rival(identity)
  return party.endsWith('h3') ? starts.http3(identity) : starts.quic(identity)
}

serveParent({
  start: async identity => ({ port: await start(identity) }),
  usage: () => process.cpuUsage(),
  async arrived() {
    if (party !== 'dgram') return {}
    // What is still in the socket comes first.
    for (let before = -1; before !== arrived.bytes; ) {
      before = arrived.bytes
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    const { bytes, first, last } = arrived
    arrived.bytes = 0
    return { bytes: bytes - DATAGRAM, seconds: (last - first) / 1000 }
  },
})

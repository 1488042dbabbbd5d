// A process with one endpoint, told by its parent what to do: to listen, to hold idle connections, to carry bulk.

import { QuicEndpoint, selfSigned } from 'zerotrip'
import { Bulk } from './bulk.mjs'

const IDLE = 'idle'
const BULK = 'bulk'
/** Handshakes under way at a time: all their datagrams fit into a socket's buffer. */
const AT_A_TIME = 32
/** No connection ends while we look at it. */
const HOUR = 3_600_000

const endpoint = new QuicEndpoint({ host: '127.0.0.1' })
const held = []
let bulk = new Bulk()

const verbs = {
  /** Takes connections, and streams on those that carry bulk. */
  async listen({ maxStreams }) {
    const { cert, key } = selfSigned({ hosts: ['localhost'] })
    const transport = { maxIdleTimeout: HOUR, initialMaxStreamsBidi: maxStreams }
    endpoint.listen({ cert, key, alpn: [IDLE, BULK], transport, handshakeTimeout: 60_000 }, async session => {
      held.push(session)
      session.closed.then(() => held.splice(held.indexOf(session), 1))
      if (session.connection.alpn === IDLE) return
      bulk = new Bulk()
      for await (const stream of session.streams) bulk.add(stream, 1)
    })
    const { port } = await endpoint.ready
    return { port, cert }
  },

  /** Opens connections on which nothing happens. */
  async hold({ port, cert, count }) {
    await endpoint.ready
    let left = count
    const open = async () => {
      while (left-- > 0) held.push(await connect(port, cert, IDLE))
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, open))
    await Promise.all(held.map(session => session.confirmed))
  },

  /** Closes them all. */
  async release() {
    await Promise.all(held.splice(0).map(session => session.close()))
  },

  /** Connects, and opens streams with a byte on each, so that the peer has them too. */
  async carry({ port, cert, streams }) {
    await endpoint.ready
    const session = await connect(port, cert, BULK)
    for (let i = 0; i < streams; i++) {
      const stream = await session.openStream()
      await stream.write('x')
      bulk.add(stream, 0)
    }
  },

  connections: () => endpoint.sessions.size,
  streams: () => bulk.streamCount,
  send: ({ total, active, piece }) => bulk.send(total, active, piece),
  receive: ({ total, active }) => bulk.receive(total, active),

  /** Bytes, once the garbage is gone. */
  async memory() {
    for (let i = 0; i < 4; i++) {
      globalThis.gc()
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    return process.memoryUsage()
  },

  /** ms of CPU time since the process began. */
  cpu() {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  },
}

async function connect(port, cert, alpn) {
  const transport = { maxIdleTimeout: HOUR }
  // On a machine that does other things besides, some wait long.
  const options = { alpn: [alpn], ca: cert, serverName: 'localhost', transport, handshakeTimeout: 60_000 }
  const session = endpoint.connect({ host: '127.0.0.1', port }, options)
  await session.opened
  return session
}

process.on('message', async ({ id, verb, options }) => {
  try {
    process.send({ id, result: await verbs[verb](options) })
  } catch (error) {
    process.send({ id, error: `${verb}: ${error.stack}` })
  }
})
process.on('disconnect', () => process.exit())

// nghttp3, whose QPACK is its own, by the programs of ngtcp2 that Debian packages, over loopback: requests of several
// methods both ways, large fields, and the dynamic table in both directions, for certain.

import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { QuicEndpoint, selfSigned } from 'zerotrip'
import { Http3Client, Http3Server } from 'zerotrip/http3'
import { ngtcp2 } from './peers/ngtcp2.mjs'

const QUIET = ['--no-quic-dump', '--no-http-dump']
const STREAMS = 20

/** What was exchanged each way, and how much of either table was filled. Throws when anything is not as it should be. */
export async function withNghttp3(directory, equal, used) {
  const version = ngtcp2.install()
  const identity = selfSigned({ hosts: ['localhost'] })
  const file = (name, content) => {
    writeFileSync(join(directory, name), content)
    return join(directory, name)
  }
  const tools = { identity, directory, file, equal, used }
  return {
    'nghttp3 of ngtcp2': version,
    'client of ours, nghttp3': await clientOfOurs(tools),
    'server of ours, nghttp3': await serverOfOurs(tools),
  }
}

/** gtlsserver answers with files. */
async function clientOfOurs({ identity, directory, file, equal, used }) {
  const root = join(directory, 'root')
  mkdirSync(root)
  file('root/here.txt', 'what is here')
  const port = await freePort()
  const options = [...QUIET, '-d', root, `--mime-types-file=${file('mime.types', 'text/plain txt\n')}`]
  const names = [file('server.key', identity.key), file('server.crt', identity.cert)]
  const peer = spawn('/usr/sbin/gtlsserver', [...options, '127.0.0.1', String(port), ...names], { stdio: 'ignore' })
  const endpoint = new QuicEndpoint()
  try {
    const seat = { onEvent: event => seat.client?.onEvent(event), close: () => seat.client.close() }
    const to = { host: '127.0.0.1', port }
    const trust = { serverName: 'localhost', ca: identity.cert }
    const session = endpoint.connect(to, { alpn: ['h3'], ...trust, application: () => seat })
    seat.client = new Http3Client(session.transport, { authority: `localhost:${port}` })
    const headers = [['x-tenant', 'the same for all of them'], ...large]
    let requests = 0
    for (const method of ['GET', 'HEAD', 'GET', 'GET']) {
      const response = await seat.client.request({ url: '/here.txt', method, headers })
      equal(response.status, 200)
      equal(await response.text(), method === 'HEAD' ? '' : 'what is here')
      requests++
    }
    return used(seat.client.connection, requests)
  } finally {
    await endpoint.close()
    peer.kill()
  }
}

/** Until it has read our SETTINGS a client may not use the table: gtlsclient waits a moment with its requests. */
async function serverOfOurs({ identity, file, equal, used }) {
  const servers = []
  const seen = []
  const endpoint = new QuicEndpoint({ host: '127.0.0.1' })
  const handler = async request => {
    seen.push(`${request.method} ${(await request.text()).length}`)
    return { headers: [['x-same', 'in every answer'], ...large], body: 'an answer' }
  }
  const serve = session => {
    servers.push(new Http3Server(session.transport, handler))
    return servers.at(-1)
  }
  endpoint.listen({ alpn: { h3: serve }, cert: identity.cert, key: identity.key }, () => {})
  try {
    const { port } = await endpoint.ready
    const body = file('body', 'content '.repeat(1000))
    const ask = async (count, ...options) => {
      const args = [...QUIET, '--exit-on-all-streams-close', '--delay-stream=20ms', '-n', String(count), ...options]
      const url = `https://localhost:${port}/`
      const peer = spawn('/usr/bin/gtlsclient', [...args, '127.0.0.1', String(port), url], { stdio: 'ignore' })
      const [code] = await once(peer, 'close')
      equal(code, 0)
    }
    await ask(STREAMS)
    await ask(1, '-m', 'POST', '-d', body)
    await ask(1, '-m', 'PUT', '-d', body)
    await ask(1, '-m', 'DELETE')
    equal(seen.join(), [...Array(STREAMS).fill('GET 0'), 'POST 8000', 'PUT 8000', 'DELETE 0'].join())
    return used(servers[0].connection, STREAMS)
  } finally {
    await endpoint.close()
  }
}

/** Fields of 12 kB, of which some are in the table when they come again. */
const large = Array.from({ length: 12 }, (_, i) => [`x-large-${i}`, `${i} `.repeat(500)])

async function freePort() {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

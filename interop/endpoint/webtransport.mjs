// The runner's WebTransport cases (`-p webtransport`): files in either direction, asked for by "GET name" and sent on the
// same stream, or behind "PUSH name" on a new one or in a datagram. The side whose case is `transfer` only answers.

import { readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { serve, WebTransport } from 'zerotrip/http3'

const ways = { unidirectional: askByStream, bidirectional: askAndRead, datagram: askByDatagrams }
const cases = new Set(['handshake', 'transfer', ...Object.keys(ways).flatMap(way => actions(way))])
/** ms until a datagram counts as lost. */
const PATIENCE = 500
/** With whom datagrams of the runner's files fit. */
const transport = { maxDatagramSize: 1252 }

/** False: there is no such test case. Resolves when everything has arrived, or the server has what it wants. */
export async function visitSession(testcase, place) {
  if (!cases.has(testcase)) return false
  const urls = place.requests.map(text => new URL(text))
  const [, endpoint] = urls[0].pathname.split('/')
  const session = new WebTransport(new URL(`/${endpoint}`, urls[0]), {
    ca: readFileSync(join(place.certs, 'ca.pem'), 'utf8'),
    protocols: place.protocols,
    transport,
    ...(place.qlog !== undefined && { qlog: place.qlog }),
  })
  await session.ready
  const names = urls.map(({ pathname }) => pathname.split('/')[2]).filter(Boolean)
  await act(testcase, session, new Peer(session, endpoint, place), names, place)
  if (testcase === 'transfer') await session.closed
  else session.close()
  await session.closed
  return true
}

/** False: there is no such test case. Serves until SIGTERM. */
export async function serveSessions(testcase, place) {
  if (!cases.has(testcase)) return false
  const paths = place.requests.map(text => text.split('/').filter(Boolean))
  const server = serve({
    port: place.port,
    cert: readFileSync(join(place.certs, 'cert.pem'), 'utf8'),
    key: readFileSync(join(place.certs, 'priv.key'), 'utf8'),
    fetch: () => new Response('', { status: 404 }),
    transport,
    ...(place.qlog !== undefined && { qlog: place.qlog }),
    webtransport: {
      accept: ({ protocols }) => ({ protocol: protocols.find(name => place.protocols.includes(name)) }),
      async session(session) {
        const [, endpoint] = new URL(session.request.url).pathname.split('/')
        const names = paths.filter(([first]) => first === endpoint).map(([, name]) => name)
        await act(testcase, session, new Peer(session, endpoint, place), names, place)
        if (names.length > 0) session.close()
      },
    },
  })
  await server.ready
  console.log(`${testcase}: serving ${place.www} on port ${place.port}`)
  process.once('SIGTERM', () => server.close({ deadline: 0 }))
  return true
}

async function act(testcase, session, peer, names, { downloads }) {
  if (testcase === 'handshake') await writeFile(join(downloads, 'negotiated_protocol.txt'), session.protocol)
  const [, way] = testcase.split('-')
  if (way !== undefined) await ways[way](session, peer, names)
}

/** Answers what the other side asks, and keeps what it pushes. */
class Peer {
  #session
  #www
  #downloads
  /** Of datagrams. */
  writer
  /** By name: those that wait for a file. */
  #awaited = new Map()

  constructor(session, endpoint, { www, downloads }) {
    this.#session = session
    this.#www = join(www, endpoint)
    this.#downloads = join(downloads, endpoint)
    this.writer = session.datagrams.writable.getWriter()
    for (const loop of [this.#takeBidirectional(), this.#takeUnidirectional(), this.#takeDatagrams()]) {
      // They end with the session.
      loop.catch(() => {})
    }
  }

  /** Resolves when this file is here. */
  arrival(name) {
    return new Promise(resolve => this.#awaited.set(name, resolve))
  }

  async save(name, content) {
    await mkdir(this.#downloads, { recursive: true })
    await writeFile(join(this.#downloads, basename(name)), content)
    this.#awaited.get(name)?.()
    this.#awaited.delete(name)
  }

  /** Names that did not arrive yet. */
  get missing() {
    return [...this.#awaited.keys()]
  }

  async #takeBidirectional() {
    for await (const { readable, writable } of this.#session.incomingBidirectionalStreams) {
      bytesOf(readable)
        .then(async request => writeAll(writable, await this.#content(request)))
        .catch(report)
    }
  }

  async #takeUnidirectional() {
    for await (const readable of this.#session.incomingUnidirectionalStreams) {
      bytesOf(readable)
        .then(async message => {
          if (isGet(message))
            await writeAll(await this.#session.createUnidirectionalStream(), await this.#push(message))
          else await this.#keep(message)
        })
        .catch(report)
    }
  }

  async #takeDatagrams() {
    for await (const message of this.#session.datagrams.readable) {
      if (isGet(message))
        this.#push(message)
          .then(answer => this.writer.write(answer))
          .catch(report)
      else this.#keep(message).catch(report)
    }
  }

  #content(request) {
    return readFile(join(this.#www, basename(nameIn(request))))
  }

  async #push(request) {
    return Buffer.concat([Buffer.from(`PUSH ${nameIn(request)}\n`), await this.#content(request)])
  }

  #keep(message) {
    const end = message.indexOf(10)
    return this.save(nameIn(message.subarray(0, end)), message.subarray(end + 1))
  }
}

async function askByStream(session, peer, names) {
  await Promise.all(
    names.map(async name => {
      const arrival = peer.arrival(name)
      await writeAll(await session.createUnidirectionalStream(), Buffer.from(`GET ${name}`))
      await arrival
    }),
  )
}

async function askAndRead(session, peer, names) {
  await Promise.all(
    names.map(async name => {
      const { readable, writable } = await session.createBidirectionalStream()
      const [content] = await Promise.all([bytesOf(readable), writeAll(writable, Buffer.from(`GET ${name}`))])
      await peer.save(name, content)
    }),
  )
}

/** Those that are lost are asked for again. */
async function askByDatagrams(_, peer, names) {
  const arrived = Promise.all(names.map(name => peer.arrival(name))).then(() => 'all')
  do {
    for (const name of peer.missing) await peer.writer.write(Buffer.from(`GET ${name}`))
  } while ((await Promise.race([arrived, sleep(PATIENCE)])) !== 'all')
}

async function writeAll(writable, bytes) {
  const writer = writable.getWriter()
  await writer.write(bytes)
  await writer.close()
}

async function bytesOf(readable) {
  return new Uint8Array(await new Response(readable).arrayBuffer())
}

function isGet(message) {
  return Buffer.from(message.subarray(0, 4)).toString() === 'GET '
}

/** Behind GET or PUSH. */
function nameIn(message) {
  return Buffer.from(message).toString().trim().split(' ')[1]
}

function actions(way) {
  return [`transfer-${way}-receive`, `transfer-${way}-send`]
}

function report(error) {
  console.error(error)
}

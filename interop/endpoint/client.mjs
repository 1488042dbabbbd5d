// Fetches what is asked for, on one connection or on several, one after another.

import { createReadStream, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'zerotrip'
import { connect as connectHttp3, Hq09Client } from 'zerotrip/http3'
import { MemoryTickets } from 'zerotrip/zero-rtt'
import { clientCases, HANDSHAKE_TIMEOUT } from './cases.mjs'

/** ms to wait for a ticket. */
const TICKET_TIMEOUT = 3000
/** ms from one attempt to the next. */
const UPDATE_INTERVAL = 5

/** False: there is no such test case. Rejects when something could not be fetched. */
export async function download(testcase, place) {
  const found = clientCases[testcase]
  if (found === undefined) return false
  const { groups = requests => [requests], options, isUpload = false } = found
  const { resumes = false, isEarly = false, updatesKeys = false } = found
  const tickets = new Tickets()
  const common = {
    ca: readFileSync(join(place.certs, 'ca.pem'), 'utf8'),
    // Otherwise every handshake is a full one.
    ...(resumes && { tickets }),
    certificateCompression: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT,
    ...(place.qlog !== undefined && { qlog: place.qlog }),
    ...options,
  }
  const connections = groups(place.requests.map(text => new URL(text)))
  for (const [i, urls] of connections.entries()) {
    const client = clients[place.alpn](urls[0], { ...common, earlyData: isEarly && i > 0 })
    // In this tick: what may leave early is to be in the first flight.
    const fetched = Promise.all(urls.map(url => (isUpload ? upload(client, url, place) : save(client, url, place))))
    if (updatesKeys) await Promise.race([updateKeys(client.session), fetched])
    await fetched
    const { version, cipherSuite, isResumed, earlyData } = client.session.peer
    console.log(`${urls.length} files from ${urls[0].origin}`, { version, cipherSuite, isResumed, earlyData })
    if (resumes && i === 0) await tickets.arrived
    await client.close()
  }
  return true
}

/** As soon as that may be: once the server has acknowledged something. */
async function updateKeys(session) {
  await session.confirmed
  while (!session.updateKeys()) await sleep(UPDATE_INTERVAL, undefined, { ref: false })
}

class Tickets extends MemoryTickets {
  #found
  #some = new Promise(resolve => {
    this.#found = resolve
  })

  constructor() {
    super(Date.now)
  }

  put(origin, resumption) {
    super.put(origin, resumption)
    this.#found()
  }

  /** Resolves when there is one, or none is to be expected any more. */
  get arrived() {
    return Promise.race([this.#some, sleep(TICKET_TIMEOUT, undefined, { ref: false })])
  }
}

const clients = { h3: openHttp3, 'hq-interop': openHq }

function openHttp3(url, options) {
  const http3 = connectHttp3(url.origin, options)
  return {
    session: http3.session,
    async *get(url) {
      const response = await http3.fetch(url)
      if (response.status !== 200) throw new Error(`${url}: status ${response.status}`)
      yield* response.body ?? []
    },
    async put(url, body) {
      const response = await http3.fetch(url, { method: 'PUT', body, duplex: 'half' })
      if (!response.ok) throw new Error(`${url}: status ${response.status}`)
    },
    close: () => http3.close(),
  }
}

function openHq(url, { earlyData, ...options }) {
  let hq
  const application = session => {
    hq = new Hq09Client(session.transport)
    return { onEvent: event => hq.onEvent(event), sessionState: new Uint8Array(0) }
  }
  const to = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 443) }
  const session = connect(to, { ...options, earlyData, alpn: ['hq-interop'], application })
  return { session, get: url => hq.get(url.pathname, { early: earlyData }), close: () => session.close() }
}

function upload(client, url, { www }) {
  return client.put(url, Readable.toWeb(createReadStream(join(www, basename(url.pathname)))))
}

async function save(client, url, { downloads }) {
  const chunks = client.get(url)[Symbol.asyncIterator]()
  let next = await chunks.next()
  const file = await open(join(downloads, basename(url.pathname)), 'w')
  try {
    for (; !next.done; next = await chunks.next()) await file.write(next.value)
  } finally {
    await file.close()
  }
}

// The end that opens connections, as many at a time as it is told, for a while: to the worker of bench/ends/server.mjs,
// by TLS over TCP and by HTTP/3. None carries a request.

import { connect as connectTls, createSecureContext } from 'node:tls'
import { defaultBackend, QuicEndpoint } from 'zerotrip'
import { connect } from 'zerotrip/http3'
import { ProvisionedClient } from 'zerotrip/zero-rtt'
import { serveParent } from '../lib/children.mjs'

let worker
let secureContext
let tlsSession
let provisioned
const endpoint = new QuicEndpoint({ host: '127.0.0.1' })
/** Each is used once, and each connection brings two. */
const tickets = []
const ENOUGH = 100
const ticketBox = {
  take: () => tickets.pop(),
  put(_origin, ticket) {
    if (tickets.length < ENOUGH) tickets.push(ticket)
  },
}

const handshakes = {
  'tls full': () => tls(undefined),
  'tls resumed': () => tls(tlsSession),
  full: () => quic({}),
  resumed: () => quic({ tickets: ticketBox }),
  provisioned: () => quic({ tickets: provisioned, earlyData: true }),
}

function tls(session) {
  const { host, tlsPort: port } = worker.announcement
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host, port, secureContext, session }, () => {
      if (socket.isSessionReused() === (session !== undefined)) socket.end()
      else socket.destroy(new Error(`session reused: ${socket.isSessionReused()}`))
    })
    socket.on('session', ticket => (tlsSession ??= ticket))
    // Tickets come after the handshake: they are read before the end is.
    socket.resume()
    socket.on('error', reject)
    socket.on('close', resolve)
  })
}

async function quic(options, isResumption = options.tickets !== undefined) {
  const http3 = connect(`https://${worker.origin}`, { endpoint, ca: worker.announcement.certificate, ...options })
  await http3.session.confirmed
  const { isResumed } = await http3.opened
  if (isResumed !== isResumption) throw new Error(`connection resumed: ${isResumed}`)
  await http3.close()
}

serveParent({
  async start({ server }) {
    worker = server.worker
    secureContext = createSecureContext({ ca: worker.announcement.certificate, minVersion: 'TLSv1.3' })
    provisioned = new ProvisionedClient(defaultBackend, worker.client, Date.now)
    await endpoint.ready
    await handshakes['tls full']()
  },
  /** How many a second. */
  async rate({ name, concurrency, duration }) {
    // Enough tickets before the clock runs.
    while (name === 'resumed' && tickets.length < 2 * concurrency)
      await quic({ tickets: { take() {}, put: ticketBox.put } }, false)
    const handshake = handshakes[name]
    const begun = performance.now()
    let count = 0
    const repeat = async () => {
      while (performance.now() - begun < duration) {
        await handshake()
        count++
      }
    }
    await Promise.all(Array.from({ length: concurrency }, repeat))
    return { rate: (count * 1000) / (performance.now() - begun) }
  },
})

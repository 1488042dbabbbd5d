// Handshakes of node:tls between two sockets in memory: a pair of Duplex streams, no network.

import { once } from 'node:events'
import { duplexPair } from 'node:stream'
import { connect, createSecureContext, createServer } from 'node:tls'

/** What both stacks take, so that it is the same cryptography: X25519, AES-128-GCM with SHA-256. */
const agreed = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256',
  ecdhCurve: 'X25519',
}

export class TlsHandshakes {
  #server
  #secureContext
  /** What the newest connection left. */
  #session

  /** `cert` and `key` in PEM; the client trusts that certificate alone. */
  constructor({ cert, key }) {
    this.#server = createServer({ ...agreed, cert, key, ALPNProtocols: ['h3'] })
    // Made once, as whoever has many connections does it: it parses `ca`.
    this.#secureContext = createSecureContext({ ...agreed, ca: cert })
  }

  /** By certificate; the server sends two tickets, the client keeps them. */
  full() {
    return this.#connect(undefined)
  }

  /** With the ticket of the connection before: psk_dhe_ke. */
  async resumed() {
    if (this.#session === undefined) await this.full()
    await this.#connect(this.#session)
  }

  async #connect(session) {
    const [near, far] = duplexPair()
    const accepted = once(this.#server, 'secureConnection')
    this.#server.emit('connection', far)
    const options = { socket: near, servername: 'localhost', ALPNProtocols: ['h3'], session }
    const client = connect({ ...options, secureContext: this.#secureContext })
    // OpenSSL sends two, and none to a client that came with one.
    const tickets = session === undefined ? twoTickets(client) : session
    await once(client, 'secureConnect')
    const [server] = await accepted
    this.#session = await tickets
    check(client, session !== undefined)
    client.destroy()
    server.destroy()
  }
}

/** The second of the two. */
function twoTickets(client) {
  return new Promise((resolve, reject) => {
    let count = 0
    client.on('session', session => {
      if (++count === 2) resolve(session)
    })
    client.once('error', reject)
  })
}

function check(client, isResumed) {
  const cipher = client.getCipher().standardName
  if (client.getProtocol() !== 'TLSv1.3' || cipher !== agreed.ciphers || !client.authorized) {
    throw new Error(`not what was to be measured: ${client.getProtocol()} ${cipher} ${client.authorizationError}`)
  }
  if (client.isSessionReused() !== isResumed) throw new Error(`TLS session reused: ${!isResumed}`)
}

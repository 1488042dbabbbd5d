// A wire with an ear: forwards datagrams between one client and a worker, and keeps what the client says first.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'

const HOST = '127.0.0.1'

export class Relay {
  /** The first flight: every datagram the client sent before the worker answered. */
  firstFlight = []
  /** As in a URL: where the client has to call. */
  origin
  #front = createSocket('udp4')
  #back = createSocket('udp4')

  static async open(port) {
    const relay = new Relay()
    relay.#front.bind(0, HOST)
    relay.#back.bind(0, HOST)
    await Promise.all([once(relay.#front, 'listening'), once(relay.#back, 'listening')])
    relay.#forward(port)
    return relay
  }

  close() {
    this.#front.close()
    this.#back.close()
  }

  #forward(port) {
    let client
    let isAnswered = false
    this.origin = `${HOST}:${this.#front.address().port}`
    this.#front.on('message', (datagram, from) => {
      client = from
      if (!isAnswered) this.firstFlight.push(datagram)
      this.#back.send(datagram, port, HOST)
    })
    this.#back.on('message', datagram => {
      isAnswered = true
      this.#front.send(datagram, client.port, client.address)
    })
  }
}

/** What anybody on the path can do: sends a flight once more. Resolves with the number of datagrams that came back. */
export async function replay(flight, port) {
  const socket = createSocket('udp4')
  let answers = 0
  socket.on('message', () => answers++)
  socket.bind(0, HOST)
  await once(socket, 'listening')
  for (const datagram of flight) socket.send(datagram, port, HOST)
  await new Promise(resolve => setTimeout(resolve, LISTEN))
  socket.close()
  return answers
}

/** ms: a handler that was going to run has run by then. */
const LISTEN = 400

/** The kinds of packets in a datagram of QUIC version 1; they are not encrypted (RFC 9000 §17.2). */
export function packetKinds(datagram) {
  const kinds = []
  for (let at = 0; at < datagram.length && (datagram[at] & 0x80) !== 0; ) {
    const kind = LONG_HEADERS[(datagram[at] >> 4) & 3]
    kinds.push(kind)
    if (kind === 'Retry') break
    // First byte, version, then two connection ids with their lengths.
    let next = at + 5
    next += 1 + datagram[next]
    next += 1 + datagram[next]
    if (kind === 'Initial') {
      const token = readVarint(datagram, next)
      next = token.end + token.value
    }
    const length = readVarint(datagram, next)
    at = length.end + length.value
  }
  return kinds
}

const LONG_HEADERS = ['Initial', '0-RTT', 'Handshake', 'Retry']

/** RFC 9000 §16. */
function readVarint(bytes, at) {
  const length = 1 << (bytes[at] >> 6)
  let value = bytes[at] & 0x3f
  for (let i = 1; i < length; i++) value = value * 256 + bytes[at + i]
  return { value, end: at + length }
}

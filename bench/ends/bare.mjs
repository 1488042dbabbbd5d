// Bare datagrams, without any protocol: one there and back, which is what a round trip takes; and as many as an answer
// has, which is the floor for everything that is made of datagrams. Nothing is repeated: not for links that lose.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'

const REQUEST_BYTES = 1200
const DATAGRAM = 1452
/** Datagrams under way at most, and between two confirmations. */
const WINDOW = 64
const STRIDE = 32
/** ms until what has not come is lost. */
const PATIENCE = 5000
/** What the first byte says. */
const ECHO = 0
const WANT = 1
const MORE = 2

/** Resolves with the port. */
export async function answerBare(host) {
  const socket = createSocket('udp4')
  const datagram = Buffer.alloc(DATAGRAM)
  let left = 0
  socket.on('message', (message, { port, address }) => {
    if (message[0] === ECHO) return socket.send(message, port, address)
    let count = STRIDE
    if (message[0] === WANT) {
      left = Math.ceil(message.readUInt32BE(1) / DATAGRAM)
      count = WINDOW
    }
    for (; count > 0 && left > 0; count--, left--) socket.send(datagram, port, address)
  })
  socket.bind(0, host)
  await once(socket, 'listening')
  return socket.address().port
}

export class BareClient {
  #socket = createSocket('udp4')

  connect({ host, port }) {
    return new Promise(resolve => this.#socket.connect(port, host, resolve))
  }

  /** A datagram there and back, in ms; undefined: it was lost. */
  roundTrip() {
    return this.#timed(ECHO, 0, 1)
  }

  /** So many bytes as fast as they come, in ms; undefined: some were lost. */
  bytes(count) {
    return this.#timed(WANT, count, Math.ceil(count / DATAGRAM))
  }

  #timed(kind, bytes, datagrams) {
    const request = Buffer.alloc(REQUEST_BYTES)
    request[0] = kind
    request.writeUInt32BE(bytes, 1)
    const more = Buffer.from([MORE])
    let received = 0
    return new Promise(resolve => {
      const begun = performance.now()
      const end = ms => {
        clearTimeout(timer)
        this.#socket.off('message', onMessage)
        resolve(ms)
      }
      const timer = setTimeout(end, PATIENCE)
      const onMessage = () => {
        received++
        if (received >= datagrams) end(performance.now() - begun)
        else if (received % STRIDE === 0) this.#socket.send(more)
      }
      this.#socket.on('message', onMessage)
      this.#socket.send(request)
    })
  }
}

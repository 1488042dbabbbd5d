// Between workers: a datagram that came to the wrong one goes to its owner, with the address it came from. One socket
// on the loopback interface for each worker; what anybody else sends there is ignored.

import { createSocket } from 'node:dgram'

export class Link {
  #socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) })
  #ports = []
  /** Datagrams handed on by this worker, and taken from others. */
  sent = 0
  received = 0

  /** Resolves with the port of this worker's end. `take` is given what others hand on. */
  async open(take) {
    this.#socket.on('error', () => {})
    this.#socket.on('message', (message, { port }) => {
      if (!this.#ports.includes(port)) return
      this.received++
      const { from, datagram } = unwrap(message)
      take(datagram, from)
    })
    // Exclusive: node:cluster would have all workers share this one, too.
    await new Promise(resolve => this.#socket.bind({ address: '127.0.0.1', exclusive: true }, resolve))
    return this.#socket.address().port
  }

  /** The ends of all workers, by their numbers. */
  join(ports) {
    this.#ports = ports
  }

  /** False: that worker is not there. */
  send(worker, datagram, from) {
    const port = this.#ports[worker]
    if (port === undefined) return false
    this.sent++
    this.#socket.send(wrap(datagram, from), port, '127.0.0.1')
    return true
  }

  close() {
    this.#socket.close()
  }
}

/** The socket it came by, the port, the length of the host, the host; then the datagram. */
function wrap(datagram, { host, port, via = 0 }) {
  const message = Buffer.allocUnsafe(4 + host.length + datagram.length)
  message.writeUInt8(via, 0)
  message.writeUInt16BE(port, 1)
  message.writeUInt8(host.length, 3)
  message.latin1Write(host, 4)
  message.set(datagram, 4 + host.length)
  return message
}

function unwrap(message) {
  const end = 4 + message.readUInt8(3)
  const from = { host: message.latin1Slice(4, end), port: message.readUInt16BE(1), via: message.readUInt8(0) }
  return { from, datagram: message.subarray(end) }
}

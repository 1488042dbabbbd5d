// Between workers: a datagram that came to the wrong one goes to its owner, with the address it came from. One socket on
// the loopback interface for each worker; what anybody else sends there is ignored.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Address } from '../connection/path.ts'

export class ClusterLink {
  /** Datagrams handed on by this worker, and taken from others. */
  sent = 0
  received = 0
  readonly #socket: Socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) })
  readonly #take: (datagram: Uint8Array, from: Address) => void
  #ports: readonly (number | undefined)[] = []

  /** `take` is given what others hand on. */
  constructor(take: (datagram: Uint8Array, from: Address) => void) {
    this.#take = take
  }

  /** Resolves with the port of this worker's end. */
  async open(): Promise<number> {
    this.#socket.on('message', (message, { port }) => {
      if (!this.#ports.includes(port) || message.length < HEAD) return
      this.received++
      this.#unwrap(message)
    })
    // Exclusive: node:cluster would have all workers share this one, too.
    const listening = once(this.#socket, 'listening')
    this.#socket.bind({ address: LOOPBACK, exclusive: true })
    await listening
    this.#socket.on('error', ignore)
    return this.#socket.address().port
  }

  /** The ends of all workers, by their numbers. */
  join(ports: readonly (number | undefined)[]): void {
    this.#ports = ports
  }

  /** False: that worker is not there. */
  send(worker: number, datagram: Uint8Array, from: Address): boolean {
    const port = this.#ports[worker]
    if (port === undefined) return false
    this.sent++
    this.#socket.send(wrap(datagram, from), port, LOOPBACK)
    return true
  }

  close(): void {
    this.#socket.close()
  }

  #unwrap(message: Buffer): void {
    const end = HEAD + message.readUInt8(3)
    const via = message.readUInt8(0)
    const from = { host: message.toString('latin1', HEAD, end), port: message.readUInt16BE(1), ...(via > 0 && { via }) }
    this.#take(message.subarray(end), from)
  }
}

/** The socket it came by, the port, the length of the host, the host; then the datagram. */
function wrap(datagram: Uint8Array, { host, port, via = 0 }: Address): Uint8Array {
  const message = Buffer.allocUnsafe(HEAD + host.length + datagram.length)
  message.writeUInt8(via, 0)
  message.writeUInt16BE(port, 1)
  message.writeUInt8(host.length, 3)
  message.write(host, HEAD, 'latin1')
  message.set(datagram, HEAD + host.length)
  return message
}

function ignore(): void {}

const LOOPBACK = '127.0.0.1'
const HEAD = 4

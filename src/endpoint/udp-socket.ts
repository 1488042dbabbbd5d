// node:dgram behind four verbs: bind, send, onDatagram, close.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Address } from '../connection/path.ts'
import type { CryptoBackend } from '../crypto/backend.ts'

/** Outgoing buffers that the kernel may still be reading from. */
const MAX_BUFFERS = 64

export interface UdpOptions {
  /** Address to bind. Default `::`, which takes IPv4 too, or `0.0.0.0` where there is no IPv6. */
  readonly host?: string
  /** Default 0: any free port. */
  readonly port?: number
  /** Socket buffers, bytes. Default 2 MiB; the system may allow less. */
  readonly receiveBufferSize?: number
  readonly sendBufferSize?: number
  /** Share the port with other processes, where the system spreads connections over them. Default false. */
  readonly reusePort?: boolean
}

export class UdpSocket {
  readonly #socket: Socket
  readonly #isIPv6: boolean
  readonly #backend: CryptoBackend
  readonly #bufferSize: number
  readonly #free: Uint8Array[] = []
  #buffers = 0
  #isClosed = false
  /** Datagrams the system refused: weather, like a lost packet. */
  sendErrors = 0

  constructor(host: string, backend: CryptoBackend, bufferSize: number) {
    this.#isIPv6 = isIPv6(host)
    this.#backend = backend
    this.#bufferSize = bufferSize
    this.#socket = createSocket({
      type: this.#isIPv6 ? 'udp6' : 'udp4',
      // Addresses are resolved before they get here; the default look-up would cost a turn for each datagram.
      lookup: (address, _options, callback) => callback(null, address, this.#isIPv6 ? 6 : 4),
    })
  }

  bind(host: string, port: number, options: UdpOptions): Promise<Address> {
    const socket = this.#socket
    return new Promise((resolve, reject) => {
      socket.once('error', reject)
      socket.bind({ address: host, port, exclusive: true, ...(options.reusePort && { reusePort: true }) }, () => {
        socket.off('error', reject)
        // Later errors belong to single datagrams.
        socket.on('error', () => this.sendErrors++)
        this.#enlarge(options)
        const bound = socket.address()
        resolve({ host: bound.address, port: bound.port })
      })
    })
  }

  onDatagram(take: (datagram: Uint8Array, from: Address) => void): void {
    let last: Address = { host: '', port: 0 }
    this.#socket.on('message', (message: Uint8Array, from: RemoteInfo) => {
      const host = fromMapped(from.address)
      // Mostly the same peer speaks again: its address need not be made anew.
      if (last.port !== from.port || last.host !== host) last = { host, port: from.port }
      take(message, last)
    })
  }

  /** A buffer to fill and `send`; undefined when the kernel has not taken what went before. */
  buffer(): Uint8Array | undefined {
    const free = this.#free.pop()
    if (free !== undefined) return free
    if (this.#buffers === MAX_BUFFERS) return undefined
    this.#buffers++
    return this.#backend.packetBuffer(this.#bufferSize)
  }

  /** Gives a buffer back unused. */
  release(buffer: Uint8Array): void {
    this.#free.push(buffer)
  }

  /** Sends the first `length` bytes of `buffer`, which is taken back when they have left. */
  send(buffer: Uint8Array, length: number, to: Address): void {
    if (this.#isClosed) return this.release(buffer)
    this.#socket.send(buffer, 0, length, to.port, this.#isIPv6 ? toMapped(to.host) : to.host, error => {
      // EMSGSIZE, ENETUNREACH, ECONNREFUSED...: recovery treats it as a packet that was lost.
      if (error) this.sendErrors++
      this.release(buffer)
    })
  }

  close(): Promise<void> {
    this.#isClosed = true
    return new Promise(resolve => this.#socket.close(() => resolve()))
  }

  ref(): void {
    this.#socket.ref()
  }

  unref(): void {
    this.#socket.unref()
  }

  #enlarge(options: UdpOptions): void {
    const size = 2 * 1024 * 1024
    try {
      this.#socket.setRecvBufferSize(options.receiveBufferSize ?? size)
      this.#socket.setSendBufferSize(options.sendBufferSize ?? size)
    } catch {
      // The system allows less; it works all the same.
    }
  }
}

const MAPPED = '::ffff:'

/** A dual-stack socket shows IPv4 peers as mapped addresses; everywhere else they are written as themselves. */
function fromMapped(host: string): string {
  return host.startsWith(MAPPED) && host.includes('.') ? host.slice(MAPPED.length) : host
}

function toMapped(host: string): string {
  return host.includes(':') ? host : MAPPED + host
}

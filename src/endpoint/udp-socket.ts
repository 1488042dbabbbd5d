// node:dgram behind four verbs: bind, send, onDatagram, close. Several sockets share the buffers; most often there is one.

import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Address } from '../connection/path.ts'
import type { CryptoBackend } from '../crypto/backend.ts'

/** Outgoing buffers that the kernel may still be reading from. */
const MAX_BUFFERS = 64
/** Bytes asked for on both sides; the system may allow less. */
const SOCKET_BUFFER = 2 * 1024 * 1024

export interface UdpOptions {
  /** Address to bind. Default `::`, which takes IPv4 too; where there is no IPv6, `0.0.0.0` instead. */
  readonly host?: string
  /** Default 0: any free port. */
  readonly port?: number
  /** Socket buffers, bytes. Default 2 MiB; the system may allow less. */
  readonly receiveBufferSize?: number
  readonly sendBufferSize?: number
  /**
   * Share the port with other processes, where the system spreads connections over them (node 23.1 and later, Linux
   * and BSD). Default false.
   */
  readonly reusePort?: boolean
}

export class UdpSocket {
  readonly #create: (options: SocketOptions) => Socket
  readonly #backend: CryptoBackend
  readonly #free: Uint8Array[] = []
  readonly #onError = (): void => {
    this.sendErrors++
  }
  #take: (datagram: Uint8Array, from: Address) => void = () => {}
  /** By what addresses call `via`; the first one has the number 0. */
  readonly #bound = new Map<number, Bound>()
  #opened = 0
  #isReferenced = true
  #bufferSize: number
  #buffers = 0
  #isClosed = false
  /** Datagrams the system refused: weather, like a lost packet. */
  sendErrors = 0

  constructor(
    backend: CryptoBackend,
    bufferSize: number,
    create: (options: SocketOptions) => Socket = options => createSocket(options),
  ) {
    this.#backend = backend
    this.#bufferSize = bufferSize
    this.#create = create
  }

  /**
   * Resolves with the bound address, rejects with node's error. Every call binds one more socket; the `via` of its
   * address is how to send by it.
   */
  async bind(options: UdpOptions = {}): Promise<Address> {
    const host = options.host ?? this.#bound.get(0)?.host ?? ANY_IPV6
    const via = this.#opened++
    try {
      return await this.#open(host, options, via)
    } catch (error) {
      if (host !== ANY_IPV6 || !NO_IPV6.has((error as NodeJS.ErrnoException).code ?? '')) throw error
      return this.#open(ANY_IPV4, options, via)
    }
  }

  /** Gives one port back. */
  unbind(via: number): void {
    const bound = this.#bound.get(via)
    if (bound === undefined) return
    this.#bound.delete(via)
    bound.socket.close()
  }

  /** Told of every datagram that somebody could be answered at. The memory is the receiver's. */
  onDatagram(take: (datagram: Uint8Array, from: Address) => void): void {
    this.#take = take
  }

  /** The family of addresses that can be sent to; 0: both. */
  get family(): 0 | 4 | 6 {
    const first = this.#bound.get(0)
    if (!first?.isIPv6) return 4
    return first.host === ANY_IPV6 ? 0 : 6
  }

  /** Datagrams up to this size may come: buffers handed out from now on hold them. */
  raiseBufferSize(size: number): void {
    if (size <= this.#bufferSize) return
    this.#bufferSize = size
    this.#buffers -= this.#free.length
    this.#free.length = 0
  }

  /** False while the kernel has not taken what was sent. */
  get hasBuffer(): boolean {
    return this.#free.length > 0 || this.#buffers < MAX_BUFFERS
  }

  /** A buffer to fill and `send`; undefined when the kernel has not taken what went before. */
  buffer(): Uint8Array | undefined {
    const free = this.#free.pop()
    if (free !== undefined) return free
    if (this.#buffers >= MAX_BUFFERS) return undefined
    this.#buffers++
    return this.#backend.packetBuffer(this.#bufferSize)
  }

  /** Gives a buffer back unused. */
  release(buffer: Uint8Array): void {
    if (buffer.length >= this.#bufferSize) this.#free.push(buffer)
    else this.#buffers--
  }

  /** Sends the first `length` bytes of `buffer`, which is taken back when they have left. */
  send(buffer: Uint8Array, length: number, to: Address): void {
    const bound = this.#bound.get(to.via ?? 0)
    if (this.#isClosed || bound === undefined) return this.release(buffer)
    const host = bound.isIPv6 ? toMapped(to.host) : to.host
    try {
      bound.socket.send(buffer, 0, length, to.port, host, error => {
        // EMSGSIZE, ENETUNREACH, ECONNREFUSED...: recovery treats it as a packet that was lost.
        if (error) this.sendErrors++
        this.release(buffer)
      })
    } catch {
      this.sendErrors++
      this.release(buffer)
    }
  }

  /** Gives the ports back. */
  async close(): Promise<void> {
    this.#isClosed = true
    const sockets = [...this.#bound.values()].map(({ socket }) => socket)
    this.#bound.clear()
    await Promise.all(sockets.map(socket => new Promise<void>(resolve => socket.close(() => resolve()))))
  }

  ref(): void {
    this.#isReferenced = true
    for (const { socket } of this.#bound.values()) socket.ref()
  }

  unref(): void {
    this.#isReferenced = false
    for (const { socket } of this.#bound.values()) socket.unref()
  }

  #open(host: string, options: UdpOptions, via: number): Promise<Address> {
    const isV6 = isIPv6(host)
    const family = isV6 ? 6 : 4
    const socket = this.#create({
      type: isV6 ? 'udp6' : 'udp4',
      // Addresses are resolved before they get here; the default look-up would cost a turn for each datagram.
      lookup: (address, _options, callback) => callback(null, address, family),
    })
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        socket.close()
        reject(error)
      }
      socket.once('error', fail)
      const at = { address: host, port: options.port ?? 0, exclusive: true, reusePort: options.reusePort ?? false }
      socket.bind(at, () => {
        socket.off('error', fail)
        // Later errors belong to single datagrams.
        socket.on('error', this.#onError)
        enlarge(socket, options)
        const bound = socket.address()
        this.#adopt({ socket, host, isIPv6: isV6 }, via)
        resolve(addressOf(bound.address, bound.port, via))
      })
    })
  }

  #adopt(bound: Bound, via: number): void {
    const { socket } = bound
    // Closed while it was being bound.
    if (this.#isClosed) return void socket.close()
    this.#bound.set(via, bound)
    if (!this.#isReferenced) socket.unref()
    let last: Address = { host: '', port: 0 }
    socket.on('message', (message: Uint8Array, from: RemoteInfo) => {
      // Nobody can be answered at port 0.
      if (from.port === 0) return
      const address = fromMapped(from.address)
      // Mostly the same peer speaks again: its address need not be made anew.
      if (last.port !== from.port || last.host !== address) last = addressOf(address, from.port, via)
      this.#take(message, last)
    })
  }
}

interface Bound {
  readonly socket: Socket
  readonly host: string
  readonly isIPv6: boolean
}

function addressOf(host: string, port: number, via: number): Address {
  return via === 0 ? { host, port } : { host, port, via }
}

function enlarge(socket: Socket, options: UdpOptions): void {
  attempt(() => socket.setRecvBufferSize(options.receiveBufferSize ?? SOCKET_BUFFER))
  attempt(() => socket.setSendBufferSize(options.sendBufferSize ?? SOCKET_BUFFER))
}

function attempt(setSize: () => void): void {
  try {
    setSize()
  } catch {
    // The system allows less; it works all the same.
  }
}

const ANY_IPV6 = '::'
const ANY_IPV4 = '0.0.0.0'
/** How systems without IPv6 refuse to bind to it. */
const NO_IPV6: ReadonlySet<string> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT'])
const MAPPED = '::ffff:'

/** A dual-stack socket shows IPv4 peers as mapped addresses; everywhere else they are written as themselves. */
function fromMapped(host: string): string {
  return host.startsWith(MAPPED) && host.includes('.') ? host.slice(MAPPED.length) : host
}

function toMapped(host: string): string {
  return host.includes(':') ? host : MAPPED + host
}

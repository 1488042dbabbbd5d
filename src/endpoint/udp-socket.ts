// node:dgram behind four verbs: bind, send, onDatagram, close. Several sockets share the buffers; most often there is
// one.

import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from 'node:dgram'
import { isIP, isIPv6 } from 'node:net'
import type { Address } from '../connection/path.ts'
import type { CryptoBackend } from '../crypto/backend.ts'

/** Outgoing buffers that the kernel may still be reading from. */
const MAX_BUFFERS = 64
/** Bytes asked for on both sides; the system may allow less. */
const SOCKET_BUFFER = 2 * 1024 * 1024

/** An address to bind. */
export interface UdpAddress {
  /** Default `::`, which takes IPv4 too; where there is no IPv6, `0.0.0.0` instead. */
  readonly host?: string
  /** Default 0: any free port. */
  readonly port?: number
  /** `::` takes no IPv4, which leaves the port to a socket of its own for that. Default false. */
  readonly ipv6Only?: boolean
}

export interface UdpOptions extends UdpAddress {
  /** Socket buffers, bytes. Default 2 MiB; the system may allow less. */
  readonly receiveBufferSize?: number
  readonly sendBufferSize?: number
  /**
   * Share the port with other processes, where the system spreads connections over them (node 23.1 and later, Linux
   * and BSD). Default false.
   */
  readonly reusePort?: boolean
  /**
   * False: in a worker of node:cluster, share the socket with its siblings; any of them gets any datagram (see
   * `EndpointOptions.forward`). Default true.
   */
  readonly exclusive?: boolean
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
  /** Families that those for everybody can send to, known before they are bound. */
  readonly #families = new Map<number, Family>()
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
   * address is how to send by it. `isPrivate`: for one session, `route` leads nobody else there.
   */
  async bind(options: UdpOptions = {}, isPrivate = false): Promise<Address> {
    const host = options.host ?? this.#bound.get(0)?.host ?? ANY_IPV6
    const via = this.#opened++
    if (!isPrivate) this.#families.set(via, familyOf(host, options))
    try {
      return await this.#open(host, options, via)
    } catch (error) {
      if (host !== ANY_IPV6 || !NO_IPV6.has((error as NodeJS.ErrnoException).code ?? '')) throw error
      if (!isPrivate) this.#families.set(via, 4)
      return this.#open(ANY_IPV4, options, via)
    }
  }

  /** Takes over a socket that is bound; it is closed with the others. */
  adopt(socket: Socket, options: UdpOptions = {}): Address {
    const { address: host, port, family } = socket.address()
    const via = this.#opened++
    this.#families.set(via, familyOf(host, {}))
    return this.#start({ socket, host, isIPv6: family === 'IPv6' }, port, options, via)
  }

  /** Gives one port back. */
  unbind(via: number): void {
    const bound = this.#bound.get(via)
    if (bound === undefined) return
    this.#bound.delete(via)
    this.#families.delete(via)
    bound.socket.close()
  }

  /** Told of every datagram that somebody could be answered at. The memory is the receiver's. */
  onDatagram(take: (datagram: Uint8Array, from: Address) => void): void {
    this.#take = take
  }

  /** The family of addresses that can be sent to; 0: both. */
  get family(): Family {
    const families = new Set(this.#families.values())
    return families.size === 1 ? ([...families][0] as Family) : 0
  }

  /** The address of a peer, with the first of our sockets that leads there; a name is for the first of all. */
  route(host: string, port: number): Address {
    const wanted = isIP(host)
    for (const [via, family] of this.#families) {
      if (family === 0 || family === wanted) return addressOf(host, port, via)
    }
    return addressOf(host, port, 0)
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

  /**
   * Sends the first `length` bytes of `buffer`, which is taken back when they have left. `sender` is told if they are
   * more than the system sends there.
   */
  send(buffer: Uint8Array, length: number, to: Address, sender?: Sender): void {
    const bound = this.#bound.get(to.via ?? 0)
    if (this.#isClosed || bound === undefined) return this.release(buffer)
    const host = bound.isIPv6 ? toMapped(to.host) : to.host
    try {
      // With offset and length node would look for the memory behind the buffer, and make one of its own of it.
      bound.socket.send(buffer.subarray(0, length), to.port, host, error => {
        this.release(buffer)
        if (error !== null) this.#onRefused(error, length, to, sender)
      })
    } catch (error) {
      this.release(buffer)
      this.#onRefused(error as Error, length, to, sender)
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

  /** ENETUNREACH, ECONNREFUSED...: recovery treats it as a packet that was lost. */
  #onRefused(error: NodeJS.ErrnoException, length: number, to: Address, sender: Sender | undefined): void {
    this.sendErrors++
    if (error.code === 'EMSGSIZE') sender?.onDatagramTooLarge(length, to)
  }

  #open(host: string, options: UdpOptions, via: number): Promise<Address> {
    const isV6 = isIPv6(host)
    const socket = this.#create(socketOptions(isV6, options))
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        socket.close()
        reject(error)
      }
      socket.once('error', fail)
      const { port = 0, exclusive = true } = options
      socket.bind({ address: host, port, exclusive }, () => {
        socket.off('error', fail)
        const { address, port: bound } = socket.address()
        resolve(this.#start({ socket, host: address, isIPv6: isV6 }, bound, options, via))
      })
    })
  }

  #start(bound: Bound, port: number, options: UdpOptions, via: number): Address {
    const { socket } = bound
    const address = addressOf(bound.host, port, via)
    // Errors of a socket that is bound belong to single datagrams.
    socket.on('error', this.#onError)
    // Closed while it was being bound.
    if (this.#isClosed) {
      socket.close()
      return address
    }
    enlarge(socket, options)
    this.#bound.set(via, bound)
    if (!this.#isReferenced) socket.unref()
    this.#listen(socket, via)
    return address
  }

  #listen(socket: Socket, via: number): void {
    let last: Address = { host: '', port: 0 }
    socket.on('message', (message: Uint8Array, from: RemoteInfo) => {
      // Nobody can be answered at port 0.
      if (from.port === 0) return
      const address = fromMapped(from.address)
      // Mostly the same peer speaks again: its address need not be made anew.
      if (last.port !== from.port || last.host !== address) last = addressOf(address, from.port, via)
      // `slice` of a Buffer is no copy: whoever keeps a connection id would keep the datagram.
      this.#take(new Uint8Array(message.buffer, message.byteOffset, message.length), last)
    })
  }
}

/** Whose datagram it is. */
interface Sender {
  onDatagramTooLarge(size: number, to: Address): void
}

/** 0: both. */
type Family = 0 | 4 | 6

interface Bound {
  readonly socket: Socket
  readonly host: string
  readonly isIPv6: boolean
}

function addressOf(host: string, port: number, via: number): Address {
  return via === 0 ? { host, port } : { host, port, via }
}

function familyOf(host: string, { ipv6Only = false }: UdpAddress): Family {
  if (!isIPv6(host)) return 4
  return host === ANY_IPV6 && !ipv6Only ? 0 : 6
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

function socketOptions(isV6: boolean, { ipv6Only = false, reusePort = false }: UdpOptions): SocketOptions {
  const family = isV6 ? 6 : 4
  // A name of its own: node's types of today do not know `reusePort`.
  const options = {
    type: isV6 ? ('udp6' as const) : ('udp4' as const),
    ipv6Only,
    reusePort,
    // Addresses are resolved before they get here; the default look-up would cost a turn for each datagram.
    lookup: (address: string, _options: unknown, callback: (error: null, address: string, family: number) => void) =>
      callback(null, address, family),
  }
  return options
}

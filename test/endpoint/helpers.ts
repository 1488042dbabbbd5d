// A server and clients over real sockets on loopback; everything opened in a test is closed when it ends.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { afterEach } from 'vitest'
import type { Address } from '../../src/connection/path.ts'
import { connect, listen, type QuicEndpoint } from '../../src/endpoint/endpoint.ts'
import type { EndpointOptions } from '../../src/endpoint/endpoint-options.ts'
import type { QuicError } from '../../src/endpoint/errors.ts'
import type { Listener } from '../../src/endpoint/listener.ts'
import type { ConnectOptions, ListenOptions } from '../../src/endpoint/options.ts'
import type { QuicSession } from '../../src/endpoint/quic-session.ts'
import type { QuicStream } from '../../src/endpoint/quic-stream.ts'
import { caPem, p256 } from '../support/certificates.ts'

const opened: { close(): unknown }[] = []

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close()
})

/** Closes `thing` when the test ends, whatever happens. */
export function closing<T extends { close(): unknown }>(thing: T): T {
  opened.push(thing)
  return thing
}

/** Machines may be busy with something else. */
export const patient = { handshakeTimeout: 100_000 }

export interface TestServer {
  readonly endpoint: QuicEndpoint & { readonly listener: Listener }
  readonly address: Address
}

/** A server on 127.0.0.1 (or `host`), any port. */
export async function server(
  onSession?: (session: QuicSession) => void,
  options: Partial<ListenOptions & EndpointOptions> = {},
): Promise<TestServer> {
  const endpoint = closing(
    listen(
      { alpn: ['echo'], cert: p256.chainPem, key: p256.keyPem, host: '127.0.0.1', ...patient, ...options },
      onSession,
    ),
  )
  const { host, port } = await endpoint.ready
  return { endpoint, address: { host: host === '::' ? '127.0.0.1' : host, port } }
}

/** A client on a socket of its own. */
export function client(to: Address, options: Partial<ConnectOptions & EndpointOptions> = {}): QuicSession {
  const { verifier, pins, serverCertificateHashes, insecureNoCertificateCheck } = options
  const isTrustGiven = verifier ?? pins?.length ?? serverCertificateHashes ?? insecureNoCertificateCheck
  const trust = isTrustGiven ? {} : { ca: caPem }
  return closing(connect(to, { alpn: ['echo'], host: '127.0.0.1', ...trust, ...patient, ...options }))
}

/** Sends back what comes: on the same stream, or on one of its own where the peer's has one direction. */
export async function echo(session: QuicSession): Promise<void> {
  for await (const stream of session.streams) echoStream(session, stream).catch(() => {})
}

async function echoStream(session: QuicSession, stream: QuicStream): Promise<void> {
  const back = stream.direction === 'bidi' ? stream : await session.openStream({ direction: 'uni' })
  for await (const chunk of stream) await back.write(chunk)
  await back.end()
}

/** `length` bytes that say where they belong. */
export function pattern(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + seed * 17 + (i >> 8)) & 0xff
  return bytes
}

/** `toEqual` would look at each byte by itself. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

export function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes)
}

/** A bare UDP socket: what a stranger is. */
export class Stranger {
  readonly socket: Socket
  readonly received: { readonly bytes: Uint8Array; readonly from: RemoteInfo }[] = []

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('message', (bytes, from) => this.received.push({ bytes: new Uint8Array(bytes), from }))
  }

  static async at(host = '127.0.0.1', port = 0): Promise<Stranger> {
    return closing(new Stranger(await bound(host, port)))
  }

  get address(): Address {
    const { address, port } = this.socket.address()
    return { host: address, port }
  }

  send(bytes: Uint8Array, to: Address): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.send(bytes, to.port, to.host, error => (error ? reject(error) : resolve()))
    })
  }

  /** The next answer not yet looked at; undefined when none comes within `ms`, which is for those that must not come. */
  async answer(ms = 30_000): Promise<Uint8Array | undefined> {
    await eventually(() => this.received.length > 0, ms)
    return this.received.shift()?.bytes
  }

  close(): Promise<void> {
    return new Promise(resolve => this.socket.close(() => resolve()))
  }
}

/** A UDP relay in front of `to`: sees each datagram, and may change, drop or hold it. */
export class Tap {
  readonly #outside: Stranger
  readonly #inside: Stranger
  readonly toServer: Uint8Array[] = []
  readonly toClient: Uint8Array[] = []
  /** False: the datagram is dropped. */
  passes: (datagram: Uint8Array, direction: 'toServer' | 'toClient') => boolean = () => true
  #to: Address
  #client: Address | undefined

  private constructor(outside: Stranger, inside: Stranger, to: Address) {
    this.#outside = outside
    this.#inside = inside
    this.#to = to
    outside.socket.on('message', (bytes, from) => {
      this.#client = { host: from.address, port: from.port }
      this.toServer.push(new Uint8Array(bytes))
      if (this.passes(bytes, 'toServer')) inside.socket.send(bytes, this.#to.port, this.#to.host)
    })
    inside.socket.on('message', bytes => {
      this.toClient.push(new Uint8Array(bytes))
      const back = this.#client
      if (back && this.passes(bytes, 'toClient')) outside.socket.send(bytes, back.port, back.host)
    })
  }

  static async before(to: Address): Promise<Tap> {
    return new Tap(await Stranger.at(), await Stranger.at(), to)
  }

  /** Until all that the server has sent so far has been seen here. */
  async seen(): Promise<void> {
    const mark = Uint8Array.of(this.toClient.length)
    await this.#outside.send(mark, this.inside)
    await eventually(() => this.toClient.some(bytes => bytes.length === mark.length))
    this.toClient.splice(
      this.toClient.findIndex(bytes => bytes.length === mark.length),
      1,
    )
  }

  /** As if it came from the client now. */
  toServerNow(datagram: Uint8Array): void {
    this.#inside.socket.send(datagram, this.#to.port, this.#to.host)
  }

  /** From now on datagrams go elsewhere. */
  redirect(to: Address): void {
    this.#to = to
  }

  get address(): Address {
    return this.#outside.address
  }

  /** The address the server sees. */
  get inside(): Address {
    return this.#inside.address
  }
}

/**
 * A port that is free, and not one of those that systems hand out to sockets that ask for any: another test would have it
 * before whoever is told it here.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 10_000 + Math.floor(Math.random() * 20_000)
    const socket = await bound(host, port).catch(() => undefined)
    if (socket === undefined) continue
    await new Promise<void>(resolve => socket.close(resolve))
    return port
  }
  throw new Error(`no port is free at ${host}`)
}

/** A socket that is bound. */
export function bound(host = '127.0.0.1', port = 0): Promise<Socket> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(port, host, () => resolve(socket))
  })
}

/** UDP sockets this process has open. */
export function sockets(): number {
  return process.getActiveResourcesInfo().filter(name => name === 'UDPWrap').length
}

/** What a promise rejects with. */
export function failure(promise: Promise<unknown>): Promise<QuicError> {
  return promise.then(
    () => {
      throw new Error('did not reject')
    },
    error => error as QuicError,
  )
}

/** Waits until `condition` holds; false when it does not within `ms`. */
export async function eventually(condition: () => boolean, ms = 30_000): Promise<boolean> {
  const end = performance.now() + ms
  while (!condition()) {
    if (performance.now() > end) return false
    await new Promise(resolve => setTimeout(resolve, 2))
  }
  return true
}

/** Waits until a number that only grows has come to rest, and returns it. */
export async function atRest(value: () => number): Promise<number> {
  for (let last = value(), since = performance.now(); ; ) {
    await new Promise(resolve => setTimeout(resolve, 10))
    if (value() === last && performance.now() - since >= 100) return last
    if (value() === last) continue
    last = value()
    since = performance.now()
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

/** The kinds of the packets of a datagram: what a sniffer sees. */
export function packetTypes(datagram: Uint8Array): string[] {
  const types: string[] = []
  let at = 0
  while (at < datagram.length) {
    const first = datagram[at] as number
    if ((first & 0x80) === 0) {
      types.push('1-RTT')
      break
    }
    const type = (first >> 4) & 3
    types.push(['Initial', '0-RTT', 'Handshake', 'Retry'][type] as string)
    at += 5
    for (let id = 0; id < 2; id++) at += 1 + (datagram[at] as number)
    const varint = (): number => {
      const size = 1 << ((datagram[at] as number) >> 6)
      let value = (datagram[at] as number) & 0x3f
      for (let i = 1; i < size; i++) value = value * 256 + (datagram[at + i] as number)
      at += size
      return value
    }
    // `at += varint()` would add to where `at` was before.
    const token = type === 0 ? varint() : 0
    at += token
    const length = varint()
    at += length
  }
  return types
}

// A peer made by hand: handshake, keys and packets as they should be, and inside of them whatever a test wants to say.

import { expect } from 'vitest'
import { Reader } from '../../src/bytes/reader.ts'
import { Writer } from '../../src/bytes/writer.ts'
import type { ClientConfig, Dependencies, ServerConfig, TransportOptions } from '../../src/connection/config.ts'
import { Connection } from '../../src/connection/connection.ts'
import type { ConnectionEvent } from '../../src/connection/events.ts'
import { Keyring } from '../../src/connection/keyring.ts'
import type { Address } from '../../src/connection/path.ts'
import type { CryptoBackend } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { retryTag } from '../../src/crypto/retry-integrity.ts'
import { type ConnectionCloseFrame, type Frame, FrameType } from '../../src/packet/frames/frame.ts'
import { readFrame } from '../../src/packet/frames/read-frame.ts'
import { PacketKind, readHeader, writeLongHeader, writeShortHeader } from '../../src/packet/header.ts'
import { Level, spaceOf } from '../../src/packet/level.ts'
import { decodePacketNumber, readTruncated } from '../../src/packet/packet-number.ts'
import { writeRetry } from '../../src/packet/retry.ts'
import { errorCodeName } from '../../src/packet/transport-error.ts'
import {
  defaultTransportParameters,
  type TransportParameters,
  writeTransportParameters,
} from '../../src/packet/transport-parameters.ts'
import { writeVersionNegotiation } from '../../src/packet/version.ts'
import { NoRecorder } from '../../src/qlog/recorder.ts'
import { CryptoStream } from '../../src/streams/crypto-stream.ts'
import { singleCertificate, verifyChain } from '../../src/tls13/certificate-policy.ts'
import { type OfferedPsk, refuseEarlyData } from '../../src/tls13/ports.ts'
import { startClient, startServer, type TlsServerConfig, type TlsSession } from '../../src/tls13/session.ts'
import { NoPsks } from '../../src/zero-rtt/psk-sources.ts'
import { caDer, p256, testTime } from '../support/certificates.ts'
import { bytes, concat } from './bytes-by-hand.ts'

export const peerAddress: Address = { host: '192.0.2.1', port: 4000 }
/** Where a connection under test believes its server to be. */
export const serverAddress: Address = { host: '192.0.2.2', port: 443 }
export const strangeAddress: Address = { host: '203.0.113.9', port: 9 }

export interface PeerOptions {
  /** Of both ends. Default: node:crypto. */
  readonly backend?: CryptoBackend
  /** Of the connection under test. */
  readonly transport?: TransportOptions
  readonly client?: Partial<ClientConfig>
  readonly server?: Partial<ServerConfig>
  /** How long the ids of the connection under test are. Default 8. */
  readonly idLength?: number
  /** The peer's own id. Default 8 bytes. */
  readonly id?: Uint8Array
  /** What the peer declares. */
  readonly parameters?: Partial<TransportParameters>
  /** The same as bytes, changed by hand. */
  readonly rawParameters?: (encoded: Uint8Array) => Uint8Array
  readonly alpn?: string
  /** Changes a handshake message on its way; the peer itself goes on as if it had not. */
  readonly tamper?: (message: Uint8Array) => Uint8Array
  /** A hand-made client offers it. */
  readonly psk?: OfferedPsk | undefined
  /** For a hand-made server's TLS. */
  readonly tls?: Partial<TlsServerConfig>
  /** Long headers of other versions are not heard. */
  readonly onlyVersion?: number
  /** A hand-made client pretends to have come through a Retry. */
  readonly isAddressValidated?: boolean
}

export interface PacketOptions {
  readonly number?: number
  readonly source?: Uint8Array
  readonly destination?: Uint8Array
  readonly token?: Uint8Array
  readonly version?: number
  /** Bits set in the first byte before protection. */
  readonly set?: number
  /** Bits cleared there. */
  readonly clear?: number
  /** The datagram is filled up to this with PADDING. Default 1,200 for Initial packets. */
  readonly padTo?: number
}

export interface HeardPacket {
  readonly level: Level
  /** The first byte, without its protection. */
  readonly first: number
  readonly number: number
  readonly frames: readonly Frame[]
  readonly token: Uint8Array
  readonly destination: Uint8Array
  /** Of the datagram it came in. */
  readonly size: number
  readonly to: Address
}

/** How far a handshake is brought. A server's connection is confirmed as soon as it is complete. */
export type Stage = 'initial' | 'handshake' | 'complete' | 'confirmed'

/** Written again and again. */
const packetMemory = new Uint8Array(70_000)
const datagramMemory = new Uint8Array(65_535)
const MAX_BURST = 5000

type FrameOf<T, F = Frame> = F extends { readonly type: infer U } ? (T extends U ? F : never) : never

export abstract class HandMadePeer {
  now = 0
  readonly heard: HeardPacket[] = []
  readonly datagrams: { readonly bytes: Uint8Array; readonly to: Address }[] = []
  readonly events: ConnectionEvent[] = []
  /** It may have issued ids of other lengths than its own, and cannot read what is sent to them. */
  isForgiving = false
  /** The transport parameters of the connection under test, encoded. */
  declared: Uint8Array = new Uint8Array(0)
  readonly keys: Keyring
  readonly id: Uint8Array
  /** Retired ids of the connection under test. */
  readonly retired: Uint8Array[] = []
  destination: Uint8Array = new Uint8Array(0)
  from: Address
  connection!: Connection
  protected tls!: TlsSession
  readonly #onlyVersion: number | undefined
  readonly #tamper: (message: Uint8Array) => Uint8Array
  readonly #flights: { level: Level; bytes: Uint8Array }[] = []
  readonly #streams: CryptoStream[] = [0, 1, 2, 3].map(level => new CryptoStream(level as Level, 65_536))
  readonly #largest: number[] = [-1, -1, -1]
  readonly #numbers: number[] = [0, 0, 0]
  readonly #cryptoSent: number[] = [0, 0, 0, 0]

  constructor(options: PeerOptions, from: Address) {
    const { backend = nodeBackend } = options
    this.id = options.id ?? backend.random(8)
    this.keys = new Keyring(backend, 1)
    this.from = from
    this.#onlyVersion = options.onlyVersion
    this.#tamper = options.tamper ?? (message => message)
    this.keys.allowOneRttReading()
  }

  /** Brings the handshake to where the packets of `stage` can be opened by the connection. */
  abstract reach(stage: Stage): this

  /** One packet, sealed. */
  packet(level: Level, plaintext: Uint8Array, options: PacketOptions = {}): Uint8Array {
    const writer = new Writer(packetMemory)
    const destination = options.destination ?? this.destination
    let lengthAt = -1
    if (level === Level.OneRtt) writeShortHeader(writer, destination, this.keys.oneRtt?.phase ?? 0, 0, 4)
    else {
      const token = options.token ?? new Uint8Array(0)
      lengthAt = writeLongHeader(writer, level, options.version ?? 1, destination, options.source ?? this.id, token, 4)
    }
    writer.bytes[0] = ((writer.bytes[0] as number) | (options.set ?? 0)) & ~(options.clear ?? 0)
    const numberOffset = writer.pos
    const space = spaceOf(level)
    const number = options.number ?? (this.#numbers[space] as number)
    this.#numbers[space] = Math.max(number + 1, this.#numbers[space] as number)
    writer.u32(number)
    writer.put(plaintext)
    writer.zeros(Math.max(0, (options.padTo ?? (level === Level.Initial ? 1200 : 0)) - 16 - writer.pos))
    if (lengthAt >= 0) writer.patchVarint2(lengthAt, writer.pos + 16 - numberOffset)
    const end = this.keys.seal(level, writer.bytes, 0, numberOffset, 4, writer.pos, number)
    return writer.bytes.slice(0, end)
  }

  /** Seals a packet, delivers it, and hears the answers. */
  send(level: Level, plaintext: Uint8Array, options?: PacketOptions): this {
    return this.deliver(this.packet(level, plaintext, options))
  }

  deliver(datagram: Uint8Array, from: Address = this.from): this {
    this.connection.receive(datagram.slice(), from, this.now)
    return this.listen()
  }

  /** What TLS has to say at `level`, in a packet of its own. */
  speak(level: Level, options?: PacketOptions): this {
    const due = this.#flights.filter(flight => flight.level === level)
    if (due.length === 0) return this
    const message = concat(...due.map(flight => this.#tamper(flight.bytes)))
    for (const flight of due) this.#flights.splice(this.#flights.indexOf(flight), 1)
    return this.send(level, this.crypto(level, message), options)
  }

  /** A CRYPTO frame with the next bytes of a level. */
  crypto(level: Level, message: Uint8Array): Uint8Array {
    const offset = this.#cryptoSent[level] as number
    this.#cryptoSent[level] = offset + message.length
    return bytes(FrameType.Crypto, offset, message.length, message)
  }

  /** Time passes; timers of the connection fire. */
  pass(ms: number): this {
    const end = this.now + ms
    for (let next = this.connection.nextTimeout(); next <= end; next = this.connection.nextTimeout()) {
      this.now = Math.max(this.now, next)
      this.connection.onTimeout(this.now)
      this.listen()
    }
    this.now = end
    return this
  }

  act(act: (connection: Connection) => void): this {
    act(this.connection)
    return this.listen()
  }

  listen(): this {
    const into = datagramMemory
    const before = this.datagrams.length
    for (let t = this.connection.transmit(into, this.now); t; t = this.connection.transmit(into, this.now)) {
      if (this.datagrams.length - before > MAX_BURST) throw new Error('transmit does not end')
      const datagram = into.slice(0, t.length)
      const to = { ...t.to }
      this.datagrams.push({ bytes: datagram.slice(), to })
      this.#hear(datagram, to)
    }
    for (let event = this.connection.poll(); event; event = this.connection.poll()) this.events.push(event)
    return this
  }

  frames<T extends Frame['type']>(type: T, level?: Level): FrameOf<T>[] {
    return this.heard
      .filter(packet => level === undefined || packet.level === level)
      .flatMap(packet => packet.frames)
      .filter(frame => frame.type === type) as FrameOf<T>[]
  }

  /** What the connection said when it ended. */
  get close(): ConnectionCloseFrame | undefined {
    return this.frames(FrameType.ConnectionClose)[0] ?? this.frames(FrameType.ApplicationClose)[0]
  }

  has(type: ConnectionEvent['type']): boolean {
    return this.events.some(event => event.type === type)
  }

  /** Where the next CRYPTO frame of a level begins. */
  cryptoOffset(level: Level): number {
    return this.#cryptoSent[level] as number
  }

  /** CONNECTION_CLOSE with this very code was on the wire. */
  expectClose(...codes: readonly number[]): void {
    expect(this.#ending).toBeOneOf(codes.map(errorCodeName))
    expect(this.close?.type).toBe(FrameType.ConnectionClose)
  }

  expectOpen(): void {
    expect(this.#ending).toBe('open')
    expect(this.has('closed')).toBe(false)
  }

  /** `act` changes nothing but the count of dropped packets. */
  expectDropped(act: () => void): void {
    const { packetsDropped, packetsReceived } = this.connection.stats
    const { length } = this.datagrams
    act()
    this.expectOpen()
    expect(this.connection.stats.packetsReceived).toBe(packetsReceived)
    expect(this.connection.stats.packetsDropped).toBeGreaterThan(packetsDropped)
    expect(this.datagrams.length).toBe(length)
  }

  protected drainTls(): void {
    if (this.tls.isFlightDue) this.tls.makeFlight()
    for (let output = this.tls.poll(); output; output = this.tls.poll()) {
      if (output.type === 'peerParameters') this.declared = output.bytes.slice()
      if (output.type === 'send') this.#flights.push({ level: output.level, bytes: output.bytes })
      if (output.type === 'secret') this.keys.install(output.level, output.direction, output.suite, output.secret)
    }
  }

  /** Before the first packet of the connection is opened. */
  protected onFirst(_destination: Uint8Array): void {}

  get #ending(): string {
    const { close } = this
    return close === undefined ? 'open' : errorCodeName(close.errorCode)
  }

  #hear(datagram: Uint8Array, to: Address): void {
    for (let pos = 0; pos < datagram.length; ) {
      const header = readHeader(datagram, pos, this.id.length, true)
      if (header === undefined && this.isForgiving) return
      if (header === undefined) throw new Error('the connection sent nonsense')
      pos = header.end
      if (header.kind > PacketKind.OneRtt) continue
      if (header.kind !== PacketKind.OneRtt && header.version !== (this.#onlyVersion ?? header.version)) continue
      const level = header.kind as Level
      if (this.heard.length === 0) this.onFirst(header.destination.slice())
      if (!this.keys.canOpen(level)) continue
      const space = spaceOf(level)
      const length = this.keys.unmask(level, datagram, header.start, header.numberOffset)
      const first = datagram[header.start] as number
      const largest = this.#largest[space] as number
      const number = decodePacketNumber(readTruncated(datagram, header.numberOffset, length), length, largest)
      const start = header.numberOffset + length
      const plaintext = this.keys.open(level, datagram, header.start, start, header.end, number, this.now)
      if (plaintext === undefined) continue
      this.#largest[space] = Math.max(largest, number)
      if (level !== Level.OneRtt) this.destination = header.source.slice()
      const frames = readFrames(plaintext, level)
      const { token, destination } = header
      const ids = { token: token.slice(), destination: destination.slice() }
      this.heard.push({ level, first, number, frames, ...ids, size: datagram.length, to })
      this.#handshake(level, frames)
    }
  }

  #handshake(level: Level, frames: readonly Frame[]): void {
    const stream = this.#streams[level] as CryptoStream
    for (const frame of frames) if (frame.type === FrameType.Crypto) stream.onCrypto(frame)
    for (let data = stream.receive(); data; data = stream.receive()) {
      this.tls.receive(level, data, testTime)
      this.drainTls()
    }
  }
}

/** Against a connection of a server. */
export class HandMadeClient extends HandMadePeer {
  readonly originalDestination: Uint8Array

  constructor(options: PeerOptions = {}) {
    super(options, peerAddress)
    const { backend = nodeBackend } = options
    this.originalDestination = backend.random(8)
    const key = backend.privateKey(p256.keyPem)
    const config: ServerConfig = {
      alpn: ['test'],
      certificates: singleCertificate({ chain: p256.chain, key }),
      psks: NoPsks,
      earlyData: refuseEarlyData,
      tickets: undefined,
      timeOrigin: testTime,
      ...options.server,
      ...(options.transport && { transport: options.transport }),
    }
    const deps = dependencies(this, options)
    const accepted = {
      version: 1,
      remote: peerAddress,
      destination: this.originalDestination,
      source: this.id,
      localId: deps.ids.create(),
      originalDestination: this.originalDestination,
      retrySource: undefined,
      isAddressValidated: options.isAddressValidated ?? false,
    }
    this.connection = Connection.server(config, deps, accepted, this.now)
    this.destination = this.originalDestination
    this.keys.installInitial(this.originalDestination, true)
    const tls = {
      backend,
      serverName: 'localhost',
      alpn: [options.alpn ?? 'test'],
      transportParameters: encode(options, { initialSourceConnectionId: this.id }),
      verifier: verifyChain(backend, [caDer]),
      psk: options.psk,
    }
    this.tls = startClient(tls, testTime)
    this.drainTls()
  }

  reach(stage: Stage): this {
    if (stage === 'initial') return this
    this.speak(Level.Initial)
    return stage === 'handshake' ? this : this.speak(Level.Handshake)
  }
}

/** Against a connection of a client. */
export class HandMadeServer extends HandMadePeer {
  /** The destination id of the client's first packet. */
  originalDestination: Uint8Array = new Uint8Array(0)
  readonly #options: PeerOptions

  constructor(options: PeerOptions = {}) {
    super(options, serverAddress)
    this.#options = options
    const config: ClientConfig = {
      alpn: ['test'],
      serverName: 'localhost',
      verifier: verifyChain(options.backend ?? nodeBackend, [caDer]),
      timeOrigin: testTime,
      ...options.client,
      ...(options.transport && { transport: options.transport }),
    }
    this.connection = Connection.client(config, dependencies(this, options), serverAddress, this.now)
    this.listen()
  }

  protected override onFirst(destination: Uint8Array): void {
    this.originalDestination = destination
    this.keys.installInitial(destination, false)
    const { tls, alpn = 'test', backend = nodeBackend } = this.#options
    const known = { initialSourceConnectionId: this.id, originalDestinationConnectionId: destination }
    this.tls = startServer({
      backend,
      alpn: [alpn],
      transportParameters: encode(this.#options, known),
      certificates: singleCertificate({ chain: p256.chain, key: backend.privateKey(p256.keyPem) }),
      psks: NoPsks,
      earlyData: refuseEarlyData,
      tickets: undefined,
      ...tls,
    })
  }

  reach(stage: Stage): this {
    if (stage === 'initial') return this
    this.speak(Level.Initial)
    if (stage === 'handshake') return this
    this.speak(Level.Handshake)
    return stage === 'complete' ? this : this.send(Level.OneRtt, bytes(FrameType.HandshakeDone))
  }

  /** A Retry packet, and from here on the keys that go with it. */
  retry(token: Uint8Array = Uint8Array.of(7, 7, 7), source: Uint8Array = RETRY_ID): this {
    const packet = this.retryPacket(token, source)
    this.keys.installInitial(source, false)
    return this.deliver(packet)
  }

  retryPacket(token: Uint8Array, source: Uint8Array = RETRY_ID, unused = 0): Uint8Array {
    const writer = Writer.allocate(1200)
    writeRetry(writer, 1, this.destination, source, token, unused)
    const pseudo = writer.finish().slice()
    return concat(pseudo, retryTag(nodeBackend, 1, this.originalDestination, pseudo))
  }

  versionNegotiation(versions: readonly number[], unused = 0, source = this.originalDestination): Uint8Array {
    const writer = Writer.allocate(1200)
    writeVersionNegotiation(writer, this.destination, source, versions, unused)
    return writer.finish().slice()
  }
}

/** The id a Retry of a hand-made server brings. */
export const RETRY_ID: Uint8Array = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

/** The peer of a connection in `role`. */
export function peerOf(role: 'client' | 'server', options?: PeerOptions): HandMadePeer {
  return role === 'server' ? new HandMadeClient(options) : new HandMadeServer(options)
}

export function resetToken(id: Uint8Array): Uint8Array {
  return nodeBackend.hmac('sha256', new Uint8Array(32), id).subarray(0, 16)
}

/** Enough of everything that nothing but the rule under test stands in the way. */
const generous: Partial<TransportParameters> = {
  initialMaxData: 100_000,
  initialMaxStreamDataBidiLocal: 10_000,
  initialMaxStreamDataBidiRemote: 10_000,
  initialMaxStreamDataUni: 10_000,
  initialMaxStreamsBidi: 10,
  initialMaxStreamsUni: 10,
}

function encode(options: PeerOptions, ids: Partial<TransportParameters>): Uint8Array {
  const parameters = { ...defaultTransportParameters, ...generous, ...ids, ...options.parameters }
  const encoded = writeTransportParameters(parameters)
  return options.rawParameters?.(encoded) ?? encoded
}

function dependencies(peer: HandMadePeer, options: PeerOptions): Dependencies {
  const { backend = nodeBackend } = options
  const create = (): Uint8Array => backend.random(options.idLength ?? 8)
  const ids = { create, resetToken, retire: (id: Uint8Array) => void peer.retired.push(id) }
  return { backend, recorder: () => NoRecorder, ids }
}

function readFrames(plaintext: Uint8Array, level: Level): Frame[] {
  const reader = new Reader(plaintext)
  const frames: Frame[] = []
  while (!reader.isDone) frames.push(readFrame(reader, level))
  return frames
}

// What the tests of this room share: the frames each side sent, keys to forge packets with, resumptions, transfers.

import { Reader } from '../../src/bytes/reader.ts'
import { Writer } from '../../src/bytes/writer.ts'
import { resolveTransport, type TransportOptions } from '../../src/connection/config.ts'
import type { Connection } from '../../src/connection/connection.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { type CipherSuite, TLS_AES_128_GCM_SHA256 } from '../../src/crypto/cipher-suite.ts'
import { initialSecrets } from '../../src/crypto/initial-keys.ts'
import { directionKeys, packetKey } from '../../src/crypto/packet-protection.ts'
import { type Frame, FrameType } from '../../src/packet/frames/frame.ts'
import { readFrame } from '../../src/packet/frames/read-frame.ts'
import { readHeader, writeLongHeader, writeShortHeader } from '../../src/packet/header.ts'
import { Level } from '../../src/packet/level.ts'
import { NoRecorder, type Recorder } from '../../src/qlog/recorder.ts'
import { randomBytes } from '../reference/random.ts'
import type { Host } from '../sim/host.ts'
import { ID_LENGTH, Pair, type PairOptions } from '../sim/pair.ts'

export type Side = 'client' | 'server'

export interface LoggedPacket {
  readonly level: Level
  readonly number: number
  readonly size: number
  readonly frames: readonly Frame[]
  readonly now: number
}

/** The frames whose type may be `T`: some kinds share a record. */
type FrameOf<T, F = Frame> = F extends { readonly type: infer U } ? (T extends U ? F : never) : never

/** Remembers what a connection sent, in the clear. */
export class PacketLog {
  readonly sent: LoggedPacket[] = []
  readonly received: LoggedPacket[] = []
  /** The plaintexts of what was sent. */
  readonly payloads: Uint8Array[] = []
  readonly recorder: Recorder = {
    ...NoRecorder,
    enabled: true,
    packetSent: (level, number, size, payload, _purpose, now) => {
      this.payloads.push(payload as Uint8Array)
      this.sent.push({ level, number, size, frames: framesOf(payload as Uint8Array, level), now })
    },
    packetReceived: (level, number, size, payload, now) => {
      this.received.push({ level, number, size, frames: framesOf(payload as Uint8Array, level), now })
    },
  }

  frames<T extends Frame['type']>(type: T, level?: Level): FrameOf<T>[] {
    return this.sent
      .filter(packet => level === undefined || packet.level === level)
      .flatMap(packet => packet.frames)
      .filter(frame => frame.type === type) as FrameOf<T>[]
  }
}

export function framesOf(payload: Uint8Array, level: Level): Frame[] {
  const reader = new Reader(payload)
  const frames: Frame[] = []
  try {
    while (!reader.isDone) frames.push(readFrame(reader, level))
  } catch {
    // A forged packet: what could be read is enough.
  }
  return frames
}

const labels: Record<Side, Partial<Record<Level, string>>> = {
  client: {
    [Level.ZeroRtt]: 'CLIENT_EARLY_TRAFFIC_SECRET',
    [Level.Handshake]: 'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
    [Level.OneRtt]: 'CLIENT_TRAFFIC_SECRET_0',
  },
  server: { [Level.Handshake]: 'SERVER_HANDSHAKE_TRAFFIC_SECRET', [Level.OneRtt]: 'SERVER_TRAFFIC_SECRET_0' },
}

/** A pair with open books: packets are logged, and anybody can be made to say anything under the right keys. */
export class OpenPair extends Pair {
  readonly logs: Record<Side, PacketLog>
  readonly #secrets: Map<string, Uint8Array>
  #number = 10_000

  constructor(options: PairOptions = {}) {
    const logs = { client: new PacketLog(), server: new PacketLog() }
    const secrets = new Map<string, Uint8Array>()
    super({
      recorder: side => logs[side].recorder,
      ...options,
      client: {
        cipherSuites: [TLS_AES_128_GCM_SHA256],
        keyLog: (label, _, secret) => secrets.set(label, secret),
        ...options.client,
      },
    })
    this.logs = logs
    this.#secrets = secrets
  }

  /** The ids in the long headers of the first datagrams. */
  id(side: Side): Uint8Array {
    const header = readHeader(
      this[side].sent.find(datagram => (datagram[0] as number) & 0x80) as Uint8Array,
      0,
      0,
      true,
    )
    return header?.source as Uint8Array
  }

  get originalDestination(): Uint8Array {
    return readHeader(this.client.sent[0] as Uint8Array, 0, 0)?.destination as Uint8Array
  }

  canForge(side: Side, level: Level): boolean {
    return level === Level.Initial
      ? side === 'client' || this.server.hasConnection
      : this.#secret(side, level) !== undefined
  }

  /** A datagram with one packet as `side` could seal it. Numbers rise, far above the real ones. */
  forge(side: Side, level: Level, plaintext: Uint8Array, options: ForgeOptions = {}): Uint8Array {
    const suite = options.suite ?? TLS_AES_128_GCM_SHA256
    const secret = options.secret ?? this.#secret(side, level)
    if (secret === undefined) throw new Error('no such key yet')
    const keys = directionKeys(nodeBackend, 1, suite, secret)
    // RFC 9001 §6.1: the header protection key is not updated.
    const isUpdated = options.header !== undefined
    const first = isUpdated ? directionKeys(nodeBackend, 1, suite, this.secret(side, level)).header : keys.header
    const packet = isUpdated ? packetKey(nodeBackend, 1, suite, secret, first) : keys.packet
    const to: Side = side === 'client' ? 'server' : 'client'
    const destination =
      options.destination ?? (side === 'client' && !this.server.hasConnection ? this.originalDestination : this.id(to))
    const number = options.number ?? this.#number++
    const size = Math.max(plaintext.length, 4)
    const writer = Writer.allocate(size + 1500)
    let lengthAt = -1
    if (level === Level.OneRtt) writeShortHeader(writer, destination, options.phase ?? 0, 0, 4)
    else lengthAt = writeLongHeader(writer, level, 1, destination, this.id(side), options.token ?? new Uint8Array(0), 4)
    if (options.firstByte) writer.bytes[0] = (writer.bytes[0] as number) | options.firstByte
    const numberOffset = writer.pos
    writer.u32(number)
    writer.put(plaintext)
    writer.zeros(size - plaintext.length)
    const padTo = options.padTo ?? (level === Level.Initial ? 1200 : 0)
    if (writer.pos + 16 < padTo) writer.zeros(padTo - 16 - writer.pos)
    if (lengthAt >= 0) writer.patchVarint2(lengthAt, writer.pos + 16 - numberOffset)
    const end = packet.seal(writer.bytes, 0, numberOffset, 4, writer.pos, number)
    return writer.bytes.slice(0, end)
  }

  /** Forges a packet of `side` and hands it to the other one at once. */
  inject(side: Side, level: Level, plaintext: Uint8Array, options: ForgeOptions = {}): void {
    const from = this[side]
    this[side === 'client' ? 'server' : 'client'].receive(
      this.forge(side, level, plaintext, options),
      options.from ?? from.address,
    )
  }

  /** Of the key log; throws before TLS has told it. */
  secret(side: Side, level: Level): Uint8Array {
    const secret = this.#secret(side, level)
    if (secret === undefined) throw new Error('no such key yet')
    return secret
  }

  #secret(side: Side, level: Level): Uint8Array | undefined {
    if (level === Level.Initial) return initialSecrets(nodeBackend, 1, this.originalDestination)[side]
    return this.#secrets.get(labels[side][level] ?? '')
  }
}

export interface ForgeOptions {
  readonly number?: number
  readonly destination?: Uint8Array
  readonly token?: Uint8Array
  readonly phase?: 0 | 1
  /** `secret` is that of a key update: header protection goes on under the first keys. */
  readonly header?: Side
  readonly firstByte?: number
  readonly padTo?: number
  readonly suite?: CipherSuite
  readonly secret?: Uint8Array
  readonly from?: { readonly host: string; readonly port: number }
}

/** Frames as bytes. */
export function frames(write: (writer: Writer) => void, size = 4096): Uint8Array {
  const writer = Writer.allocate(size)
  write(writer)
  return writer.bytes.slice(0, writer.pos)
}

/** The error a host closed with, or was closed with; -1: it is open. */
export function closedWith(host: Host): number {
  return host.find('closed')?.errorCode ?? -1
}

/** Both sides send `size` bytes on `count` streams of the client, and compare what arrives. */
export class Transfer {
  readonly pair: Pair
  readonly request: Uint8Array
  readonly response: Uint8Array
  readonly #count: number
  readonly #got = new Map<string, number>()
  #finished = 0

  constructor(pair: Pair, requestSize: number, responseSize: number, count = 1) {
    this.pair = pair
    this.#count = count
    this.request = randomBytes(pair.world.random, requestSize)
    this.response = randomBytes(pair.world.random, responseSize)
    const answer = (id: number): void => send(this.pair.server.connection, id, this.response)
    this.#watch('server', this.request, answer)
    this.#watch('client', this.response, () => {})
  }

  /** Opens the streams and writes the requests: to be called when the client may send. */
  begin(): this {
    this.writeAll(this.pair.client.connection)
    this.pair.client.flush()
    return this
  }

  /** The same in the moment a client is made. */
  writeAll(client: Connection): void {
    for (let i = 0; i < this.#count; i++) {
      const id = client.openStream('bidi')
      if (id === undefined) throw new Error('no stream')
      send(client, id, this.request)
    }
  }

  get isDone(): boolean {
    return this.#finished === 2 * this.#count
  }

  /** Runs to the end; false when the time is over first. */
  run(limit = 600_000): boolean {
    return this.pair.world.run(() => this.isDone || this.pair.client.has('closed'), limit) && this.isDone
  }

  #watch(side: Side, expected: Uint8Array, onEnd: (id: number) => void): void {
    const host = this.pair[side]
    host.onEvent = event => {
      if (event.type !== 'readable') return
      for (let chunk = host.connection.read(event.id); chunk; chunk = host.connection.read(event.id)) {
        const key = `${side} ${event.id}`
        const at = this.#got.get(key) ?? 0
        if (Buffer.compare(chunk.data, expected.subarray(at, at + chunk.data.length)) !== 0) {
          throw new Error(`${side} got other bytes at ${at} of stream ${event.id}`)
        }
        this.#got.set(key, at + chunk.data.length)
        if (!chunk.fin) continue
        if (at + chunk.data.length !== expected.length) throw new Error(`${side}: stream ${event.id} ends too early`)
        this.#finished++
        onEnd(event.id)
        return
      }
    }
  }
}

function send(connection: Connection, id: number, bytes: Uint8Array): void {
  const step = 16_384
  if (bytes.length === 0) connection.write(id, bytes, true)
  for (let at = 0; at < bytes.length; at += step) {
    connection.write(id, bytes.subarray(at, at + step), at + step >= bytes.length)
  }
}

export const pingBytes: Uint8Array = Uint8Array.of(FrameType.Ping)

/** The transport parameters of a server with these options, as a resumption has them. */
export function parametersOf(options: TransportOptions = {}): ReturnType<typeof resolveTransport>['parameters'] {
  return resolveTransport(options).parameters
}

export { ID_LENGTH }

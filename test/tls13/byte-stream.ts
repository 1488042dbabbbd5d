// TLS 1.3 over a byte stream (RFC 8446 §5) around the handshake engine, so that it can be held against peers that know no
// QUIC. What QUIC has otherwise is put right on the way, in the messages and in what is hashed of them: transport
// parameters, which such peers do not send, the session id of the compatibility mode, and EndOfEarlyData.

import type { Duplex } from 'node:stream'
import type { CryptoBackend, Hasher } from '../../src/crypto/backend.ts'
import { Level } from '../../src/packet/level.ts'
import { TlsAlert } from '../../src/tls13/alert.ts'
import type { CompleteOutput, TicketOutput, TlsOutput } from '../../src/tls13/config.ts'
import {
  startClient,
  startServer,
  type TlsClientConfig,
  type TlsServerConfig,
  type TlsSession,
} from '../../src/tls13/session.ts'
import { Disguise } from './disguise.ts'
import { Content, RecordKey, RecordReader, writeRecords } from './records.ts'

/** Configuration of either side; the backend is watched, so that hashes cover what went over the wire. */
export type ByteStreamConfig =
  | { readonly role: 'client'; readonly config: TlsClientConfig; readonly earlyData?: Uint8Array }
  | { readonly role: 'server'; readonly config: TlsServerConfig }

/** One end of a connection. Whatever fails rejects `complete` and every wait for data, with the alert as it was. */
export class ByteStreamTls {
  readonly complete: Promise<CompleteOutput>
  readonly session: TlsSession
  readonly tickets: TicketOutput[] = []
  isEarlyDataAccepted = false
  earlyData: Uint8Array = new Uint8Array(0)
  received: Uint8Array = new Uint8Array(0)
  readonly #stream: Duplex
  readonly #isClient: boolean
  readonly #disguise: Disguise
  readonly #records = new RecordReader()
  readonly #read = new Map<Level, RecordKey>()
  readonly #write = new Map<Level, RecordKey>()
  readonly #backend: CryptoBackend
  readonly #settle: PromiseWithResolvers<CompleteOutput> = withResolvers()
  #wake: () => void = () => undefined
  #error: unknown
  #handshake: Uint8Array = new Uint8Array(0)
  /** Early data is read until EndOfEarlyData; refused, it is skipped. */
  #early: 'none' | 'offered' | 'reading' = 'none'

  constructor(stream: Duplex, options: ByteStreamConfig) {
    const { role, config } = options
    this.#stream = stream
    this.#isClient = role === 'client'
    this.#backend = config.backend
    this.#disguise = new Disguise(this.#isClient, () => this.isEarlyDataAccepted)
    const backend = watched(config.backend, this.#disguise)
    this.session =
      role === 'client' ? startClient({ ...config, backend }, Date.now()) : startServer({ ...config, backend })
    this.complete = this.#settle.promise
    this.complete.catch(() => undefined)
    stream.on('data', (bytes: Buffer) => this.#guard(() => this.#receive(bytes)))
    stream.on('error', error => this.#fail(error))
    stream.on('close', () => this.#fail(new Error('the stream has closed')))
    this.#guard(() => this.#drain())
    if (role === 'client' && options.earlyData !== undefined) this.#sendAt(Level.ZeroRtt, options.earlyData)
  }

  write(bytes: Uint8Array): void {
    this.#sendAt(Level.OneRtt, bytes)
  }

  /** With close_notify. */
  close(): void {
    this.#stream.end(writeRecords(Content.Alert, Uint8Array.of(1, 0), this.#write.get(Level.OneRtt)))
  }

  /** Waits until `isThere`, which is asked again whenever something has come. */
  async until(isThere: () => boolean): Promise<void> {
    while (!isThere()) {
      if (this.#error !== undefined) throw this.#error
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  #receive(bytes: Uint8Array): void {
    this.#records.push(bytes)
    for (let record = this.#records.next(); record !== undefined; record = this.#records.next()) {
      if (record.type === Content.ChangeCipherSpec) continue
      const opened = record.type === Content.ApplicationData ? this.#open(record) : record
      if (opened !== undefined) this.#dispatch(opened.type, opened.content)
    }
  }

  /** Undefined for early data that was refused (RFC 8446 §4.2.10). */
  #open(record: { readonly header: Uint8Array; readonly content: Uint8Array }): Opened | undefined {
    const levels = this.#early === 'reading' ? [Level.ZeroRtt] : [Level.OneRtt, Level.Handshake]
    const key = levels.map(level => this.#read.get(level)).find(candidate => candidate !== undefined)
    const opened = key?.open(record.header, record.content)
    if (opened === undefined && this.#early !== 'offered') throw new Error('a record does not open')
    if (opened !== undefined && this.#early === 'offered') this.#early = 'none'
    return opened
  }

  #dispatch(type: number, content: Uint8Array): void {
    if (type === Content.Alert) {
      // close_notify and user_canceled end in the stream's end.
      if (content[1] !== 0 && content[1] !== 90) throw new PeerAlert(content[1] as number)
    } else if (type === Content.Handshake) this.#onHandshake(content)
    else if (this.#early === 'reading') this.earlyData = joined(this.earlyData, content)
    else this.received = joined(this.received, content)
    this.#wake()
  }

  #onHandshake(content: Uint8Array): void {
    this.#handshake = joined(this.#handshake, content)
    for (;;) {
      const all = this.#handshake
      const length = 4 + (((all[1] as number) << 16) | ((all[2] as number) << 8) | (all[3] as number))
      if (all.length < 4 || all.length < length) return
      this.#handshake = all.slice(length)
      this.#onMessage(all.slice(0, length))
    }
  }

  #onMessage(message: Uint8Array): void {
    if (message[0] === END_OF_EARLY_DATA) {
      this.#early = 'none'
      return
    }
    this.session.receive(this.#level(), this.#disguise.incoming(message), Date.now())
    this.#drain()
  }

  #level(): Level {
    if (this.#read.has(Level.OneRtt)) return Level.OneRtt
    return this.#read.has(Level.Handshake) ? Level.Handshake : Level.Initial
  }

  #drain(): void {
    if (this.session.isFlightDue) this.session.makeFlight()
    for (let output = this.session.poll(); output !== undefined; output = this.session.poll()) this.#handle(output)
  }

  #handle(output: TlsOutput): void {
    switch (output.type) {
      case 'send':
        this.#sendMessage(output.level, output.bytes)
        return
      case 'secret': {
        const keys = output.direction === 'read' ? this.#read : this.#write
        keys.set(output.level, new RecordKey(this.#backend, output.suite, output.secret))
        return
      }
      case 'earlyData':
        this.isEarlyDataAccepted = output.accepted
        if (!this.#isClient) this.#early = output.accepted ? 'reading' : 'offered'
        return
      case 'ticket':
        this.tickets.push(output)
        return
      case 'complete':
        this.#settle.resolve(output)
    }
  }

  #sendMessage(level: Level, bytes: Uint8Array): void {
    // RFC 8446 §4.5: under the keys of early data, before anything else that is protected.
    if (this.#isClient && level === Level.Handshake && this.isEarlyDataAccepted && this.#write.has(Level.ZeroRtt)) {
      const key = this.#write.get(Level.ZeroRtt)
      this.#stream.write(writeRecords(Content.Handshake, endOfEarlyData, key))
      this.#write.delete(Level.ZeroRtt)
    }
    this.#stream.write(writeRecords(Content.Handshake, this.#disguise.outgoing(bytes), this.#write.get(level)))
  }

  #sendAt(level: Level, bytes: Uint8Array): void {
    const key = this.#write.get(level)
    if (key === undefined) throw new Error(`no keys to write at level ${level}`)
    this.#stream.write(writeRecords(Content.ApplicationData, bytes, key))
  }

  #guard(act: () => void): void {
    try {
      act()
    } catch (error) {
      if (error instanceof TlsAlert) this.#sendAlert(error.alert)
      this.#fail(error)
      this.#stream.end()
    }
  }

  #sendAlert(alert: number): void {
    const key = this.#write.get(Level.OneRtt) ?? this.#write.get(Level.Handshake)
    this.#stream.write(writeRecords(Content.Alert, Uint8Array.of(2, alert), key))
  }

  #fail(error: unknown): void {
    this.#error ??= error
    this.#settle.reject(error)
    this.#wake()
  }
}

interface Opened {
  readonly type: number
  readonly content: Uint8Array
}

/** The peer gave up, and said why. */
export class PeerAlert extends Error {
  readonly alert: number

  constructor(alert: number) {
    super(`the peer sent alert ${alert}`)
    this.alert = alert
  }
}

/** Hashes what the disguise makes of each message. */
function watched(backend: CryptoBackend, disguise: Disguise): CryptoBackend {
  return {
    ...backend,
    hash: (hash, data) => backend.hash(hash, disguise.onWire(data)),
    hasher(hash): Hasher {
      const inner = backend.hasher(hash)
      return disguise.watch(inner)
    },
  }
}

const END_OF_EARLY_DATA = 5
export const endOfEarlyData: Uint8Array = Uint8Array.of(END_OF_EARLY_DATA, 0, 0, 0)

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Uint8Array.from([...a, ...b])
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve: (value: T) => void = () => undefined
  let reject: (error: unknown) => void = () => undefined
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

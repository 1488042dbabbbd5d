// The keys of a connection by level: install, use, discard (RFC 9001 §4.9, §5; by version: RFC 9369 §4.1).

import type { CryptoBackend } from '../crypto/backend.ts'
import { type CipherSuite, INITIAL_SUITE } from '../crypto/cipher-suite.ts'
import { initialSecrets } from '../crypto/initial-keys.ts'
import { OneRttKeys } from '../crypto/key-update.ts'
import { type DirectionKeys, directionKeys } from '../crypto/packet-protection.ts'
import { Level } from '../packet/level.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'

type Direction = 'read' | 'write'

/** Where the keys of one level stand: before, during, after. */
interface LevelKeys {
  read: DirectionKeys | undefined
  write: DirectionKeys | undefined
  isDiscarded: boolean
}

export class Keyring {
  readonly #backend: CryptoBackend
  /** Of 0-RTT packets, which keep the version of the client's first flight. */
  readonly #original: number
  #version: number
  readonly #levels: LevelKeys[] = [empty(), empty(), empty()]
  /** What Initial secrets come from, and keys to read Initial packets by version: another one may be negotiated. */
  #initial: { readonly destination: Uint8Array; readonly isClient: boolean } | undefined
  #initialReaders: Map<number, DirectionKeys> | undefined
  #oneRtt: OneRttKeys | undefined
  #pendingOneRtt: { suite: CipherSuite; write: Uint8Array | undefined; read: Uint8Array | undefined } | undefined
  #isOneRttReadable = false
  /** Packets of the handshake levels that did not open. */
  #failures = 0
  /** The suite in use: Initial packets have their own. */
  #suite: CipherSuite = INITIAL_SUITE

  constructor(backend: CryptoBackend, version: number) {
    this.#backend = backend
    this.#original = version
    this.#version = version
  }

  /** RFC 9001 §5.2; again after a Retry, from the id the server chose. */
  installInitial(destination: Uint8Array, isClient: boolean): void {
    this.#initial = { destination, isClient }
    this.#initialReaders = new Map()
    this.#deriveInitial()
  }

  /** From here on all packets are sealed for the negotiated version, but 0-RTT (RFC 9369 §4.1). */
  setVersion(version: number): void {
    if (version === this.#version) return
    this.#version = version
    if (!this.isDiscarded(Level.Initial)) this.#deriveInitial()
  }

  install(level: Level, direction: Direction, suite: CipherSuite, secret: Uint8Array): void {
    this.#suite = suite
    if (level === Level.OneRtt) this.#installOneRtt(direction, suite, secret)
    else {
      const version = level === Level.ZeroRtt ? this.#original : this.#version
      const keys = this.#levels[level] as LevelKeys
      keys[direction] = directionKeys(this.#backend, version, suite, secret)
    }
  }

  /** RFC 9001 §5.7: a server reads no 1-RTT packet before the client's Finished, though it has the key. */
  allowOneRttReading(): void {
    this.#isOneRttReadable = true
  }

  discard(level: Level): void {
    const { read, write } = this.#levels[level] as LevelKeys
    read?.discard()
    write?.discard()
    this.#levels[level] = discarded
    if (level !== Level.Initial) return
    this.#initial = undefined
    this.#initialReaders = undefined
  }

  /** Nothing is sealed or opened any more. */
  discardAll(): void {
    for (const level of [Level.Initial, Level.ZeroRtt, Level.Handshake]) this.discard(level)
    this.#oneRtt?.discard()
  }

  isDiscarded(level: Level): boolean {
    return level !== Level.OneRtt && (this.#levels[level] as LevelKeys).isDiscarded
  }

  canOpen(level: Level): boolean {
    if (level === Level.OneRtt) return this.#isOneRttReadable && this.#oneRtt !== undefined && this.#oneRtt.canOpen
    return this.#levels[level]?.read !== undefined
  }

  canSeal(level: Level): boolean {
    return level === Level.OneRtt ? this.#oneRtt !== undefined : this.#levels[level]?.write !== undefined
  }

  /** Keys of 1-RTT packets, with their phases; undefined before the handshake made them. */
  get oneRtt(): OneRttKeys | undefined {
    return this.#oneRtt
  }

  /** How many key updates of 1-RTT packets there have been. */
  get generation(): number {
    return this.#oneRtt?.generation ?? 0
  }

  /** Packets that did not open, under all keys of the connection: all count together (RFC 9001 §6.6). */
  get failures(): number {
    return this.#failures + (this.#oneRtt?.failures ?? 0)
  }

  get isIntegrityLimitReached(): boolean {
    return this.failures > this.#suite.integrityLimit
  }

  /** Removes header protection in place; returns the length of the packet number. Only when `canOpen`. */
  unmask(level: Level, packet: Uint8Array, start: number, numberOffset: number): number {
    if (level === Level.OneRtt) return (this.#oneRtt as OneRttKeys).unmask(packet, start, numberOffset)
    return this.#reader(level, packet, start).header.unmask(packet, start, numberOffset)
  }

  /**
   * The plaintext of an unmasked packet, or undefined when it was not sealed by our peer. Throws a TransportError when
   * the peer mixed up its keys (RFC 9001 §6).
   */
  open(
    level: Level,
    packet: Uint8Array,
    start: number,
    payloadStart: number,
    end: number,
    number: number,
    now: number,
  ): Uint8Array | undefined {
    if (level === Level.OneRtt) {
      const keys = this.#oneRtt as OneRttKeys
      const phase = (((packet[start] as number) >> 2) & 1) as 0 | 1
      const plaintext = keys.open(packet, start, payloadStart, end, number, phase, now)
      if (keys.violation !== undefined) throw new TransportError(ErrorCode.KeyUpdateError, keys.violation)
      return plaintext
    }
    const keys = this.#reader(level, packet, start)
    const plaintext = keys.packet.open(packet, start, payloadStart, end, number)
    if (plaintext === undefined) this.#failures++
    return plaintext
  }

  /** Seals the packet in `buffer[start, end)`; returns its new end. */
  seal(
    level: Level,
    buffer: Uint8Array,
    start: number,
    numberOffset: number,
    numberLength: number,
    end: number,
    number: number,
  ): number {
    if (level === Level.OneRtt) {
      return (this.#oneRtt as OneRttKeys).seal(buffer, start, numberOffset, numberLength, end, number)
    }
    const keys = (this.#levels[level] as LevelKeys).write as DirectionKeys
    return keys.packet.seal(buffer, start, numberOffset, numberLength, end, number)
  }

  #installOneRtt(direction: Direction, suite: CipherSuite, secret: Uint8Array): void {
    if (this.#oneRtt !== undefined) {
      if (direction === 'read') this.#oneRtt.setReadSecret(secret)
      return
    }
    this.#pendingOneRtt ??= { suite, write: undefined, read: undefined }
    this.#pendingOneRtt[direction] = secret
    const { write, read } = this.#pendingOneRtt
    // Writing may come first, reading never does alone.
    if (write === undefined) return
    this.#oneRtt = new OneRttKeys(this.#backend, this.#version, suite, read, write)
    this.#pendingOneRtt = undefined
  }

  #deriveInitial(): void {
    if (this.#initial === undefined) return
    const { destination, isClient } = this.#initial
    const secrets = initialSecrets(this.#backend, this.#version, destination)
    const keys = this.#levels[Level.Initial] as LevelKeys
    keys.read = directionKeys(this.#backend, this.#version, INITIAL_SUITE, isClient ? secrets.server : secrets.client)
    keys.write = directionKeys(this.#backend, this.#version, INITIAL_SUITE, isClient ? secrets.client : secrets.server)
    this.#initialReaders?.set(this.#version, keys.read)
  }

  /** Those of an Initial packet go by the version in its own header. */
  #reader(level: Level, packet: Uint8Array, start: number): DirectionKeys {
    const { read } = this.#levels[level] as LevelKeys
    if (level !== Level.Initial || this.#initial === undefined) return read as DirectionKeys
    const version = readVersion(packet, start)
    return this.#initialReaders?.get(version) ?? this.#initialReader(version, this.#initial)
  }

  #initialReader(version: number, initial: { destination: Uint8Array; isClient: boolean }): DirectionKeys {
    const secrets = initialSecrets(this.#backend, version, initial.destination)
    const secret = initial.isClient ? secrets.server : secrets.client
    const keys = directionKeys(this.#backend, version, INITIAL_SUITE, secret)
    this.#initialReaders?.set(version, keys)
    return keys
  }
}

/** Of a long header (RFC 8999 §5.1). */
function readVersion(packet: Uint8Array, start: number): number {
  let version = 0
  for (let i = 1; i <= 4; i++) version = version * 256 + (packet[start + i] as number)
  return version
}

/** Nothing is ever installed there again. */
const discarded: LevelKeys = { read: undefined, write: undefined, isDiscarded: true }

function empty(): LevelKeys {
  return { read: undefined, write: undefined, isDiscarded: false }
}

// The keys of a connection by level: install, use, discard (RFC 9001 §4.9, §5).

import type { CryptoBackend } from '../crypto/backend.ts'
import { type CipherSuite, TLS_AES_128_GCM_SHA256 } from '../crypto/cipher-suite.ts'
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
  readonly #version: number
  readonly #levels: LevelKeys[] = [empty(), empty(), empty()]
  #oneRtt: OneRttKeys | undefined
  #pendingOneRtt: { suite: CipherSuite; write: Uint8Array | undefined; read: Uint8Array | undefined } | undefined
  #isOneRttReadable = false
  /** Packets of the handshake levels that did not open. */
  #failures = 0
  /** The suite in use: Initial packets have their own. */
  #suite: CipherSuite = TLS_AES_128_GCM_SHA256

  constructor(backend: CryptoBackend, version: number) {
    this.#backend = backend
    this.#version = version
  }

  /** RFC 9001 §5.2; again after a Retry, from the id the server chose. */
  installInitial(destination: Uint8Array, isClient: boolean): void {
    const secrets = initialSecrets(this.#backend, this.#version, destination)
    const keys = this.#levels[Level.Initial] as LevelKeys
    keys.read = this.#derive(TLS_AES_128_GCM_SHA256, isClient ? secrets.server : secrets.client)
    keys.write = this.#derive(TLS_AES_128_GCM_SHA256, isClient ? secrets.client : secrets.server)
  }

  install(level: Level, direction: Direction, suite: CipherSuite, secret: Uint8Array): void {
    this.#suite = suite
    if (level === Level.OneRtt) this.#installOneRtt(direction, suite, secret)
    else (this.#levels[level] as LevelKeys)[direction] = this.#derive(suite, secret)
  }

  /** RFC 9001 §5.7: a server reads no 1-RTT packet before the client's Finished, though it has the key. */
  allowOneRttReading(): void {
    this.#isOneRttReadable = true
  }

  discard(level: Level): void {
    this.#levels[level] = { read: undefined, write: undefined, isDiscarded: true }
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
    return ((this.#levels[level] as LevelKeys).read as DirectionKeys).header.unmask(packet, start, numberOffset)
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
    const keys = (this.#levels[level] as LevelKeys).read as DirectionKeys
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

  #derive(suite: CipherSuite, secret: Uint8Array): DirectionKeys {
    return directionKeys(this.#backend, this.#version, suite, secret)
  }
}

function empty(): LevelKeys {
  return { read: undefined, write: undefined, isDiscarded: false }
}

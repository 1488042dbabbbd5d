// The keys of 1-RTT packets through their updates (RFC 9001 §6).
//
//   previous (read)   current (read, write)   next (read, write)
//        until 3 PTO after        the phase           derived ahead of
//        the first packet         both speak          the packet that
//        under the current                            needs it

import type { CryptoBackend, HeaderKey, PacketKey } from './backend.ts'
import type { CipherSuite } from './cipher-suite.ts'
import { directionKeys, nextSecret, packetKey } from './packet-protection.ts'

export type KeyPhase = 0 | 1

export class OneRttKeys {
  readonly #backend: CryptoBackend
  readonly #version: number
  readonly #suite: CipherSuite
  readonly #writeHeader: HeaderKey
  #readHeader: HeaderKey | undefined = undefined

  #current: Generation
  #next: Generation | undefined = undefined
  #previous: PacketKey | undefined = undefined
  /** When `#previous` goes; Infinity until a packet came under the current keys. */
  #discardAt = Number.POSITIVE_INFINITY
  #pto = INITIAL_PTO
  #generation = 0

  /** Lowest and highest number received under the current keys, highest under any before. */
  #lowestReceived = Number.POSITIVE_INFINITY
  #highestReceived = -1
  #highestBefore = -1
  /** Under the current keys: packets sealed, number of the first, and whether the peer acknowledged one. */
  #sealed = 0
  #firstSealed = Number.POSITIVE_INFINITY
  #isAcknowledged = false
  #failures = 0
  #violation: string | undefined = undefined

  /** A server may write before it knows `readSecret`; `setReadSecret` follows. */
  constructor(
    backend: CryptoBackend,
    version: number,
    suite: CipherSuite,
    readSecret: Uint8Array | undefined,
    writeSecret: Uint8Array,
  ) {
    this.#backend = backend
    this.#version = version
    this.#suite = suite
    const write = directionKeys(backend, version, suite, writeSecret)
    this.#writeHeader = write.header
    this.#current = new Generation(0, undefined, undefined, writeSecret, write.packet)
    if (readSecret !== undefined) this.setReadSecret(readSecret)
  }

  setReadSecret(secret: Uint8Array): void {
    if (this.#readHeader !== undefined) throw new TypeError('the read secret is set already')
    const read = directionKeys(this.#backend, this.#version, this.#suite, secret)
    this.#readHeader = read.header
    this.#current.readSecret = secret
    this.#current.read = read.packet
  }

  get canOpen(): boolean {
    return this.#readHeader !== undefined
  }

  /** For the header of the next packet to be sealed. */
  get phase(): KeyPhase {
    return this.#current.phase
  }

  /** How many updates there have been, of either side. */
  get generation(): number {
    return this.#generation
  }

  /** RFC 9001 §6.5: what three of decides how long old read keys live. Milliseconds; 999 until told. */
  setPto(pto: number): void {
    this.#pto = pto
  }

  /** When `discardPrevious` has something to do; Infinity when nothing. */
  get previousDeadline(): number {
    return this.#previous === undefined ? Number.POSITIVE_INFINITY : this.#discardAt
  }

  /** Drops the old read keys if their time is over. `open` and `initiateUpdate` do so by themselves. */
  discardPrevious(now: number): void {
    if (now >= this.#discardAt) this.#dropPrevious()
  }

  /** The connection is over. */
  discard(): void {
    this.#dropPrevious()
    this.#current.discard()
    this.#next?.discard()
    this.#readHeader?.discard()
    this.#writeHeader.discard()
  }

  /** Removes header protection in place; returns the length of the packet number. Only when `canOpen`. */
  unmask(packet: Uint8Array, start: number, numberOffset: number): number {
    if (this.#readHeader === undefined) throw new TypeError('there is no read secret yet')
    return this.#readHeader.unmask(packet, start, numberOffset)
  }

  /** As `PacketKey.seal`; the caller has put `phase` into the first byte. */
  seal(
    buffer: Uint8Array,
    start: number,
    numberOffset: number,
    numberLength: number,
    end: number,
    packetNumber: number,
  ): number {
    // RFC 9001 §6.6: no further packet under these keys, whatever it costs.
    if (this.#sealed >= this.#suite.confidentialityLimit) throw new RangeError('the keys are used up')
    const sealedEnd = this.#current.write.seal(buffer, start, numberOffset, numberLength, end, packetNumber)
    if (this.#sealed === 0) this.#firstSealed = packetNumber
    this.#sealed++
    // RFC 9001 §9.5: derived while sending, so that the time a received packet takes does not tell its key phase.
    if (this.#next === undefined && this.#sealed >= PREPARE_AFTER) this.#prepareNext()
    return sealedEnd
  }

  /**
   * As `PacketKey.open`, for a packet whose header says `phase`. A packet that opens under the next keys is the peer's
   * key update, and `phase` of this side follows it. Look at `violation` afterwards.
   */
  open(
    buffer: Uint8Array,
    start: number,
    payloadStart: number,
    end: number,
    packetNumber: number,
    phase: KeyPhase,
    now: number,
  ): Uint8Array | undefined {
    this.discardPrevious(now)
    const key = this.#readKey(packetNumber, phase)
    if (key === undefined) return undefined
    const plaintext = key.open(buffer, start, payloadStart, end, packetNumber)
    if (plaintext === undefined) this.#failures++
    else if (key === this.#previous) this.#highestBefore = Math.max(this.#highestBefore, packetNumber)
    else if (key === this.#current.read) this.#onCurrent(packetNumber, phase, now)
    else this.#onPeerUpdate(packetNumber, now)
    return plaintext
  }

  /** An acknowledgment for a packet of the 1-RTT number space came. */
  onAcked(packetNumber: number): void {
    if (packetNumber >= this.#firstSealed) this.#isAcknowledged = true
  }

  /**
   * Starts a key update if that is allowed now. RFC 9001 §6.1: a packet under the current keys must have been
   * acknowledged, which for the first keys also confirms the handshake. RFC 9001 §6.5: three PTO must have passed since
   * the update before, for the peer may hold its old keys that long; they count from the first packet under its new
   * keys, the earliest that can acknowledge ours.
   */
  initiateUpdate(now: number): boolean {
    this.discardPrevious(now)
    if (!this.#isAcknowledged || this.#previous !== undefined) return false
    this.#prepareNext()
    if (this.#next === undefined) return false
    this.#rotate(this.#next)
    return true
  }

  /** RFC 9001 §6.6: true from seven eighths of the confidentiality limit on. */
  get needsUpdate(): boolean {
    return this.#sealed >= this.#suite.confidentialityLimit * UPDATE_AT
  }

  /**
   * True when no update happened in time and the connection must close with AEAD_LIMIT_REACHED; some packets are left
   * to say so. Past the limit itself `seal` throws a RangeError.
   */
  get isConfidentialityLimitReached(): boolean {
    return this.#sealed >= this.#suite.confidentialityLimit * CLOSE_AT
  }

  /** What the peer, authenticated, did wrong with its keys: the connection must close with KEY_UPDATE_ERROR. */
  get violation(): string | undefined {
    return this.#violation
  }

  /** Packets that did not open, under all keys. */
  get failures(): number {
    return this.#failures
  }

  /** RFC 9001 §6.6: true when the connection must close with AEAD_LIMIT_REACHED and process no further packet. */
  get isIntegrityLimitReached(): boolean {
    return this.#failures > this.#suite.integrityLimit
  }

  /**
   * RFC 9001 §6.5: a number below all of the current phase belongs to the keys before, any other to those that come.
   * There is one attempt per packet, under whatever key there is, so that a wrong phase takes as long as a wrong tag.
   */
  #readKey(packetNumber: number, phase: KeyPhase): PacketKey | undefined {
    if (phase === this.#current.phase) return this.#current.read
    if (this.#previous !== undefined && packetNumber < this.#lowestReceived) return this.#previous
    // RFC 9001 §6.2: no update is legal before a packet of ours in this phase could be acknowledged.
    if (this.#sealed > 0) this.#prepareNext()
    return this.#next === undefined ? this.#current.read : this.#next.read
  }

  #onCurrent(packetNumber: number, phase: KeyPhase, now: number): void {
    if (phase !== this.#current.phase) {
      this.#violation = 'key phase changed without its keys'
      return
    }
    // RFC 9001 §6.4: numbers never go back to older keys.
    if (packetNumber < this.#highestBefore) {
      this.#violation = 'newer keys under a lower packet number'
      return
    }
    if (this.#highestReceived < 0) this.#discardAt = now + 3 * this.#pto
    this.#lowestReceived = Math.min(this.#lowestReceived, packetNumber)
    this.#highestReceived = Math.max(this.#highestReceived, packetNumber)
  }

  #onPeerUpdate(packetNumber: number, now: number): void {
    if (packetNumber < this.#highestReceived || packetNumber < this.#highestBefore) {
      this.#violation = 'key update under a lower packet number'
      return
    }
    this.#rotate(this.#next as Generation)
    this.#onCurrent(packetNumber, this.#current.phase, now)
  }

  #dropPrevious(): void {
    this.#previous?.discard()
    this.#previous = undefined
  }

  #rotate(next: Generation): void {
    this.#dropPrevious()
    this.#previous = this.#current.read
    this.#current.write.discard()
    this.#discardAt = Number.POSITIVE_INFINITY
    this.#current = next
    this.#next = undefined
    this.#generation++
    this.#highestBefore = Math.max(this.#highestBefore, this.#highestReceived)
    this.#lowestReceived = Number.POSITIVE_INFINITY
    this.#highestReceived = -1
    this.#sealed = 0
    this.#firstSealed = Number.POSITIVE_INFINITY
    this.#isAcknowledged = false
  }

  /** RFC 9001 §6.3: once derived they stay, so that forged packets cannot make us derive again. */
  #prepareNext(): void {
    const { phase, readSecret, writeSecret } = this.#current
    const readHeader = this.#readHeader
    if (this.#next !== undefined || readSecret === undefined || readHeader === undefined) return
    const read = nextSecret(this.#backend, this.#version, this.#suite, readSecret)
    const write = nextSecret(this.#backend, this.#version, this.#suite, writeSecret)
    this.#next = new Generation(
      phase === 0 ? 1 : 0,
      read,
      packetKey(this.#backend, this.#version, this.#suite, read, readHeader),
      write,
      packetKey(this.#backend, this.#version, this.#suite, write, this.#writeHeader),
    )
  }
}

/** The keys of both directions between two updates. */
class Generation {
  readonly phase: KeyPhase
  readSecret: Uint8Array | undefined
  read: PacketKey | undefined
  readonly writeSecret: Uint8Array
  readonly write: PacketKey

  constructor(
    phase: KeyPhase,
    readSecret: Uint8Array | undefined,
    read: PacketKey | undefined,
    writeSecret: Uint8Array,
    write: PacketKey,
  ) {
    this.phase = phase
    this.readSecret = readSecret
    this.read = read
    this.writeSecret = writeSecret
    this.write = write
  }

  discard(): void {
    this.read?.discard()
    this.write.discard()
  }
}

/** RFC 9002 §6.2.2: the PTO of an RTT of 333 ms that was never measured. */
const INITIAL_PTO = 999

/** Short connections never pay for keys they do not use. */
const PREPARE_AFTER = 8

/** Shares of the confidentiality limit. */
const UPDATE_AT = 7 / 8
const CLOSE_AT = 63 / 64

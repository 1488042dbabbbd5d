// The path to the peer: address validation, amplification limit, a peer that moves (RFC 9000 §8, §9).

import { equal } from '../bytes/equal.ts'
import { limits } from '../limits.ts'
import type { PathFrame } from '../packet/frames/frame.ts'
import { PATH_FRAME_SIZE, writePathChallenge, writePathResponse } from '../packet/frames/path.ts'
import { Level } from '../packet/level.ts'
import type { FrameOwner, PacketWriter } from '../packet/packet-writer.ts'
import { SentFrame, SentKind } from '../packet/sent-frame.ts'

export interface Address {
  readonly host: string
  readonly port: number
  /** Which of our own sockets leads there, as the endpoint counts them; the first one when absent. */
  readonly via?: number
}

export function isSameAddress(a: Address, b: Address): boolean {
  return a.port === b.port && a.host === b.host && (a.via ?? 0) === (b.via ?? 0)
}

/** RFC 9000 §8.1: what may be sent to an address that is not validated, as a multiple of what came from it. */
export const AMPLIFICATION_FACTOR: number = limits.amplificationFactor
/** PATH_RESPONSE frames waiting, on the path and off it; the oldest is dropped when another comes. */
export const MAX_QUEUED_RESPONSES: number = limits.pathResponses

const challengeRecord = new SentFrame(SentKind.PathChallenge)
const responseRecord = new SentFrame(SentKind.PathResponse)

/** One frame for an address that is not the peer's current one, and the bytes that may be spent on it. */
export interface OffPath {
  readonly to: Address
  readonly isResponse: boolean
  readonly data: Uint8Array
  readonly limit: number
}

export class Path implements FrameOwner {
  #remote: Address
  #isValidated: boolean
  #bytesReceived = 0
  #bytesSent = 0
  readonly #responses: Uint8Array[] = []
  readonly #offPath: OffPath[] = []
  #challenge: Uint8Array | undefined
  #isChallengeDue = false
  #deadline = Number.POSITIVE_INFINITY
  /** Where the peer was before it moved: returned to when the new address does not answer. */
  #previous: Address | undefined
  /** Of a client that has moved. */
  #former: Address | undefined

  constructor(remote: Address, isValidated: boolean) {
    this.#remote = remote
    this.#isValidated = isValidated
  }

  get remote(): Address {
    return this.#remote
  }

  /** A client whose new path has answered (RFC 9000 §9.2); what is under way on the old one still counts. */
  moveTo(remote: Address): void {
    this.#former = this.#remote
    this.#remote = remote
  }

  /** Does the peer speak from there, or did it until the client moved? */
  isKnown(address: Address): boolean {
    return isSameAddress(address, this.#remote) || (this.#former !== undefined && isSameAddress(address, this.#former))
  }

  setRemote(remote: Address): void {
    this.#remote = remote
  }

  get isValidated(): boolean {
    return this.#isValidated
  }

  /** The address of before, validated: returned to when the new one does not answer. */
  get former(): Address | undefined {
    return this.#previous
  }

  get hasDue(): boolean {
    return this.#isChallengeDue || this.#responses.length > 0
  }

  get hasOffPath(): boolean {
    return this.#offPath.length > 0
  }

  /** When an unanswered challenge is given up. */
  get deadline(): number {
    return this.#deadline
  }

  onReceived(bytes: number): void {
    this.#bytesReceived += bytes
  }

  onSent(bytes: number): void {
    this.#bytesSent += bytes
  }

  /** Bytes that may leave now. */
  get budget(): number {
    if (this.#isValidated) return Number.POSITIVE_INFINITY
    return this.#bytesReceived * AMPLIFICATION_FACTOR - this.#bytesSent
  }

  validate(): void {
    this.#isValidated = true
  }

  /**
   * RFC 9000 §9.3: the peer's newest packet came from elsewhere. Follow it, with the amplification limit of a stranger
   * until it answers a challenge; `deadline` is when to turn back. Back where it was validated last, nothing is asked.
   */
  migrate(remote: Address, received: number, challenge: Uint8Array, deadline: number): void {
    if (this.#previous !== undefined && isSameAddress(remote, this.#previous)) return this.#turnBack()
    if (this.#isValidated) this.#previous = this.#remote
    this.#remote = remote
    this.#isValidated = false
    this.#bytesReceived = received
    this.#bytesSent = 0
    this.#challenge = challenge
    this.#isChallengeDue = true
    this.#deadline = deadline
  }

  /** RFC 9000 §9.3.3: asks the address the peer seems to have left, in case it only seems so. */
  askPrevious(data: Uint8Array): void {
    if (this.#previous) this.ask(this.#previous, data)
  }

  /** Asks an address that is not in use yet (RFC 9000 §8.2.1). */
  ask(to: Address, data: Uint8Array): void {
    this.#queueOffPath({ to, isResponse: false, data, limit: FULL_DATAGRAM })
  }

  /** RFC 9000 §9.3.2: nobody answered there. True when the peer's former address is in use again. */
  onTimeout(now: number): boolean {
    if (now < this.#deadline) return false
    this.#turnBack()
    return true
  }

  /** RFC 9000 §8.2.2: the answer takes the way the question came, and obeys the amplification limit there. */
  onChallenge(frame: PathFrame, from: Address, received: number): void {
    if (!isSameAddress(from, this.#remote)) {
      const limit = received * AMPLIFICATION_FACTOR
      this.#queueOffPath({ to: from, isResponse: true, data: frame.data, limit })
      return
    }
    if (this.#responses.length === MAX_QUEUED_RESPONSES) this.#responses.shift()
    this.#responses.push(frame.data)
  }

  /** RFC 9000 §8.2.3. A response nobody asked for is ignored. */
  onResponse(frame: PathFrame): void {
    if (this.#challenge === undefined || !equal(this.#challenge, frame.data)) return
    this.#challenge = undefined
    this.#isChallengeDue = false
    this.#deadline = Number.POSITIVE_INFINITY
    this.#isValidated = true
    this.#previous = undefined
  }

  /** The oldest frame that goes elsewhere, taken out. */
  takeOffPath(): OffPath | undefined {
    return this.#offPath.shift()
  }

  write(packet: PacketWriter): void {
    if (packet.level !== Level.OneRtt) return
    while (this.#responses.length > 0 && packet.remaining >= PATH_FRAME_SIZE) {
      writePathResponse(packet, this.#responses.shift() as Uint8Array)
      packet.record(responseRecord)
    }
    if (this.#isChallengeDue && this.#challenge !== undefined && packet.remaining >= PATH_FRAME_SIZE) {
      writePathChallenge(packet, this.#challenge)
      packet.record(challengeRecord)
      this.#isChallengeDue = false
    }
  }

  onAcked(): void {}

  /** A lost PATH_RESPONSE is not repeated, a lost challenge is (RFC 9000 §13.3). */
  onLost(frame: SentFrame): void {
    if (frame.kind === SentKind.PathChallenge) this.#isChallengeDue = this.#challenge !== undefined
  }

  #turnBack(): void {
    this.#deadline = Number.POSITIVE_INFINITY
    this.#challenge = undefined
    this.#isChallengeDue = false
    this.#remote = this.#previous ?? this.#remote
    this.#previous = undefined
    this.#isValidated = true
  }

  #queueOffPath(frame: OffPath): void {
    if (this.#offPath.length === MAX_QUEUED_RESPONSES) this.#offPath.shift()
    this.#offPath.push(frame)
  }
}

const FULL_DATAGRAM = 1200

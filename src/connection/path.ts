// The path to the peer: address validation, amplification limit, a peer that moves (RFC 9000 §8, §9).

import { TAG_LENGTH } from '../crypto/cipher-suite.ts'
import { limits } from '../limits.ts'
import { PATH_FRAME_SIZE, writePathChallenge, writePathResponse } from '../packet/frames/path.ts'
import { Level } from '../packet/level.ts'
import type { FrameOwner, PacketWriter } from '../packet/packet-writer.ts'
import { SentFrame, SentKind } from '../packet/sent-frame.ts'
import { PathValidation } from './path-validation.ts'

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
/** PATH_RESPONSE frames waiting on one path; the oldest is dropped when another comes. */
export const MAX_QUEUED_RESPONSES: number = limits.pathResponses

const none: readonly Address[] = []
const challengeRecord = new SentFrame(SentKind.PathChallenge)
const responseRecord = new SentFrame(SentKind.PathResponse)

export class Path implements FrameOwner {
  /** Of the address the peer has moved to (RFC 9000 §9.3). */
  readonly validation: PathValidation = new PathValidation()
  #remote: Address
  /** Until the server has spoken. */
  #candidates: readonly Address[] = none
  #isValidated: boolean
  #bytesReceived = 0
  #bytesSent = 0
  readonly #responses: Uint8Array[] = []
  /** Makes what nobody can guess. */
  readonly #challenge: () => Uint8Array
  /** Where the peer was before it moved: returned to when the new address does not answer. */
  #previous: Address | undefined
  /** Of a client that has moved. */
  #former: Address | undefined

  constructor(remote: Address, isValidated: boolean, challenge: () => Uint8Array) {
    this.#remote = remote
    this.#isValidated = isValidated
    this.#challenge = challenge
  }

  get remote(): Address {
    return this.#remote
  }

  /** The new path has answered (RFC 9000 §9.2, §9.6); what is under way on the old one still counts. */
  moveTo(remote: Address): void {
    this.#former = this.#remote
    this.#remote = remote
    this.#isValidated = true
    this.#previous = undefined
    this.validation.end()
  }

  /** Does the peer speak from there, or did it until the client moved? */
  isKnown(address: Address): boolean {
    return isSameAddress(address, this.#remote) || (this.#former !== undefined && isSameAddress(address, this.#former))
  }

  /** Where a server may be that has not spoken yet, as a name has several addresses; the first of them first. */
  setRemotes(candidates: readonly Address[]): void {
    this.#candidates = candidates
    this.#remote = candidates[0] ?? this.#remote
  }

  /** Nobody answers: something is to be heard from the next one. */
  tryNext(): void {
    if (this.#candidates.length === 0) return
    const at = this.#candidates.indexOf(this.#remote)
    this.#remote = this.#candidates[(at + 1) % this.#candidates.length] as Address
  }

  /** A datagram came from there, of which nobody knows yet whether it is authentic. */
  turnTo(from: Address): void {
    if (this.#candidates.length === 0) return
    this.#remote = this.#candidates.find(candidate => isSameAddress(candidate, from)) ?? this.#remote
  }

  /** The server has spoken, and is where we heard it. */
  settle(): void {
    this.#candidates = none
  }

  get isValidated(): boolean {
    return this.#isValidated
  }

  /** The path of before, which is good: returned to when the new one is not. */
  get former(): Address | undefined {
    return this.#previous
  }

  get hasDue(): boolean {
    return this.validation.isDue || this.#responses.length > 0
  }

  /** When there is something to ask, or to be given up. */
  get deadline(): number {
    return this.validation.deadline
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
   * until it answers a challenge: `received` and `sent` are what was exchanged with it so far. False: it is back where
   * it was validated last, and nothing needs to be asked.
   */
  migrate(remote: Address, received: number, sent: number): boolean {
    if (this.#previous !== undefined && isSameAddress(remote, this.#previous)) {
      this.turnBack()
      return false
    }
    if (!this.validation.isUnderWay) this.#previous = this.#remote
    this.#remote = remote
    this.#isValidated = false
    this.#bytesReceived = received
    this.#bytesSent = sent
    this.#responses.length = 0
    return true
  }

  /** It was validated before the peer moved there. */
  prove(): void {
    this.#isValidated = true
    this.#previous = undefined
  }

  /** RFC 9000 §9.3.2: to the last path that was validated. */
  turnBack(): void {
    this.validation.end()
    this.#remote = this.#previous ?? this.#remote
    this.#previous = undefined
    this.#isValidated = true
  }

  /** RFC 9000 §8.2.2. */
  onChallenge(data: Uint8Array): void {
    if (this.#responses.length === MAX_QUEUED_RESPONSES) this.#responses.shift()
    this.#responses.push(data)
  }

  /** RFC 9000 §8.2.3. A response nobody asked for is ignored. True: the path is good. */
  onResponse(data: Uint8Array, now: number): boolean {
    const verdict = this.validation.onResponse(data, now)
    if (verdict === 'none') return false
    this.#isValidated = true
    if (verdict === 'address') return false
    this.#previous = undefined
    return true
  }

  write(packet: PacketWriter, now: number): void {
    if (packet.level !== Level.OneRtt) return
    while (this.#responses.length > 0 && packet.remaining >= PATH_FRAME_SIZE) {
      writePathResponse(packet, this.#responses.shift() as Uint8Array)
      packet.record(responseRecord)
    }
    if (!this.validation.isDue || packet.remaining < PATH_FRAME_SIZE) return
    const challenge = this.#challenge()
    writePathChallenge(packet, challenge)
    packet.record(challengeRecord)
    this.validation.asked(challenge, packet.end + TAG_LENGTH >= limits.leastDatagramSize, now)
  }

  onAcked(): void {}

  /** RFC 9000 §13.3: answers are not repeated; questions are when their time is over, as other questions. */
  onLost(): void {}
}

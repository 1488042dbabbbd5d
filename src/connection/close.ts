// Ending a connection: closing, draining, terminated (RFC 9000 §10.2).

import { closeSize, writeApplicationClose, writeConnectionClose } from '../packet/frames/close.ts'
import { Level } from '../packet/level.ts'
import type { PacketWriter } from '../packet/packet-writer.ts'
import { SentFrame, SentKind } from '../packet/sent-frame.ts'
import { ErrorCode } from '../packet/transport-error.ts'
import type { ConnectionClosed } from './events.ts'

const closeRecord = new SentFrame(SentKind.Close)

/**
 * | state | sends | receives | until |
 * |---|---|---|---|
 * | Open | everything | everything | close, error, timeout |
 * | Closing | CONNECTION_CLOSE, ever more rarely | only counts | 3 PTO |
 * | Draining | nothing | nothing | 3 PTO |
 * | Terminated | nothing | nothing | for ever |
 */
export const CloseState = { Open: 0, Closing: 1, Draining: 2, Terminated: 3 } as const
export type CloseState = (typeof CloseState)[keyof typeof CloseState]

export class Close {
  #state: CloseState = CloseState.Open
  #errorCode = 0
  #frameType = 0
  #reason = ''
  #isApplication = false
  #deadline = Number.POSITIVE_INFINITY
  #isDue = false
  #received = 0
  #answerAfter = 1

  get state(): CloseState {
    return this.#state
  }

  get isOpen(): boolean {
    return this.#state === CloseState.Open
  }

  get deadline(): number {
    return this.#deadline
  }

  /** True while a CONNECTION_CLOSE wants to leave. */
  get isDue(): boolean {
    return this.#isDue
  }

  /** We end it. `pto` bounds how long late packets are answered. */
  start(fact: ConnectionClosed, frameType: number, pto: number, now: number): void {
    this.#state = CloseState.Closing
    this.#errorCode = fact.errorCode
    this.#isApplication = fact.isApplication
    this.#reason = fact.reason
    this.#frameType = frameType
    this.#deadline = now + 3 * pto
    this.#isDue = true
  }

  /** The peer ended it: silence from here on. */
  drain(pto: number, now: number): void {
    if (this.#state === CloseState.Open) this.#deadline = now + 3 * pto
    this.#state = CloseState.Draining
    this.#isDue = false
  }

  /** No one is listening any more: idle timeout, stateless reset, or the time for stragglers is over. */
  terminate(): void {
    this.#state = CloseState.Terminated
    this.#deadline = Number.POSITIVE_INFINITY
    this.#isDue = false
  }

  /** RFC 9000 §10.2.1: answers the first datagram that still comes in, then the second after it, the fourth after that. */
  onDatagram(): void {
    if (this.#state !== CloseState.Closing) return
    if (++this.#received < this.#answerAfter) return
    this.#received = 0
    this.#answerAfter *= 2
    this.#isDue = true
  }

  onSent(): void {
    this.#isDue = false
  }

  /** RFC 9000 §10.2.3: before 1-RTT keys an application's reason stays unsaid. */
  write(packet: PacketWriter): void {
    if (this.#isApplication && packet.level !== Level.OneRtt && packet.level !== Level.ZeroRtt) {
      writeConnectionClose(packet, ErrorCode.ApplicationError, 0, '')
    } else if (this.#isApplication) {
      writeApplicationClose(packet, this.#errorCode, this.#fitting(packet))
    } else {
      writeConnectionClose(packet, this.#errorCode, this.#frameType, this.#fitting(packet))
    }
    packet.record(closeRecord, false)
  }

  #fitting(packet: PacketWriter): string {
    return closeSize(this.#reason) <= packet.remaining ? this.#reason : ''
  }
}

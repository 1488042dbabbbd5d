// Field sections the peer's decoder has yet to acknowledge (RFC 9204 §2.1): which entries they hold, and which streams
// may be blocked.

import { limits } from '../../limits.ts'
import { Http3Error, Http3ErrorCode } from '../error-codes.ts'
import type { TableEntry } from './dynamic-table.ts'

interface SentSection {
  readonly requiredInsertCount: number
  readonly entries: readonly TableEntry[]
}

export class SentSections {
  /** RFC 9204 §2.1.4. */
  knownReceivedCount = 0
  /** How many streams may be blocked at once. */
  maxBlockedStreams = 0
  readonly #streams = new Map<number, SentSection[]>()
  /** Streams that may be blocked, and until when. */
  readonly #blocked = new Map<number, number>()
  #count = 0

  /** May a section on this stream refer to entries that the peer may not have? */
  mayBlock(id: number): boolean {
    return this.#blocked.size < this.maxBlockedStreams || this.#blocked.has(id)
  }

  /** False: the peer is slow to acknowledge, and sections have to do without the table. */
  get hasRoom(): boolean {
    return this.#count < limits.qpackUnacknowledgedSections
  }

  /** `entries` were counted as references already. */
  onSent(id: number, requiredInsertCount: number, entries: readonly TableEntry[]): void {
    const section = { requiredInsertCount, entries }
    const sections = this.#streams.get(id)
    if (sections === undefined) this.#streams.set(id, [section])
    else sections.push(section)
    this.#count++
    if (requiredInsertCount > this.knownReceivedCount) {
      this.#blocked.set(id, Math.max(requiredInsertCount, this.#blocked.get(id) ?? 0))
    }
  }

  /** The last of a stream's sections here never left. */
  onUnsent(id: number): void {
    const sections = this.#streams.get(id)
    const section = sections?.pop()
    if (sections === undefined || section === undefined) return
    this.#release(section)
    if (sections.length > 0) return
    this.#streams.delete(id)
    this.#blocked.delete(id)
  }

  /** RFC 9204 §4.4.1. */
  onAcknowledged(id: number): void {
    const sections = this.#streams.get(id)
    const section = sections?.shift()
    if (sections === undefined || section === undefined)
      throw wrong('acknowledgment of a section that refers to nothing')
    this.#release(section)
    if (sections.length === 0) this.#streams.delete(id)
    this.#onReceived(section.requiredInsertCount)
  }

  /** RFC 9204 §4.4.2. False when there was nothing to cancel. */
  onCancelled(id: number): boolean {
    const sections = this.#streams.get(id)
    if (sections === undefined) return false
    for (const section of sections) this.#release(section)
    this.#streams.delete(id)
    this.#blocked.delete(id)
    return true
  }

  /** RFC 9204 §4.4.3. */
  onIncrement(increment: number, insertCount: number): void {
    if (increment === 0) throw wrong('Insert Count Increment of 0')
    if (increment > insertCount - this.knownReceivedCount)
      throw wrong('Insert Count Increment beyond what was inserted')
    this.#onReceived(this.knownReceivedCount + increment)
  }

  #onReceived(count: number): void {
    if (count <= this.knownReceivedCount) return
    this.knownReceivedCount = count
    for (const [id, required] of this.#blocked) if (required <= count) this.#blocked.delete(id)
  }

  #release(section: SentSection): void {
    this.#count--
    for (const entry of section.entries) entry.references--
  }
}

function wrong(reason: string): Http3Error {
  return new Http3Error(Http3ErrorCode.QpackDecoderStreamError, reason)
}

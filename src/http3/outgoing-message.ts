// The sending half of a request stream (RFC 9114 §4.1): what may be sent now, and how it is framed. Whoever sends learns
// of a mistake before anything of it has left.

import { Writer } from '../bytes/writer.ts'
import type { Field } from './field.ts'
import { assertSendable } from './fields.ts'
import { FrameType, frameHeaderSize, writeFrameHeader } from './frames.ts'

export class OutgoingMessage {
  /** The header section of the request or of the final response, once it was sent. */
  head: readonly Field[] | undefined = undefined
  /** Nothing more may be sent. */
  isEnded = false
  /** What the final header section says of itself: a Priority field, or undefined. */
  priority: string | undefined = undefined
  /** It answers a HEAD request, or a CONNECT: its content-length speaks of no content of its own. */
  isUncounted = false
  #declared = -1
  #sent = 0

  get hasSentHead(): boolean {
    return this.head !== undefined
  }

  /**
   * Throws a TypeError for what cannot come now or be said at all, a RangeError when the content is not as long as
   * content-length says (RFC 9114 §4.1.2).
   */
  check(fields: readonly Field[] | undefined, length: number, end: boolean): void {
    if (this.isEnded) throw new TypeError('the message was ended before')
    if (fields === undefined) {
      if (!this.hasSentHead) throw new TypeError('content before the header section')
    } else {
      assertSendable(fields)
      if (this.hasSentHead) checkTrailers(fields, length, end)
      else if (isInterim(fields)) return checkInterim(fields, length, end)
      else this.#readHead(fields)
    }
    if (this.isUncounted || this.#declared === -1) return
    const total = this.#sent + length
    if (total > this.#declared) throw new RangeError(`more content than content-length (${this.#declared}) says`)
    if (end && total < this.#declared) throw new RangeError(`${total} bytes, but content-length says ${this.#declared}`)
  }

  /** What was checked is on its way. */
  onSent(fields: readonly Field[] | undefined, length: number): void {
    if (fields !== undefined && !isInterim(fields)) this.head ??= fields
    this.#sent += length
  }

  #readHead(fields: readonly Field[]): void {
    this.#declared = -1
    this.priority = undefined
    for (const [name, value] of fields) {
      if (name === 'content-length') this.#declared = readLength(value)
      else if (name === 'priority') this.priority = value
      else if (name === ':status' && (value === '204' || value === '304')) this.isUncounted = true
      else if (name === ':method' && value === 'CONNECT') this.isUncounted = true
    }
  }
}

/** RFC 9110 §5.5: a value neither begins nor ends with whitespace; peers may refuse one that does. */
export function trimmed(fields: readonly Field[]): readonly Field[] {
  return fields.every(isTrimmed)
    ? fields
    : fields.map(([name, value]): Field => [name, value.replace(/^[\t ]+|[\t ]+$/g, '')])
}

function isTrimmed([, value]: Field): boolean {
  return !isBlank(value.charCodeAt(0)) && !isBlank(value.charCodeAt(value.length - 1))
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** HEADERS with `section`, then DATA with `length` bytes, of which `data` is put in here. */
export function framed(section: Uint8Array | undefined, length: number, data: Uint8Array | undefined): Uint8Array {
  let size = data === undefined ? 0 : data.length
  if (section !== undefined) size += frameHeaderSize(FrameType.Headers, section.length) + section.length
  if (length > 0) size += frameHeaderSize(FrameType.Data, length)
  if (size === 0) return empty
  const writer = Writer.allocate(size)
  if (section !== undefined) {
    writeFrameHeader(writer, FrameType.Headers, section.length)
    writer.put(section)
  }
  if (length > 0) writeFrameHeader(writer, FrameType.Data, length)
  if (data !== undefined) writer.put(data)
  return writer.bytes
}

/** RFC 9114 §4.1, §4.3. */
function checkTrailers(fields: readonly Field[], length: number, end: boolean): void {
  if (!end || length > 0) throw new TypeError('trailers are the end of a message')
  for (const [name] of fields) if (name.startsWith(':')) throw new TypeError(`trailers have no ${name}`)
}

function checkInterim(fields: readonly Field[], length: number, end: boolean): void {
  // RFC 9114 §4.5.
  if (fields[0]?.[1] === '101') throw new TypeError('101 does not exist in HTTP/3')
  if (end || length > 0) throw new TypeError('an interim response has no content, and is not the last')
}

function isInterim(fields: readonly Field[]): boolean {
  const first = fields[0]
  return first !== undefined && first[0] === ':status' && first[1].startsWith('1')
}

function readLength(value: string): number {
  if (!/^[0-9]{1,15}$/.test(value)) throw new TypeError(`not a content-length: ${value}`)
  return Number(value)
}

const empty = new Uint8Array(0)

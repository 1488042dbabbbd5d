// Bytes of CRYPTO frames to whole handshake messages (RFC 8446 §4, RFC 9001 §4.1.3).

import { limits } from '../limits.ts'
import { Level } from '../packet/level.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import { MESSAGE_HEADER_LENGTH, Message } from './messages/handshake.ts'

/** The longest message a server takes: a ClientHello, and no more (RFC 9000 §7.5). */
export const SERVER_MESSAGE_LIMIT: number = limits.serverMessage
/** The longest message a client takes: a chain of certificates. */
export const CLIENT_MESSAGE_LIMIT: number = limits.clientMessage

/** Holds at most one incomplete message, of one level. */
export class MessageReader {
  readonly #limit: number
  #level: Level
  #buffer: Uint8Array
  #start: number
  #end: number

  /** A message longer than `limit` bytes closes the connection with CRYPTO_BUFFER_EXCEEDED. */
  constructor(limit: number) {
    this.#limit = limit
    this.#level = Level.Initial
    this.#buffer = nothing
    this.#start = 0
    this.#end = 0
  }

  push(level: Level, bytes: Uint8Array): void {
    // RFC 9001 §8.3: there is no EndOfEarlyData, hence nothing that 0-RTT packets could carry.
    if (level === Level.ZeroRtt) throw violation('CRYPTO data in 0-RTT')
    if (bytes.length === 0) return
    // RFC 9001 §4.1.3: a level that was left behind brings no new data.
    if (level !== this.#level) throw violation(`CRYPTO data at level ${level}, expected at ${this.#level}`)
    this.#append(bytes)
  }

  /** The next whole message, copied out, or undefined until more has come. */
  next(): Message | undefined {
    const available = this.#end - this.#start
    if (available < MESSAGE_HEADER_LENGTH) return undefined
    const b = this.#buffer
    const at = this.#start
    const body = ((b[at + 1] as number) << 16) | ((b[at + 2] as number) << 8) | (b[at + 3] as number)
    const length = MESSAGE_HEADER_LENGTH + body
    if (length > this.#limit) {
      throw new TransportError(ErrorCode.CryptoBufferExceeded, `a handshake message of ${length} bytes`)
    }
    if (available < length) return undefined
    const message = new Message(b.slice(at, at + length))
    this.#start += length
    if (this.#start === this.#end) this.#clear()
    return message
  }

  /** RFC 9001 §4.1.3: nothing may be left over when the keys change. */
  moveTo(level: Level): void {
    if (this.#start !== this.#end) throw violation('handshake data behind the last message of its level')
    this.#level = level
  }

  /** Most often nothing comes for long. */
  #clear(): void {
    this.#buffer = nothing
    this.#start = 0
    this.#end = 0
  }

  /** Grows by doubling, so that a message in many pieces is not copied for each of them. */
  #append(bytes: Uint8Array): void {
    const held = this.#end - this.#start
    if (this.#end + bytes.length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(held + bytes.length, 2 * held))
      grown.set(this.#buffer.subarray(this.#start, this.#end))
      this.#buffer = grown
      this.#start = 0
      this.#end = held
    }
    this.#buffer.set(bytes, this.#end)
    this.#end += bytes.length
  }
}

function violation(reason: string): TransportError {
  return new TransportError(ErrorCode.ProtocolViolation, reason)
}

const nothing = new Uint8Array(0)

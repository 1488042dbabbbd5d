// A cursor over received bytes. Every parser in the house reads through this class.

import { joinHalves } from './varint.ts'

/** Thrown when a parser asks for more bytes than there are. Each boundary turns it into its own error code. */
export class OutOfBytes extends Error {
  override readonly name = 'OutOfBytes'
}

export class Reader {
  readonly bytes: Uint8Array
  pos: number
  readonly end: number

  /** Reads `bytes` from `pos` (default 0) up to `end` (default all), without copying. */
  constructor(bytes: Uint8Array, pos = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.pos = pos
    this.end = end
  }

  get remaining(): number {
    return this.end - this.pos
  }

  get isDone(): boolean {
    return this.pos >= this.end
  }

  /** The next byte, not consumed. */
  peek(): number {
    this.#need(1)
    return this.bytes[this.pos] as number
  }

  u8(): number {
    this.#need(1)
    return this.bytes[this.pos++] as number
  }

  u16(): number {
    const at = this.#take(2)
    const b = this.bytes
    return ((b[at] as number) << 8) | (b[at + 1] as number)
  }

  u24(): number {
    const at = this.#take(3)
    const b = this.bytes
    return ((b[at] as number) << 16) | ((b[at + 1] as number) << 8) | (b[at + 2] as number)
  }

  u32(): number {
    const at = this.#take(4)
    const b = this.bytes
    return (
      (b[at] as number) * 0x1000000 +
      (((b[at + 1] as number) << 16) | ((b[at + 2] as number) << 8) | (b[at + 3] as number))
    )
  }

  /** RFC 9000 §16. Exact up to 2^53-1, rounded up above. */
  varint(): number {
    const first = this.peek()
    switch (first >> 6) {
      case 0:
        this.pos++
        return first
      case 1:
        return this.u16() & 0x3fff
      case 2:
        return this.u32() & 0x3fffffff
      default: {
        this.#need(8)
        const high = this.u32() & 0x3fffffff
        return joinHalves(high, this.u32())
      }
    }
  }

  /** A view of the next `length` bytes: no copy. */
  view(length: number): Uint8Array {
    const at = this.#take(length)
    return this.bytes.subarray(at, at + length)
  }

  /** A copy of the next `length` bytes: for small things that outlive the datagram. */
  copy(length: number): Uint8Array {
    const at = this.#take(length)
    return this.bytes.slice(at, at + length)
  }

  /** A view of all that is left. */
  rest(): Uint8Array {
    return this.view(this.remaining)
  }

  /** A reader confined to the next `length` bytes, which this one skips. */
  sub(length: number): Reader {
    const at = this.#take(length)
    return new Reader(this.bytes, at, at + length)
  }

  skip(length: number): void {
    this.#take(length)
  }

  #take(length: number): number {
    this.#need(length)
    const at = this.pos
    this.pos = at + length
    return at
  }

  #need(length: number): void {
    if (length > this.end - this.pos) throw new OutOfBytes(`needs ${length} bytes, has ${this.end - this.pos}`)
  }
}

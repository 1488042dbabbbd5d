// A cursor into a buffer that exists already. Every message in the house is written through this class.

import { varintSize } from './varint.ts'

export class Writer {
  readonly bytes: Uint8Array
  pos: number
  /** Where writing must stop: lower than the buffer's end while something is reserved behind (an AEAD tag). */
  end: number

  constructor(bytes: Uint8Array, pos = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.pos = pos
    this.end = end
  }

  static allocate(size: number): Writer {
    return new Writer(new Uint8Array(size))
  }

  get remaining(): number {
    return this.end - this.pos
  }

  u8(value: number): void {
    this.bytes[this.#take(1)] = value
  }

  u16(value: number): void {
    this.patchU16(this.#take(2), value)
  }

  u24(value: number): void {
    const at = this.#take(3)
    const b = this.bytes
    b[at] = value >>> 16
    b[at + 1] = value >>> 8
    b[at + 2] = value
  }

  u32(value: number): void {
    this.#setU32(this.#take(4), value)
  }

  /** RFC 9000 §16, in the fewest bytes. Throws a RangeError for what is not an integer of 0 to 2^53-1. */
  varint(value: number): void {
    this.varintSized(value, varintSize(value))
  }

  /** The same in `size` bytes (1, 2, 4 or 8), which need not be the fewest: for lengths known only later. */
  varintSized(value: number, size: number): void {
    if (!Number.isSafeInteger(value) || value < 0 || varintSize(value) > size) {
      throw new RangeError(`${value} does not fit a varint of ${size} bytes`)
    }
    const at = this.#take(size)
    if (size === 1) this.bytes[at] = value
    else if (size === 2) this.patchU16(at, value | 0x4000)
    else if (size === 4) this.#setU32(at, (value | 0x80000000) >>> 0)
    else {
      this.#setU32(at, (Math.floor(value / 0x100000000) | 0xc0000000) >>> 0)
      this.#setU32(at + 4, value % 0x100000000)
    }
  }

  put(bytes: Uint8Array): void {
    const { length } = bytes
    const at = this.#take(length)
    // A call of `set` costs more than a few bytes do: ids, above all.
    if (length > SHORT) this.bytes.set(bytes, at)
    else for (let i = 0; i < length; i++) this.bytes[at + i] = bytes[i] as number
  }

  zeros(length: number): void {
    const at = this.#take(length)
    this.bytes.fill(0, at, at + length)
  }

  /** Leaves room for bytes the caller writes itself; says where. */
  reserve(length: number): number {
    return this.#take(length)
  }

  patchU16(at: number, value: number): void {
    this.bytes[at] = value >>> 8
    this.bytes[at + 1] = value
  }

  patchVarint2(at: number, value: number): void {
    this.patchU16(at, value | 0x4000)
  }

  /** Starts a TLS vector with a length of `size` bytes (1, 2 or 3); `endVector` fills the length in. */
  beginVector(size: 1 | 2 | 3): number {
    return this.#take(size) + size
  }

  endVector(start: number, size: 1 | 2 | 3): void {
    let length = this.pos - start
    for (let at = start - 1; at >= start - size; at--) {
      this.bytes[at] = length
      length >>>= 8
    }
    if (length !== 0) throw new RangeError(`a vector of ${this.pos - start} bytes does not fit a ${size}-byte length`)
  }

  /** A view of everything written. */
  finish(): Uint8Array {
    return this.bytes.subarray(0, this.pos)
  }

  #setU32(at: number, value: number): void {
    const b = this.bytes
    b[at] = value >>> 24
    b[at + 1] = value >>> 16
    b[at + 2] = value >>> 8
    b[at + 3] = value
  }

  #take(length: number): number {
    const at = this.pos
    if (length > this.end - at) throw new RangeError(`no room for ${length} bytes, ${this.end - at} left`)
    this.pos = at + length
    return at
  }
}

const SHORT = 24

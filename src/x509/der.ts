// DER (ITU-T X.690 §10-11), as much as certificates need: a reader that goes down only as deep as it is asked to.

import { OutOfBytes, Reader } from '../bytes/reader.ts'
import { limits } from '../limits.ts'
import { CertificateError } from './certificate-error.ts'

/** Identifier octets. The high-tag-number form is used nowhere in a certificate and refused. */
export const Tag = {
  Boolean: 0x01,
  Integer: 0x02,
  BitString: 0x03,
  OctetString: 0x04,
  Null: 0x05,
  Oid: 0x06,
  Utf8String: 0x0c,
  Ia5String: 0x16,
  UtcTime: 0x17,
  GeneralizedTime: 0x18,
  Sequence: 0x30,
  Set: 0x31,
} as const

/** A certificate is about nine levels deep; what nests deeper was made to hurt. */
export const MAX_DER_DEPTH: number = limits.derDepth
/** Longest object identifier that is read, in bytes. */
export const MAX_OID_LENGTH: number = limits.objectIdentifierLength

/** `[number]` of ASN.1: primitive when it holds a simple value implicitly, constructed otherwise. */
export function contextTag(number: number, isConstructed: boolean): number {
  return (isConstructed ? 0xa0 : 0x80) | number
}

/** A cursor over the elements of one level. Every fault is a CertificateError `malformed`. */
export class DerReader {
  readonly #reader: Reader
  readonly #depth: number

  constructor(bytes: Uint8Array, depth = 0) {
    if (depth > MAX_DER_DEPTH) throw malformed('nested too deeply')
    this.#reader = new Reader(bytes)
    this.#depth = depth
  }

  get isDone(): boolean {
    return this.#reader.isDone
  }

  /** True when the next element has this tag; it is not consumed. */
  has(tag: number): boolean {
    return !this.#reader.isDone && this.#reader.peek() === tag
  }

  /** The tag of the next element, not consumed. */
  peek(): number {
    if (this.#reader.isDone) throw malformed('an element is missing')
    return this.#reader.peek()
  }

  /** The contents of the next element, which must have this tag. */
  value(tag: number): Uint8Array {
    if (this.peek() !== tag) throw malformed(`tag 0x${this.peek().toString(16)} where 0x${tag.toString(16)} belongs`)
    return this.any()
  }

  /** The contents of the next element, whatever it is. */
  any(): Uint8Array {
    const reader = this.#reader
    try {
      if ((reader.u8() & 0x1f) === 0x1f) throw malformed('a tag above 30')
      return reader.view(readLength(reader))
    } catch (error) {
      throw error instanceof OutOfBytes ? malformed('cut short') : error
    }
  }

  /** The next element with its tag and length. */
  element(tag: number): Uint8Array {
    const start = this.#reader.pos
    this.value(tag)
    return this.#reader.bytes.subarray(start, this.#reader.pos)
  }

  /** A reader of the elements inside the next element, one level down. */
  enter(tag: number): DerReader {
    return new DerReader(this.value(tag), this.#depth + 1)
  }

  /** The same, or undefined when the next element is another one: OPTIONAL. */
  enterIf(tag: number): DerReader | undefined {
    return this.has(tag) ? this.enter(tag) : undefined
  }

  boolean(): boolean {
    const value = this.value(Tag.Boolean)
    if (value.length !== 1 || (value[0] !== 0 && value[0] !== 0xff)) throw malformed('a boolean')
    return value[0] === 0xff
  }

  /** A small INTEGER, 0 to 2^31-1. Give `tag` when it is tagged implicitly. */
  unsigned(tag: number = Tag.Integer): number {
    const value = checkInteger(this.value(tag))
    if (value.length > 4 || (value[0] as number) >= 0x80) throw malformed('a number out of range')
    return value.reduce((sum, byte) => sum * 256 + byte, 0)
  }

  /** An INTEGER of any size, in its bytes. */
  integer(): Uint8Array {
    return checkInteger(this.value(Tag.Integer))
  }

  /** An OBJECT IDENTIFIER in the dotted form. */
  oid(): string {
    return dotted(this.value(Tag.Oid))
  }

  /** A BIT STRING of whole bytes: keys and signatures. */
  bitString(): Uint8Array {
    const value = this.value(Tag.BitString)
    if (value[0] !== 0) throw malformed('a bit string of no whole bytes')
    return value.subarray(1)
  }

  /** The first 16 of named bits; bit n of ASN.1 is `1 << n`. */
  namedBits(): number {
    const value = this.value(Tag.BitString)
    const unused = value[0]
    if (unused === undefined || unused > 7 || (value.length === 1 && unused !== 0)) throw malformed('a bit string')
    // X.690 §11.2.1: bits that are not used are 0.
    if ((value[value.length - 1] as number) & ((1 << unused) - 1)) throw malformed('a bit string')
    let bits = 0
    for (let n = 0; n < 16 && n < (value.length - 1) * 8 - unused; n++) {
      if ((value[1 + (n >> 3)] as number) & (0x80 >> (n & 7))) bits |= 1 << n
    }
    return bits
  }

  /** Nothing may follow. */
  finish(): void {
    if (!this.#reader.isDone) throw malformed('something follows that does not belong')
  }
}

export function malformed(what: string): CertificateError {
  return new CertificateError('malformed', `malformed certificate (${what})`)
}

// X.690 §10.1: definite, in the fewest bytes. Three bytes of length are 16 MiB, as much as TLS can carry.
function readLength(reader: Reader): number {
  const first = reader.u8()
  if (first < 0x80) return first
  if (first === 0x80) throw malformed('an indefinite length')
  const size = first & 0x7f
  if (size > 3) throw malformed('a length of too many bytes')
  const length = size === 1 ? reader.u8() : size === 2 ? reader.u16() : reader.u24()
  if (length < 0x80 || length < 2 ** (8 * (size - 1))) throw malformed('a length that is not the shortest')
  return length
}

// X.690 §8.3.2: the first nine bits are not all the same.
function checkInteger(value: Uint8Array): Uint8Array {
  const [first, second] = value
  if (first === undefined) throw malformed('an empty number')
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw malformed('a number that is not the shortest')
  }
  return value
}

// Arcs above 2^53 come out rounded: no identifier that is known here has one, so they are equal to nothing.
function dotted(value: Uint8Array): string {
  if (value.length === 0 || value.length > MAX_OID_LENGTH) throw malformed('an object identifier')
  const arcs: number[] = []
  let arc = 0
  let isStart = true
  for (const byte of value) {
    if (isStart && byte === 0x80) throw malformed('an object identifier')
    arc = arc * 128 + (byte & 0x7f)
    isStart = byte < 0x80
    if (!isStart) continue
    if (arcs.length === 0) {
      const root = Math.min(Math.floor(arc / 40), 2)
      arcs.push(root, arc - root * 40)
    } else arcs.push(arc)
    arc = 0
  }
  if (!isStart) throw malformed('an object identifier')
  return arcs.join('.')
}

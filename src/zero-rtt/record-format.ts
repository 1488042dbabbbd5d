// Records that are stored or handed over. One table of fields gives the binary form and the JSON form, both strict:
// what a reader returns is legal, complete, and was followed by nothing else.

import { crc32 } from '../bytes/crc32.ts'
import { fromHex, toHex } from '../bytes/hex.ts'
import { OutOfBytes, Reader } from '../bytes/reader.ts'
import { Writer } from '../bytes/writer.ts'

/** How one field is written, read and checked. Every method throws a TypeError for a value that is not legal. */
export interface Field<T> {
  /** At least as many bytes as `put` needs. */
  size(value: T): number
  put(writer: Writer, value: T): void
  take(reader: Reader): T
  toJson(value: T): unknown
  fromJson(json: unknown): T
}

/** Written in the order of the table. */
export type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> }

export class RecordFormat<T extends object> {
  readonly #name: string
  readonly #tag: Uint8Array
  readonly #version: number
  readonly #body: Field<T>
  readonly #isSummed: boolean

  /**
   * `tag`: four letters that begin the binary form. `name`: the `format` of the JSON form. With `isSummed` a CRC-32
   * follows, so that a record that was damaged on its way is none, even where the damage is legal.
   */
  constructor(tag: string, name: string, version: number, fields: Fields<T>, isSummed = false) {
    this.#name = name
    this.#tag = new TextEncoder().encode(tag)
    this.#version = version
    this.#body = group(fields)
    this.#isSummed = isSummed
  }

  write(record: T): Uint8Array {
    return this.#named(() => {
      const writer = Writer.allocate(this.#tag.length + 1 + this.#body.size(record) + SUM_LENGTH)
      writer.put(this.#tag)
      writer.u8(this.#version)
      this.#body.put(writer, record)
      if (this.#isSummed) writer.u32(crc32(writer.finish()))
      return writer.finish().slice()
    })
  }

  /** Throws a TypeError for anything but exactly one record of this format and version. */
  read(bytes: Uint8Array): T {
    const reader = new Reader(bytes)
    return this.#named(() => {
      if (this.#tag.some(letter => reader.u8() !== letter)) throw illegal('these bytes are something else')
      const version = reader.u8()
      if (version !== this.#version) throw illegal(`version ${version} is not known`)
      const record = this.#body.take(reader)
      if (this.#isSummed && reader.u32() !== crc32(bytes.subarray(0, reader.pos - SUM_LENGTH))) {
        throw illegal('damaged')
      }
      if (!reader.isDone) throw illegal(`${reader.remaining} bytes too many`)
      return record
    })
  }

  toJson(record: T): string {
    const body = this.#named(() => this.#body.toJson(record) as object)
    const sum = this.#isSummed && { checksum: sumOf(this.write(record)) }
    return JSON.stringify({ format: this.#name, formatVersion: this.#version, ...body, ...sum })
  }

  /** Throws a TypeError as `read` does; keys that are missing or not known are errors. */
  fromJson(text: string): T {
    return this.#named(() => {
      const { format, formatVersion, ...others } = objectOf(JSON.parse(text))
      if (format !== this.#name) throw illegal('this JSON is something else')
      if (formatVersion !== this.#version) throw illegal('this version is not known')
      if (!this.#isSummed) return this.#body.fromJson(others)
      const { checksum, ...body } = others
      const record = this.#body.fromJson(body)
      if (checksum !== sumOf(this.write(record))) throw illegal('damaged')
      return record
    })
  }

  /** Every fault becomes a TypeError that says which record it is about. */
  #named<R>(act: () => R): R {
    try {
      return act()
    } catch (error) {
      if (error instanceof OutOfBytes) throw new TypeError(`${this.#name}: cut short`)
      // The parser's own message would quote the text, which holds a key.
      if (error instanceof SyntaxError) throw new TypeError(`${this.#name}: not JSON`)
      if (error instanceof TypeError) throw new TypeError(`${this.#name}: ${error.message}`)
      throw error
    }
  }
}

/** Several fields as one. */
export function group<T extends object>(fields: Fields<T>): Field<T> {
  const entries = Object.entries(fields) as [keyof T & string, Field<unknown>][]
  return {
    size: value => entries.reduce((sum, [key, field]) => sum + field.size(value[key]), 0),
    put: (writer, value) => {
      for (const [key, field] of entries) named(key, () => field.put(writer, value[key]))
    },
    take: reader => {
      const value: Record<string, unknown> = {}
      for (const [key, field] of entries) value[key] = named(key, () => field.take(reader))
      return value as T
    },
    toJson: value => Object.fromEntries(entries.map(([key, field]) => [key, field.toJson(value[key])])),
    fromJson: json => {
      const given = objectOf(json)
      const unknown = Object.keys(given).find(key => !Object.hasOwn(fields, key))
      if (unknown !== undefined) throw illegal('a key that is not known')
      const value: Record<string, unknown> = {}
      for (const [key, field] of entries) {
        if (!Object.hasOwn(given, key)) throw illegal(`${key} is missing`)
        value[key] = named(key, () => field.fromJson(given[key]))
      }
      return value as T
    },
  }
}

/** `min` to `max` bytes; hexadecimal in JSON. */
export function bytes(min: number, max: number): Field<Uint8Array> {
  const check = (value: Uint8Array): Uint8Array => {
    if (!(value instanceof Uint8Array)) throw illegal('not bytes')
    return inRange(value, value.length, min, max)
  }
  return {
    size: value => 8 + value.length,
    put: (writer, value) => {
      writer.varint(check(value).length)
      writer.put(value)
    },
    take: reader => check(reader.copy(boundedLength(reader, max))),
    toJson: value => toHex(check(value)),
    fromJson: json => {
      if (typeof json !== 'string' || !/^([0-9a-f]{2})*$/i.test(json)) throw illegal('not hexadecimal')
      return check(fromHex(json))
    },
  }
}

/** Text of `min` to `max` bytes of UTF-8. */
export function text(min: number, max: number): Field<string> {
  const encode = (value: string): Uint8Array => {
    if (typeof value !== 'string') throw illegal('not text')
    const encoded = new TextEncoder().encode(value)
    return inRange(encoded, encoded.length, min, max)
  }
  return {
    size: value => 8 + encode(value).length,
    put: (writer, value) => {
      const encoded = encode(value)
      writer.varint(encoded.length)
      writer.put(encoded)
    },
    take: reader => {
      // A fatal decoder throws a TypeError, as everything here does.
      const value = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
        reader.view(boundedLength(reader, max)),
      )
      encode(value)
      return value
    },
    toJson: value => value,
    fromJson: json => {
      encode(json as string)
      return json as string
    },
  }
}

/** An integer of 0 to `max`, at most 2^53-1. */
export function uint(max: number = Number.MAX_SAFE_INTEGER): Field<number> {
  const check = (value: number): number => {
    if (!Number.isSafeInteger(value)) throw illegal('not an exact integer')
    return inRange(value, value, 0, max)
  }
  return {
    size: () => 8,
    put: (writer, value) => writer.varint(check(value)),
    take: reader => check(reader.varint()),
    toJson: check,
    fromJson: json => check(json as number),
  }
}

/** One of a few words; its index in the binary form. */
export function oneOf<const T extends string | boolean>(...values: readonly T[]): Field<T> {
  const indexOf = (value: unknown): number => {
    const index = values.indexOf(value as T)
    if (index < 0) throw illegal('not one of the known words')
    return index
  }
  return {
    size: () => 1,
    put: (writer, value) => writer.u8(indexOf(value)),
    take: reader => {
      const value = values[reader.u8()]
      if (value === undefined) throw illegal('not one of the known words')
      return value
    },
    toJson: value => values[indexOf(value)],
    fromJson: json => values[indexOf(json)] as T,
  }
}

export function flag(): Field<boolean> {
  return oneOf<boolean>(false, true)
}

/** Possibly undefined; null in JSON. */
export function optional<T>(field: Field<T>): Field<T | undefined> {
  return {
    size: value => 1 + (value === undefined ? 0 : field.size(value)),
    put: (writer, value) => {
      writer.u8(value === undefined ? 0 : 1)
      if (value !== undefined) field.put(writer, value)
    },
    take: reader => {
      const present = reader.u8()
      if (present > 1) throw illegal('neither there nor absent')
      return present === 1 ? field.take(reader) : undefined
    },
    toJson: value => (value === undefined ? null : field.toJson(value)),
    fromJson: json => (json === null ? undefined : field.fromJson(json)),
  }
}

/** Up to `max` of the same. */
export function listOf<T>(field: Field<T>, max: number): Field<readonly T[]> {
  const check = (value: readonly T[]): readonly T[] => {
    if (!Array.isArray(value)) throw illegal('not a list')
    return inRange(value, value.length, 0, max)
  }
  return {
    size: value => value.reduce((sum, item) => sum + field.size(item), 8),
    put: (writer, value) => {
      writer.varint(check(value).length)
      for (const item of value) field.put(writer, item)
    },
    take: reader => {
      const value: T[] = []
      for (let left = boundedLength(reader, max); left > 0; left--) value.push(field.take(reader))
      return value
    },
    toJson: value => check(value).map(item => field.toJson(item)),
    fromJson: json => check(json as readonly T[]).map(item => field.fromJson(item)),
  }
}

/** The CRC-32 behind a record, as JSON has it. */
function sumOf(written: Uint8Array): string {
  return toHex(written.subarray(written.length - SUM_LENGTH))
}

const SUM_LENGTH = 4

function named<T>(key: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw error instanceof TypeError ? illegal(`${key}: ${error.message}`) : error
  }
}

/** Checked before anything is allocated for it. */
function boundedLength(reader: Reader, max: number): number {
  const length = reader.varint()
  return inRange(length, length, 0, max)
}

/** The value, when its size is within the bounds. The value itself stays out of the message: it may be a key. */
function inRange<T>(value: T, size: number, min: number, max: number): T {
  if (size < min || size > max) throw illegal(`${size} is not in ${min}..${max}`)
  return value
}

function objectOf(json: unknown): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw illegal('not an object')
  return json as Record<string, unknown>
}

function illegal(reason: string): TypeError {
  return new TypeError(reason)
}

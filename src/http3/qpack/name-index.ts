// What the encoder knows of each name (RFC 9204 §2.1.1): where it and its values stand in the tables, and whether it is
// of use to insert them.

import type { TableEntry } from './dynamic-table.ts'
import { type StaticName, staticNames } from './static-table.ts'

/** Names remembered; beyond that the oldest that stand in no table are forgotten. */
const MAX_NAMES = 128

/** After so many values in a row that were inserted for nothing, a name has to repeat one before the next is inserted. */
const MAX_MISSES = 3

/** RFC 9204 §7.1.3: sent as literals that no intermediary may put in a dynamic table, whatever their length. */
const secret: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'set-cookie'])

/** A cookie shorter than this could be guessed (RFC 9204 §7.1.3), and is treated as a secret. */
const LEAST_COOKIE = 20

/** Their values are hardly ever the same twice. */
const volatile: ReadonlySet<string> = new Set([
  ':path',
  'age',
  'content-length',
  'content-range',
  'date',
  'etag',
  'if-modified-since',
  'if-none-match',
  'last-modified',
  'location',
  'range',
  'referer',
])

export class NameRecord {
  readonly name: string
  readonly inStatic: StaticName | undefined
  /** Of the dynamic table, by value. */
  readonly values: Map<string, TableEntry> = new Map()
  /** The newest of them; undefined when there is none. */
  latest: TableEntry | undefined = undefined
  readonly #isSecret: boolean
  #misses: number
  #last: string | undefined = undefined

  constructor(name: string) {
    this.name = name
    this.inStatic = staticNames.get(name)
    this.#isSecret = secret.has(name)
    this.#misses = volatile.has(name) ? MAX_MISSES : 0
  }

  isSecret(value: string): boolean {
    return this.#isSecret || (this.name === 'cookie' && value.length < LEAST_COOKIE)
  }

  /** A value that stands in no table is about to be sent: is it likely to come again? */
  isWorthInserting(value: string): boolean {
    if (this.#last === value) return true
    this.#last = value
    return this.#misses < MAX_MISSES
  }

  onHit(): void {
    this.#misses = 0
  }

  onInserted(entry: TableEntry): void {
    if (this.#misses < MAX_MISSES) this.#misses++
    this.values.set(entry.field[1], entry)
    this.latest = entry
  }

  onEvicted(entry: TableEntry): void {
    // A duplicate may have taken its place.
    if (this.values.get(entry.field[1]) === entry) this.values.delete(entry.field[1])
    if (this.latest === entry) this.latest = undefined
  }
}

export class NameIndex {
  readonly #records = new Map<string, NameRecord>()

  /** The record of a name; a new one when there is none. */
  of(name: string): NameRecord {
    let record = this.#records.get(name)
    if (record === undefined) {
      if (this.#records.size >= MAX_NAMES) this.#forget()
      record = new NameRecord(name)
      this.#records.set(name, record)
    }
    return record
  }

  onEvicted(entry: TableEntry): void {
    this.#records.get(entry.field[0])?.onEvicted(entry)
  }

  /** The table holds no more than its capacity, so those that stay are bounded as well. */
  #forget(): void {
    for (const [name, record] of this.#records) if (record.values.size === 0) this.#records.delete(name)
  }
}

// What `get` remembers from one run to the next: tickets with the parameters, the SETTINGS and the token that go with
// them. As secret as a private key.

import { randomUUID } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { isExpired, type Resumption, readResumption, type TicketStore, writeResumption } from '../zero-rtt/index.ts'
import { CliError, ExitCode, fileError, isNodeError } from './errors.ts'

interface Entry {
  readonly origin: string
  readonly resumption: Resumption
  /** base64 of `writeResumption`. */
  readonly text: string
}

/** Tickets kept for one origin and protocol; the newest. */
export const MAX_PER_ORIGIN = 4
/** Tickets in one file. */
export const MAX_ENTRIES = 256

/**
 * A ticket is taken out of the file before it is used, and new ones are put in after. Each time the file is read anew:
 * another process may have changed it.
 */
export class SessionFile implements TicketStore {
  readonly #path: string
  readonly #alpn: string
  readonly #used = new Set<string>()
  readonly #kept: Entry[]
  readonly #added: Entry[] = []
  #isChanged = false
  #onAdded: () => void = () => {}

  /** Throws a CliError for a file that is there but cannot be read, or is something else. */
  constructor(path: string, alpn: string) {
    this.#path = path
    this.#alpn = alpn
    this.#kept = readEntries(path)
  }

  /** How many tickets came. */
  get addedCount(): number {
    return this.#added.length
  }

  /** The newest one of this protocol that is still valid. */
  take(origin: string): Resumption | undefined {
    for (let entry = this.#kept.pop(); entry !== undefined; entry = this.#kept.pop()) {
      const { resumption } = entry
      if (entry.origin !== origin || resumption.alpn !== this.#alpn || isExpired(resumption, Date.now())) continue
      this.#used.add(entry.text)
      this.#isChanged = true
      return resumption
    }
    return undefined
  }

  put(origin: string, resumption: Resumption): void {
    this.#added.push({ origin, resumption, text: Buffer.from(writeResumption(resumption)).toString('base64') })
    this.#isChanged = true
    this.#onAdded()
  }

  /** Resolves when a ticket comes, or after `ms`. */
  nextTicket(ms: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, ms)
      this.#onAdded = () => {
        clearTimeout(timer)
        // Tickets come in company: those of the same flight are already on their way up.
        setImmediate(resolve)
      }
    })
  }

  /** Writes what changed, for the owner alone to read; other readers see the old content or the new. */
  save(): void {
    if (!this.#isChanged) return
    this.#isChanged = false
    const unused = readEntries(this.#path).filter(entry => !this.#used.has(entry.text))
    const known = new Set(unused.map(entry => entry.text))
    const added = this.#added.filter(entry => !known.has(entry.text))
    const tickets = newest([...unused, ...added]).map(({ origin, text }) => ({ origin, resumption: text }))
    const temporary = `${this.#path}.${randomUUID()}.tmp`
    try {
      writeFileSync(temporary, `${JSON.stringify({ format: FORMAT, version: 1, tickets })}\n`, {
        mode: 0o600,
        flag: 'wx',
      })
      renameSync(temporary, this.#path)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw fileError(`write --session ${this.#path}`, error)
    }
  }
}

/** Valid ones, of each origin and protocol the last few. */
function newest(entries: readonly Entry[]): Entry[] {
  const counts = new Map<string, number>()
  const now = Date.now()
  const kept: Entry[] = []
  for (const entry of entries.toReversed()) {
    const key = `${entry.resumption.alpn} ${entry.origin}`
    const count = counts.get(key) ?? 0
    if (isExpired(entry.resumption, now) || count >= MAX_PER_ORIGIN || kept.length >= MAX_ENTRIES) continue
    counts.set(key, count + 1)
    kept.push(entry)
  }
  return kept.toReversed()
}

function readEntries(path: string): Entry[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (isNodeError(error) && error.code === 'ENOENT') return []
    throw fileError(`read --session ${path}`, error)
  }
  // An empty file is a fresh one, as mktemp makes it.
  if (text.trim() === '') return []
  try {
    const { format, version, tickets } = JSON.parse(text) as Record<string, unknown>
    if (format === FORMAT && version === 1 && Array.isArray(tickets)) return tickets.map(entryOf)
  } catch {
    // No JSON, or no tickets in it.
  }
  throw new CliError(ExitCode.LocalFailed, `--session ${path} is no session file of this version: delete it`)
}

/** Throws for anything `save` would not have written. */
function entryOf(value: unknown): Entry {
  const { origin, resumption } = value as Record<string, unknown>
  if (typeof origin !== 'string' || typeof resumption !== 'string') throw new TypeError('no ticket')
  return { origin, resumption: readResumption(Uint8Array.from(Buffer.from(resumption, 'base64'))), text: resumption }
}

const FORMAT = 'zerotrip session'

// A client's tickets in files: they outlive its process, sealed. A ticket is a file of its own, written beside its place and
// moved there whole; whoever moves it away has it, so that processes may share the directory.

import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '../bytes/hex.ts'
import { nodeBackend } from '../crypto/backend-node.ts'
import { unixTime } from '../endpoint/clock.ts'
import { limits } from '../limits.ts'
import type { Resumption } from '../zero-rtt/resumption.ts'
import type { TicketStore } from '../zero-rtt/ticket-store.ts'
import { SealedTickets } from './sealed-tickets.ts'

export interface FileTicketsOptions {
  /** Made when it is not there, for its owner alone. */
  readonly directory: string
  /** 32 random bytes: the files are of no use without them. */
  readonly key: Uint8Array
  /** Origins; the one that got a ticket longest ago is forgotten first. Default 256. */
  readonly maxOrigins?: number
  /** Tickets of one origin; the oldest goes first. Default 4. */
  readonly maxPerOrigin?: number
}

export class FileTickets implements TicketStore {
  readonly #directory: string
  readonly #sealed: SealedTickets
  readonly #maxOrigins: number
  readonly #maxPerOrigin: number
  #order = 0

  /** Throws a RangeError for a key that is none. */
  constructor(options: FileTicketsOptions) {
    this.#directory = options.directory
    this.#sealed = new SealedTickets(options.key)
    this.#maxOrigins = options.maxOrigins ?? limits.ticketOrigins
    this.#maxPerOrigin = options.maxPerOrigin ?? limits.ticketsPerOrigin
  }

  /** The newest that is still good and that nobody else took. Rejects with node's error when the directory fails. */
  async take(origin: string): Promise<Resumption | undefined> {
    const folder = this.#folderOf(origin)
    for (const name of (await ticketsIn(folder)).toReversed()) {
      const bytes = await claim(join(folder, name))
      const found = bytes && this.#sealed.open(origin, bytes, unixTime())
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Rejects with node's error when the directory fails. */
  async put(origin: string, resumption: Resumption): Promise<void> {
    const folder = this.#folderOf(origin)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const path = join(folder, this.#nextName())
    await writeFile(`${path}.new`, this.#sealed.seal(origin, resumption), { mode: 0o600, flag: 'wx' })
    await rename(`${path}.new`, path)
    const names = await ticketsIn(folder)
    for (const name of names.slice(0, -this.#maxPerOrigin)) await rm(join(folder, name), { force: true })
    await this.#forgetOrigins()
  }

  /** Names sort by age, and are nobody else's. */
  #nextName(): string {
    const time = String(Math.floor(unixTime())).padStart(15, '0')
    const order = String(this.#order++).padStart(9, '0')
    return `${time}-${order}-${toHex(nodeBackend.random(8))}${SUFFIX}`
  }

  #folderOf(origin: string): string {
    return join(this.#directory, toHex(nodeBackend.hash('sha256', new TextEncoder().encode(origin)).subarray(0, 16)))
  }

  async #forgetOrigins(): Promise<void> {
    const names = await readdir(this.#directory)
    if (names.length <= this.#maxOrigins) return
    const folders = await Promise.all(names.map(name => ageOf(join(this.#directory, name))))
    folders.sort((a, b) => a.changed - b.changed)
    for (const { path } of folders.slice(0, -this.#maxOrigins)) await rm(path, { recursive: true, force: true })
  }
}

const SUFFIX = '.ticket'

async function ticketsIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter(name => name.endsWith(SUFFIX)).sort()
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** What is in the file, for one of all who try: a file can be moved once. */
async function claim(path: string): Promise<Uint8Array | undefined> {
  const taken = `${path}.${toHex(nodeBackend.random(8))}`
  try {
    await rename(path, taken)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  const bytes = await readFile(taken)
  await rm(taken)
  return bytes
}

async function ageOf(path: string): Promise<{ readonly path: string; readonly changed: number }> {
  try {
    return { path, changed: (await stat(path)).mtimeMs }
  } catch {
    // Somebody else has removed it.
    return { path, changed: 0 }
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

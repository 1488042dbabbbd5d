// Where content goes: a file that appears when it is complete, or standard output.

import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Writable } from 'node:stream'
import { fileError, usageError } from './errors.ts'

export interface Sink {
  /** Where it can be found; undefined for standard output. */
  readonly file: string | undefined
  /** Resolves when there is room for more. Rejects with a CliError. */
  write(chunk: Uint8Array): Promise<void>
  /** All of it is there. */
  finish(): Promise<void>
  /** It stays incomplete: nothing is left behind where that is possible. */
  discard(): Promise<void>
}

export function fileSink(file: string): Sink {
  const partial = join(dirname(file), `.${basename(file)}.part`)
  const stream = createWriteStream(partial)
  const out = new Outlet(stream, `write ${file}`)
  const end = (): Promise<void> => new Promise(resolve => stream.close(() => resolve()))
  return {
    file,
    write: chunk => out.write(chunk),
    async finish() {
      await out.end()
      await rename(partial, file).catch(error => {
        throw fileError(`write ${file}`, error)
      })
    },
    async discard() {
      await end()
      await rm(partial, { force: true })
    },
  }
}

/** Shared by all answers, one after another: finishing one does not end the stream. */
export function outputSink(stdout: Writable): Sink {
  const out = new Outlet(stdout, 'write to standard output')
  return {
    file: undefined,
    write: chunk => out.write(chunk),
    finish: () => out.flush(),
    discard: () => out.flush(),
  }
}

/** The name of a URL's content in a directory. Throws a CliError where two URLs have the same. */
export function fileNames(urls: readonly URL[], directory: string): Map<URL, string> {
  const names = new Map<URL, string>()
  const taken = new Map<string, URL>()
  for (const url of urls) {
    const name = fileNameOf(url)
    const other = taken.get(name)
    if (other !== undefined) throw usageError(`${other.href} and ${url.href} would both be saved as ${name}`)
    taken.set(name, url)
    names.set(url, join(directory, name))
  }
  return names
}

/** The last part of the path, never a way out of the directory. */
function fileNameOf(url: URL): string {
  const last = url.pathname.slice(url.pathname.lastIndexOf('/') + 1)
  let name: string
  try {
    name = decodeURIComponent(last)
  } catch {
    name = last
  }
  if (name === '' || name === '.' || name === '..') return 'index.html'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return name.replace(/[/\\:\x00-\x1f]/g, '_')
}

/** A Writable with promises; its errors are met by the next call. */
class Outlet {
  readonly #stream: Writable
  readonly #what: string
  #error: Error | undefined
  #resume: () => void = () => {}

  constructor(stream: Writable, what: string) {
    this.#stream = stream
    this.#what = what
    stream.on('error', error => {
      this.#error = error
      this.#resume()
    })
    stream.on('drain', () => this.#resume())
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#error === undefined && !this.#stream.write(chunk)) {
      await new Promise<void>(resolve => {
        this.#resume = resolve
      })
    }
    this.#check()
  }

  /** Resolves when all that was written has left. */
  async flush(): Promise<void> {
    if (this.#error === undefined) await new Promise<void>(resolve => this.#stream.write('', () => resolve()))
    this.#check()
  }

  async end(): Promise<void> {
    if (this.#error === undefined) {
      await new Promise<void>(resolve => {
        this.#resume = resolve
        this.#stream.end(() => resolve())
      })
    }
    this.#check()
  }

  #check(): void {
    if (this.#error !== undefined) throw fileError(this.#what, this.#error)
  }
}

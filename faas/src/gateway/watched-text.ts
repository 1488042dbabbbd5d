// A text that somebody else writes, in a file or at an https: URL, as it is now.

import { readFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { Readable } from 'node:stream'
import { Forwarder } from '../http/forwarder.ts'
import { wholeBody } from '../http/whole-body.ts'

export interface WatchedTextOptions {
  /** Path, or https: URL. */
  readonly source: string
  /** PEM: whom to trust at that URL. Default: the system's roots. */
  readonly ca?: string
  /** ms between two looks. Default 2,000. */
  readonly every?: number
  /** Told of a text that is new. What it throws is an error, and the text is looked at no more. */
  readonly onText: (text: string) => void
  /** Told when it cannot be read, or was not liked. */
  readonly onError: (error: unknown) => void
}

const LOOK_EVERY = 2000

/** Bytes. */
const MAX_TEXT = 1 << 20

/** ms for an answer. */
const PATIENCE = 10_000

export class WatchedText {
  readonly #options: WatchedTextOptions
  readonly #read: () => Promise<string>
  readonly #end = new AbortController()
  #last: string | undefined
  #timer: NodeJS.Timeout | undefined

  /** Throws a TypeError for a URL that is not https. */
  constructor(options: WatchedTextOptions) {
    this.#options = options
    this.#read = readerOf(options, this.#end.signal)
  }

  /** Looks for the first time: resolves when that is done, whatever came of it. */
  async start(): Promise<void> {
    await this.#look()
    if (this.#end.signal.aborted) return
    this.#timer = setTimeout(() => this.start(), this.#options.every ?? LOOK_EVERY).unref()
  }

  stop(): void {
    this.#end.abort()
    clearTimeout(this.#timer)
  }

  async #look(): Promise<void> {
    try {
      const text = await this.#read()
      if (text === this.#last || this.#end.signal.aborted) return
      this.#last = text
      this.#options.onText(text)
    } catch (error) {
      if (!this.#end.signal.aborted) this.#options.onError(error)
    }
  }
}

function readerOf({ source, ca }: WatchedTextOptions, end: AbortSignal): () => Promise<string> {
  if (!/^[a-z]+:\/\//.test(source)) return () => readFile(source, 'utf8')
  const url = new URL(source)
  if (url.protocol !== 'https:') throw new TypeError(`a list comes from a file or by https, not from ${source}`)
  const forwarder = new Forwarder(new URL(url.origin), new Agent({ keepAlive: false, ...(ca && { ca }) }))
  const call = {
    method: 'GET',
    target: url.pathname + url.search,
    host: url.host,
    headers: new Headers(),
    body: undefined,
  }
  return async () => {
    const { status, body } = await forwarder.forward(call, AbortSignal.any([end, AbortSignal.timeout(PATIENCE)]))
    if (status !== 200) throw new Error(`${source}: status ${status}`)
    // Small ones come whole.
    const bytes = body instanceof Readable ? await wholeBody(body, MAX_TEXT) : (body ?? new Uint8Array(0))
    if (bytes === undefined) throw new RangeError(`${source}: more than ${MAX_TEXT} bytes`)
    return typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes)
  }
}

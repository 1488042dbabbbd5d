// HTTP/0.9 over QUIC streams (ALPN hq-interop): "GET /path", an end, and bytes back. What interoperability tests of
// the transport speak; no RFC.

import { limits } from '../limits.ts'
import type { Http3Transport, Http3TransportEvent } from './transport.ts'

/** What is served for a path; undefined: nothing, the stream is reset. */
export type Hq09Handler = (path: string) => Hq09Body | Promise<Hq09Body>
export type Hq09Body = ReadableStream<Uint8Array> | Uint8Array | undefined

/** A request longer than this is reset. */
export const MAX_HQ_REQUEST: number = limits.hqRequestLength

export class Hq09Server {
  readonly #transport: Http3Transport
  readonly #handler: Hq09Handler
  /** Request lines not yet complete. */
  readonly #requests = new Map<number, string>()
  readonly #wake = new Map<number, () => void>()

  constructor(transport: Http3Transport, handler: Hq09Handler) {
    this.#transport = transport
    this.#handler = handler
  }

  onEvent(event: Http3TransportEvent): void {
    switch (event.type) {
      case 'streamOpened':
        if (event.id % 4 === 0) this.#requests.set(event.id, '')
        return this.#onReadable(event.id)
      case 'readable':
        return this.#onReadable(event.id)
      case 'writable':
        return wakeUp(this.#wake, event.id)
      case 'streamReset':
      case 'streamStopped':
        this.#requests.delete(event.id)
        this.#reset(event.id)
        return wakeUp(this.#wake, event.id)
      case 'closed':
        this.#requests.clear()
        for (const id of [...this.#wake.keys()]) wakeUp(this.#wake, id)
    }
  }

  #onReadable(id: number): void {
    let line = this.#requests.get(id)
    if (line === undefined) return
    for (let chunk = this.#transport.read(id); chunk !== undefined; chunk = this.#transport.read(id)) {
      if (line.length + chunk.data.length > MAX_HQ_REQUEST) {
        this.#requests.delete(id)
        this.#transport.stop(id, 0)
        return this.#reset(id)
      }
      for (const byte of chunk.data) line += String.fromCharCode(byte)
      this.#requests.set(id, line)
      if (!chunk.fin) continue
      this.#requests.delete(id)
      void this.#answer(id, line)
      return
    }
  }

  async #answer(id: number, line: string): Promise<void> {
    try {
      const path = /^GET (\/[^\r\n ]*)[\r\n]*$/.exec(line)?.[1]
      let body = path === undefined ? undefined : this.#handler(path)
      if (body instanceof Promise) body = await body
      if (body === undefined) this.#reset(id)
      else if (body instanceof Uint8Array) this.#transport.write(id, body, true)
      else await this.#send(id, body)
    } catch {
      this.#reset(id)
    }
  }

  async #send(id: number, body: ReadableStream<Uint8Array>): Promise<void> {
    const reader = body.getReader()
    try {
      for (;;) {
        const { value, done } = await reader.read()
        const room = this.#transport.write(id, value ?? empty, done)
        if (done) return
        if (room <= 0) await new Promise<void>(resolve => this.#wake.set(id, resolve))
      }
    } catch (error) {
      reader.cancel(error).catch(() => {})
      throw error
    }
  }

  #reset(id: number): void {
    try {
      this.#transport.reset(id, 0)
    } catch {
      // Closed already.
    }
  }
}

export interface Hq09Options {
  /** May be sent as 0-RTT data. Default false. */
  readonly early?: boolean
}

interface Download {
  readonly request: Uint8Array
  readonly isEarly: boolean
  readonly controller: ReadableStreamDefaultController<Uint8Array>
  id: number
  isWanted: boolean
}

export class Hq09Client {
  readonly #transport: Http3Transport
  readonly #downloads = new Map<number, Download>()
  #queue: Download[] = []
  #isComplete: boolean
  #error: Error | undefined = undefined

  constructor(transport: Http3Transport) {
    this.#transport = transport
    this.#isComplete = transport.isHandshakeConfirmed
  }

  /** What the server has for `path`, as it comes. The request is sent before this returns where that is possible. */
  get(path: string, options: Hq09Options = {}): ReadableStream<Uint8Array> {
    let download: Download | undefined
    return new ReadableStream<Uint8Array>(
      {
        start: controller => {
          const request = new TextEncoder().encode(`GET ${path}\r\n`)
          download = { request, isEarly: options.early ?? false, controller, id: -1, isWanted: false }
          this.#queue.push(download)
          this.#openQueued()
        },
        pull: () => this.#pull(download as Download),
        cancel: () => this.#cancel(download as Download),
      },
      { highWaterMark: 0 },
    )
  }

  onEvent(event: Http3TransportEvent): void {
    switch (event.type) {
      case 'readable': {
        const download = this.#downloads.get(event.id)
        if (download?.isWanted) this.#pull(download)
        return
      }
      case 'streamReset':
        return this.#fail(event.id, new Error(`stream reset with ${event.errorCode}`))
      case 'streamsAvailable':
        return this.#openQueued()
      case 'handshakeComplete':
      case 'handshakeConfirmed':
        this.#isComplete = true
        return this.#openQueued()
      case 'closed':
        this.#error = event.error ?? new Error('the connection was closed')
        // What arrived before can still be read; those that wait find out now what there is.
        for (const download of [...this.#downloads.values()]) if (download.isWanted) this.#pull(download)
        return this.#openQueued()
    }
  }

  #openQueued(): void {
    const queue = this.#queue
    this.#queue = []
    for (const download of queue) if (!this.#open(download)) this.#queue.push(download)
  }

  #open(download: Download): boolean {
    if (this.#error !== undefined) {
      download.controller.error(this.#error)
      return true
    }
    if (!this.#isComplete && !download.isEarly) return false
    const id = this.#transport.openStream('bidi')
    if (id === undefined) return false
    download.id = id
    this.#downloads.set(id, download)
    this.#transport.write(id, download.request, true)
    return true
  }

  #pull(download: Download): void {
    download.isWanted = true
    if (download.id === -1) return
    const chunk = this.#transport.read(download.id)
    if (chunk === undefined) {
      if (this.#error !== undefined) this.#fail(download.id, this.#error)
      return
    }
    if (chunk.data.length > 0) {
      download.isWanted = false
      download.controller.enqueue(chunk.data)
    }
    if (!chunk.fin || !this.#downloads.delete(download.id)) return
    download.isWanted = false
    download.controller.close()
  }

  #cancel(download: Download): void {
    this.#queue = this.#queue.filter(waiting => waiting !== download)
    if (this.#downloads.delete(download.id)) this.#transport.stop(download.id, 0)
  }

  #fail(id: number, error: Error): void {
    const download = this.#downloads.get(id)
    this.#downloads.delete(id)
    download?.controller.error(error)
  }
}

function wakeUp(waiting: Map<number, () => void>, id: number): void {
  const wake = waiting.get(id)
  waiting.delete(id)
  wake?.()
}

const empty = new Uint8Array(0)

// `req.socket`: what programs written for node:http ask of a socket, for one request of a connection that has many.
// To destroy it gives up this request alone.

import { X509Certificate } from 'node:crypto'
import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ChannelPeer } from './channel.ts'

/** Who is behind it. */
export interface SocketOwner {
  readonly peer: ChannelPeer
  destroy(error?: Error): void
}

export class StreamSocket extends EventEmitter {
  readonly encrypted = true
  readonly connecting = false
  readonly pending = false
  destroyed = false
  readable = true
  writable = true
  /** node:http corks the socket of a response: ours gathers by itself. */
  readonly writableCorked = 1
  readonly _writableState: { corked: number } = { corked: 1 }
  _httpMessage: ServerResponse<IncomingMessage> | undefined = undefined
  writableNeedDrain = false
  timeout = 0
  readonly #owner: SocketOwner
  #timer: NodeJS.Timeout | undefined = undefined

  constructor(owner: SocketOwner) {
    super()
    this.#owner = owner
  }

  get remoteAddress(): string | undefined {
    return this.#owner.peer.remoteAddress
  }

  get remotePort(): number | undefined {
    return this.#owner.peer.remotePort
  }

  get remoteFamily(): 'IPv4' | 'IPv6' | undefined {
    const { remoteAddress } = this
    return remoteAddress === undefined ? undefined : familyOf(remoteAddress)
  }

  get localAddress(): string | undefined {
    return this.#owner.peer.localAddress
  }

  get localPort(): number | undefined {
    return this.#owner.peer.localPort
  }

  get alpnProtocol(): string {
    return this.#owner.peer.alpnProtocol
  }

  get servername(): string | undefined {
    return this.#owner.peer.servername
  }

  get authorized(): boolean {
    return this.#owner.peer.authorized
  }

  get readyState(): 'open' | 'closed' {
    return this.destroyed ? 'closed' : 'open'
  }

  get writableLength(): number {
    return 0
  }

  /** Requests take it over, and cannot be streams without. */
  get readableHighWaterMark(): number {
    return 65_536
  }

  get writableHighWaterMark(): number {
    return 65_536
  }

  getProtocol(): string {
    return 'TLSv1.3'
  }

  /** As node:tls has it: of the client, an empty object without. */
  getPeerCertificate(): object {
    const { certificate } = this.#owner.peer
    return certificate === undefined ? {} : new X509Certificate(certificate).toLegacyObject()
  }

  getPeerX509Certificate(): X509Certificate | undefined {
    const { certificate } = this.#owner.peer
    return certificate === undefined ? undefined : new X509Certificate(certificate)
  }

  address(): { address: string | undefined; port: number | undefined; family: string | undefined } {
    const { localAddress, localPort } = this
    return { address: localAddress, port: localPort, family: localAddress && familyOf(localAddress) }
  }

  /** Calls back, and emits `timeout`, after `ms` without content either way; 0: never. */
  setTimeout(ms: number, listener?: () => void): this {
    this.timeout = ms
    if (listener !== undefined) {
      if (ms === 0) this.off('timeout', listener)
      else this.once('timeout', listener)
    }
    clearTimeout(this.#timer)
    this.#timer = ms > 0 ? setTimeout(() => this.emit('timeout'), ms).unref() : undefined
    return this
  }

  /** Something moved. */
  refresh(): void {
    this.#timer?.refresh()
  }

  destroy(error?: Error): this {
    if (!this.destroyed) this.#owner.destroy(error)
    return this
  }

  destroySoon(): void {
    this.destroy()
  }

  /** The request is over, one way or the other. */
  onOver(): void {
    if (this.destroyed) return
    clearTimeout(this.#timer)
    this.destroyed = true
    this.readable = false
    this.writable = false
    this.emit('close', false)
  }

  /** Content goes by the response: a socket of many requests has no bytes of its own. */
  write(): never {
    throw new TypeError('this socket has many requests: write to the response')
  }

  end(): this {
    return this
  }

  cork(): void {}
  uncork(): void {}
  pause(): this {
    return this
  }
  resume(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
}

function familyOf(address: string): 'IPv4' | 'IPv6' {
  return address.includes(':') ? 'IPv6' : 'IPv4'
}
